"""A conversation as a text: in short for the screen, whole as Markdown or JSON."""

from __future__ import annotations

from typing import assert_never

from turnfold.core.agent.state import Past
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Invocation, Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.llm import markdown
from turnfold.core.llm.call_format import parse
from turnfold.core.llm.fences import longest_run
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import ToolSpec, find_tool
from turnfold.core.tools.textlines import clipped

SHORT_CHARS = 500
LEAST_TICKS = 3


def shortened(past: Past, last: int) -> str:
    """The ``last`` messages, each clipped, with the turn that each is of."""
    begun = tuple((mark.log_length, mark.turn) for mark in past.marks)
    start = max(len(past.log) - last, 0)
    return "\n".join(f"{_turn_at(begun, index)}  {_short(past.log[index])}" for index in range(start, len(past.log)))


def _turn_at(begun: tuple[tuple[int, int], ...], index: int) -> int:
    """The turn of the message number ``index``: the last that began before it."""
    return next((turn for length, turn in reversed(begun) if length <= index), 0)


def _short(message: Message) -> str:
    text = clipped(message.text.strip(), SHORT_CHARS)
    match message:
        case UserMessage(urged=urged):
            return f"{'turnfold' if urged else 'you'}: {text}"
        case AssistantMessage(calls=calls):
            called = f"(calls {', '.join(call.name for call in calls)})" if calls else ""
            return f"model: {text} {called}".rstrip()
        case ToolMessage(tool=tool, ok=ok):
            return f"{tool}{'' if ok else ' (failed)'}: {text}{_shows(message)}"
        case _:
            assert_never(message)


def _shows(message: ToolMessage) -> str:
    """The pictures of an output, named: their bytes are nothing to read."""
    names = ", ".join(f"{each.media_type}, {counted(each.size_bytes, 'byte')}" for each in message.images)
    return f" [shows {names}]" if names else ""


def as_markdown(past: Past, name: str, tools: tuple[ToolSpec, ...]) -> str:
    """The whole log as Markdown: a heading a speaker, calls as blocks, outputs in fences that nothing in them closes."""
    title = f"# {name or past.conversation or 'Conversation'}\n"
    return "\n".join((title, *(_section(message, tools) for message in past.log)))


def _section(message: Message, tools: tuple[ToolSpec, ...]) -> str:
    match message:
        case UserMessage(text=text, context=context, urged=urged):
            return f"## {'turnfold' if urged else 'User'}\n\n{context + chr(10) * 2 if context else ''}{text.rstrip()}\n"
        case AssistantMessage(text=text, calls=calls, cut=cut):
            written = tuple(call for format in ToolFormat for call in parse(text, format, tools))
            unwritten = (_block(call, tools) for call in calls if call not in written)
            parts = (text.rstrip(), *unwritten, "(cut)" if cut else "")
            return "## Assistant\n\n" + "\n\n".join(part for part in parts if part) + "\n"
        case ToolMessage(text=text, tool=tool, ok=ok):
            return f"### Output of {tool}{'' if ok else ' (failed)'}{_shows(message)}\n\n{_fenced(text)}\n"
        case _:
            assert_never(message)


def _block(call: Invocation, tools: tuple[ToolSpec, ...]) -> str:
    """A call that is not in its message's text, as the block that would be one."""
    if isinstance(call, BrokenCall):
        return _fenced(call.text, f"broken {call.name}")
    tool = find_tool(tools, call.name)
    return _fenced(dumps(call.arguments), f"{call.name} --json") if tool is None else markdown.render(call, tool)


def _fenced(text: str, label: str = "") -> str:
    fence = "`" * max(longest_run(text) + 1, LEAST_TICKS)
    return f"{fence}{label}\n{text.rstrip(chr(10))}\n{fence}"


def as_json(past: Past, name: str) -> str:
    """The whole log as one JSON object, a message a line."""
    head = dumps(JsonObject.of(conversation=past.conversation, name=name))[:-1]
    lines = ",\n".join(dumps(_object(message)) for message in past.log)
    return f'{head},"messages":[\n{lines}\n]}}\n'


def _object(message: Message) -> JsonObject:
    match message:
        case UserMessage(text=text, context=context, urged=urged):
            return JsonObject.of(role="turnfold" if urged else "user", text=text, **({"context": context} if context else {}))
        case AssistantMessage():
            return _replied(message)
        case ToolMessage(call_id=call_id, tool=tool, text=text, ok=ok):
            shown = tuple(
                JsonObject.of(media_type=each.media_type, size_bytes=each.size_bytes, digest=each.digest) for each in message.images
            )
            return JsonObject.of(role="tool", call_id=call_id, tool=tool, text=text, ok=ok, **({"images": shown} if shown else {}))
        case _:
            assert_never(message)


def _replied(message: AssistantMessage) -> JsonObject:
    calls = tuple(_called(f"{message.place}.{number}", call) for number, call in enumerate(message.calls))
    told: tuple[tuple[str, JsonValue], ...] = (("reasoning", message.reasoning), ("calls", calls), ("cut", message.cut))
    return JsonObject((("role", "assistant"), ("text", message.text), *((key, value) for key, value in told if value)))


def _called(call_id: str, call: Invocation) -> JsonObject:
    if isinstance(call, BrokenCall):
        return JsonObject.of(id=call_id, tool=call.name, text=call.text, problem=str(call.problem))
    return JsonObject.of(id=call_id, tool=call.name, arguments=call.arguments)

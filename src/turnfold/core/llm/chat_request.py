"""OpenAI Chat Completions, the way out: messages and requests as bytes.

Every message is encoded once and by itself; a request is its head and the joined messages. The messages come last and
the head is the only part that changes, so request n's messages are a byte prefix of request n+1's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from attrs import evolve

from turnfold.core.config.values import RESERVED_PARAMETERS, ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, Invocation, Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue, dumps, quoted
from turnfold.core.llm.chat_images import encode_images, told_with_images
from turnfold.core.llm.elements import written
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.spelling import JSON_FORM, Spelling
from turnfold.core.llm.told_calls import short_id, told_arguments, told_name
from turnfold.core.tools.spec import ToolSpec

CHOICES = ("auto", "required", "none")
OUTPUT = "output"  # what the schema of a reply's text is called
BACKTICKS = re.compile(r"`{3,}")


def encode_message(message: Message, tool_format: ToolFormat) -> bytes:
    """One message as a JSON object in UTF-8; depends on nothing but its arguments.

    What an output of a native call shows is not in it: :func:`encode_round` makes a message of that, behind all of its round.

    >>> encode_message(UserMessage("hi"), ToolFormat.NATIVE)
    b'{"role":"user","content":"hi"}'
    """
    if isinstance(message, UserMessage):
        return _spoken("user", said_text(message))
    native = tool_format is ToolFormat.NATIVE
    if isinstance(message, AssistantMessage):
        return _assistant(message, tool_format)
    if native:
        return _output(message)
    return told_with_images(output_text(message), message.images) if message.images else _spoken("user", output_text(message))


def encode_round(messages: tuple[ToolMessage, ...]) -> bytes:
    """All outputs of a round of native calls, and behind them the message that shows what they show, as one part.

    >>> encode_round((ToolMessage(call_id="1.1.0", tool="read", text="a"), ToolMessage(call_id="1.1.1", tool="read", text="b")))
    b'{"role":"tool","tool_call_id":"t001g0100","content":"a"},{"role":"tool","tool_call_id":"t001g0101","content":"b"}'
    """
    told = b",".join([_output(message) for message in messages])
    shown = encode_images(messages)
    return b",".join((told, shown)) if shown else told


def _output(message: ToolMessage) -> bytes:
    return _utf8(f'{{"role":"tool","tool_call_id":{quoted(short_id(message.call_id))},"content":{quoted(message.text)}}}')


def output_text(message: ToolMessage) -> str:
    r"""A tool's output as a user's message tells it, in a fence that is longer than any inside; a failure is named as one.

    >>> output_text(ToolMessage(call_id="1.1.0", tool="read", text="a", ok=True))
    'Output of read:\n```\na\n```'
    """
    longest = max((len(run) for run in BACKTICKS.findall(message.text)), default=2)
    fence = "`" * (longest + 1)
    body = message.text if message.text.endswith("\n") or not message.text else message.text + "\n"
    failed = "" if message.ok else "\nThat failed. Write it in another way."
    return f"Output of {message.tool}:\n{fence}\n{body}{fence}{failed}"


def encode_request(opening: bytes, messages: Iterable[bytes]) -> bytes:
    """The body of a request: what :func:`encode_head` gave, then the messages, empty ones passed over; costs one copy of their bytes.

    >>> encode_request(encode_head(Head(model="m")), [b'{"role":"user","content":"hi"}'])
    b'{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}'
    """
    joined = b",".join(filter(None, messages))
    between = b"," if joined and not opening.endswith(b"[") else b""
    return b"".join((opening, between, joined, b"]}"))


def encode_head(head: Head) -> bytes:
    """The beginning of a request, up to the first message that is not the system's; made once for many requests."""
    members: list[tuple[str, JsonValue]] = [("model", head.model), ("stream", True)]
    if head.asks_usage:
        members.append(("stream_options", JsonObject.of(include_usage=True)))
    if head.temperature is not None and math.isfinite(head.temperature):
        members.append(("temperature", head.temperature))
    if head.max_tokens is not None:
        members.append((head.tokens_parameter.value, head.max_tokens))
    if head.tools and head.tool_format is ToolFormat.NATIVE:
        members.append(("tools", tuple(_tool(tool) for tool in head.tools)))
        members += _choosing(head)
    if head.output:
        schema = JsonObject.of(name=OUTPUT, schema=head.output)
        members.append(("response_format", JsonObject.of(type="json_schema", json_schema=schema)))
    ours = (*RESERVED_PARAMETERS, *(name for name, _ in members))
    members += [(name, value) for name, value in head.parameters.members if name not in ours]
    if head.grammar:
        members.append(("grammar", head.grammar))
    system = (_spoken("system", head.system),) if head.system else ()
    told = b",".join((*system, *(_spoken(turn.role.value, turn.text) for turn in head.examples)))
    return _utf8(dumps(JsonObject(tuple(members)))[:-1] + ',"messages":[') + told


def _choosing(head: Head) -> list[tuple[str, JsonValue]]:
    """How the tools are to be used, where anybody says."""
    members: list[tuple[str, JsonValue]] = []
    if head.tool_choice:
        one = JsonObject.of(type="function", function=JsonObject.of(name=head.tool_choice))
        members.append(("tool_choice", head.tool_choice if head.tool_choice in CHOICES else one))
    if head.parallel_calls is not None:
        members.append(("parallel_tool_calls", head.parallel_calls))
    return members


def _tool(tool: ToolSpec) -> JsonObject:
    about = JsonObject.of(name=tool.name, description=tool.description, parameters=tool.parameters)
    return JsonObject.of(type="function", function=about)


def _assistant(message: AssistantMessage, tool_format: ToolFormat) -> bytes:
    """What the model said; what it reasoned, where the message has it still: for a model that must get it back (:func:`as_returned`)."""
    native = tool_format is ToolFormat.NATIVE and bool(message.calls)
    text = message.text if native else message.text or calls_text(message.calls, tool_format)
    content = quoted(text) if text or not native else "null"
    reasoned = f',"reasoning_content":{quoted(message.reasoning)}' if message.reasoning else ""
    if message.verbatim is not None and message.verbatim.wire is Wire.CHAT:
        reasoned = f',"reasoning_details":{dumps(message.verbatim.items)}'
    calls = ",".join(_call(f"{message.place}.{number}", call) for number, call in enumerate(message.calls)) if native else ""
    called = f',"tool_calls":[{calls}]' if native else ""
    return _utf8(f'{{"role":"assistant","content":{content}{reasoned}{called}}}')


def as_returned(message: Message, *, returns: bool) -> Message:
    """``message`` for a model that gets its reasoning back in Chat Completions, or not: most refuse or ignore it.

    >>> as_returned(AssistantMessage(text="Hi", place="1.1", reasoning="Hm."), returns=False).reasoning
    ''
    """
    if returns or not isinstance(message, AssistantMessage) or not (message.reasoning or message.verbatim):
        return message
    return evolve(message, reasoning="", verbatim=None)


def said_text(message: UserMessage) -> str:
    """What a model is told that the person said: the context, then their words."""
    return f"{message.context}\n\n{message.text}" if message.context else message.text


def calls_text(calls: tuple[Invocation, ...], tool_format: ToolFormat) -> str:
    """Calls that were never text (a person's command, another format) as such; an assistant that says nothing confuses models.

    They are elements where the format is XML, else blocks.
    """
    if tool_format is ToolFormat.XML:
        return "\n\n".join(written(call.name, Spelling(JSON_FORM, told_arguments(call))) for call in calls)
    return "\n\n".join(f"```{call.name} --json\n{told_arguments(call)}\n```" for call in calls)


def _call(call_id: str, call: Invocation) -> str:
    told = f'"name":{quoted(told_name(call.name))},"arguments":{quoted(told_arguments(call))}'
    return f'{{"id":{quoted(short_id(call_id))},"type":"function","function":{{{told}}}}}'


def _spoken(role: str, text: str) -> bytes:
    return _utf8(f'{{"role":"{role}","content":{quoted(text)}}}')


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # a lone surrogate, which no UTF-8 can hold, becomes "?"

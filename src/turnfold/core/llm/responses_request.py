"""OpenAI Responses, the way out: messages and requests as bytes.

The input is a list of items: what is said is a ``message``, a call a ``function_call``, and its output a ``function_call_output``, which
may hold pictures. Nothing is stored at the provider, so what it must get back of its own (encrypted reasoning, what it ran itself)
goes with the message that it came with (:mod:`responses_items`). The input comes last, so request n's is a byte prefix of request n+1's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from turnfold.core.config.values import RESERVED_PARAMETERS, ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolMessage, UserMessage, Verbatim
from turnfold.core.json import JsonObject, JsonValue, dumps, quoted
from turnfold.core.llm.chat_request import CHOICES, OUTPUT, calls_text, output_text, said_text
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.responses_items import CALL, MESSAGE
from turnfold.core.llm.told_calls import told_arguments, told_name
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.images import Image

ENCRYPTED = "reasoning.encrypted_content"  # since nothing is stored, reasoning has to come and go with the messages


def encode_message(message: Message, tool_format: ToolFormat) -> bytes:
    """One message as JSON objects in UTF-8, one or more with commas between; depends on nothing but its arguments.

    >>> encode_message(UserMessage("hi"), ToolFormat.NATIVE)
    b'{"type":"message","role":"user","content":"hi"}'
    """
    if isinstance(message, UserMessage):
        return _utf8(_spoken("user", said_text(message)))
    native = tool_format is ToolFormat.NATIVE
    if isinstance(message, AssistantMessage):
        return _utf8(_assistant(message) if native else _spoken("assistant", message.text or calls_text(message.calls, tool_format)))
    if native:
        return encode_round((message,))
    content = _parts(output_text(message), message.images)
    return _utf8(f'{{"type":"message","role":"user","content":[{content}]}}')


def encode_round(messages: tuple[ToolMessage, ...]) -> bytes:
    """All outputs of a round of native calls as one part, each with what it shows.

    >>> encode_round((ToolMessage(call_id="1.1.0", tool="read", text="a"),))
    b'{"type":"function_call_output","call_id":"1.1.0","output":"a"}'
    """
    return _utf8(",".join([_output(message) for message in messages]))


def encode_request(opening: bytes, messages: Iterable[bytes]) -> bytes:
    """The body of a request: what :func:`encode_head` gave, then the messages, empty ones passed over; costs one copy of their bytes.

    >>> encode_request(encode_head(Head(model="m")), [b"1", b"", b"2"])
    b'{"model":"m","stream":true,"store":false,"input":[1,2]}'
    """
    joined = b",".join(filter(None, messages))
    between = b"," if joined and not opening.endswith(b"[") else b""
    return b"".join((opening, between, joined, b"]}"))


def encode_head(head: Head) -> bytes:
    """The beginning of a request, up to the first message; made once for many requests."""
    members: list[tuple[str, JsonValue]] = [("model", head.model), ("stream", True)]
    members.append(("store", head.parameters.get("store") is True))
    if head.system:
        members.append(("instructions", head.system))
    if head.temperature is not None and math.isfinite(head.temperature):
        members.append(("temperature", head.temperature))
    if head.max_tokens is not None:
        members.append(("max_output_tokens", head.max_tokens))
    members += [(name, value) for name, value in (("include", _include(head)), ("text", _text(head))) if value]
    if head.tools and head.tool_format is ToolFormat.NATIVE:
        members.append(("tools", tuple(_tool(tool) for tool in head.tools)))
        members += _choosing(head)
    ours = (*RESERVED_PARAMETERS, *(name for name, _ in members))
    members += [(name, value) for name, value in head.parameters.members if name not in ours]
    told = ",".join(_spoken(turn.role.value, turn.text) for turn in head.examples)
    return _utf8(dumps(JsonObject(tuple(members)))[:-1] + ',"input":[' + told)


def _include(head: Head) -> tuple[JsonValue, ...]:
    """What else the reply shall hold: as the parameters say, and encrypted reasoning of a model that is known to reason."""
    said = head.parameters.get("include")
    included = said if isinstance(said, tuple) else ()
    reasons = head.reasons or "reasoning" in head.parameters
    return (*included, ENCRYPTED) if reasons and ENCRYPTED not in included else included


def _text(head: Head) -> JsonObject:
    """How the text shall be: as the parameters say, and by the schema of the head."""
    said = head.parameters.get("text")
    text = said if isinstance(said, JsonObject) else JsonObject()
    if not head.output:
        return text
    return text.with_member("format", JsonObject.of(type="json_schema", name=OUTPUT, schema=head.output))


def _tool(tool: ToolSpec) -> JsonObject:
    """``strict`` has to be said: the provider's default would change the schema."""
    return JsonObject.of(type="function", name=tool.name, description=tool.description, parameters=tool.parameters, strict=False)


def _choosing(head: Head) -> list[tuple[str, JsonValue]]:
    """How the tools are to be used, where anybody says."""
    members: list[tuple[str, JsonValue]] = []
    if head.tool_choice:
        one = JsonObject.of(type="function", name=head.tool_choice)
        members.append(("tool_choice", head.tool_choice if head.tool_choice in CHOICES else one))
    if head.parallel_calls is not None:
        members.append(("parallel_tool_calls", head.parallel_calls))
    return members


def _assistant(message: AssistantMessage) -> str:
    """What the model said: with the items that it came in, where they are known and still fit, else its text and its calls."""
    kept = message.verbatim
    if kept is not None and kept.wire is Wire.RESPONSES and _fits(kept, message):
        return _items(kept, message)
    said = (_spoken("assistant", message.text),) if message.text or not message.calls else ()
    return ",".join((*said, *(_call(message, number, "") for number in range(len(message.calls)))))


def _fits(kept: Verbatim, message: AssistantMessage) -> bool:
    """Whether the items speak of just this text and these calls: a text may be cut, and calls be left out."""
    calls = sum(item.get("type") == CALL for item in kept.items)
    return calls == len(message.calls) and sum(_chars(item) for item in kept.items) == len(message.text)


def _chars(item: JsonObject) -> int:
    chars = item.get("chars") if item.get("type") == MESSAGE else 0
    return chars if isinstance(chars, int) and chars > 0 else 0


def _items(kept: Verbatim, message: AssistantMessage) -> str:
    start = number = 0
    told: list[str] = []
    for item in kept.items:
        if item.get("type") == MESSAGE:
            told.append(_message(item, message.text[start : start + _chars(item)]))
            start += _chars(item)
        elif item.get("type") == CALL:
            told.append(_call(message, number, _also(item, ("id", "namespace"))))
            number += 1
        else:
            told.append(dumps(item))
    return ",".join(told)


def _also(item: JsonObject, names: tuple[str, ...]) -> str:
    """Those members of ``item``, a comma before each."""
    return "".join(f",{quoted(name)}:{dumps(item[name])}" for name in names if name in item)


def _message(item: JsonObject, text: str) -> str:
    """A message of the model as it gave it: the text in one part, whatever parts it came in."""
    part = f'{{"type":"refusal","refusal":{quoted(text)}}}' if item.get("refusal") else _output_part(text)
    return f'{{"type":"message","role":"assistant","status":"completed","content":[{part}]{_also(item, ("id", "phase"))}}}'


def _output_part(text: str) -> str:
    return f'{{"type":"output_text","text":{quoted(text)},"annotations":[]}}'


def _call(message: AssistantMessage, number: int, also: str) -> str:
    call = message.calls[number]
    told = f'"name":{quoted(told_name(call.name))},"arguments":{quoted(told_arguments(call))}'
    return f'{{"type":"function_call","call_id":{quoted(f"{message.place}.{number}")},{told}{also}}}'


def _output(message: ToolMessage) -> str:
    output = f"[{_parts(message.text, message.images)}]" if message.images else quoted(message.text)
    return f'{{"type":"function_call_output","call_id":{quoted(message.call_id)},"output":{output}}}'


def _parts(text: str, images: tuple[Image, ...]) -> str:
    """A text and pictures as parts of a content."""
    urls = (quoted(f"data:{image.media_type};base64,{image.data}") for image in images)
    return ",".join((f'{{"type":"input_text","text":{quoted(text)}}}', *(f'{{"type":"input_image","image_url":{url}}}' for url in urls)))


def _spoken(role: str, text: str) -> str:
    """What somebody said; a model's words have to be parts (llama.cpp)."""
    content = f"[{_output_part(text)}]" if role == "assistant" else quoted(text)
    return f'{{"type":"message","role":"{role}","content":{content}}}'


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # a lone surrogate, which no UTF-8 can hold, becomes "?"

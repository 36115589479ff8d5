"""Gemini, the way out: messages and requests as bytes.

Every message is encoded once and by itself, all outputs of a round as one content; a request is its head and the joined contents, so
request n's contents are a byte prefix of request n+1's. The model is no part of it: it stands in the address, as
``models/NAME:streamGenerateContent?alt=sse``. What the API demands, and is seen to here:

* the first content is the user's, and a content with calls follows one of the user's or of outputs;
* no content is without parts, and no text blank;
* each ``functionCall`` is answered in the very next content, by a ``functionResponse`` with its id and name, and nothing else in it;
* a part goes back with the signature that it came with (:mod:`gemini_parts`). Gemini 3 refuses a turn whose first call has none: one that
  it did not write itself (another model did, or a person) carries the word that Google has for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from turnfold.core.config.values import RESERVED_PARAMETERS, Role, ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue, dumps, quoted
from turnfold.core.llm.chat_request import calls_text, output_text, said_text
from turnfold.core.llm.gemini_parts import CALL, SIGNATURE, TEXT, THOUGHT
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.told_calls import told_arguments, told_id, told_name
from turnfold.core.world.images import Image

NOTHING_SAID = "(nothing)"  # stands for a text that is blank
GO_ON = b'{"role":"user","parts":[{"text":"Go on."}]}'  # before a history that begins with the model's words
UNSIGNED = "skip_thought_signature_validator"  # Google, "Thought signatures", FAQ: for calls that Gemini did not write
OWN = ("contents", "systemInstruction", "system_instruction")  # what no parameter may say here, besides what is reserved in all formats
MODES: tuple[tuple[str, str], ...] = (("auto", "AUTO"), ("required", "ANY"), ("none", "NONE"))


def encode_message(message: Message, tool_format: ToolFormat) -> bytes:
    """One message as a JSON object in UTF-8; depends on nothing but its arguments.

    >>> encode_message(UserMessage("hi"), ToolFormat.NATIVE)
    b'{"role":"user","parts":[{"text":"hi"}]}'
    """
    if isinstance(message, UserMessage):
        return _utf8(_content("user", (_text(said_text(message)),)))
    if isinstance(message, AssistantMessage):
        return _utf8(_model(message, tool_format))
    if tool_format is ToolFormat.NATIVE:
        return encode_round((message,))
    return _utf8(_content("user", (_text(output_text(message)), *_images(message.images))))


def encode_round(messages: tuple[ToolMessage, ...]) -> bytes:
    """All outputs of a round of native calls as one content, and behind it one that shows what they show.

    >>> encode_round((ToolMessage(call_id="1.1.0", tool="read", text="a"),))
    b'{"role":"user","parts":[{"functionResponse":{"id":"1_1_0","name":"read","response":{"output":"a"}}}]}'
    """
    told = _content("user", tuple(_response(message) for message in messages))
    images = tuple(image for message in messages for image in message.images)
    if not images:
        return _utf8(told)
    tools = tuple(dict.fromkeys(message.tool for message in messages if message.images))
    shown = _content("user", (_text(f"Shown by {', '.join(tools)}, in this order:"), *_images(images)))
    return _utf8(f"{told},{shown}")


def encode_request(opening: bytes, messages: Iterable[bytes]) -> bytes:
    """The body of a request: what :func:`encode_head` gave, then the contents, empty ones passed over; costs one copy of their bytes.

    >>> encode_request(encode_head(Head(model="m")), [b'{"role":"user","parts":[{"text":"hi"}]}'])
    b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'
    """
    joined = b",".join(filter(None, messages))
    first = opening.endswith(b"[")
    if first and joined.startswith(b'{"role":"model"'):
        joined = b",".join((GO_ON, joined))
    return b"".join((opening, b"," if joined and not first else b"", joined, b"]}"))


def encode_head(head: Head) -> bytes:
    """The beginning of a request, up to the first content that is not an example's; made once for many requests.

    ``parallel_calls`` has no word here. Parameters of ``generationConfig`` and of ``toolConfig`` are joined with what is said of them.
    """
    members: list[tuple[str, JsonValue]] = []
    if head.system.strip():
        members.append(("systemInstruction", JsonObject.of(parts=(JsonObject.of(text=head.system),))))
    if head.tools and head.tool_format is ToolFormat.NATIVE:
        declared = tuple(
            JsonObject.of(name=tool.name, description=tool.description, parametersJsonSchema=tool.parameters) for tool in head.tools
        )
        members.append(("tools", (JsonObject.of(functionDeclarations=declared),)))
        members += _joined(head, "toolConfig", _choice(head))
    members += _joined(head, "generationConfig", _generation(head))
    said = (*RESERVED_PARAMETERS, *OWN, "toolConfig", "generationConfig")
    members += [(name, value) for name, value in head.parameters.members if name not in said]
    told = ",".join(_content("model" if turn.role is Role.ASSISTANT else "user", (_text(turn.text),)) for turn in head.examples)
    inside = dumps(JsonObject(tuple(members)))[:-1]
    return _utf8(f'{inside}{"," if members else ""}"contents":[{told}')


def _joined(head: Head, name: str, own: tuple[tuple[str, JsonValue], ...]) -> tuple[tuple[str, JsonValue], ...]:
    """The member ``name``: what the parameters say of it, and over that what is our ``own``; none where that is nothing."""
    given = head.parameters.get(name)
    joined = given if isinstance(given, JsonObject) else JsonObject()
    for key, value in own:
        joined = joined.with_member(key, value)
    return ((name, joined),) if joined else ()


def _choice(head: Head) -> tuple[tuple[str, JsonValue], ...]:
    """How the tools are to be used, where anybody says."""
    if not head.tool_choice:
        return ()
    mode = next((mode for name, mode in MODES if name == head.tool_choice), "")
    named = JsonObject.of(mode=mode) if mode else JsonObject.of(mode="ANY", allowedFunctionNames=(head.tool_choice,))
    return (("functionCallingConfig", named),)


def _generation(head: Head) -> tuple[tuple[str, JsonValue], ...]:
    members: list[tuple[str, JsonValue]] = []
    if head.temperature is not None and math.isfinite(head.temperature):
        members.append(("temperature", head.temperature))
    if head.max_tokens is not None:
        members.append(("maxOutputTokens", head.max_tokens))
    if head.output:
        members += [("responseMimeType", "application/json"), ("responseJsonSchema", head.output)]
    return tuple(members)


def _model(message: AssistantMessage, tool_format: ToolFormat) -> str:
    native = tool_format is ToolFormat.NATIVE
    text = message.text or ("" if native else calls_text(message.calls, tool_format))
    calls = tuple(_call(message, number) for number in range(len(message.calls))) if native else ()
    own = message.verbatim
    parts = _parts(own.items if own is not None and own.wire is Wire.GEMINI else (), text, message.reasoning, calls)
    told = _content("model", parts or (_text(NOTHING_SAID),))
    # What a person said as the model, with calls, follows the model's own words: calls must follow the user's.
    impersonated = calls and message.text.strip() and message.place.endswith(".0")
    return f"{GO_ON.decode()},{told}" if impersonated else told


def _parts(items: tuple[JsonObject, ...], text: str, reasoning: str, calls: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of a message: those of ``items``, each with its share of text, reasoning and calls, then what is left of these."""
    parts: list[str] = []
    said = thought = called = 0
    for item in items:
        kind, size, signature = item.get("type"), item.get("chars"), item.get(SIGNATURE)
        chars = size if isinstance(size, int) else 0
        signed = signature if isinstance(signature, str) else ""
        if kind == TEXT:
            parts += _texts(text[said : said + chars], chars, signed, thought=False)
            said += chars
        elif kind == THOUGHT:
            parts += _texts(reasoning[thought : thought + chars], chars, signed, thought=True)
            thought += chars
        elif kind == CALL:
            parts += [_signed(call, signed or (UNSIGNED if called == 0 else "")) for call in calls[called : called + 1]]
            called += 1
        else:
            parts.append(dumps(item.get("part")))
    parts += _texts(text[said:], -1, "", thought=False)
    parts += [_signed(call, UNSIGNED if number == 0 else "") for number, call in enumerate(calls[called:], called)]
    return tuple(parts)


def _texts(text: str, chars: int, signature: str, *, thought: bool) -> tuple[str, ...]:
    """A part of text; a signature goes with the very text that was signed, and thoughts do not go back without one."""
    signed = bool(signature) and len(text) == chars
    if not signed and (thought or not text.strip()):
        return ()
    marked = '"thought":true,' if thought else ""
    part = f'{{{marked}"text":{quoted(text)}}}'
    return (_signed(part, signature if signed else ""),)


def _signed(part: str, signature: str) -> str:
    return f'{part[:-1]},"{SIGNATURE}":{quoted(signature)}}}' if signature else part


def _call(message: AssistantMessage, number: int) -> str:
    call = message.calls[number]
    call_id = told_id(f"{message.place}.{number}")
    return f'{{"functionCall":{{"id":{quoted(call_id)},"name":{quoted(told_name(call.name))},"args":{told_arguments(call)}}}}}'


def _response(message: ToolMessage) -> str:
    key = "output" if message.ok else "error"
    about = f'"id":{quoted(told_id(message.call_id))},"name":{quoted(told_name(message.tool))}'
    return f'{{"functionResponse":{{{about},"response":{{"{key}":{quoted(message.text)}}}}}}}'


def _images(images: tuple[Image, ...]) -> tuple[str, ...]:
    return tuple(f'{{"inlineData":{{"mimeType":{quoted(image.media_type)},"data":{quoted(image.data)}}}}}' for image in images)


def _text(text: str) -> str:
    return f'{{"text":{quoted(text if text.strip() else NOTHING_SAID)}}}'


def _content(role: str, parts: tuple[str, ...]) -> str:
    return f'{{"role":"{role}","parts":[{",".join(parts)}]}}'


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # a lone surrogate, which no UTF-8 can hold, becomes "?"

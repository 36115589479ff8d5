"""Anthropic Messages, the way out: messages and requests as bytes.

Every message is encoded once and by itself, all outputs of a round as one message; a request is its head and the joined messages, so
request n's messages are a byte prefix of request n+1's. What the API demands of them, and is seen to here:

* the first message is the user's (consecutive ones of one role may follow, they are joined there);
* no text is empty or blank, and an assistant's last text does not end in white space, nor its message in thinking;
* each ``tool_use`` is answered in the very next message, by a ``tool_result`` before any text, and ids are of ``[a-zA-Z0-9_-]``;
* thinking goes back as it was signed, or not at all; what the provider ran itself goes back as it was (:mod:`messages_blocks`).

Where the provider may cache. ``cache_control`` on the last block of the head (its system prompt, which stands behind the tools in the
provider's order; else the last tool) makes one entry of what all requests of an agent share. That at the top of the request moves with
its last block, so each turn reads what the one before wrote: it says so once, in the head, and no message's bytes ever change for it,
as they would if the last message were marked. Entries below the provider's least size cost nothing. ``parameters`` can name another
``cache_control`` (``{ttl = "1h"}``) or none (``false``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import final

from attrs import frozen

from turnfold.core.config.values import RESERVED_PARAMETERS, ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue, dumps, quoted
from turnfold.core.llm.chat_request import calls_text, output_text, said_text
from turnfold.core.llm.intake import words
from turnfold.core.llm.messages_blocks import CALL, TEXT, THINKING
from turnfold.core.llm.messages_schema import input_schema, output_schema
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.told_calls import told_arguments, told_id, told_name
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.images import Image

MAX_TOKENS = 32_000  # asked for where nobody says: what every Claude since 4 can write, its thinking included
NOTHING_SAID = "(nothing)"  # stands for a text that is blank
GO_ON = b'{"role":"user","content":"Go on."}'  # before a history that begins with the assistant's words
EPHEMERAL = JsonObject.of(type="ephemeral")
OWN = ("system", "cache_control")  # what no parameter may say here, besides what is reserved in all formats
NEVER_LAST = (THINKING, "redacted_thinking")  # "The final block in an assistant message cannot be thinking"


def encode_message(message: Message, tool_format: ToolFormat) -> bytes:
    """One message as a JSON object in UTF-8; depends on nothing but its arguments.

    >>> encode_message(UserMessage("hi"), ToolFormat.NATIVE)
    b'{"role":"user","content":"hi"}'
    """
    if isinstance(message, UserMessage):
        return _utf8(_spoken("user", said_text(message)))
    if isinstance(message, AssistantMessage):
        return _utf8(_assistant(message, tool_format))
    if tool_format is ToolFormat.NATIVE:
        return encode_round((message,))
    text = output_text(message)
    return _utf8(_message("user", (_text(text), *_images(message.images))) if message.images else _spoken("user", text))


def encode_round(messages: tuple[ToolMessage, ...]) -> bytes:
    """All outputs of a round of native calls as one message, with what they show.

    >>> encode_round((ToolMessage(call_id="1.1.0", tool="read", text="a"),))
    b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"1_1_0","content":"a"}]}'
    """
    return _utf8(_message("user", tuple(_result(message) for message in messages)))


def encode_request(opening: bytes, messages: Iterable[bytes]) -> bytes:
    """The body of a request: what :func:`encode_head` gave, then the messages, empty ones passed over; costs one copy of their bytes.

    >>> encode_request(b'{"messages":[', [b'{"role":"user","content":"hi"}'])
    b'{"messages":[{"role":"user","content":"hi"}]}'
    """
    joined = b",".join(filter(None, messages))
    first = opening.endswith(b"[")
    if first and joined.startswith(b'{"role":"assistant"'):
        joined = b",".join((GO_ON, joined))
    return b"".join((opening, b"," if joined and not first else b"", joined, b"]}"))


def encode_head(head: Head) -> bytes:
    """The beginning of a request, up to the first message that is not an example's; made once for many requests."""
    longest = head.max_tokens or head.output_tokens or MAX_TOKENS
    members: list[tuple[str, JsonValue]] = [("model", head.model), ("max_tokens", longest), ("stream", True)]
    if head.temperature is not None and math.isfinite(head.temperature):
        members.append(("temperature", head.temperature))  # where somebody says: models since Claude 4.7 refuse any
    caching = _caching(head)
    if head.tools and head.tool_format is ToolFormat.NATIVE:
        tools = tuple(_tool(tool) for tool in head.tools)
        members.append(("tools", tools if head.system.strip() else (*tools[:-1], _marked(tools[-1], caching))))
        members += _choice(head)
    if head.system.strip():
        members.append(("system", (_marked(JsonObject.of(type=TEXT, text=head.system), caching),)))
    if head.output:
        members.append(("output_config", _output(head)))
    if caching:
        members.append(("cache_control", caching))
    said = (*RESERVED_PARAMETERS, *OWN, *(name for name, _ in members))
    members += [(name, value) for name, value in head.parameters.members if name not in said]
    told = ",".join(_spoken(turn.role.value, turn.text) for turn in head.examples)
    return _utf8(dumps(JsonObject(tuple(members)))[:-1] + ',"messages":[' + told)


def _caching(head: Head) -> JsonObject:
    """What marks a place for the provider's cache; empty where ``parameters`` say that there is to be none."""
    asked = head.parameters.get("cache_control", EPHEMERAL)
    return asked if isinstance(asked, JsonObject) else JsonObject()


def _marked(block: JsonObject, caching: JsonObject) -> JsonObject:
    return block.with_member("cache_control", caching) if caching else block


def _tool(tool: ToolSpec) -> JsonObject:
    return JsonObject.of(name=tool.name, description=tool.description, input_schema=input_schema(tool.parameters))


def _choice(head: Head) -> tuple[tuple[str, JsonValue], ...]:
    """How the tools are to be used, where anybody says."""
    one_by_one = head.parallel_calls is False
    if head.tool_choice == "none" or not (head.tool_choice or one_by_one):
        return (("tool_choice", JsonObject.of(type="none")),) if head.tool_choice else ()
    named = {"": "auto", "auto": "auto", "required": "any"}.get(head.tool_choice)
    choice = JsonObject.of(type=named) if named else JsonObject.of(type="tool", name=head.tool_choice)
    return (("tool_choice", choice.with_member("disable_parallel_tool_use", value=True) if one_by_one else choice),)


def _output(head: Head) -> JsonObject:
    """``output_config`` with the reply's schema, and what ``parameters`` say besides, such as its ``effort``."""
    asked = head.parameters.get("output_config")
    form = JsonObject.of(type="json_schema", schema=output_schema(head.output))
    return (asked if isinstance(asked, JsonObject) else JsonObject()).with_member("format", form)


@final
@frozen
class Told:
    """A block of a message: its kind, and its JSON text."""

    kind: str
    text: str


def _assistant(message: AssistantMessage, tool_format: ToolFormat) -> str:
    native = tool_format is ToolFormat.NATIVE
    text = message.text or ("" if native else calls_text(message.calls, tool_format))
    calls = tuple(Told(CALL, _use(message, number)) for number in range(len(message.calls))) if native else ()
    own = message.verbatim
    items = own.items if own is not None and own.wire is Wire.MESSAGES else ()
    blocks = _blocks(items, text, message.reasoning, calls)
    if all(block.kind == TEXT for block in blocks) and not items:
        return _spoken("assistant", text)
    while blocks and blocks[-1].kind in NEVER_LAST:
        blocks = blocks[:-1]
    return _message("assistant", tuple(block.text for block in blocks)) if blocks else _spoken("assistant", text)


def _blocks(items: tuple[JsonObject, ...], text: str, reasoning: str, calls: tuple[Told, ...]) -> tuple[Told, ...]:
    """The blocks of a message: those of ``items``, each with its share of text, reasoning and calls, then what is left of these."""
    blocks: list[Told] = []
    said = thought = called = 0
    end = len(text.rstrip())  # the last text ends here
    for item in items:
        kind, size = item.get("type"), item.get("chars")
        chars = size if isinstance(size, int) else 0
        if kind == TEXT:
            blocks += _texts(text[said : min(said + chars, end)], item)
            said += chars
        elif kind == THINKING:
            blocks += _thinking(reasoning[thought : thought + chars], chars, item)
            thought += chars
        elif kind == CALL:
            blocks += calls[called : called + 1]
            called += 1
        else:
            blocks.append(Told(words(item.get("type")), dumps(item)))
    return (*blocks, *_texts(text[said:end], JsonObject()), *calls[called:])


def _texts(text: str, item: JsonObject) -> tuple[Told, ...]:
    """A block of ``text`` with the item's citations; none of blank text, which the API refuses."""
    citations = item.get("citations")
    cited = f',"citations":{dumps(citations)}' if citations else ""
    return (Told(TEXT, f'{{"type":"text","text":{quoted(text)}{cited}}}'),) if text.strip() else ()


def _thinking(text: str, chars: int, item: JsonObject) -> tuple[Told, ...]:
    """A block of signed thinking; none of what nobody signed, or is not what was signed any more."""
    signature = item.get("signature")
    if not isinstance(signature, str) or len(text) != chars:
        return ()
    return (Told(THINKING, f'{{"type":"thinking","thinking":{quoted(text)},"signature":{quoted(signature)}}}'),)


def _use(message: AssistantMessage, number: int) -> str:
    call = message.calls[number]
    call_id = told_id(f"{message.place}.{number}")
    return f'{{"type":"tool_use","id":{quoted(call_id)},"name":{quoted(told_name(call.name))},"input":{told_arguments(call)}}}'


def _result(message: ToolMessage) -> str:
    texts = (_text(message.text),) if message.text.strip() else ()
    content = quoted(message.text) if texts else ""
    if message.images:
        content = f"[{','.join((*texts, *_images(message.images)))}]"
    told = f',"content":{content}' if content else ""
    # The API: "all content must be type `text` if `is_error` is true"; the text says what failed anyway.
    failed = "" if message.ok or message.images else ',"is_error":true'
    return f'{{"type":"tool_result","tool_use_id":{quoted(told_id(message.call_id))}{told}{failed}}}'


def _images(images: tuple[Image, ...]) -> tuple[str, ...]:
    sources = (f'{{"type":"base64","media_type":{quoted(image.media_type)},"data":{quoted(image.data)}}}' for image in images)
    return tuple(f'{{"type":"image","source":{source}}}' for source in sources)


def _text(text: str) -> str:
    return f'{{"type":"text","text":{quoted(text)}}}'


def _spoken(role: str, text: str) -> str:
    told = text.rstrip() if role == "assistant" else text
    return f'{{"role":"{role}","content":{quoted(told if told.strip() else NOTHING_SAID)}}}'


def _message(role: str, blocks: tuple[str, ...]) -> str:
    return f'{{"role":"{role}","content":[{",".join(blocks)}]}}'


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # a lone surrogate, which no UTF-8 can hold, becomes "?"

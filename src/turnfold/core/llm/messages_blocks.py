"""The blocks of a reply of Anthropic Messages, as far as they have come, and what must be sent back of them.

A block is opened with an ``index``, grows by deltas that name it, and is closed; the next may be opened before (llama.cpp). Three
kinds are ours: ``text``, ``thinking`` and ``tool_use``. Any other (what the provider ran itself and what came of it, redacted thinking,
kinds of tomorrow) is kept as it was opened, with the arguments that its deltas brought; one that grows in a way we do not know is not.

What must be sent back is a :class:`Verbatim` of one item a block, in their order:

* ``{"type": "text", "chars": 12}``: the next 12 characters of the message's text; with its ``citations``, where it has such;
* ``{"type": "thinking", "chars": 12, "signature": "…"}``: the next 12 characters of its reasoning;
* ``{"type": "tool_use"}``: the next of its calls, under the id that it has with us;
* any other item: the block itself.

So nothing is kept twice, and a message whose text was cut keeps what is left of it. A reply of text and calls alone needs none.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.config.values import Wire
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Verbatim
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted, scalar_text
from turnfold.core.llm.intake import Object, arguments_text, frozen_or_none, words
from turnfold.core.llm.reply import CallSoFar, RawCall

TEXT, THINKING, CALL = "text", "thinking", "tool_use"
MAX_BLOCKS = 1024  # of one reply; bounds the cost of a delta
NO_PIECES: Log[str] = Log()


@final
@frozen(eq=False, repr=False, kw_only=True)
class Block:
    """A block so far; ``kind`` is empty for one that is not kept.

    ``start``: how many pieces of its channel (text, reasoning) came before it. ``pieces``: of a call's arguments, or of a signature.
    ``whole``: arguments that came whole when it was opened. ``opened``: a block of another kind, as it was opened.
    """

    index: int
    kind: str
    start: int = 0
    name: str = ""
    whole: str = ""
    pieces: Log[str] = NO_PIECES
    citations: tuple[JsonValue, ...] = ()
    opened: JsonObject = JsonObject()
    closed: bool = False


def opened_block(index: int, value: Object, texts: int, thoughts: int) -> Block:
    """The block that ``value``, as JSON parsing gave it, opens behind so many pieces of text and of reasoning."""
    kind = words(value.get("type"))
    if kind == TEXT:
        return Block(index=index, kind=kind, start=texts, citations=_citations(value.get("citations")))
    if kind == THINKING:
        return Block(index=index, kind=kind, start=thoughts, pieces=_piece(words(value.get("signature"))))
    if kind == CALL:
        return Block(index=index, kind=kind, name=words(value.get("name")), whole=arguments_text(value.get("input")))
    kept = frozen_or_none(value)
    return Block(index=index, kind=kind, opened=kept) if isinstance(kept, JsonObject) else Block(index=index, kind="")


def _piece(text: str) -> Log[str]:
    return NO_PIECES.append(text) if text else NO_PIECES


def _citations(value: object) -> tuple[JsonValue, ...]:
    kept = frozen_or_none(value)
    return kept if isinstance(kept, tuple) else ()


def grown_block(block: Block, kind: str, delta: Object) -> Block:
    """``block`` with a delta of ``kind`` that is neither text nor thinking."""
    if kind == "input_json_delta" and block.kind not in (TEXT, THINKING):
        piece = delta.get("partial_json")
        return _with_piece(block, piece) if isinstance(piece, str) and piece else block
    if kind == "signature_delta" and block.kind == THINKING:
        return evolve(block, pieces=block.pieces.append(words(delta.get("signature"))))
    if kind == "citations_delta" and block.kind == TEXT:
        return evolve(block, citations=(*block.citations, frozen_or_none(delta.get("citation"))))
    return block if block.kind in (TEXT, THINKING, CALL) else evolve(block, kind="")


def _with_piece(block: Block, piece: str) -> Block:
    return Block(
        index=block.index,
        kind=block.kind,
        start=block.start,
        name=block.name,
        whole=block.whole,
        pieces=block.pieces.append(piece),
        citations=block.citations,
        opened=block.opened,
        closed=block.closed,
    )


def raw_calls(blocks: tuple[Block, ...]) -> tuple[RawCall, ...]:
    """The calls as the wire had them; arguments that are empty stand for ``{}``."""
    return tuple(
        RawCall(block.name, scalar_text("".join(block.pieces)).strip() or block.whole or "{}") for block in blocks if block.kind == CALL
    )


def calls_begun(blocks: tuple[Block, ...], *, ended: bool) -> tuple[CallSoFar, ...]:
    """The calls as far as they have come."""
    return tuple(
        CallSoFar(name=block.name, pieces=block.pieces if block.pieces.size else _piece(block.whole), complete=ended or block.closed)
        for block in blocks
        if block.kind == CALL
    )


def verbatim(blocks: tuple[Block, ...], text: Log[str], reasoning: Log[str]) -> Verbatim | None:
    """What must be sent back of these blocks with the text and the reasoning that they brought; None where there is nothing such."""
    whole = tuple(_with_input(block) for block in blocks)
    kept = _paired(tuple(block for block in whole if block.kind))
    items = tuple(_item(block, chars) for block, chars in zip(kept, _chars(kept, text, reasoning), strict=True))
    return Verbatim(Wire.MESSAGES, items) if any(_matters(item) for item in items) else None


def _with_input(block: Block) -> Block:
    """``block`` with the arguments that its deltas brought, where it is of another kind; of no kind, where they are no object."""
    if block.kind in (TEXT, THINKING, CALL) or not block.pieces.size:
        return block
    value = loads_untrusted("".join(block.pieces)).value_or(None)
    kept = isinstance(value, JsonObject)
    return evolve(block, opened=block.opened.with_member("input", value), pieces=NO_PIECES) if kept else evolve(block, kind="")


def _paired(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """``blocks`` without calls that the provider ran and did not answer, and answers to none: it refuses a history with such."""
    asked = frozenset(block.opened.get("id") for block in blocks if _is_asking(block))
    answered = frozenset(block.opened.get("tool_use_id") for block in blocks if "tool_use_id" in block.opened)
    return tuple(
        block
        for block in blocks
        if (not _is_asking(block) or block.opened.get("id") in answered)
        and ("tool_use_id" not in block.opened or block.opened.get("tool_use_id") in asked)
    )


def _is_asking(block: Block) -> bool:
    return block.kind != CALL and block.kind.endswith("_tool_use")


def _chars(blocks: tuple[Block, ...], text: Log[str], reasoning: Log[str]) -> tuple[int, ...]:
    """How many characters each block brought to its channel: from where it begins to where the next one of its kind does."""
    sizes = {TEXT: [len(piece) for piece in text], THINKING: [len(piece) for piece in reasoning]}
    ends = {kind: len(each) for kind, each in sizes.items()}
    chars: list[int] = []
    for block in reversed(blocks):
        channel = sizes.get(block.kind, [])
        chars.append(sum(channel[block.start : ends.get(block.kind, 0)]))
        ends[block.kind] = block.start
    return tuple(reversed(chars))


def _item(block: Block, chars: int) -> JsonObject:
    if block.kind == CALL:
        return JsonObject.of(type=CALL)
    if block.kind == TEXT:
        item = JsonObject.of(type=TEXT, chars=chars)
        return item.with_member("citations", block.citations) if block.citations else item
    if block.kind == THINKING:
        item = JsonObject.of(type=THINKING, chars=chars)
        return item.with_member("signature", "".join(block.pieces)) if block.pieces.size else item
    return block.opened


def _matters(item: JsonObject) -> bool:
    """Whether the item says more than the message does; thinking that nobody signed is not taken back."""
    kind = item.get("type")
    return "citations" in item if kind == TEXT else "signature" in item if kind == THINKING else kind != CALL

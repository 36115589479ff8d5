"""The parts of a reply of Gemini, as far as they have come, and what must be sent back of them.

A reply is parts in their order: ``text``, text that is marked as a ``thought``, a ``functionCall``, and what the provider ran itself or
made (code and its result, searches, pictures), any of them with a ``thoughtSignature``. A stream cuts text into parts at will: those
that follow each other without a signature are one. "Don't concatenate parts with signatures", and don't move a signature to another
part, say Google's pages on thought signatures, so a signed part stays one of its own, even where its text is empty.

What must be sent back is a :class:`Verbatim` of one item a part, each with its ``thoughtSignature``, where it has one:

* ``{"type": "text", "chars": 12}``: the next 12 characters of the message's text; ``"thought"``: of its reasoning;
* ``{"type": "call"}``: the next of its calls, under the id that it has with us;
* ``{"type": "part", "part": {…}}``: the part itself, signature and all.

A reply of text and calls without signatures needs none; thoughts that nobody signed are not taken back.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.config.values import Wire
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Verbatim
from turnfold.core.json import JsonObject
from turnfold.core.llm.intake import Object, arguments_text, frozen_or_none, words
from turnfold.core.llm.reply import CallSoFar, RawCall

TEXT, THOUGHT, CALL, OTHER = "text", "thought", "call", "part"
SIGNATURE = "thoughtSignature"
MAX_PARTS = 1024  # of one reply
PLAIN = ("text", "thought", SIGNATURE)


@final
@frozen(eq=False, repr=False, kw_only=True)
class Part:
    """A part so far. ``start``: how many pieces of its channel (text, reasoning) came before it. ``opened``: a part of another kind."""

    kind: str
    start: int = 0
    signature: str = ""
    name: str = ""
    arguments: str = ""
    opened: JsonObject = JsonObject()


def read_part(value: Object, texts: int, thoughts: int) -> Part | None:
    """The part that ``value``, as JSON parsing gave it, is behind so many pieces of text and of reasoning; None for one that is not kept."""
    signature = words(value.get(SIGNATURE))
    call = value.get("functionCall")
    if isinstance(call, dict):
        return Part(kind=CALL, signature=signature, name=words(call.get("name")), arguments=arguments_text(call.get("args")))
    if isinstance(value.get("text"), str):
        thought = value.get("thought") is True
        return Part(kind=THOUGHT if thought else TEXT, start=thoughts if thought else texts, signature=signature)
    kept = frozen_or_none(value)
    return Part(kind=OTHER, opened=kept) if isinstance(kept, JsonObject) and kept else None


def goes_on(parts: tuple[Part, ...], part: Part) -> bool:
    """Whether ``part`` is more text of the last of ``parts``."""
    return bool(parts) and part.kind in (TEXT, THOUGHT) and parts[-1].kind == part.kind and not (part.signature or parts[-1].signature)


def raw_calls(parts: tuple[Part, ...]) -> tuple[RawCall, ...]:
    """The calls as the wire had them; arguments that are missing stand for ``{}``."""
    return tuple(RawCall(part.name, part.arguments.strip() or "{}") for part in parts if part.kind == CALL)


def calls_begun(parts: tuple[Part, ...]) -> tuple[CallSoFar, ...]:
    """The calls that have come; each comes whole."""
    return tuple(
        CallSoFar(name=part.name, pieces=Log.of(part.arguments) if part.arguments else Log(), complete=True)
        for part in parts
        if part.kind == CALL
    )


def verbatim(parts: tuple[Part, ...], text: Log[str], reasoning: Log[str]) -> Verbatim | None:
    """What must be sent back of these parts with the text and the reasoning that they brought; None where there is nothing such."""
    if not any(part.signature or part.kind == OTHER for part in parts):
        return None
    return Verbatim(Wire.GEMINI, tuple(_item(part, chars) for part, chars in zip(parts, _chars(parts, text, reasoning), strict=True)))


def _chars(parts: tuple[Part, ...], text: Log[str], reasoning: Log[str]) -> tuple[int, ...]:
    """How many characters each part brought to its channel: from where it begins to where the next one of its kind does."""
    sizes = {TEXT: [len(piece) for piece in text], THOUGHT: [len(piece) for piece in reasoning]}
    ends = {kind: len(each) for kind, each in sizes.items()}
    chars: list[int] = []
    for part in reversed(parts):
        chars.append(sum(sizes.get(part.kind, [])[part.start : ends.get(part.kind, 0)]))
        ends[part.kind] = part.start
    return tuple(reversed(chars))


def _item(part: Part, chars: int) -> JsonObject:
    if part.kind == OTHER:
        return JsonObject.of(type=OTHER, part=part.opened)
    item = JsonObject.of(type=part.kind) if part.kind == CALL else JsonObject.of(type=part.kind, chars=chars)
    return item.with_member(SIGNATURE, part.signature) if part.signature else item

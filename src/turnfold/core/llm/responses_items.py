"""The items of a reply of OpenAI Responses, as far as they have come, and what must be sent back of them.

An item is opened, grows by deltas that name it, and is done, which brings it whole. Two kinds are ours: ``message`` and
``function_call``. Of the others those are kept, as they were when they were done, that the provider takes back: reasoning that is
encrypted, and what it ran itself. An item that waits for an answer which we can't give would have the whole history refused.

What must be sent back is a :class:`Verbatim` of one item each, in their order:

* ``{"type": "message", "chars": 12}``: the next 12 characters of the message's text, with the item's ``id``, ``phase``, and
  ``refusal`` where it is one;
* ``{"type": "function_call"}``: the next of its calls, under the id that it has with us, with the item's ``id`` and ``namespace``;
* any other: the item itself.

So nothing is kept twice. A reply of text and calls alone needs none. Where an item is left out, the others lose their ids: the
provider would miss what it knows to belong to them.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.config.values import Wire
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Verbatim
from turnfold.core.json import JsonObject, loads_untrusted, scalar_text
from turnfold.core.llm.intake import Object, arguments_text, frozen_or_none, words
from turnfold.core.llm.reply import CallSoFar, RawCall

MESSAGE, CALL, REASONING = "message", "function_call", "reasoning"
RUN_THERE: tuple[str, ...] = (
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_list_tools",
    "mcp_call",
    "tool_search_call",
    "tool_search_output",
    "compaction",
)  # what the provider runs itself
MAX_ITEMS = 1024  # of one reply; bounds the cost of a delta
NO_PIECES: Log[str] = Log()


@final
@frozen(eq=False, repr=False, kw_only=True)
class Item:
    """An item so far: ``key`` is how deltas name it, ``index`` how those do that have no id.

    ``start``: how many pieces of text came before it. ``pieces``: of a call's arguments. ``about``: the rest of ours that is sent back, or
    the whole of any other, once it is ``done``. ``refusal``: the text is the model's refusal.
    """

    key: str
    index: int | None
    kind: str
    start: int = 0
    name: str = ""
    pieces: Log[str] = NO_PIECES
    about: JsonObject = JsonObject()
    refusal: bool = False
    done: bool = False


def opened_item(index: object, value: Object, texts: int) -> Item:
    """The item that ``value``, as JSON parsing gave it, opens behind so many pieces of text."""
    kind = words(value.get("type"))
    whole = isinstance(index, int) and not isinstance(index, bool)
    item = Item(key=words(value.get("id")), index=index if whole and isinstance(index, int) else None, kind=kind, start=texts)
    return _with_words(item, value)


def done_item(item: Item, value: Object) -> Item:
    """``item`` as it is when it is done; arguments that came whole take the place of those that came in pieces."""
    return evolve(_with_words(item, value), done=True)


def _with_words(item: Item, value: Object) -> Item:
    """``item`` with what ``value`` says of it: of ours a few members, of any other everything that is no null."""
    kept = frozen_or_none(value)
    members = kept.members if isinstance(kept, JsonObject) else ()
    named = {MESSAGE: ("id", "phase"), CALL: ("id", "namespace")}.get(item.kind)
    about = JsonObject(tuple((key, said) for key, said in members if said is not None and (named is None or (key in named and said))))
    if item.kind != CALL:
        return evolve(item, about=about)
    text = arguments_text(value.get("arguments"))
    return evolve(item, about=about, name=words(value.get("name")) or item.name, pieces=Log.of(text) if text else item.pieces)


def raw_calls(items: tuple[Item, ...]) -> tuple[RawCall, ...]:
    """The calls as the wire had them; arguments that are empty stand for ``{}``."""
    return tuple(RawCall(item.name, scalar_text("".join(item.pieces)).strip() or "{}") for item in items if item.kind == CALL)


def calls_begun(items: tuple[Item, ...], *, ended: bool) -> tuple[CallSoFar, ...]:
    """The calls as far as they have come."""
    return tuple(CallSoFar(name=item.name, pieces=item.pieces, complete=ended or item.done) for item in items if item.kind == CALL)


def cut_in_call(items: tuple[Item, ...]) -> bool:
    """Whether the last item is a call whose arguments are no JSON: llama.cpp calls a reply complete that the token limit cut.

    >>> cut_in_call((Item(key="a", index=0, kind="function_call", pieces=Log.of('{"path": "a')),))
    True
    """
    if not items or items[-1].kind != CALL or not items[-1].pieces.size:
        return False
    text = "".join(items[-1].pieces).strip()
    return bool(text) and not isinstance(loads_untrusted(text).value_or(None), JsonObject)


def verbatim(items: tuple[Item, ...], text: Log[str]) -> Verbatim | None:
    """What must be sent back of these items with the text that they brought; None where there is nothing such."""
    kept = tuple(item for item in items if _is_kept(item))
    sizes = [len(piece) for piece in text]
    ends = (*(item.start for item in kept if item.kind == MESSAGE), len(sizes))[1:]
    spans = iter(zip((item.start for item in kept if item.kind == MESSAGE), ends, strict=True))
    told = tuple(_told(item, sum(sizes[slice(*next(spans))]) if item.kind == MESSAGE else 0) for item in kept)
    if len(kept) < len(items):
        told = tuple(item if item.get("type") not in (MESSAGE, CALL) else _without_id(item) for item in told)
    return Verbatim(Wire.RESPONSES, told) if any(_matters(item) for item in told) else None


def _is_kept(item: Item) -> bool:
    if item.kind in (MESSAGE, CALL):
        return True
    if item.kind == REASONING:
        return item.done and bool(item.about.get("encrypted_content"))
    return item.done and item.kind in RUN_THERE and item.about.get("execution") != "client"


def _told(item: Item, chars: int) -> JsonObject:
    if item.kind == CALL:
        return JsonObject((("type", CALL), *item.about.members))
    if item.kind != MESSAGE:
        return item.about
    refusal = (("refusal", True),) if item.refusal else ()
    return JsonObject((("type", MESSAGE), ("chars", chars), *item.about.members, *refusal))


def _without_id(item: JsonObject) -> JsonObject:
    return JsonObject(tuple((name, value) for name, value in item.members if name != "id"))


def _matters(item: JsonObject) -> bool:
    """Whether the item says more than the message does."""
    return item.get("type") not in (MESSAGE, CALL) or "phase" in item or "namespace" in item or "refusal" in item

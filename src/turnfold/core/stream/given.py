"""How much of a reply was given to a reader, in characters and, so that what is new costs no look at what is old, in pieces."""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.conversation.log import Log
from turnfold.core.json import scalar_text
from turnfold.core.stream.position import Position

ALL = 1 << 60  # characters of what counts as given whole, however much it is


@final
@frozen
class Extent:
    """So many characters of a text were given: its first ``pieces``, and ``part`` characters of what comes after them."""

    chars: int = 0
    pieces: int = 0
    part: int = 0


@final
@frozen
class More:
    """What of a text was new, and how much of it is given now."""

    text: str
    extent: Extent


NONE = Extent()


def more_of(pieces: Log[str], extent: Extent) -> More:
    """What of ``pieces`` is beyond ``extent``; linear in that, for whoever was here before.

    >>> first = more_of(Log.of("He", "llo"), NONE)
    >>> first.text, more_of(Log.of("He", "llo", "!"), first.extent).text
    ('Hello', '!')
    >>> more_of(Log.of("He", "llo"), Extent(chars=3, part=3)).text
    'lo'
    """
    if extent.pieces == len(pieces):
        return More("", extent)
    joined = "".join(pieces.since(extent.pieces))
    text = joined[extent.part :] if extent.part else joined
    if "\ud800" <= text[-1:] <= "\udbff":  # the first half of a character
        text = text[:-1]
        return More(scalar_text(text), Extent(extent.chars + len(text), extent.pieces, extent.part + len(text)))
    return More(scalar_text(text), Extent(extent.chars + len(text), len(pieces), max(extent.part - len(joined), 0)))


@final
@frozen
class Given:
    """What of a reply was given: reasoning, text, the arguments of each call that has begun, and how many calls are complete."""

    thought: Extent = NONE
    shown: Extent = NONE
    calls: tuple[Extent, ...] = ()
    ended: int = 0

    def at(self, event: int) -> Position:
        """The place of a reader that was given this after ``event`` events."""
        last = self.calls[-1].chars if self.calls else 0
        return Position(event, self.thought.chars, self.shown.chars, len(self.calls), last, self.ended)

    def with_call(self, index: int, extent: Extent) -> Given:
        """The same with so much of call ``index``, which has begun."""
        return evolve(self, calls=(*self.calls[:index], extent, *self.calls[index + 1 :]))


NOTHING = Given()


def given_at(position: Position) -> Given:
    """What a reader at ``position`` was given of the reply that is streamed there; of calls before the last one, all of it.

    >>> given_at(Position(17, 0, 5)).shown
    Extent(chars=5, pieces=0, part=5)
    """
    before = (Extent(chars=ALL, part=ALL),) * min(position.begun - 1, MOST_CALLS)
    last = (_joined(position.argued),) if position.begun else ()
    return Given(_joined(position.thought), _joined(position.shown), (*before, *last), position.ended)


MOST_CALLS = 1024  # a place comes from outside: it must not cost more than a reply can hold


def _joined(chars: int) -> Extent:
    return Extent(chars=chars, part=chars)

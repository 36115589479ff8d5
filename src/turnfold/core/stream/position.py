"""Places in a conversation: how much of it a reader was given."""

from __future__ import annotations

from typing import final

from attrs import frozen
from typing_extensions import override

DIGITS = 12  # of a number that is taken from outside


@final
@frozen(order=True)
class Position:
    """Whoever is here was given all of the first ``event`` events, and of what comes next so much.

    Of the reply that is being streamed: ``thought`` characters of reasoning, ``shown`` of text, ``begun`` calls, ``argued`` characters of
    the arguments of the last of these, and ``ended`` calls that are complete. Later places are greater.

    >>> str(Position(17)), str(Position(17, 120, 340, 2, 56, 1))
    ('17', '17:120.340.2.56.1')
    """

    event: int = 0
    thought: int = 0
    shown: int = 0
    begun: int = 0
    argued: int = 0
    ended: int = 0

    @override
    def __str__(self) -> str:
        within = (self.thought, self.shown, self.begun, self.argued, self.ended)
        return f"{self.event}:{'.'.join(map(str, within))}" if any(within) else str(self.event)


START = Position()


def parse_position_untrusted(text: str) -> Position | None:
    """The place that ``text`` spells, such as a client's ``Last-Event-ID``, or None.

    >>> parse_position_untrusted("17:120.340.0.0.0")
    Position(event=17, thought=120, shown=340, begun=0, argued=0, ended=0)
    >>> parse_position_untrusted("17:") is None, parse_position_untrusted("1" * 20) is None
    (True, True)
    """
    event, mark, within = text.partition(":")
    numbers = (event, *within.split(".")) if mark else (event,)
    if len(numbers) not in {1, 6} or not all(each.isascii() and each.isdigit() and len(each) <= DIGITS for each in numbers):
        return None
    return Position(*map(int, numbers))

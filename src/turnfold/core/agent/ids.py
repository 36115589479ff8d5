"""Request ids are places, never counters: ``turn.generation.slot.n``."""

from __future__ import annotations

from typing import final

from attrs import frozen
from typing_extensions import override

MODEL = -1  # the slot of a generation's own request, the model call


@final
@frozen
class RequestId:
    """Where a request was opened: turn, generation, slot (``MODEL`` for the model call), and the how-manieth there.

    >>> str(RequestId(1, 2, 0, 3)), str(RequestId(1, 2, MODEL, 0))
    ('1.2.0.3', '1.2.m.0')
    """

    turn: int
    generation: int
    slot: int
    n: int

    @override
    def __str__(self) -> str:
        return f"{self.turn}.{self.generation}.{'m' if self.slot == MODEL else self.slot}.{self.n}"


def parse_id_untrusted(text: str) -> RequestId | None:
    """The id that ``text`` spells, or None.

    >>> parse_id_untrusted("1.2.m.0")
    RequestId(turn=1, generation=2, slot=-1, n=0)
    """
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (*parts[:2], parts[3])):
        return None
    if parts[2] != "m" and not (parts[2].isascii() and parts[2].isdigit() and len(parts[2]) < 10):
        return None
    found = RequestId(int(parts[0]), int(parts[1]), MODEL if parts[2] == "m" else int(parts[2]), int(parts[3]))
    return found if str(found) == text else None


def place(turn: int, generation: int) -> str:
    """A generation's place, which its message and the ids of its calls start with.

    >>> place(1, 2)
    '1.2'
    """
    return f"{turn}.{generation}"

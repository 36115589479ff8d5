"""Request ids are places, never counters: ``turn.generation.slot.n``."""

from __future__ import annotations

from typing import final

from attrs import frozen
from typing_extensions import override

BELOW = "~"  # between a conversation's id and the place where it started a child
MODEL = -1  # the slot of a generation's own request, the model call
GUARD = -2  # the slot of what guardrails ask beside it
LETTERS = (("m", MODEL), ("g", GUARD))


@final
@frozen
class RequestId:
    """Where a request was opened: turn, generation, slot (``MODEL`` for the model call, ``GUARD``), and the how-manieth there.

    >>> str(RequestId(1, 2, 0, 3)), str(RequestId(1, 2, MODEL, 0)), str(RequestId(1, 2, GUARD, 0))
    ('1.2.0.3', '1.2.m.0', '1.2.g.0')
    """

    turn: int
    generation: int
    slot: int
    n: int

    @override
    def __str__(self) -> str:
        slot = self.slot if self.slot >= 0 else "m" if self.slot == MODEL else "g"
        return f"{self.turn}.{self.generation}.{slot}.{self.n}"


def parse_id_untrusted(text: str) -> RequestId | None:
    """The id that ``text`` spells, or None.

    >>> parse_id_untrusted("1.2.m.0")
    RequestId(turn=1, generation=2, slot=-1, n=0)
    """
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (*parts[:2], parts[3])):
        return None
    lettered = dict(LETTERS).get(parts[2])
    if lettered is None and not (parts[2].isascii() and parts[2].isdigit() and len(parts[2]) < 10):
        return None
    found = RequestId(int(parts[0]), int(parts[1]), int(parts[2]) if lettered is None else lettered, int(parts[3]))
    return found if str(found) == text else None


def child_id(parent: str, request_id: RequestId) -> str:
    """The id of the conversation that ``request_id`` of ``parent`` starts: two of them never share one.

    >>> child_id("20261107-1", RequestId(1, 2, 0, 3))
    '20261107-1~1.2.0.3'
    """
    return f"{parent}{BELOW}{request_id}"


def parent_of(conversation: str) -> str:
    """The id of the conversation that started this one; empty for one that a person began.

    >>> parent_of("20261107-1~1.2.0.3"), parent_of("20261107-1"), parent_of("a~b")
    ('20261107-1', '', '')
    """
    parent, mark, place_there = conversation.rpartition(BELOW)
    return parent if mark and parse_id_untrusted(place_there) is not None else ""


def depth_of(conversation: str) -> int:
    """How many conversations lie above this one.

    >>> depth_of("a"), depth_of("a~1.1.0.0~2.1.0.0")
    (0, 2)
    """
    parent = parent_of(conversation)
    return 1 + depth_of(parent) if parent else 0


def place(turn: int, generation: int) -> str:
    """A generation's place, which its message and the ids of its calls start with.

    >>> place(1, 2)
    '1.2'
    """
    return f"{turn}.{generation}"

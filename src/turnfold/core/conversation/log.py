"""A list that only grows, as a value: a tree of 32-wide tuples.

Appending costs the same at any length (one tuple a level), and an older log stays as it was, so forks share memory.
``tuple + (x,)`` copies the whole: past some thousand items that is the cost of everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar, cast, final

from attrs import field, frozen
from typing_extensions import override

T = TypeVar("T")

BITS = 5
WIDTH = 1 << BITS
MASK = WIDTH - 1


@final
@frozen(repr=False, eq=False)
class Log(Generic[T]):
    """An immutable sequence with O(log₃₂ n) append and index; O(n) to iterate, compare, hash.

    >>> log = Log[int]().append(1).append(2)
    >>> log, len(log), log[-1], log.take(1)
    (Log.of(1, 2), 2, 2, Log.of(1))
    """

    size: int = 0
    shift: int = 0  # BITS × the levels above the leaves of ``root``
    root: tuple[object, ...] = ()  # full leaves only
    tail: tuple[T, ...] = field(default=())  # the last, unfilled leaf

    @classmethod
    def of(cls, *items: T) -> Log[T]:
        """The log of these items."""
        log: Log[T] = cls()
        for item in items:
            log = log.append(item)
        return log

    def append(self, item: T) -> Log[T]:
        """The log with ``item`` at its end."""
        if len(self.tail) < MASK:
            return Log(self.size + 1, self.shift, self.root, (*self.tail, item))
        leaf = (*self.tail, item)
        count = (self.size + 1) >> BITS  # leaves in the tree once this one is in it
        if count > (1 << self.shift):
            root: tuple[object, ...] = (self.root, _path(self.shift, leaf)) if self.root else leaf
            return Log(self.size + 1, self.shift + BITS if self.root else 0, root, ())
        return Log(self.size + 1, self.shift, _pushed(self.root, self.shift, count - 1, leaf) if self.root else leaf, ())

    def take(self, count: int) -> Log[T]:
        """The first ``count`` items (all, where there are fewer); O(count)."""
        return self if count >= self.size else Log.of(*(self[index] for index in range(max(count, 0))))

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> T:
        place = index + self.size if index < 0 else index
        if not 0 <= place < self.size:
            raise IndexError(f"the log has {self.size} items, not an item {index}")
        start = self.size - len(self.tail)
        return self.tail[place - start] if place >= start else self._leaf(place)[place & MASK]

    def _leaf(self, place: int) -> tuple[T, ...]:
        node = self.root
        for shift in range(self.shift, 0, -BITS):
            node = cast(tuple[object, ...], node[(place >> shift) & MASK])
        return cast(tuple[T, ...], node)

    def __iter__(self) -> Iterator[T]:
        return self.since(0)

    def since(self, index: int) -> Iterator[T]:
        """The items from number ``index`` (at least 0) on; O(log₃₂ n + what comes of it).

        >>> tuple(Log.of("a", "b", "c").since(1))
        ('b', 'c')
        """
        full = self.size - len(self.tail)
        for start in range(index & ~MASK, full, WIDTH):
            leaf = self._leaf(start)
            yield from leaf[index - start :] if start < index else leaf
        yield from self.tail[max(index - full, 0) :]

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Log) or self.size != other.size:
            return False
        return all(mine == its for mine, its in zip(self, other, strict=True))

    @override
    def __hash__(self) -> int:
        return hash(tuple(self))

    @override
    def __repr__(self) -> str:
        return f"Log.of({', '.join(map(repr, self))})"


def _path(shift: int, leaf: tuple[object, ...]) -> tuple[object, ...]:
    """A path of one-child nodes, ``shift`` levels high, down to ``leaf``."""
    return leaf if shift == 0 else (_path(shift - BITS, leaf),)


def _pushed(node: tuple[object, ...], shift: int, place: int, leaf: tuple[object, ...]) -> tuple[object, ...]:
    """``node`` with ``leaf`` as leaf number ``place``."""
    if shift == BITS:
        return (*node, leaf)
    child = place >> (shift - BITS) & MASK
    below = shift - BITS
    if child == len(node):
        return (*node, _path(below, leaf))
    return (*node[:child], _pushed(cast(tuple[object, ...], node[child]), below, place, leaf))

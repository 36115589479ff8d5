"""What the turns wrote to files, as they wrote it, so that it can be taken back: kept with the past, and folded from the exchanges.

A write tells what it put into the file; what it replaced is known where the same call had read it, under the digest that the write
expected. The texts are those that the exchanges held, not copies. What several turns did to a file in a row is one *chain*: each
began with what the one before it left. Only a chain can be taken back: where something else came between, it ends there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import final

from attrs import evolve, field, frozen

from turnfold.core.conversation.log import Log
from turnfold.core.world.answers import Exchange, FileRead, FilesChanged, FileWritten
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ReadFile, WriteFile

OVERHEAD_BYTES = 300  # of a record besides its texts


@final
@frozen(kw_only=True)
class Written:
    """What a turn did to a file: its text and digest (SHA-256, hex) before and after; no digest: there was none, or is none.

    A text that is not known is None, as one that there is not.
    """

    turn: int
    path: str
    before: str | None
    before_digest: str
    after: str | None
    after_digest: str

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return OVERHEAD_BYTES + _bytes(self.before) + _bytes(self.after)


@final
@frozen(kw_only=True)
class Writes:
    """All that was written and can be taken back, in order; of turns up to ``forgotten`` something is no longer kept."""

    log: Log[Written] = field(factory=Log)
    size_bytes: int = 0
    forgotten: int = 0

    def plus(self, written: tuple[Written, ...]) -> Writes:
        """These, and what was ``written`` then."""
        now = self
        for each in written:
            now = evolve(now, log=now.log.append(each), size_bytes=now.size_bytes + each.size_bytes)
        return now

    def upto(self, turn: int) -> Writes:
        """What was written in the turns up to ``turn``."""
        kept = tuple(each for each in self.log if each.turn <= turn)
        return self if len(kept) == len(self.log) else evolve(self, log=Log.of(*kept), size_bytes=_size(kept))

    def after(self, turn: int) -> tuple[Written, ...]:
        """What was written in the turns after ``turn``."""
        return tuple(each for each in self.log if each.turn > turn)

    def without(self, count: int) -> Writes:
        """All but the oldest ``count``."""
        dropped, kept = tuple(self.log.take(count)), tuple(self.log.since(max(count, 0)))
        forgotten = max((each.turn for each in dropped), default=0)
        return Writes(log=Log.of(*kept), size_bytes=_size(kept), forgotten=max(self.forgotten, forgotten))

    def excess(self, limit_bytes: int) -> int:
        """How many of the oldest have to go where there is more than ``limit_bytes``: so many that a quarter of it is free again.

        >>> Writes().excess(0)
        0
        """
        if self.size_bytes <= limit_bytes:
            return 0
        left_bytes, count = self.size_bytes, 0
        for each in self.log:
            if left_bytes <= limit_bytes * 3 // 4:
                break
            left_bytes -= each.size_bytes
            count += 1
        return count


@final
@frozen
class Chain:
    """What was done to one file in a row: by the ``first`` write until the ``last``. Before it, ``between``, something else was."""

    first: Written
    last: Written
    between: bool = False


def chains_of(written: Iterable[Written]) -> tuple[Chain, ...]:
    """For each file the writes that follow each other up to the last one; files in the order in which they were first written.

    >>> a = Written(turn=1, path="/a", before=None, before_digest="", after="1", after_digest="d1")
    >>> b = Written(turn=2, path="/a", before="1", before_digest="d1", after="2", after_digest="d2")
    >>> [(chain.first.turn, chain.last.turn) for chain in chains_of((a, b))]
    [(1, 2)]
    """
    by_path: dict[str, Chain] = {}
    for each in written:
        chain = by_path.get(each.path)
        if chain is None:
            by_path[each.path] = Chain(each, each)
        elif chain.last.after_digest == each.before_digest:
            by_path[each.path] = evolve(chain, last=each)
        else:
            by_path[each.path] = Chain(each, each, between=True)
    return tuple(by_path.values())


def written_in(turn: int, exchanges: tuple[Exchange, ...]) -> tuple[Written, ...]:
    """What a call of that turn, whose ``exchanges`` these are, wrote to files. What changed nothing is left out."""
    found: tuple[Written, ...] = ()
    for place, exchange in enumerate(exchanges):
        match exchange.request, exchange.outcome:
            case WriteFile() as request, FileWritten(digest):
                pairs: tuple[tuple[WriteFile | DeleteFile, str], ...] = ((request, digest),)
            case ChangeFiles(changes), FilesChanged(digests):
                pairs = tuple(zip(changes, digests, strict=False))
            case _:
                continue
        changed = tuple((change, digest) for change, digest in pairs if digest != change.expected_digest)
        found = (*found, *(_written(turn, change, digest, exchanges[:place]) for change, digest in changed))
    return found


def _written(turn: int, change: WriteFile | DeleteFile, digest: str, exchanges: tuple[Exchange, ...]) -> Written:
    return Written(
        turn=turn,
        path=change.path,
        before=text_before(change, exchanges),
        before_digest=change.expected_digest,
        after=change.text if isinstance(change, WriteFile) else None,
        after_digest=digest,
    )


def in_order(written: tuple[Written, ...]) -> tuple[Written, ...]:
    """What the calls of one round wrote, the writes to one file so that each begins with what another left: the calls ran side by side.

    >>> a = Written(turn=1, path="/a", before=None, before_digest="d1", after="2", after_digest="d2")
    >>> b = Written(turn=1, path="/a", before=None, before_digest="", after="1", after_digest="d1")
    >>> in_order((a, b)) == in_order((b, a)) == (b, a)
    True
    """
    by_path: dict[str, list[Written]] = {}
    for each in written:
        by_path.setdefault(each.path, []).append(each)
    return tuple(each for together in by_path.values() for each in _linked(together))


def _linked(left: list[Written]) -> Iterator[Written]:
    afters = Counter(each.after_digest for each in left)
    place = next((index for index, each in enumerate(left) if not afters[each.before_digest]), 0)
    while left:
        each = left.pop(place)
        yield each
        place = next((index for index, other in enumerate(left) if other.before_digest == each.after_digest), 0)


def text_before(change: WriteFile | DeleteFile, exchanges: tuple[Exchange, ...]) -> str | None:
    """The text that ``change`` replaces, where its call has read it."""
    for exchange in reversed(exchanges):
        if isinstance(exchange.request, ReadFile) and exchange.request.path == change.path:
            read = exchange.outcome
            return read.text if isinstance(read, FileRead) and read.digest == change.expected_digest else None
    return None


def _size(written: tuple[Written, ...]) -> int:
    return sum(each.size_bytes for each in written)


def _bytes(text: str | None) -> int:
    if text is None:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))

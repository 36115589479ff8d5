"""A stream: what a run tells, for ``for`` and ``async for`` alike, from any thread, task and event loop.

The run goes on in a thread of its own, and a stream is only a reader of it: it owns no task, no scope and no queue, so reading can't be in
the run's way, and ending a reader can't hurt whoever reads. What leaving does to the run is said once, by ``leaving``: a reader *leaves*
when its stream is closed or collected, or when a loop over it ends (``break``, an exception, a cancel). When the last has left, the run
is ended at once, after its turn, or not at all. ``anext(stream)`` and ``next(stream)`` are no loops: they may be given a time-out, and lose
nothing by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, final

from typing_extensions import override

from turnfold.core.agent.events import Event
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.stream.items import Item
from turnfold.core.stream.position import Position
from turnfold.shell.desk import RunResult
from turnfold.shell.ports import Journal
from turnfold.shell.streaming.ledger import Ledger
from turnfold.shell.streaming.page import Page
from turnfold.shell.streaming.reader import Reader

T = TypeVar("T")
CLOSE_S = 0.05  # that a close waits for the run's end; what takes longer to stop is recorded when it has


@final
class Hold:
    """What all readers of a run hold that have not left; when nobody does, the run is told."""

    __slots__ = ("__weakref__",)


@final
class Stream(Iterator[Item], AsyncIterator[Item]):
    """One reader of a run; :func:`run_streamed` gives the first, and :meth:`join` others."""

    __slots__ = ("__weakref__", "_cfg", "_hold", "_journal", "_ledger", "_reader")

    def __init__(self, ledger: Ledger, reader: Reader, cfg: ChatConfig, journal: Journal, hold: Hold | None) -> None:
        self._ledger = ledger
        self._reader = reader
        self._cfg = cfg
        self._journal = journal
        self._hold = hold

    @property
    def at(self) -> Position:
        """The place of the last item that was read."""
        return self._reader.at

    @property
    def state(self) -> ChatState:
        """The conversation by now, however far this reader is."""
        return self._ledger.page.state

    @property
    def over(self) -> bool:
        """Whether the run has ended, however far this reader is."""
        return self._ledger.page.over

    def join(self, position: Position | None = None) -> Stream:
        """Another reader, which is told what comes after ``position``, or all from the run's beginning.

        Places before the run are looked up in the journal, which may raise ``JournalError``.
        """
        page, base = self._ledger.page, self._ledger.base.events
        earlier: tuple[Event, ...] = ()
        if position is not None and position.event < base:
            earlier = self._journal.load(page.state.past.conversation)[:base]
        return Stream(self._ledger, Reader(self._ledger, self._cfg, position, earlier), self._cfg, self._journal, self._hold)

    def result(self, timeout_s: float | None = None) -> RunResult:
        """How the run ended, when it has; raises ``TimeoutError`` where it does not in time, and what the run itself raised."""
        return _result(self._ledger.wait_over(timeout_s))

    async def finished(self) -> RunResult:
        """As :meth:`result`, on the running loop."""
        while not (page := self._ledger.page).over:
            await self._ledger.changed(page, for_end=True)
        return _result(page)

    def interrupt(self) -> None:
        """End the run now, whoever reads it."""
        self._ledger.scope.cancel()

    def leave(self) -> None:
        """Read no more; what that does to the run was said when it began. Reading on is allowed, and holds nothing up."""
        self._hold = None

    def close(self) -> None:
        """Leave; where that ends the run, nothing starts from now on, and what had begun is recorded. Takes milliseconds."""
        self.leave()
        if self._ledger.scope.cancelled:
            self._ledger.wait_over(CLOSE_S)

    async def aclose(self) -> None:
        """As :meth:`close`, on the running loop."""
        self.leave()
        if self._ledger.scope.cancelled:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._until_over(), CLOSE_S)

    async def _until_over(self) -> None:
        while not (page := self._ledger.page).over:
            await self._ledger.changed(page, for_end=True)

    @override
    def __next__(self) -> Item:
        while True:
            page = self._ledger.page
            item = self._reader.take(page)
            if item is not None:
                return item
            if page.over:
                if page.error is not None:
                    raise page.error
                raise StopIteration
            self._ledger.wait(page)

    @override
    async def __anext__(self) -> Item:
        while True:
            page = self._ledger.page
            item = self._reader.take(page)
            if item is not None:
                return item
            if page.over:
                if page.error is not None:
                    raise page.error
                raise StopAsyncIteration
            await self._ledger.changed(page)

    def through(self, projection: Callable[[Item], T]) -> Loop[T]:
        """The items as ``projection`` has them, for one loop, plain or async: ``stream.through(item_event)`` is the body of a response."""
        return Loop(self, projection)

    @override
    def __iter__(self) -> Loop[Item]:
        return Loop(self, _same)

    @override
    def __aiter__(self) -> Loop[Item]:
        return Loop(self, _same)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


@final
class Loop(Iterator[T], AsyncIterator[T]):
    """A loop over a stream: when it is gone, or the task that runs it was cancelled, the stream is left.

    The task is asked, too, since what a cancelled task leaves behind may be held until the garbage is collected.
    """

    __slots__ = ("__weakref__", "_projection", "_stream", "_task")

    def __init__(self, stream: Stream, projection: Callable[[Item], T]) -> None:
        self._stream = stream
        self._projection = projection
        self._task: weakref.ref[asyncio.Task[Any]] | None = None  # that runs it, as far as is known

    @override
    def __next__(self) -> T:
        return self._projection(next(self._stream))

    @override
    async def __anext__(self) -> T:
        task = asyncio.current_task()
        if task is not None and (self._task is None or self._task() is not task):
            self._belong_to(task)
        return self._projection(await anext(self._stream))

    def _belong_to(self, task: asyncio.Task[Any]) -> None:
        if getattr(task.get_coro(), "cr_code", None) is type(self).__anext__.__code__:
            return  # a task for this one item, as ``wait_for`` makes it on Python 3.11: a time-out ends that, and no loop
        self._task = weakref.ref(task)
        task.add_done_callback(partial(_cancelled, weakref.ref(self)))

    def leave(self) -> None:
        """Leave the stream."""
        self._stream.leave()

    @override
    def __aiter__(self) -> Self:
        return self

    def __del__(self) -> None:
        self.leave()


def _cancelled(loop: weakref.ref[Loop[Any]], task: asyncio.Task[Any]) -> None:
    left = loop()
    if left is not None and (task.cancelled() or task.cancelling()):
        left.leave()


def _same(item: Item) -> Item:
    return item


def _result(page: Page) -> RunResult:
    if page.error is not None:
        raise page.error
    if page.result is None:
        raise TimeoutError("The run has not ended yet.")
    return page.result

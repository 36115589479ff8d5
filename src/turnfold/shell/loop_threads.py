"""The threads of one run on an event loop: made when something blocks, joined when the run is over; or those that its caller gave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar, final

T = TypeVar("T")


@final
class Threads:
    """Where a run has blocking work done, ``most`` at once; a context manager. ``given``: an executor of the caller's, which stays open."""

    __slots__ = ("_given", "_own", "most")

    def __init__(self, most: int, given: Executor | None = None) -> None:
        self.most = most
        self._given = given
        self._own: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._own is not None:
            self._own.shutdown()

    def doing(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """``work``, begun on a thread, as a future of the running loop."""
        if self._given is None and self._own is None:
            self._own = ThreadPoolExecutor(self.most, thread_name_prefix="turnfold")
        return asyncio.get_running_loop().run_in_executor(self._given or self._own, work)

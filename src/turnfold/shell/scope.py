"""The scope of one performed request: where its chunks go, and how it is cancelled.

The only object of a request that threads share: the thread that performs, and whoever cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, RLock
from typing import final

from turnfold.core.problem import Problem, world_problem


@final
class Scope:
    """One performed request's line to its run. ``emit`` gives a chunk to the run, from the performing thread."""

    __slots__ = ("_cancelled", "_lock", "_stops", "emit")

    def __init__(self, emit: Callable[[bytes], None] = lambda _: None) -> None:
        self.emit = emit
        self._cancelled = Event()
        self._lock = RLock()  # a signal handler may cancel while its own thread is in here
        self._stops: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether the request shall stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Make the request stop, from any thread: what it registered with :meth:`stopping` is called, once."""
        with self._lock:
            if self._cancelled.is_set():
                return
            self._cancelled.set()
            stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the block runs, ``stop`` is what a cancel calls (at once, when it was cancelled before).

        A cancel that has begun in another thread may still call it when the block is over: then it must do nothing.
        """
        with self._lock:
            self._stops.append(stop)
            late = self._cancelled.is_set() and self._forgotten(stop)  # else a signal handler's cancel has just called it
        if late:
            stop()
        try:
            yield
        finally:
            with self._lock:
                self._forgotten(stop)

    def _forgotten(self, stop: Callable[[], None]) -> bool:
        """Whether ``stop`` was registered; it is not any more."""
        if stop not in self._stops:
            return False
        self._stops.remove(stop)
        return True


def never_began() -> Problem:
    """The Problem of a request that was cancelled before it began.

    >>> never_began().code
    'cancelled'
    """
    return world_problem(
        "cancelled", "It was cancelled before it began, and nothing of it happened: ask for it again if it is still wanted."
    )

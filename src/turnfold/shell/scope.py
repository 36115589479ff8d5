"""The scope of one performed request: where its chunks go, and how it is cancelled.

The only object of a request that threads share: the thread that performs, and whoever cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, RLock
from typing import final


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
            stops = tuple(self._stops)
        for stop in stops:
            stop()

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the block runs, ``stop`` is what a cancel calls (at once, when it was cancelled before)."""
        with self._lock:
            self._stops.append(stop)
            late = self._cancelled.is_set()
        if late:
            stop()
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)

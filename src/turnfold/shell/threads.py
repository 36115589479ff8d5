"""Threads for what blocks: those of one run on an event loop, and those of a program that a person may leave at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Lock, Thread
from typing import ParamSpec, TypeVar, final

from typing_extensions import override

P = ParamSpec("P")
T = TypeVar("T")


@final
class DaemonThreads(Executor):
    """An executor whose threads the end of the process does not wait for: ``most`` at once, none while there is nothing to do."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._working = 0
        self._waiting: deque[Callable[[], None]] = deque()

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                outcome = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is for whoever has the future
                future.set_exception(error)
            else:
                future.set_result(outcome)

        with self._lock:
            self._waiting.append(work)
            if self._working == self._most:
                return future
            self._working += 1
        Thread(target=self._work, name="turnfold", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._working -= 1
                    return
                work = self._waiting.popleft()
            work()

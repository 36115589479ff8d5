"""Threads for the requests of one run: begun when there is work, gone when there is none, and never in the way of the process's end."""

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
class Daemons(Executor):
    """Performs at most ``most`` things at once; the rest waits its turn. There is nothing to shut down.

    >>> Daemons(2).submit(lambda: 6 * 7).result()
    42
    """

    def __init__(self, most: int) -> None:
        self._most = max(most, 1)
        self._lock = Lock()
        self._due: deque[Callable[[], None]] = deque()
        self._working = 0

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - as every executor does: it is raised where the result is asked for
                future.set_exception(error)

        with self._lock:
            self._due.append(work)
            if self._working == self._most:
                return future
            self._working += 1
        Thread(target=self._work, name="turnfold-request", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._due:
                    self._working -= 1
                    return
                work = self._due.popleft()
            work()

"""An alarm for whoever performs a request in the run's own thread: nobody else is awake to see that a deadline is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

LONGEST_S = 86_400.0  # of one wait: the system's own bound is far beyond, and what reaches it is an error


def left_s(deadline_ms: int, now_ms: int) -> float:
    """The seconds from now until the deadline, at most a day; 0 when it is over.

    >>> left_s(2_500, 1_000), left_s(1_000, 2_500)
    (1.5, 0.0)
    """
    return min(max(deadline_ms - now_ms, 0) / 1000, LONGEST_S)


@contextmanager
def alarm(deadline_ms: int | None, now_ms: Callable[[], int], ring: Callable[[], None]) -> Iterator[None]:
    """While the block runs, ``ring`` is called once, from another thread, when the deadline is over; without one there is no thread."""
    if deadline_ms is None:
        yield
        return
    over = Event()

    def watch() -> None:
        while rest_s := left_s(deadline_ms, now_ms()):
            if over.wait(rest_s):
                return
        ring()

    thread = Thread(target=watch, name="turnfold-alarm", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

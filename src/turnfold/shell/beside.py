"""Work that can't be stopped where it waits, done in a thread beside the one that is asked for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import TypeVar

from turnfold.core.problem import Problem, world_problem
from turnfold.shell.scope import Scope

T = TypeVar("T")


def beside(work: Callable[[], T], stop: Callable[[], None], scope: Scope, timeout_s: float, name: str) -> T | Problem:
    """What ``work`` gives, or raises; a Problem as soon as ``scope`` is cancelled or ``timeout_s`` is over, after calling ``stop``.

    ``stop`` shall make ``work`` end soon; nobody waits for that. ``name`` is what the work is called in a Problem.
    """
    over = Event()
    given: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the work was asked for
            raised.append(error)
        finally:
            over.set()

    with scope.stopping(over.set):
        Thread(target=run, name="turnfold-beside", daemon=True).start()
        over.wait(timeout_s)
    if scope.cancelled:
        stop()
        return world_problem("cancelled", "The request was cancelled.")
    if raised:
        raise raised[0]
    if given:
        return given[0]
    stop()
    return world_problem("time-out", f"{name} took longer than {timeout_s:g} s: try again, or go on without it.")

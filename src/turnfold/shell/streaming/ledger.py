"""The ledger of a run: its newest page, and who waits for another. The only object that a run and its readers share.

The run never waits for a reader, and nothing is queued for one: a reader that comes back finds the newest page, and in it all that it
has not seen. So what a ledger holds is bounded by the journal and one reply, whatever its readers do.
"""

from __future__ import annotations

import asyncio
import contextlib
from threading import Condition, Lock
from typing import final

from attrs import evolve, frozen

from turnfold.core.agent.effects import Delta, Effect, Notice, Progress, Publish, Record
from turnfold.core.agent.events import Event, RequestClosed, TurnEnded
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.problem import Problem
from turnfold.shell.desk import RunResult, Watch
from turnfold.shell.scope import Scope
from turnfold.shell.streaming.page import Page


@final
@frozen(eq=False)
class Sleeper:
    """A reader that waits on an event loop; ``for_end``: for the run's end, and nothing less."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]
    for_end: bool = False

    def wake(self) -> None:
        """Let it look again; from any thread, also when its loop has ended."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


@final
class Ledger:
    """A run's newest page. ``watch``, ``seen`` and ``ended`` are called by the run, the others by readers, in any thread."""

    __slots__ = ("__weakref__", "_changed", "_notices", "_records", "_sleepers", "_waiting", "_watch", "base", "leaving", "page", "scope")

    def __init__(self, state: ChatState, scope: Scope, watch: Watch) -> None:
        self.base: Past = state.past
        self.page = Page(state=state)
        self.scope = scope
        self.leaving = False  # whether the run shall end with its turn
        self._watch = watch
        self._records: list[Event] = []
        self._notices: list[Notice | Problem] = []
        self._changed = Condition(Lock())
        self._waiting = 0
        self._sleepers: tuple[Sleeper, ...] = ()

    def watch(self, effect: Effect) -> None:
        """Take note of one effect of the step that is being taken."""
        if isinstance(effect, Publish):
            match effect.what:
                case Delta():  # what nearly all are: the page has the reply itself
                    pass
                case Progress(request_id, text):
                    self.page = self.page.printing(request_id, text)
                case Notice() | Problem() as what:
                    self._notices.append(what)
                case _:
                    pass
        elif isinstance(effect, Record):
            self._records.append(effect.event)
        self._watch(effect)

    def seen(self, state: ChatState) -> None:
        """The step is taken, and ``state`` is what it came to."""
        page = self.page
        if not self._records and not self._notices:  # a chunk
            self._turn(page.streaming(state))
            return
        events, notices = tuple(self._records), tuple(self._notices)
        self._records.clear()
        self._notices.clear()
        if page.printed:
            page = page.without(frozenset(each.request_id for each in events if isinstance(each, RequestClosed)))
        ended = tuple(each for each in events if isinstance(each, TurnEnded))
        told = tuple(each.problem for each in ended)
        self._turn(page.after_step(state, events, tuple(each for each in notices if each not in told)))
        if ended and self.leaving:
            self.scope.cancel()

    def ended(self, result: RunResult | None, error: BaseException | None = None) -> None:
        """The run is over."""
        page = self.page.after_step(self.page.state, (), tuple(self._notices))  # what was shown after the last step
        self._turn(evolve(page, printed=(), result=result, error=error))

    def _turn(self, page: Page) -> None:
        with self._changed:
            self.page = page
            if self._waiting:
                self._changed.notify_all()
            if not self._sleepers:
                return
            woken = tuple(each for each in self._sleepers if page.over or not each.for_end)
            self._sleepers = tuple(each for each in self._sleepers if each not in woken)
        for each in woken:
            each.wake()

    def wait(self, page: Page, timeout_s: float | None = None) -> None:
        """Until there is another page than ``page``, or the time is over."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self.page is not page, timeout_s)
            finally:
                self._waiting -= 1

    def wait_over(self, timeout_s: float | None = None) -> Page:
        """The last page, or the newest when the time is over."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self.page.over, timeout_s)
            finally:
                self._waiting -= 1
            return self.page

    async def changed(self, page: Page, *, for_end: bool = False) -> None:
        """As :meth:`wait`, on the running loop; a cancel loses nothing."""
        loop = asyncio.get_running_loop()
        sleeper = Sleeper(loop, loop.create_future(), for_end)
        with self._changed:
            if self.page is not page and (self.page.over or not for_end):
                return
            self._sleepers = (*self._sleepers, sleeper)
        try:
            await sleeper.future
        finally:
            with self._changed:
                self._sleepers = tuple(each for each in self._sleepers if each is not sleeper)

"""The asyncio driver's supervisor: one task a run, which owns all that the run has under way.

Models are called by tasks of the loop, a pause is a timer, and what blocks runs on threads that are made when the first such request
comes. Whatever comes of them is taken at once, in the loop's thread, where it comes; the supervisor sleeps until there is something to
decide: nothing is under way any more, or an error ends the run. A cancelled task interrupts its run, waits for what was under way
to stop, records it, and is cancelled then; the loop goes on meanwhile. A person who is being asked is not waited for: nothing
of what was asked about has begun.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Thread
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Cancel, Effect, Perform, Recall
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import ChunkArrived, Decided, Failed, Input, Interrupted, TimePassed
from turnfold.core.agent.state import ChatState, Past, effective
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.answers import Answer, Waited
from turnfold.core.world.requests import CallModel, Wait
from turnfold.shell.desk import Desk, EndlessRules, Observers, RunResult
from turnfold.shell.loop_threads import Threads
from turnfold.shell.perform import perform, perform_async
from turnfold.shell.ports import JournalError
from turnfold.shell.preparing import Ready, asks_the_world, prepared
from turnfold.shell.scope import Scope, never_began
from turnfold.shell.world import World

CANCELLED = world_problem("cancelled", "The request was cancelled.")

Outcome: TypeAlias = Answer | Problem
Work: TypeAlias = asyncio.Future[Outcome] | asyncio.Future[Ready | Problem] | asyncio.Future[Effect] | asyncio.Future[tuple[Problem, ...]]


async def until_done(*works: Work) -> None:
    """Wait for all of ``works``, however often the task is cancelled, and raise that then: nothing can be left behind."""
    cancelled: asyncio.CancelledError | None = None
    while left := [work for work in works if not work.done()]:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def elapse(over: asyncio.Future[Outcome]) -> None:
    """The end of a pause, where it was not cancelled just now."""
    if not over.done():
        over.set_result(Waited())


async def drive_async(
    first: Input,
    state: ChatState,
    tools: tuple[ToolSpec, ...],
    cfg: ChatConfig,
    world: World,
    observers: Observers,
    executor: Executor | None,
) -> RunResult:
    """The conversation driven until it is idle or paused, on the running event loop."""
    rules = bool(observers.rules)
    with Threads(effective(cfg, state.past).limits.side_by_side, executor) as threads:
        if asks_the_world(first, state, cfg, rules=rules):
            preparing = threads.doing(lambda: prepared(first, state, cfg, world, rules=rules))
            try:
                ready = await asyncio.shield(preparing)
            finally:
                await until_done(preparing)
        else:
            ready = prepared(first, state, cfg, world, rules=rules)
        if isinstance(ready, Problem):
            return RunResult(state=state, cfg=cfg, problem=ready)
        return await _AsyncRun(Desk(state, tools, ready.cfg, world, observers), threads).drive(ready.first)


@final
@frozen(eq=False)
class Running:
    """A request that is performed: how to cancel it, and what is done when it has an outcome."""

    cancel: Callable[[], object]
    work: asyncio.Future[Outcome]


@final
class _AsyncRun:
    """One run's supervisor on an event loop. Its fields are touched in the loop's thread only."""

    __slots__ = (
        "_armed",
        "_armed_ms",
        "_asleep",
        "_desk",
        "_due",
        "_error",
        "_loop",
        "_over",
        "_recalls",
        "_running",
        "_threads",
        "_timer",
    )

    def __init__(self, desk: Desk, threads: Threads) -> None:
        self._desk = desk
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._due: deque[Perform] = deque()
        self._running: dict[RequestId, Running] = {}
        self._recalls: deque[Recall] = deque()
        self._error: BaseException | None = None  # what ended the run where an input came in
        self._over = False  # what comes now is late
        self._asleep: asyncio.Future[None] | None = None  # what the supervisor waits for
        self._timer: asyncio.TimerHandle | None = None
        self._armed: Past | None = None  # what the timer was set for
        self._armed_ms: int | None = None  # what it was set to

    async def drive(self, first: Input) -> RunResult:
        """Inputs taken until none is to be expected."""
        stopped = False
        try:
            for each in self._desk.opening(first):
                self._take(each)
            await self._until_over()
        except asyncio.CancelledError:
            stopped = True
            await self._interrupt()
            raise
        except (JournalError, EndlessRules) as error:
            return self._desk.result(error.problem)
        finally:
            try:
                await self._ended()
            finally:
                if self._desk.lingering:
                    await self._part(stopped=stopped)
        return self._desk.result()

    async def _part(self, *, stopped: bool) -> None:
        """What the hooks and exporters still do waited for, on a thread."""
        work = self._threads.doing(lambda: self._desk.parted(stopped=stopped))
        try:
            await until_done(work)
        finally:
            self._desk.tell(work.result())

    async def _until_over(self) -> None:
        """Until nothing is under way, no rule has something to say, and nobody decides."""
        while True:
            if self._error is not None:
                raise self._error
            if self._recalls:
                await self._recall(self._recalls.popleft())
            elif self._running:
                await self._sleep()
            elif given := self._desk.ruled():
                for each in given:
                    self._take(each)
            else:
                question = self._desk.question()
                decided = None if question is None else await self._decision(question)
                if decided is None:
                    return
                self._take(decided)

    async def _sleep(self) -> None:
        self._asleep = self._loop.create_future()
        try:
            await self._asleep
        finally:
            self._asleep = None

    def _wake(self) -> None:
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)

    async def _recall(self, act: Recall) -> None:
        """What takes the whole journal, which may be long, on a thread; what comes meanwhile is taken."""
        work = self._threads.doing(lambda: self._desk.recalled(act))
        try:
            self._desk.watch(await asyncio.shield(work))
        finally:
            await until_done(work)

    async def _decision(self, question: Question) -> Decided | None:
        """What the person says, from a thread that nobody joins: it may wait for a year."""
        said: Future[Decided | None] = Future()
        said.set_running_or_notify_cancel()  # from here on it can't be cancelled: the task may stop waiting, the person's thread can't

        def ask() -> None:
            try:
                said.set_result(self._desk.world.human.decide(question))
            except Exception as error:  # noqa: BLE001 - it goes on in the run's own task
                said.set_exception(error)

        Thread(target=ask, name="turnfold-question", daemon=True).start()
        return await asyncio.wrap_future(said)

    def _came(self, input: Input) -> None:
        """``input`` taken where it came; an error is the supervisor's, not that of the port or the timer that it came through."""
        if self._error is None and not self._over:
            try:
                self._take(input)
            except Exception as error:  # noqa: BLE001 - raised by the supervisor
                self._error = error
        if self._error is not None or self._recalls or not self._running:
            self._wake()

    def _take(self, input: Input) -> None:
        inputs = [input]
        for each in inputs:
            for act in self._desk.take(each):
                match act:
                    case Perform():
                        self._due.append(act)
                    case Cancel(request_id):
                        inputs += self._cancelled(request_id)
                    case Recall():
                        self._recalls.append(act)
        while self._due and len(self._running) < self._threads.most:
            self._start(self._due.popleft())
        if self._desk.state.past is not self._armed:
            self._arm()

    def _cancelled(self, request_id: RequestId) -> tuple[Failed, ...]:
        """What runs is told to stop, and answers later; what waits for its turn to begin is answered here."""
        running = self._running.get(request_id)
        if running is not None:
            running.cancel()
        never = [due for due in self._due if due.request_id == request_id]
        for due in never:
            self._due.remove(due)
        return tuple(Failed(due.request_id, never_began(), self._desk.now_ms()) for due in never)

    def _arm(self) -> None:
        """The timer set to when time itself is news."""
        self._armed = self._desk.state.past
        deadline_ms = self._desk.deadline_ms()
        if deadline_ms == self._armed_ms:
            return
        if self._timer is not None:
            self._timer.cancel()
        left_s = self._desk.left_s()
        self._armed_ms = deadline_ms
        self._timer = None if left_s is None else self._loop.call_later(left_s, self._rang)

    def _rang(self) -> None:
        self._armed, self._armed_ms = None, None
        self._came(TimePassed(self._desk.now_ms()))

    def _start(self, due: Perform) -> None:
        running = self._begun(due)
        self._running[due.request_id] = running
        running.work.add_done_callback(lambda work: self._done(due.request_id, work))

    def _begun(self, due: Perform) -> Running:
        desk, request, models, took = self._desk, due.request, self._desk.world.async_models, self._taker(due.request_id)
        if isinstance(request, CallModel) and models is not None and models.serves(request, desk.world.models):
            # not by the loop's factory, which may begin a task at once: then it would speak before it is known
            task = asyncio.Task(perform_async(due, request, models, took, desk.mask), loop=self._loop)
            return Running(task.cancel, task)
        if isinstance(request, Wait):
            return self._pause(request.delay_ms)
        scope = Scope(lambda data: self._send(took, data))
        cfg, mask = desk.performing(due), desk.mask
        return Running(scope.cancel, self._threads.doing(lambda: perform(due, desk.tools, cfg, desk.world, scope, mask)))

    def _pause(self, delay_ms: int) -> Running:
        """A wait, as a timer."""
        over: asyncio.Future[Outcome] = self._loop.create_future()
        timer = self._loop.call_later(self._desk.world.clock.seconds(delay_ms), elapse, over)
        over.add_done_callback(lambda _: timer.cancel())
        return Running(over.cancel, over)

    def _taker(self, request_id: RequestId) -> Callable[[bytes], None]:
        """What takes the chunks of a reply, in the loop's thread."""
        return lambda data: self._came(ChunkArrived(request_id, data, self._desk.now_ms()))

    def _send(self, took: Callable[[bytes], None], data: bytes) -> None:
        self._loop.call_soon_threadsafe(took, data)

    def _done(self, request_id: RequestId, work: asyncio.Future[Outcome]) -> None:
        """The outcome of a request taken; a task that was cancelled has none but that."""
        del self._running[request_id]
        if not work.cancelled() and (error := work.exception()) is not None:
            self._error = self._error or error
            self._wake()
            return
        outcome = CANCELLED if work.cancelled() else work.result()
        self._came(self._desk.outcome_of(request_id, outcome))

    async def _interrupt(self) -> None:
        """The turn interrupted, and every request under way stopped, answered and recorded; a second cancel waits, too."""
        if self._error is None and self._desk.interrupting():
            self._came(Interrupted(self._desk.now_ms()))
        while self._running and self._error is None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._sleep()

    async def _ended(self) -> None:
        """Nothing of the run is left: what still runs is cancelled and waited for."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        for running in tuple(self._running.values()):
            running.cancel()
        await until_done(*(running.work for running in self._running.values()))

"""The asyncio driver's supervisor: ports on threads that the run owns, inputs taken in the loop's thread.

Performing threads only send answers and chunks to the loop. A cancelled task interrupts its run, waits for what was
under way to stop, records it, and is cancelled then; the loop goes on meanwhile. A person who is being asked is not
waited for: nothing of what was asked about has begun.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Cancel, Effect, Perform, Recall
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import Answered, ChunkArrived, Decided, Failed, Input, Interrupted, TimePassed
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.desk import Desk, Ready, RunResult, Watch, prepared
from turnfold.shell.ports import JournalError
from turnfold.shell.run import answer_of
from turnfold.shell.scope import Scope
from turnfold.shell.world import World

Work: TypeAlias = asyncio.Future[None] | asyncio.Future[Ready | Problem] | asyncio.Future[Effect]


async def until_done(work: Work) -> None:
    """Wait for ``work``, however often the task is cancelled: a thread can't be left behind, and leaving its pool stops the loop."""
    while not work.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((work,))


async def drive_async(
    first: Input, state: ChatState, tools: tuple[ToolSpec, ...], cfg: ChatConfig, world: World, watch: Watch, side_by_side: int
) -> RunResult:
    """The conversation driven until it is idle or paused, on the running event loop."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(side_by_side, thread_name_prefix="turnfold") as threads:
        preparing = loop.run_in_executor(threads, prepared, first, state, cfg, world)
        try:
            ready = await asyncio.shield(preparing)
        finally:
            await until_done(preparing)
        if isinstance(ready, Problem):
            return RunResult(state=state, cfg=cfg, problem=ready)
        desk = Desk(state, tools, ready.cfg, world, watch)
        return await _AsyncRun(desk, threads, loop).drive(ready.first)


@final
@frozen(eq=False)
class Running:
    """A request that is performed: how to cancel it, and what is done when its thread is."""

    scope: Scope
    work: asyncio.Future[None]


@final
class _AsyncRun:
    """One run's supervisor on an event loop. Its fields are touched in the loop's thread only."""

    __slots__ = ("_desk", "_inbox", "_loop", "_recalls", "_running", "_threads")

    def __init__(self, desk: Desk, threads: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> None:
        self._desk = desk
        self._threads = threads
        self._loop = loop
        self._inbox: asyncio.Queue[Input] = asyncio.Queue()
        self._running: dict[RequestId, Running] = {}
        self._recalls: deque[Recall] = deque()

    async def drive(self, first: Input) -> RunResult:
        """Inputs taken until none is to be expected."""
        try:
            for each in self._desk.opening(first):
                self._take(each)
            await self._until_quiet()
        except asyncio.CancelledError:
            await self._interrupt()
            raise
        except JournalError as error:
            return self._desk.result(error.problem)
        finally:
            for running in self._running.values():
                running.scope.cancel()
            for running in self._running.values():
                await until_done(running.work)
        return self._desk.result()

    async def _until_quiet(self) -> None:
        await self._recall()
        while (input := await self._next()) is not None:
            self._take(input)
            await self._recall()

    async def _recall(self) -> None:
        """What takes the whole journal, which may be long, on a thread; what comes meanwhile waits in the inbox."""
        while self._recalls:
            work: asyncio.Future[Effect] = self._loop.run_in_executor(self._threads, self._desk.recalled, self._recalls.popleft())
            try:
                self._desk.watch(await asyncio.shield(work))
            finally:
                await until_done(work)

    async def _next(self) -> Input | None:
        if self._running or not self._inbox.empty():
            return await self._received()
        question = self._desk.question()
        return None if question is None else await self._decision(question)

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

    async def _received(self) -> Input:
        """The next answer or chunk; the time, where that is news before either comes."""
        left_s = self._desk.left_s()
        if left_s is None:
            return await self._inbox.get()
        try:
            return await asyncio.wait_for(self._inbox.get(), left_s)
        except TimeoutError:
            return TimePassed(self._desk.now_ms())

    def _take(self, input: Input) -> None:
        if isinstance(input, (Answered, Failed)):
            self._running.pop(input.request_id, None)
        for act in self._desk.take(input):
            match act:
                case Perform():
                    self._start(act)
                case Cancel(request_id):
                    if request_id in self._running:
                        self._running[request_id].scope.cancel()
                case Recall():
                    self._recalls.append(act)

    def _start(self, due: Perform) -> None:
        scope = Scope(lambda data: self._send(ChunkArrived(due.request_id, data, self._desk.now_ms())))
        work = self._loop.run_in_executor(self._threads, lambda: self._send(answer_of(due, self._desk, scope)))
        self._running[due.request_id] = Running(scope, work)

    def _send(self, input: Input) -> None:
        self._loop.call_soon_threadsafe(self._inbox.put_nowait, input)

    async def _interrupt(self) -> None:
        """The turn interrupted, and every request under way stopped, answered and recorded; a second cancel waits, too."""
        if self._desk.interrupting():
            self._take(Interrupted(self._desk.now_ms()))
        rest = asyncio.ensure_future(self._drain())
        await until_done(rest)
        rest.result()

    async def _drain(self) -> None:
        while self._running:
            self._take(await self._received())

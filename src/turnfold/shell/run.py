"""The plain driver: one ``step``, one input at a time, in the caller's thread.

It journals what the step recorded, then acts on the other effects, and returns when the conversation is idle, or paused
with nobody to ask. It keeps no flags: what is open is in the state. Whoever wants to stop a run cancels its scope, from
any thread or a signal handler; the run then takes the input ``Interrupted``, and what is under way is stopped, answered
and recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import final

from turnfold.core.agent.effects import Cancel, Perform, Recall
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import Answered, ChunkArrived, Failed, Input, Interrupted, TimePassed, UserSaid
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.requests import CallModel
from turnfold.shell.alarm import alarm
from turnfold.shell.desk import Desk, EndlessRules, InputRule, Observers, RunResult, Seen, Watch, unseen, unwatched
from turnfold.shell.perform import perform
from turnfold.shell.ports import JournalError
from turnfold.shell.preparing import prepared
from turnfold.shell.scope import Scope, never_began
from turnfold.shell.world import World

LEAVING_S = 3.0  # for what is told to stop: a command has a second until it is killed (processes.GRACE_S)


def run(
    said: str | Input,
    tools: tuple[ToolSpec, ...],
    cfg: ChatConfig,
    world: World,
    *,
    state: ChatState | None = None,
    watch: Watch = unwatched,
    scope: Scope | None = None,
    executor: Executor | None = None,
    rules: tuple[InputRule, ...] = (),
    seen: Seen = unseen,
) -> RunResult:
    """The conversation driven until it is idle or paused, after a person said ``said`` (or any other input came).

    What an earlier run of it left under way is taken as lost: one conversation has one run at a time.
    ``watch`` sees every effect, in order, after it is journaled, and ``seen`` the newest state after each input. ``scope.cancel()``
    interrupts. Requests that are due together are performed one after another, or side by side on ``executor``. ``rules`` are asked when nothing
    is under way: pure functions of the state and the settings, whose inputs are taken before a person is asked and before the run ends.
    Raises what ``watch``, ``seen``, ``rules`` and the world's ``human`` raise, and nothing else.
    """
    first = UserSaid(said, world.clock.now_ms()) if isinstance(said, str) else said
    conversation = ChatState() if state is None else state
    ready = prepared(first, conversation, cfg, world, rules=bool(rules))
    if isinstance(ready, Problem):
        return RunResult(state=conversation, cfg=cfg, problem=ready)
    desk = Desk(conversation, tools, ready.cfg, world, Observers(watch=watch, seen=seen, rules=rules))
    return _Run(desk, scope or Scope(), executor).drive(ready.first)


@final
class _Run:
    """One run's supervisor: it starts, joins and cancels the requests of one conversation."""

    __slots__ = ("_aside", "_desk", "_due", "_executor", "_inbox", "_running", "_scope")

    def __init__(self, desk: Desk, scope: Scope, executor: Executor | None) -> None:
        self._desk = desk
        self._scope = scope
        self._executor = executor
        self._inbox: SimpleQueue[Input | BaseException | None] = SimpleQueue()  # None only wakes up
        self._due: deque[Perform] = deque()
        self._running: dict[RequestId, Scope] = {}
        self._aside: dict[RequestId, Future[Input]] = {}

    def drive(self, first: Input) -> RunResult:
        """Inputs taken until none is to be expected; whatever still runs when this ends is cancelled and joined."""
        for each in self._desk.opening(first):
            self._inbox.put(each)
        left = False
        try:
            with self._scope.stopping(lambda: self._inbox.put(None)):
                while (input := self._next()) is not None:
                    self._take(input)
        except (JournalError, EndlessRules) as error:
            return self._desk.result(error.problem)
        except KeyboardInterrupt:
            left = True
            self._join(LEAVING_S)  # whoever leaves at once waits for nobody who does not stop
            self._aside.clear()
            raise
        finally:
            self._join()
            self._desk.tell(self._desk.parted(stopped=left or self._scope.cancelled))
        return self._desk.result()

    def _take(self, input: Input) -> None:
        if isinstance(input, (Answered, Failed)):
            self._running.pop(input.request_id, None)
            self._aside.pop(input.request_id, None)
        for act in self._desk.take(input):
            match act:
                case Perform():
                    self._due.append(act)
                case Cancel():
                    self._cancel(act)
                case Recall():
                    self._desk.watch(self._desk.recalled(act))

    def _cancel(self, act: Cancel) -> None:
        running = self._running.get(act.request_id)
        if running is not None:
            running.cancel()
            return
        for due in tuple(self._due):
            if due.request_id == act.request_id:
                self._due.remove(due)
                self._inbox.put(Failed(act.request_id, never_began(), self._desk.now_ms()))

    def _next(self) -> Input | None:
        """The next input: an interrupt, an answer, else what performing or asking brings; None when nothing is open."""
        while True:
            if self._scope.cancelled and self._desk.interrupting():
                return Interrupted(self._desk.now_ms())
            if self._running and self._desk.left_s() == 0:
                return TimePassed(self._desk.now_ms())
            waiting = self._received()
            if waiting is not None:
                return waiting
            if self._due:
                self._start(self._due.popleft())
            elif not self._running and not self._ruled():
                decided = None if self._scope.cancelled else self._decision()
                if decided is not None or not (self._scope.cancelled and self._desk.interrupting()):
                    return decided

    def _ruled(self) -> bool:
        """Whether the rules have something to say; it is in the inbox then."""
        given = () if self._scope.cancelled else self._desk.ruled()
        for each in given:
            self._inbox.put(each)
        return bool(given)

    def _received(self) -> Input | None:
        """What lies in the inbox; waits for it where something runs beside us and there is nothing else to do."""
        patient = bool(self._running) and not self._due
        try:
            while (came := self._inbox.get(patient, self._desk.left_s() if patient else None)) is None and not patient:
                pass  # who was woken needn't be, and behind that may lie an answer
        except Empty:
            return TimePassed(self._desk.now_ms()) if patient else None
        if isinstance(came, BaseException):
            raise came
        return came

    def _decision(self) -> Input | None:
        question = self._desk.question()
        return None if question is None else self._desk.world.human.decide(question)

    def _start(self, due: Perform) -> None:
        if self._executor is not None and not self._alone(due):
            scope = Scope(lambda data: self._inbox.put(self._chunk(due, data)))
            self._running[due.request_id] = scope
            future = self._aside[due.request_id] = self._executor.submit(self._answering(due, scope))
            future.add_done_callback(lambda done: self._came(due.request_id, done))
            return
        mine = get_ident()
        scope = Scope(lambda data: self._take_chunk(due, data) if get_ident() == mine else self._inbox.put(self._chunk(due, data)))
        self._running[due.request_id] = scope
        try:
            with alarm(self._desk.deadline_ms(), self._desk.now_ms, scope.cancel):  # nobody else is awake while this thread performs
                self._inbox.put(self._answering(due, scope)())
        except Escaped as escaped:
            raise escaped.error from None

    def _alone(self, due: Perform) -> bool:
        """Whether a model is to be called beside which nothing is under way: this thread would only wait for it."""
        return isinstance(due.request, CallModel) and not self._running and not self._due

    def _chunk(self, due: Perform, data: bytes) -> ChunkArrived:
        return ChunkArrived(due.request_id, data, self._desk.now_ms())

    def _answering(self, due: Perform, scope: Scope) -> Callable[[], Input]:
        """What performs ``due``, on any thread, as things are now, and gives the one input that answers it."""
        desk = self._desk
        cfg, mask = desk.performing(due), desk.mask

        def answered() -> Input:
            with self._scope.stopping(scope.cancel):
                return desk.outcome_of(due.request_id, perform(due, desk.tools, cfg, desk.world, scope, mask))

        return answered

    def _came(self, request_id: RequestId, done: Future[Input]) -> None:
        """What came of a request on the executor: its answer, or what ended its thread; one that the executor threw away never began."""
        if done.cancelled():
            self._inbox.put(Failed(request_id, never_began(), self._desk.now_ms()))
        else:
            self._inbox.put(done.exception() or done.result())

    def _take_chunk(self, due: Perform, data: bytes) -> None:
        try:
            self._take(self._chunk(due, data))
            while self._executor is not None and self._due:
                self._start(self._due.popleft())
        except Exception as error:
            raise Escaped(error) from error

    def _join(self, timeout_s: float | None = None) -> None:
        for scope in self._running.values():
            scope.cancel()
        wait(self._aside.values(), timeout_s)


@final
class Escaped(BaseException):
    """An error of the run itself (its journal, its watcher) on its way out through a port, which must not swallow it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error

"""Background jobs of this machine, by conversation: bash as for a command, with a thread that reads what it prints.

A job lives until it ends, is stopped, or its conversation or the world is closed; all that it started ends with it. Its name is made by
chance, so that one of a process that is gone is never taken for another's. Those that have ended are kept for a while, to be asked after.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
from collections.abc import Mapping
from functools import partial
from threading import Lock, Thread
from typing import final

from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import JobStarted, JobTold
from turnfold.core.world.requests import AskJob, StartJob
from turnfold.shell.capture import Capture
from turnfold.shell.child import Child, Pump, Waker
from turnfold.shell.clock import SystemClock
from turnfold.shell.environment import Pairs, laid_over
from turnfold.shell.ports import Clock, Port
from turnfold.shell.processes import DRAIN_S, GRACE_S, TELL, bash_argv, cwd_problem, entered, found_bash, script_problem, start_problem
from turnfold.shell.sandbox.census import with_limit
from turnfold.shell.sandbox.sandboxes import LocalSandboxes, Room
from turnfold.shell.scope import Scope, never_began

NAME_CHARS = 4
MOST_RUNNING = 20  # of one conversation
MOST_ENDED = 20
LISTED_CHARS = 200


@final
class _Job:
    """One job; its thread ends when all of it has."""

    __slots__ = ("_capture", "_child", "_held", "_lock", "_over", "_pump", "_room", "_thread", "_waker", "exit_code", "name", "script")

    def __init__(self, name: str, script: str, child: Child, room: Room | None, output_bytes: int, held: contextlib.ExitStack) -> None:
        self.name = name
        self.script = script
        self.exit_code: int | None = None
        self._capture = Capture(output_bytes)
        self._lock = Lock()
        self._child = child
        self._room = room
        self._over = ""
        self._waker = held.enter_context(Waker())
        self._held = held
        self._pump = Pump()
        self._pump.read(child.output, self._took)
        child.attach(self._pump, self._waker)
        self._thread = Thread(target=self._live, name=f"job {name}", daemon=True)
        self._thread.start()

    def _took(self, data: bytes) -> None:
        with self._lock:
            self._capture.feed(data)

    def _live(self) -> None:
        census = None if self._room is None else self._room.census(self._child.pid)
        self._pump.ticking |= census is not None and census.limited
        with self._held:
            try:
                self._pump.until(lambda: self._child.exited() or self._waker.woken or (census is not None and census.look()), None)
                stopped = not self._child.exited()
                if census is not None and census.over:
                    self._child.kill_session(whole=True)
                    self._pump.until(self._child.exited, None)
                elif stopped:
                    self._child.stop(signal.SIGTERM, self._pump, GRACE_S)
                self._child.drain(self._pump, DRAIN_S, whole=True)
            finally:
                code = self._child.reap()
                with self._lock:
                    self._over = "" if census is None else census.over
                    self.exit_code = code

    def told(self, output_bytes: int) -> JobTold:
        """How it is now."""
        with self._lock:
            text, cut, code = with_limit(self._capture.text(), self._over), self._capture.cut_bytes, self.exit_code
        data = text.encode()
        if not cut and len(data) > output_bytes:
            shorter = Capture(output_bytes)
            shorter.feed(data)
            text, cut = shorter.text(), shorter.cut_bytes
        return JobTold(job=self.name, output=text, exit_code=code, cut_bytes=cut)

    def stop(self) -> None:
        """End it, and return when nothing of it is left."""
        self._waker.wake()
        self._thread.join()

    def line(self) -> str:
        """One line of a list."""
        code = self.exit_code
        state = "running" if code is None else f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{self.name}  {state}  {clipped(' '.join(self.script.split()), LISTED_CHARS)}\n"


@final
class LocalJobs(Port[StartJob | AskJob]):
    """The jobs of this machine; ``close_all`` ends them."""

    __slots__ = ("_clock", "_environment", "_jobs", "_lock", "_sandboxes")

    def __init__(self, environment: Pairs, sandboxes: LocalSandboxes | None = None, clock: Clock | None = None) -> None:
        self._environment = environment
        self._sandboxes = LocalSandboxes(environment) if sandboxes is None else sandboxes
        self._clock = SystemClock() if clock is None else clock
        self._lock = Lock()
        self._jobs: dict[str, tuple[_Job, ...]] = {}  # by conversation, the oldest first

    @override
    def act(self, request: StartJob | AskJob, cfg: ChatConfig, scope: Scope) -> JobStarted | JobTold | Problem:
        if scope.cancelled:
            return never_began()
        return self._start(request, cfg.conversation) if isinstance(request, StartJob) else self._ask(request, cfg.conversation)

    @override
    def close(self, conversation: str) -> None:
        with self._lock:
            jobs = self._jobs.pop(conversation, ())
        for job in jobs:
            job.stop()

    @override
    def close_all(self) -> None:
        with self._lock:
            conversations = tuple(self._jobs)
        for conversation in conversations:
            self.close(conversation)

    def _start(self, request: StartJob, conversation: str) -> JobStarted | Problem:
        bash = found_bash(self._environment)
        if isinstance(bash, Problem):
            return bash
        if (wrong := cwd_problem(request.cwd) or script_problem(request.script)) is not None:
            return wrong
        with self._lock, contextlib.ExitStack() as held:
            own = self._jobs.get(conversation, ())
            if sum(job.exit_code is None for job in own) >= MOST_RUNNING:
                return model_problem("too-many", f"{MOST_RUNNING} jobs run already: stop one first (jobs list shows them).")
            try:
                values = laid_over(self._environment, request.environment)
                room = entered(self._sandboxes, request, values, held)
                if isinstance(room, Problem):
                    return room
                child = _child(bash, request, values, room)
            except (OSError, ValueError) as error:
                return start_problem(error, request.cwd)
            job = _Job(self._name(own), request.script, child, room, request.output_bytes, held.pop_all())
            ended = tuple(each for each in own if each.exit_code is not None)
            old = frozenset(each.name for each in ended[:-MOST_ENDED])
            self._jobs[conversation] = (*(each for each in own if each.name not in old), job)
        return JobStarted(job.name, "" if room is None else room.name)

    def _name(self, own: tuple[_Job, ...]) -> str:
        taken = {job.name for job in own}
        while (name := self._clock.new_id()[-NAME_CHARS:]) in taken:
            pass
        return name

    def _ask(self, request: AskJob, conversation: str) -> JobTold | Problem:
        with self._lock:
            own = self._jobs.get(conversation, ())
        if not request.job:
            return JobTold(job="", output="".join(job.line() for job in own), exit_code=0)
        job = next((each for each in own if each.name == request.job), None)
        if job is None:
            there = f"There are: {', '.join(each.name for each in own)}." if own else "There are none now."
            message = f"There is no job {request.job}: it is gone with the process that it was started by, or never was. {there}"
            return world_problem("no-such-job", message, "$.job")
        if request.stop:
            job.stop()
        return job.told(request.output_bytes)


def _child(bash: str, request: StartJob, values: Mapping[str, str], room: Room | None) -> Child:
    if room is not None:
        return Child(room.around(bash_argv(bash, request.script)), "/", {}, keep=room.keep, shells=room.shells)
    return Child(partial(_argv, bash, request.script), request.cwd, values, keep=())


def _argv(bash: str, script: str, lifeline: int) -> tuple[str, ...]:
    return bash_argv(bash, f"{TELL.format(lifeline=lifeline)}; eval -- {shlex.quote(script)}")

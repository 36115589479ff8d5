"""Python workers of this machine: one process for each conversation, kept until it is closed or dies.

A worker is the same interpreter as ours (so the packages that the user installed beside turnfold are there), with ``-P``
and not ``-I``: the current folder comes first on its path, as at Python's own prompt, ``PYTHONPATH`` and the user's
site-packages count, and only the folder of the worker's file, which has a ``secrets.py``, does not. It reads its
messages and nothing else from us; what it and all its children print comes through descriptors 1 and 2.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import final

from typing_extensions import override

from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import PythonEnded
from turnfold.core.world.requests import RunPython
from turnfold.shell.capture import Capture
from turnfold.shell.child import Child, Pump, Waker
from turnfold.shell.clock import monotonic_s
from turnfold.shell.environment import Pairs, laid_over
from turnfold.shell.living import Living
from turnfold.shell.ports import Pythons
from turnfold.shell.processes import cwd_problem, entered, start_problem
from turnfold.shell.sandbox.census import with_limit
from turnfold.shell.sandbox.sandboxes import LocalSandboxes
from turnfold.shell.scope import Scope, never_began

PROGRAM = str(Path(__file__).with_name("python_worker.py"))
DRAWING = MappingProxyType({"MPLBACKEND": "agg"})  # matplotlib draws without a window
INTERRUPTS = 2
GRACE_S = 1.0  # from the first SIGINT to SIGKILL
DRAIN_S = 0.1
LEAVE_S = 0.5  # from the end of input to SIGKILL


@final
class Unconfinable(Exception):
    """No sandbox could be had; ``problem`` says why, and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@final
class _Worker:
    """One living worker; used by one thread at a time."""

    __slots__ = ("_child", "_control", "_held", "_result", "confinement", "room")

    def __init__(self, executable: str, values: Mapping[str, str], request: RunPython, sandboxes: LocalSandboxes) -> None:
        self.confinement = request.confinement
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as held:
            room = entered(sandboxes, request, values, held)
            if isinstance(room, Problem):
                raise Unconfinable(room)
            self.room = room
            if room is None:
                control, self._control = os.pipe()
                theirs.callback(os.close, control)
                held.callback(os.close, self._control)
                self._result, result = os.pipe()
                theirs.callback(os.close, result)
                held.callback(os.close, self._result)
                argv = (executable, "-P", PROGRAM, str(control), str(result))
                self._child = Child(lambda lifeline: (*argv, str(lifeline)), request.cwd, values, keep=(control, result))
            else:
                ours, stdin = socket.socketpair()
                theirs.callback(stdin.close)
                self._control = ours.detach()
                held.callback(os.close, self._control)
                self._result = os.dup(self._control)
                held.callback(os.close, self._result)
                program = room.around((executable, "-P", PROGRAM, "0", "0", "-1"))
                self._child = Child(program, "/", {}, keep=room.keep, stdin=stdin.fileno(), shells=room.shells)
            os.set_blocking(self._control, False)
            self._held = held.pop_all()

    def alive(self) -> bool:
        """Whether it still runs."""
        return not self._child.exited()

    def run(self, request: RunPython, waker: Waker, tell: Callable[[bytes], None], *, fresh: bool) -> PythonEnded:
        """Run one piece of code, and ``tell`` what it prints; ``worker_died`` in the answer means that only ``close`` is left to do."""
        capture, pump, result = Capture(request.output_bytes), Pump(), bytearray()
        code = request.code.encode("utf-8", "replace")

        pump.read(self._child.output, both(capture.feed, tell))
        pump.read(self._result, result.extend)
        pump.write(self._control, len(code).to_bytes(8, "big") + code)
        self._child.attach(pump, waker)
        census = None if self.room is None else self.room.census(self._child.pid)
        pump.ticking |= census is not None and census.limited

        def over() -> bool:
            return bool(result) or self._child.exited()

        def passed() -> bool:
            return census is not None and census.look()

        in_time = pump.until(lambda: over() or waker.woken or passed(), monotonic_s() + request.timeout_s)
        for _ in range(INTERRUPTS):  # the first may come in a moment at which the code catches it
            if not over() and not (census is not None and census.over):
                self._child.signal_group(signal.SIGINT)
                pump.until(over, monotonic_s() + GRACE_S / INTERRUPTS)
        if not over():
            self._child.kill_session(whole=True)
            pump.until(over, None)
        pump.rest()
        died = not result
        if died:
            self._child.drain(pump, DRAIN_S, whole=True)
        text = with_limit(capture.text(), "" if census is None else census.over)
        return PythonEnded(
            output=with_obituary(text, self._child.exit_code(), stopped=not in_time or waker.woken) if died else text,
            failed=died or result[:1] != b"+",
            cut_bytes=capture.cut_bytes,
            timed_out=not in_time,
            fresh=fresh,
            worker_died=died,
            sandbox="" if self.room is None else self.room.name,
        )

    def close(self) -> None:
        """End the worker and all that it started; give everything back."""
        self._leave()  # its end of input: it writes out what its files hold back, and leaves
        pump = Pump()
        pump.read(self._child.output, lambda _: None)
        with Waker() as waker:
            self._child.attach(pump, waker)
            pump.until(self._child.exited, monotonic_s() + LEAVE_S)
        self._child.reap()
        self._held.close()

    def _leave(self) -> None:
        """End the worker's input."""
        if self.room is not None:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._control)) as control:
                control.shutdown(socket.SHUT_WR)
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._control)
        os.close(nothing)


def both(first: Callable[[bytes], None], second: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """What gives the same to both."""

    def given(data: bytes) -> None:
        first(data)
        second(data)

    return given


def with_obituary(text: str, exit_code: int, *, stopped: bool) -> str:
    r"""The output ``text`` of code whose worker is gone, and how that came about.

    >>> with_obituary("bye", 3, stopped=False)
    'bye\n[The Python process ended with exit code 3. What was defined is gone; the next code starts in a new process.]\n'
    """
    if stopped and exit_code == -signal.SIGKILL:
        how = "did not stop when it was interrupted, and was killed"
    elif exit_code < 0:
        how = f"died by signal {-exit_code} ({signal.strsignal(-exit_code) or 'unknown'})"
    else:
        how = f"ended with exit code {exit_code}"
    line = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{line}[The Python process {how}. What was defined is gone; the next code starts in a new process.]\n"


@final
class LocalPythons(Pythons):
    """The workers of this machine, by conversation; ``close_all`` ends them.

    Code of one conversation runs one piece after another, in the order in which threads come; different conversations
    never wait for each other. ``executable`` is the interpreter that workers are. What is confined otherwise than the worker is
    (or was, when it was started) runs in a new one.
    """

    __slots__ = ("_environment", "_executable", "_living", "_sandboxes")

    def __init__(self, environment: Pairs, executable: str = sys.executable, sandboxes: LocalSandboxes | None = None) -> None:
        self._environment = environment
        self._executable = executable
        self._sandboxes = LocalSandboxes(environment) if sandboxes is None else sandboxes
        self._living = Living(_Worker.close)

    @override
    def run(self, conversation: str, request: RunPython, scope: Scope) -> PythonEnded | Problem:
        if (wrong := cwd_problem(request.cwd)) is not None:
            return wrong
        with contextlib.ExitStack() as held:
            try:
                waker = held.enter_context(Waker())
                held.enter_context(scope.stopping(waker.wake))
                held.enter_context(scope.stopping(self._living.look_again))
                mine = held.enter_context(self._living.turn(conversation, waker, request.timeout_s))
                if scope.cancelled or not mine:
                    return never_began() if scope.cancelled else busy(request.timeout_s)
                worker, fresh = self._worker(conversation, request)
            except Unconfinable as error:
                return error.problem
            except (OSError, ValueError) as error:
                return start_problem(error, request.cwd)
            usable = False
            try:
                ended = worker.run(request, waker, scope.emit, fresh=fresh)
                usable = not ended.worker_died
            finally:  # after Ctrl-C here, too: its code still runs, and would answer the next call
                if not usable:
                    self._living.end(conversation)
            return ended

    @override
    def close(self, conversation: str) -> None:
        self._living.close(conversation)

    @override
    def close_all(self) -> None:
        self._living.close_all()

    def _worker(self, conversation: str, request: RunPython) -> tuple[_Worker, bool]:
        """This conversation's worker, and whether it was started just now; the conversation is ours."""
        worker = self._living.get(conversation)
        if worker is not None and worker.alive() and worker.confinement == request.confinement:
            return worker, False
        if worker is not None:
            self._living.end(conversation)
        worker = _Worker(self._executable, {**DRAWING, **laid_over(self._environment, request.environment)}, request, self._sandboxes)
        self._living.put(conversation, worker)
        return worker, True


def busy(timeout_s: float) -> Problem:
    """The Problem of code whose turn did not come."""
    message = f"Other code of this conversation was still running after {timeout_s:g} s: wait until it has ended, or interrupt it."
    return world_problem("busy", message)

"""Commands on this machine: one bash for each, nothing shared between them but what is handed in.

The directory and the exports that a script ends with come back as data, over a pipe of their own: bash says them in an
EXIT trap, and once more after the script, should that have set its own trap. When bash is killed, becomes another
program (``exec``) or leaves by ``exit`` past its own trap, they are as they were before.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import final

from attrs import Factory, field, frozen
from typing_extensions import override

from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, caller_problem, model_problem, world_problem
from turnfold.core.world.answers import ProcessEnded
from turnfold.core.world.requests import RunProcess, RunPython, StartJob
from turnfold.shell.capture import Capture
from turnfold.shell.child import Child, Pump, Waker
from turnfold.shell.clock import monotonic_s
from turnfold.shell.environment import Pairs, Report, changes, laid_over, report_untrusted
from turnfold.shell.ports import Processes
from turnfold.shell.sandbox.census import with_limit
from turnfold.shell.sandbox.sandboxes import LocalSandboxes, Room
from turnfold.shell.scope import Scope, never_began

GRACE_S = 1.0  # from SIGTERM to SIGKILL
DRAIN_S = 0.1  # for output of those that bash leaves behind
SCRIPT_BYTES = 100_000  # Linux takes no argument over 128 KiB
REPORT_BYTES = 8_000_000
HIGH_DESCRIPTOR = 100

# `eval` and not `bash -c SCRIPT` alone: a script that bash can't parse must not take the trap with it. All in one group,
# read before the script runs, which may upset the parser; on one line, so that bash counts the script's lines from 1.
# Options that the script may have set (-x, -v, -e, -u) must not show in its output, nor stop the report.
REPORT = (
    r'{{ builtin set +xveu; {{ builtin pwd; builtin printf "\0"; builtin declare -px; builtin printf "\0"; }} >&{report}; }} 2>/dev/null'
)
TELL = "builtin echo $$ >&{lifeline}; exec {lifeline}>&-"
OPEN = "exec {report}>{file}"
WRAPPER = f'{{{{ {{first}}; trap \'{REPORT}\' EXIT; eval -- {{script}}; {{{{ builtin set -- "$?"; }}}} 2>/dev/null; {REPORT}; builtin exit "$1"; }}}}'


@final
@frozen
class LocalProcesses(Processes):
    """Bash of this machine; commands start with ``environment`` and what a request lays over it."""

    environment: Pairs = field(repr=False)
    sandboxes: LocalSandboxes = field(repr=False, default=Factory(lambda self: LocalSandboxes(self.environment), takes_self=True))

    @override
    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        bash = found_bash(self.environment)
        if isinstance(bash, Problem):
            return bash
        if (wrong := cwd_problem(request.cwd) or script_problem(request.script)) is not None:
            return wrong
        values = laid_over(self.environment, request.environment)
        with contextlib.ExitStack() as held:
            try:
                waker = held.enter_context(Waker())
                held.enter_context(scope.stopping(waker.wake))
                if scope.cancelled:
                    return never_began()
                room = entered(self.sandboxes, request, values, held)
                if isinstance(room, Problem):
                    return room
                run = _started(bash, request, values, room, waker, held)
                run.tell(scope)
            except (OSError, ValueError) as error:
                return start_problem(error, request.cwd)
            return self._ended(request, run, tuple(values.items()))

    def _ended(self, request: RunProcess, run: _Run, started: Pairs) -> ProcessEnded:
        """Wait for the end, and say what came of it."""
        exit_code = run.finished()
        report = report_untrusted(run.reported()) or Report(request.cwd, started)
        there = scalar_text(report.cwd) == report.cwd and Path(report.cwd).is_dir()
        return ProcessEnded(
            exit_code=exit_code,
            output=with_limit(run.capture.text(), run.over),
            cwd=report.cwd if there else request.cwd,
            environment=changes(self.environment, self._own(report.exported, run.room)),
            cut_bytes=run.capture.cut_bytes,
            timed_out=run.timed_out,
            sandbox="" if run.room is None else run.room.name,
        )

    def _own(self, exported: Pairs, room: Room | None) -> Pairs:
        """``exported`` without the folder for temporary files that was the sandbox's."""
        if room is None or ("TMPDIR", room.temporary) not in exported:
            return exported
        ours = tuple(pair for pair in self.environment if pair[0] == "TMPDIR")
        return (*(pair for pair in exported if pair[0] != "TMPDIR"), *ours)


def entered(
    sandboxes: LocalSandboxes, request: RunProcess | RunPython | StartJob, values: Mapping[str, str], held: contextlib.ExitStack
) -> Room | Problem | None:
    """The room that ``request`` asks for, until ``held`` ends; None for none. ``OSError`` where its folder is not there."""
    if request.confinement is None:
        return None
    with os.scandir(request.cwd):  # a sandbox would say it in words of its own
        return sandboxes.enter(request.confinement, request.cwd, values, held)


def _started(
    bash: str, request: RunProcess, values: Mapping[str, str], room: Room | None, waker: Waker, held: contextlib.ExitStack
) -> _Run:
    """The command on its way, in ``room`` where there is one: its report is a pipe, or, since few descriptors enter a sandbox, a file."""
    stdin = _told(request.stdin, held)
    if room is None:
        report, report_end = _high_pipe(held)
        child = Child(partial(_argv, bash, request.script, report_end), request.cwd, values, keep=(report_end,), stdin=stdin)
        return _Run(child, waker, request, report=report)
    first = OPEN.format(report=HIGH_DESCRIPTOR, file=shlex.quote(_report_file(room)))
    program = bash_argv(bash, WRAPPER.format(first=first, report=HIGH_DESCRIPTOR, script=shlex.quote(request.script)))
    child = Child(room.around(program), "/", {}, keep=room.keep, stdin=stdin, shells=room.shells)
    return _Run(child, waker, request, room=room)


def _told(text: str, held: contextlib.ExitStack) -> int:
    """A descriptor to read ``text`` from, of a file without a name: a command that does not read it holds nobody up."""
    if not text:
        return subprocess.DEVNULL
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lasts as long as the command
    held.callback(file.close)
    file.write(text.encode("utf-8", "replace"))
    file.seek(0)
    return file.fileno()


def _report_file(room: Room) -> str:
    return f"{room.temporary}/.turnfold-report"


@final
class _Run:
    """One command on its way."""

    __slots__ = ("_census", "_child", "_pump", "_report", "_tell", "_waker", "capture", "deadline_s", "over", "room", "timed_out")

    def __init__(self, child: Child, waker: Waker, request: RunProcess, *, report: int = -1, room: Room | None = None) -> None:
        self.capture = Capture(request.output_bytes)
        self.room = room
        self.timed_out = False
        self.over = ""
        self.deadline_s = monotonic_s() + request.timeout_s
        self._report = bytearray()
        self._child = child
        self._waker = waker
        self._tell: Callable[[bytes], None] = lambda _: None
        self._pump = Pump()
        self._pump.read(child.output, self._printed)
        if report >= 0:
            self._pump.read(report, self._took)
        child.attach(self._pump, waker)
        self._census = None if room is None else room.census(child.pid)
        self._pump.ticking |= self._census is not None and self._census.limited

    def tell(self, scope: Scope) -> None:
        """Have ``scope`` told what is printed, as it comes."""
        self._tell = scope.emit

    def _printed(self, data: bytes) -> None:
        self.capture.feed(data)
        self._tell(data)

    def _took(self, data: bytes) -> None:
        if len(self._report) < REPORT_BYTES:
            self._report += data

    def reported(self) -> bytes:
        """What the script said of its end."""
        return bytes(self._report) if self.room is None else _read_untrusted(_report_file(self.room))

    def _due(self) -> bool:
        return self._child.exited() or self._waker.woken or (self._census is not None and self._census.look())

    def finished(self) -> int:
        """The exit code, once nothing of the command is left."""
        try:
            self.timed_out = not self._pump.until(self._due, self.deadline_s)
            stopped = not self._child.exited()
            self.over = "" if self._census is None else self._census.over
            if stopped and self.over:
                self._child.kill_session(whole=True)
                self._pump.until(self._child.exited, None)
            elif stopped:
                self._child.stop(signal.SIGTERM, self._pump, GRACE_S)
            self._child.drain(self._pump, DRAIN_S, whole=stopped)
        finally:
            exit_code = self._child.reap()
        return exit_code


def _read_untrusted(path: str) -> bytes:
    """The bytes of a file that a confined program may have put there, or something else in its place; nothing then."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(REPORT_BYTES)
    finally:
        os.close(descriptor)


def found_bash(environment: Pairs) -> str | Problem:
    """The bash that commands are run by."""
    return shutil.which("bash", path=dict(environment).get("PATH", os.defpath)) or no_bash()


def bash_argv(bash: str, script: str) -> tuple[str, ...]:
    """A bash that reads no settings of its own, and runs ``script``."""
    return (bash, "--norc", "--noprofile", "-c", script, "bash")


def _argv(bash: str, script: str, report: int, lifeline: int) -> tuple[str, ...]:
    """The bash that runs ``script`` and reports to ``report``."""
    return bash_argv(bash, WRAPPER.format(first=TELL.format(lifeline=lifeline), report=report, script=shlex.quote(script)))


def _high_pipe(held: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe for the report, closed with ``held``."""
    low = os.pipe()
    try:
        read, write = (_until_closed(held, raised(end)) for end in low)
    finally:
        for end in low:
            os.close(end)
    return read, write


def _until_closed(held: contextlib.ExitStack, descriptor: int) -> int:
    held.callback(os.close, descriptor)
    return descriptor


def raised(descriptor: int) -> int:
    """A copy of ``descriptor`` under a number that scripts don't use in redirections of their own."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR)


def script_problem(script: str) -> Problem | None:
    r"""Why no bash can be given ``script``, or None.

    >>> script_problem("echo a\0b").code, script_problem("ls")
    ('not-text', None)
    """
    if "\0" in script:
        return model_problem("not-text", "The command holds a NUL character, which no command can: leave it out.", "$.script")
    size = len(shlex.quote(script).encode("utf-8", "replace"))
    if size > SCRIPT_BYTES:
        message = f"The command has {size:,} bytes, more than the limit of {SCRIPT_BYTES:,}: save it as a file and run that with bash."
        return model_problem("too-large", message, "$.script")
    return None


def cwd_problem(cwd: str) -> Problem | None:
    """Why nothing can be run in ``cwd``, or None.

    >>> cwd_problem("src").code, cwd_problem("/src")
    ('not-absolute', None)
    """
    if not cwd.startswith("/"):  # it would be our own directory that counts
        return caller_problem("not-absolute", f"The folder {cwd!r} to run it in is relative: give an absolute path.", "$.cwd")
    return None


def no_bash() -> Problem:
    """The Problem of a machine without bash."""
    return world_problem("no-bash", "There is no bash on the PATH: install it (Debian: apt install bash), or add its folder to PATH.")


def start_problem(error: OSError | ValueError, cwd: str) -> Problem:
    """Why a process could not be started in ``cwd``, in one sentence that says what to do."""
    if isinstance(error, ValueError):
        message = f"A variable's name or value, or the folder {cwd!r}, can't be given to a process ({error}): leave out NUL and '='."
        return model_problem("not-text", message, "$.environment")
    if error.errno in (errno.ENOENT, errno.ENOTDIR) and error.filename == cwd:
        return model_problem("not-found", f"There is no folder {cwd} to run it in: choose one that exists.", "$.cwd")
    if error.errno in (errno.EACCES, errno.EPERM) and error.filename == cwd:
        return world_problem("not-allowed", f"The folder {cwd} may not be entered by this user: choose another.", "$.cwd")
    if error.errno == errno.E2BIG:
        message = "The command and its variables are longer than the system takes: unset long variables, or put them in a file."
        return world_problem("too-large", message, "$.environment")
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM):
        message = f"The system has no room for another process ({error.strerror}): end some that run, or raise the limit (ulimit -n, -u)."
        return world_problem("no-room", message)
    return world_problem("world", f"The process could not be started ({error}): check that {cwd} and /bin/sh can be used.")

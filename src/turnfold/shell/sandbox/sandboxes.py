"""Sandboxes of this machine: which back ends work, and what a confined program is started with.

Bubblewrap first, else sandlock: the first that works here and can hold what is asked. Whether one works is found by trying, once.

What makes the sandbox is not confined itself, and what is confined may have had a say in the environment (an exported LD_PRELOAD).
So the back end starts with no environment at all, and is told the program's in a file that nobody else can see.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import final

from attrs import frozen

from turnfold.core.json import dumps
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.confinement import Confinement, confinement_told
from turnfold.shell.environment import Pairs
from turnfold.shell.sandbox.bubblewrap import bubblewrap_arguments, system_call_filter
from turnfold.shell.sandbox.census import Census
from turnfold.shell.sandbox.grounds import Grounds, grounds_of
from turnfold.shell.sandbox.landlock import sandlock_policy

LAUNCHER = str(Path(__file__).with_name("launcher.py"))
TRY_S = 20.0
# what a sandbox that works lets pass, and nothing else
TRIAL = 'echo inside >"$1" || exit 3; if { echo outside >"$2"; } 2>/dev/null; then exit 4; fi'
SAY = 'echo $$ >&"$1"; eval "exec $1>&-"; shift; exec "$@"'  # tells the lifeline its id, and becomes the program (not for sh: two digits)


class BackEnd(Enum):
    """What can enforce a confinement, in the order of choice."""

    BUBBLEWRAP = "bubblewrap"
    SANDLOCK = "sandlock"


@final
@frozen(kw_only=True)
class Room:
    """What a confined program is started with: ``around`` it, with the descriptors ``keep``, in / with no environment.

    ``shells`` and ``census`` as :class:`Child` and :class:`Census` have them. ``temporary`` is TMPDIR inside.
    """

    name: str
    around: Callable[[tuple[str, ...]], Callable[[int], tuple[str, ...]]]
    keep: tuple[int, ...]
    shells: int
    temporary: str
    census: Callable[[int], Census]


@final
class LocalSandboxes:
    """The sandboxes of this machine; ``own`` folders are hidden from all of them. Closes nothing: rooms end with their stack."""

    __slots__ = ("_base", "_faults", "_lock", "_own")

    def __init__(self, base: Pairs, own: tuple[str, ...] = ()) -> None:
        self._base = dict(base)
        self._own = own
        self._lock = Lock()
        self._faults: dict[BackEnd, str] = {}

    def enter(
        self, confinement: Confinement, cwd: str, environment: Mapping[str, str], held: contextlib.ExitStack
    ) -> Room | Problem | None:
        """A room for one program, until ``held`` ends; None where it may run without one, since none works."""
        back_end = self.choice(confinement)
        if back_end is None:
            return self._none(confinement) if confinement.required else None
        temporary = self._temporary(held)
        grounds = grounds_of(confinement, self._base.get("HOME", ""), self._own, temporary)
        return self._room(back_end, grounds, cwd, {**environment, "PWD": cwd, "TMPDIR": temporary}, held)

    def choice(self, confinement: Confinement) -> BackEnd | None:
        """The first back end that works here and can enforce all of ``confinement``."""
        return next((each for each in BackEnd if holds(each, confinement) and not self.fault(each)), None)

    def fault(self, back_end: BackEnd) -> str:
        """Why ``back_end`` does not work here; empty where it does. Tried once."""
        with self._lock:
            if back_end not in self._faults:
                self._faults[back_end] = self._tried(back_end)
            return self._faults[back_end]

    def _none(self, confinement: Confinement) -> Problem:
        faults = "; ".join(
            f"{each.value}: {self.fault(each) if holds(each, confinement) else 'can not keep to some hosts of the network'}"
            for each in BackEnd
        )
        message = (
            f"Nothing was run: the settings ask for a sandbox ({confinement_told(confinement)}), and none works here ({faults}). Install "
            "bubblewrap (Debian: apt install bubblewrap) or pip install 'turnfold[sandbox]'; or set sandbox.profile to \"off\"; or set "
            "sandbox.unconfined to run without a sandbox where none works."
        )
        return world_problem("no-sandbox", message)

    def _temporary(self, held: contextlib.ExitStack) -> str:
        folder = os.path.realpath(tempfile.mkdtemp(prefix="turnfold-", dir=self._base.get("TMPDIR", "/tmp")))  # noqa: S108 - the system's own
        held.callback(_removed, folder)
        return folder

    def _room(self, back_end: BackEnd, grounds: Grounds, cwd: str, environment: Mapping[str, str], held: contextlib.ExitStack) -> Room:
        if back_end is BackEnd.BUBBLEWRAP:
            rules = _file(held, system_call_filter(platform.machine()) or b"")
            words = bubblewrap_arguments(grounds, cwd, environment, rules)
            arguments = _file(held, b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words))
            keep: tuple[int, ...] = (rules, arguments)
            before: tuple[str, ...] = (self._found("bash") or "bash", "--norc", "--noprofile", "-c", SAY, "bash")
            after = (self._found("bwrap") or "bwrap", "--args", str(arguments), "--", *self._limit(grounds.processes))
            shells, limits = 2, (grounds.memory_bytes, grounds.processes)
        else:
            policy = _file(held, dumps(sandlock_policy(grounds, cwd, environment)).encode("utf-8", "surrogatepass"))
            before, after = (sys.executable, "-I", "-S", LAUNCHER), (str(policy), _package() or "")
            keep, shells, limits = (policy,), 1, (None, None)  # sandlock holds to them itself

        def around(program: tuple[str, ...]) -> Callable[[int], tuple[str, ...]]:
            return lambda lifeline: (*before, str(lifeline), *after, *program)

        return Room(
            name=back_end.value,
            around=around,
            keep=keep,
            shells=shells,
            temporary=grounds.temporary,
            census=lambda pid: Census(pid, *limits, shells),
        )

    def _limit(self, processes: int | None) -> tuple[str, ...]:
        """What has the kernel hold the number of processes down; it does not for root. The namespace's own counts, too."""
        prlimit = self._found("prlimit")
        return () if prlimit is None or processes is None else (prlimit, f"--nproc={processes + 1}", "--")

    def _found(self, program: str) -> str | None:
        return shutil.which(program, path=self._base.get("PATH", os.defpath))

    def _tried(self, back_end: BackEnd) -> str:
        """Why it does not work: looked for, then made to hold a program that tries to get out."""
        if sys.platform != "linux":
            return "only on Linux"
        missing = next((each for each in ("bwrap", "bash") if self._found(each) is None), None)
        if back_end is BackEnd.BUBBLEWRAP and missing is not None:
            return f"there is no {missing} on the PATH"
        if back_end is BackEnd.BUBBLEWRAP and system_call_filter(platform.machine()) is None:
            return f"the system calls of {platform.machine()} are not known to turnfold"
        if back_end is BackEnd.SANDLOCK and _package() is None:
            return "the package is not installed"
        with contextlib.ExitStack() as held:
            inside, outside = self._temporary(held), self._temporary(held)
            grounds = grounds_of(Confinement(), "", (), inside)
            room = self._room(back_end, grounds, inside, {"PATH": os.defpath}, held)
            lifeline = os.open(os.devnull, os.O_WRONLY)
            held.callback(os.close, lifeline)
            argv = room.around(("/bin/sh", "-c", TRIAL, "sh", f"{inside}/a", f"{outside}/b"))(lifeline)
            return _trial(argv, (*room.keep, lifeline))


def _trial(argv: tuple[str, ...], keep: tuple[int, ...]) -> str:
    try:
        ended = subprocess.run(
            argv,
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRY_S,
            pass_fds=keep,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it could not be tried ({error})"
    if ended.returncode == 0:
        return ""
    said = (ended.stderr or ended.stdout).decode("utf-8", "replace").strip().rpartition("\n")[2]
    return "it did not keep a program from writing outside" if ended.returncode == 4 else said or f"it ended with {ended.returncode}"


def _package() -> str | None:
    """The folder that has the package sandlock, wherever our own path found it; None where there is none."""
    found = importlib.util.find_spec("sandlock")
    return None if found is None or found.origin is None else str(Path(found.origin).parents[1])


def holds(back_end: BackEnd, confinement: Confinement) -> bool:
    """Whether ``back_end`` can enforce all of ``confinement``: bubblewrap's network is there or not, and nothing between.

    >>> holds(BackEnd.BUBBLEWRAP, Confinement(network=True, hosts=("pypi.org",)))
    False
    """
    return back_end is BackEnd.SANDLOCK or not (confinement.network and confinement.hosts)


def _file(held: contextlib.ExitStack, data: bytes) -> int:
    """A descriptor to read ``data`` from, of a file without a name."""
    descriptor = os.memfd_create("turnfold")
    held.callback(os.close, descriptor)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _removed(folder: str) -> None:
    """Remove what a program may have left without the rights to remove it."""
    for path, folders, _ in os.walk(folder):
        for each in folders:
            inner = os.path.join(path, each)  # noqa: PTH118 - as os.walk gives them
            with contextlib.suppress(OSError):
                if not stat.S_ISLNK(os.lstat(inner).st_mode):
                    os.chmod(inner, 0o700)  # noqa: PTH101
    shutil.rmtree(folder, ignore_errors=True)

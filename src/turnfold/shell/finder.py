"""Searching files of this machine: by their names, or for lines in them.

The search runs in a process of its own (``search_worker``, which says why), is killed when its time is over or it is cancelled, and
leaves nothing behind. It never sees what it must not find: between the names and the lines, each file is judged here as if it were
to be read. What a rule denies is left out; so is what would have to be asked for, unless the search itself was asked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import posixpath
import stat
import sys
from pathlib import Path
from typing import final

from attrs import field, frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.paths import resolve
from turnfold.core.world.answers import FileRead, FilesSearched, Match
from turnfold.core.world.permission import Allow, Deny, permit, relative
from turnfold.core.world.requests import ReadFile, SearchFiles
from turnfold.shell.beneath import Place, real_path, walked
from turnfold.shell.bounds import Bounds
from turnfold.shell.capture import Capture
from turnfold.shell.child import Child, Pump, Waker
from turnfold.shell.clock import monotonic_s
from turnfold.shell.environment import Pairs
from turnfold.shell.file_problems import os_problem, path_problem
from turnfold.shell.ports import Files, Port
from turnfold.shell.scope import Scope

PROGRAM = str(Path(__file__).with_name("search_worker.py"))
LENGTH_BYTES = 8
LONGEST_S = 60.0  # of one search, where commands may take longer
SAID_BYTES = 1000  # of what it says when it fails
IGNORE_BYTES = 1_000_000  # of a .gitignore above the root


class _StoppedError(Exception):
    """The search came to no end; ``problem`` says why. Raised within this port only."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@final
class _Search:
    """One search: the process that does it, and what it is told and tells; used by one thread."""

    __slots__ = ("_answer", "_child", "_control", "_deadline_s", "_pump", "_result", "_said", "_timeout_s", "_waker")

    def __init__(self, root: int, environment: Pairs, timeout_s: float, waker: Waker) -> None:
        self._timeout_s = timeout_s
        self._deadline_s = monotonic_s() + timeout_s
        self._waker = waker
        self._answer = bytearray()
        self._said = Capture(SAID_BYTES)
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            control, self._control = os.pipe()
            theirs.callback(os.close, control)
            ours.callback(os.close, self._control)
            self._result, result = os.pipe()
            theirs.callback(os.close, result)
            ours.callback(os.close, self._result)
            os.set_blocking(self._control, False)
            argv = (sys.executable, "-P", "-W", "ignore", PROGRAM, str(control), str(result))
            self._child = Child(lambda lifeline: (*argv, str(lifeline), str(root)), "/", dict(environment), keep=(control, result, root))
            ours.pop_all()
        self._pump = Pump()
        self._pump.read(self._child.output, self._said.feed)
        self._pump.read(self._result, self._answer.extend)
        self._child.attach(self._pump, waker)

    def ask(self, message: dict[str, object]) -> dict[str, object]:
        """What the process answers; raises ``_StoppedError`` when it does not, or says what is wrong."""
        data = json.dumps(message).encode()
        self._pump.write(self._control, len(data).to_bytes(LENGTH_BYTES, "big") + data)
        in_time = self._pump.until(lambda: self._whole() or self._waker.woken or self._over(), self._deadline_s)
        if not self._whole():
            raise _StoppedError(self._why(in_time=in_time))
        told = json.loads(self._answer[LENGTH_BYTES:])
        self._answer.clear()
        if "error" in told:
            raise _StoppedError(_wrong(str(told["error"]), pattern=told["about"] == "pattern"))
        return dict(told)

    def close(self) -> None:
        """End the process, whatever it does; give everything back."""
        self._child.reap()
        os.close(self._control)
        os.close(self._result)

    def _whole(self) -> bool:
        head = self._answer[:LENGTH_BYTES]
        return len(head) == LENGTH_BYTES and len(self._answer) == LENGTH_BYTES + int.from_bytes(head, "big")

    def _over(self) -> bool:
        return self._pump.ended(self._result)

    def _why(self, *, in_time: bool) -> Problem:
        if self._waker.woken:
            return world_problem("cancelled", "The search was interrupted, and found nothing: ask for it again if it is still wanted.")
        if not in_time:
            message = f"The search took more than {self._timeout_s:g} s: search a folder below, or use a simpler pattern."
            return model_problem("timed-out", message, "$.pattern")
        self._pump.rest()
        last = self._said.text().rstrip().rpartition("\n")[2]
        message = f"The process that searches ended without an answer ({last or 'killed'}): try again, in a folder below."
        return world_problem("search-failed", message)


def _wrong(why: str, *, pattern: bool) -> Problem:
    """The Problem of a pattern, or of a glob, that means nothing."""
    if pattern:
        return model_problem(
            "bad-pattern", f"The pattern can't be read ({why}): put \\ before a character that is meant as it is.", "$.pattern"
        )
    return model_problem("bad-pattern", f"The glob can't be read ({why}): write it as in a .gitignore, such as *.py.", "$.path")


@final
@frozen
class LocalFinder(Port[SearchFiles]):
    """Searches files of this machine. Nothing lives on between two searches."""

    environment: Pairs = field(repr=False)
    files: Files

    @override
    def act(self, request: SearchFiles, cfg: ChatConfig, scope: Scope) -> FilesSearched | Problem:
        if (wrong := path_problem(request.root)) is not None:
            return wrong
        try:
            with walked(request.root) as place:
                fault = Bounds(cfg).fault(ReadFile(path=request.root, limit_bytes=0), place.path, real_path)
                return fault or self._searched(request, place, cfg, scope)
        except OSError as error:
            return os_problem(error, request.root, "searched")
        except _StoppedError as stopped:
            return stopped.problem

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""

    def _searched(self, request: SearchFiles, place: Place, cfg: ChatConfig, scope: Scope) -> FilesSearched:
        """The answer for the folder, or the one file, at ``place``."""
        only = "" if stat.S_ISDIR(place.status().st_mode) else place.name
        with contextlib.ExitStack() as held:
            root = os.dup(place.folder) if only else place.open(os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, root)
            waker = held.enter_context(Waker())
            held.enter_context(scope.stopping(waker.wake))
            search = _Search(root, self.environment, min(cfg.limits.command_s, LONGEST_S), waker)
            held.callback(search.close)
            above = () if only else self._above(request.root, cfg)
            listed = search.ask({"names": request.names, "hidden": request.hidden, "only": only, "above": above})
            own = resolve(relative(place.path, real_path(cfg.workspace)), cfg)
            folders = tuple(posixpath.dirname(path) if only else path for path in (request.root, own))
            paths = _allowed(_texts(listed["paths"]), folders, request, cfg)
            skipped = _count(listed["skipped"])
            if not request.pattern:
                found = tuple(Match(path=scalar_text("." if only else path)) for path in paths[: max(request.limit, 0)])
                return FilesSearched(found=found, omitted=len(paths) - len(found), skipped=skipped)
            lines = search.ask(
                {
                    "pattern": request.pattern,
                    "ignore_case": request.ignore_case,
                    "limit": request.limit,
                    "file_bytes": cfg.limits.file_bytes,
                    "paths": paths,
                }
            )
            return _lines(lines, skipped, only=bool(only))

    def _above(self, root: str, cfg: ChatConfig) -> tuple[tuple[str, str], ...]:
        """The .gitignore files of the folders from the workspace down to the one above ``root``, each with the path from there to it."""
        name = relative(root, cfg.workspace)
        if name.startswith("/") or name == ".":
            return ()
        parts = name.split("/")
        found: list[tuple[str, str]] = []
        for depth in range(len(parts)):
            path = posixpath.join(cfg.workspace, *parts[:depth], ".gitignore")
            read = self.files.read(ReadFile(path=path, limit_bytes=IGNORE_BYTES), Bounds(cfg))
            if isinstance(read, FileRead):
                found.append(("/".join(parts[depth:]), read.text))
        return tuple(found)


def _allowed(paths: list[str], folders: tuple[str, ...], request: SearchFiles, cfg: ChatConfig) -> list[str]:
    """Those of ``paths`` that may be read, below ``folders``: the root under the name that it was asked by, and under its own."""
    free = isinstance(permit(request, cfg), Allow)

    def may_be_read(path: str) -> bool:
        said = (permit(ReadFile(path=posixpath.join(folder, path), limit_bytes=0), cfg) for folder in folders)
        return all(isinstance(each, Allow) or not (free or isinstance(each, Deny)) for each in said)

    return [path for path in paths if may_be_read(path)]


def _lines(told: dict[str, object], skipped: int, *, only: bool) -> FilesSearched:
    found = told["found"]
    assert isinstance(found, list)
    matches = tuple(Match(path=scalar_text("." if only else path), line=line, text=scalar_text(text)) for path, line, text in found)
    return FilesSearched(found=matches, omitted=_count(told["omitted"]), skipped=skipped + _count(told["skipped"]))


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return value


def _count(value: object) -> int:
    assert isinstance(value, int)
    return value

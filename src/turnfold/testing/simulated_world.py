"""A world small enough to be a value: some files, and plausible answers to every request."""

from __future__ import annotations

import hashlib
import posixpath
from typing import final

from attrs import evolve, frozen

from turnfold.core.config.values import Variable
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import Answer, Entry, EntryKind, FileRead, FilesListed, FileWritten, ProcessEnded, PythonEnded
from turnfold.core.world.requests import ListFiles, ReadFile, RunProcess, RunPython, WorldRequest, WriteFile


@final
@frozen
class Disk:
    """Files as pairs of absolute path and text."""

    files: tuple[tuple[str, str], ...] = (("/w/a.txt", "alpha\n"), ("/w/b.txt", "beta\n"))

    def text_at(self, path: str) -> str | None:
        """What the file at ``path`` holds; None where there is none."""
        return dict(self.files).get(path)

    def with_file(self, path: str, text: str) -> Disk:
        """The disk with that file."""
        return Disk(tuple(sorted((dict(self.files) | {path: text}).items())))


@final
@frozen
class Came:
    """What came of a request, and the disk after it."""

    outcome: Answer | Problem
    disk: Disk


def digest_of_text(text: str) -> str:
    """The SHA-256 (hex) of a text's UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def outcome_of(request: WorldRequest, disk: Disk) -> Came:
    """What ``disk`` answers to ``request``.

    >>> outcome_of(ReadFile(path="/w/none", limit_bytes=1), Disk()).outcome.code
    'not-found'
    """
    match request:
        case ReadFile(path=path):
            text = disk.text_at(path)
            return Came(_missing(path) if text is None else FileRead(text=text, digest=digest_of_text(text)), disk)
        case WriteFile():
            return _written(request, disk)
        case ListFiles(path=path):
            names = [posixpath.relpath(each, path) for each, _ in disk.files if each.startswith(path.rstrip("/") + "/")]
            entries = tuple(Entry(name=name, kind=EntryKind.FILE) for name in names if "/" not in name)
            return Came(FilesListed(entries=entries), disk)
        case RunProcess():
            return Came(_ran(request), disk)
        case RunPython(code=code):
            return Came(PythonEnded(output=f"ran {code}\n", failed="raise" in code), disk)


def _missing(path: str) -> Problem:
    return world_problem("not-found", f"There is no file {path}.")


def _written(request: WriteFile, disk: Disk) -> Came:
    old = disk.text_at(request.path)
    if (digest_of_text(old) if old is not None else "") != request.expected_digest:
        return Came(world_problem("changed", f"{request.path} is not what it was."), disk)
    return Came(FileWritten(digest_of_text(request.text)), disk.with_file(request.path, request.text))


def _ran(request: RunProcess) -> ProcessEnded:
    """``cd X`` and ``export A=…`` do what they say; everything else only says that it ran."""
    ended = ProcessEnded(exit_code=0, output=f"ran {request.script} in {request.cwd}\n", cwd=request.cwd, environment=request.environment)
    verb, _, rest = request.script.partition(" ")
    if verb == "cd":
        return evolve(ended, cwd=posixpath.normpath(posixpath.join(request.cwd, rest)), output="")
    if verb == "export":
        name, _, value = rest.partition("=")
        return evolve(ended, environment=(*request.environment, Variable(name or "A", value)))
    return evolve(ended, exit_code=1) if verb == "false" else ended

"""Answers: what came of a request that was performed."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, assert_never, final

from attrs import frozen

from turnfold.core.config.values import Environment
from turnfold.core.problem import Problem
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, Request, RunProcess, RunPython, WriteFile


@final
@frozen
class StreamEnded:
    """The model's stream is over; its chunks came before as inputs."""


@final
@frozen(kw_only=True)
class FileRead:
    """A file's text, and the SHA-256 (hex) of its bytes."""

    text: str
    digest: str


@final
@frozen
class FileWritten:
    """The file holds what was asked; ``digest`` is the SHA-256 (hex) of its bytes now."""

    digest: str


class EntryKind(Enum):
    """What a name in a folder stands for."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@final
@frozen(kw_only=True)
class Entry:
    """One name in a folder; ``size_bytes`` is 0 for what is no file."""

    name: str
    kind: EntryKind
    size_bytes: int = 0


@final
@frozen(kw_only=True)
class FilesListed:
    """The entries of a folder, sorted by name; ``omitted`` counts those beyond the limit."""

    entries: tuple[Entry, ...]
    omitted: int = 0


@final
@frozen(kw_only=True)
class ProcessEnded:
    """A script's end: standard output and error as one text in order, and what the script left behind.

    ``exit_code`` is negative for a signal; ``cut_bytes`` counts what was left out in the middle of ``output``;
    ``environment`` holds the exported variables that differ from the world's own.
    """

    exit_code: int
    output: str
    cwd: str
    environment: Environment = ()
    cut_bytes: int = 0
    timed_out: bool = False


@final
@frozen(kw_only=True)
class PythonEnded:
    """What one piece of Python printed, with the value of its last expression or the traceback it ended in.

    ``fresh``: the worker was started for this piece, so nothing defined earlier is there. ``worker_died``: it is gone
    (time-out, exit or crash), and the next piece starts another.
    """

    output: str
    failed: bool = False
    cut_bytes: int = 0
    timed_out: bool = False
    fresh: bool = False
    worker_died: bool = False


Answer: TypeAlias = StreamEnded | FileRead | FileWritten | FilesListed | ProcessEnded | PythonEnded


def answers(request: Request, answer: Answer) -> bool:
    """Whether ``answer`` is of the kind that ``request`` asks for.

    >>> answers(ListFiles(path="/", limit=1), FilesListed(entries=()))
    True
    """
    match request:
        case CallModel():
            return isinstance(answer, StreamEnded)
        case ReadFile():
            return isinstance(answer, FileRead)
        case WriteFile():
            return isinstance(answer, FileWritten)
        case ListFiles():
            return isinstance(answer, FilesListed)
        case RunProcess():
            return isinstance(answer, ProcessEnded)
        case RunPython():
            return isinstance(answer, PythonEnded)
        case _:
            assert_never(request)


@final
@frozen
class Exchange:
    """A request that was closed, and what came of it."""

    request: Request
    outcome: Answer | Problem

"""Ports without a world, for tests: files in memory, scripted commands and code, a clock that counts.

Each keeps the laws of the port that it stands for (``tests/shell``); the errors that only an operating system has
(no space, no permission) are for the test to script.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from threading import Lock
from types import MappingProxyType
from typing import final

from attrs import evolve, field, frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import (
    Answer,
    Entry,
    EntryKind,
    FileRead,
    FilesChanged,
    FilesListed,
    FileWritten,
    ImageRead,
    ProcessEnded,
    PythonEnded,
)
from turnfold.core.world.requests import (
    ChangeFiles,
    ListFiles,
    ReadFile,
    ReadImage,
    Request,
    RunProcess,
    RunPython,
    WriteFile,
)
from turnfold.shell import file_problems as told
from turnfold.shell.bounds import FREE, Bounds, OnePath
from turnfold.shell.kinds import HEAD_BYTES
from turnfold.shell.ports import Clock, Files, Offered, Port, Processes, Pythons, Secrets
from turnfold.shell.scope import Scope, never_began


@final
class FakeFiles(Files):
    """Files in memory, made from a mapping of absolute path to text or bytes; a folder is what a path goes through.

    >>> FakeFiles({"/w/a.txt": "hi"}).read(ReadFile(path="/w/a.txt", limit_bytes=9)).text
    'hi'
    """

    __slots__ = ("_files", "_lock")

    def __init__(self, files: Mapping[str, str | bytes] = MappingProxyType({})) -> None:
        self._lock = Lock()
        self._files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}

    @property
    def contents(self) -> Mapping[str, bytes]:
        """A copy of what is there now."""
        with self._lock:
            return dict(self._files)

    @override
    def read(self, request: ReadFile, bounds: Bounds = FREE) -> FileRead | Problem:
        data = self._content(request, bounds)
        return data if isinstance(data, Problem) else told.decoded(request.path, data)

    @override
    def read_image(self, request: ReadImage, bounds: Bounds = FREE) -> ImageRead | Problem:
        data = self._content(request, bounds)
        return data if isinstance(data, Problem) else told.pictured(request.path, data)

    def _content(self, request: ReadFile | ReadImage, bounds: Bounds) -> bytes | Problem:
        with self._lock:
            if (wrong := self._problem(request, bounds)) is not None:
                return wrong
            data = self._files.get(request.path)
        if data is None:
            return told.not_found(request.path, "/")
        if len(data) > request.limit_bytes:
            return told.too_large(request.path, len(data), request.limit_bytes, data[:HEAD_BYTES])
        return data

    @override
    def write(self, request: WriteFile, bounds: Bounds = FREE) -> FileWritten | Problem:
        answer = self.change(ChangeFiles((request,)), bounds)
        return answer if isinstance(answer, Problem) else FileWritten(answer.digests[0])

    @override
    def change(self, request: ChangeFiles, bounds: Bounds = FREE) -> FilesChanged | Problem:
        with self._lock:
            for each in request.changes:
                old = self._files.get(each.path)
                if (wrong := self._problem(each, bounds)) is not None:
                    return wrong
                if (hashlib.sha256(old).hexdigest() if old is not None else "") != each.expected_digest:
                    return told.changed(each.path, existed=bool(each.expected_digest), exists=old is not None)
            for each in request.changes:
                if isinstance(each, WriteFile):
                    self._files[each.path] = scalar_text(each.text).encode()
                else:
                    self._files.pop(each.path, None)
            now = tuple(self._files.get(each.path) for each in request.changes)
        return FilesChanged(tuple("" if data is None else hashlib.sha256(data).hexdigest() for data in now))

    @override
    def list(self, request: ListFiles, bounds: Bounds = FREE) -> FilesListed | Problem:
        if (wrong := told.path_problem(request.path) or bounds.fault(request, self.real(request.path), self.real)) is not None:
            return wrong
        folder = posixpath.normpath(request.path)
        with self._lock:
            if folder in self._files:
                return told.not_directory(request.path)
            below = {path.removeprefix(folder.rstrip("/") + "/"): len(data) for path, data in self._files.items() if _within(path, folder)}
        if not below and folder != "/":
            return told.not_found(request.path, "/")
        names = sorted({path.split("/")[0] for path in below})
        shown = names[: max(request.limit, 0)]
        entries = (_entry(name, below.get(name)) for name in shown)
        return FilesListed(entries=tuple(entries), omitted=len(names) - len(shown))

    @override
    def real(self, path: str) -> str:
        return posixpath.normpath(path)

    def _problem(self, request: OnePath, bounds: Bounds) -> Problem | None:
        """What is wrong with the path of ``request`` as that of a file."""
        path = request.path
        if (wrong := told.path_problem(path) or bounds.fault(request, self.real(path), self.real)) is not None:
            return wrong
        if path == "/" or any(_within(file, path) for file in self._files):
            return told.is_directory(path)
        if any(_within(path, file) for file in self._files):
            return told.not_directory(path)
        return None


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _entry(name: str, size_bytes: int | None) -> Entry:
    if size_bytes is None:
        return Entry(name=name, kind=EntryKind.FOLDER)
    return Entry(name=name, kind=EntryKind.FILE, size_bytes=size_bytes)


def unscripted(text: str) -> Problem:
    """What a scripted fake answers to something that its table does not hold."""
    return world_problem("unscripted", f"The test's table has no answer to {text!r}: add one.")


@final
class FakeProcesses(Processes):
    """Commands from a table: script → what comes of it. ``ran`` tells what was asked, in order.

    >>> FakeProcesses({"true": ProcessEnded(exit_code=0, output="", cwd="/w")}).ran
    ()
    """

    __slots__ = ("_lock", "_table", "ran")

    def __init__(self, table: Mapping[str, ProcessEnded | Problem]) -> None:
        self._lock = Lock()
        self._table = dict(table)
        self.ran: tuple[RunProcess, ...] = ()

    @override
    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        if scope.cancelled:
            return never_began()
        with self._lock:
            self.ran = (*self.ran, request)
        return self._table.get(request.script) or unscripted(request.script)


@final
class FakePythons(Pythons):
    """Python from a table: code → what comes of it; ``fresh`` is as with real workers. ``ran`` tells who asked for what."""

    __slots__ = ("_living", "_lock", "_table", "ran")

    def __init__(self, table: Mapping[str, PythonEnded | Problem]) -> None:
        self._lock = Lock()
        self._table = dict(table)
        self._living: set[str] = set()
        self.ran: tuple[tuple[str, RunPython], ...] = ()

    @override
    def run(self, conversation: str, request: RunPython, scope: Scope) -> PythonEnded | Problem:
        if scope.cancelled:
            return never_began()
        with self._lock:
            self.ran = (*self.ran, (conversation, request))
            answer = self._table.get(request.code)
            if not isinstance(answer, PythonEnded):
                return answer or unscripted(request.code)
            fresh = conversation not in self._living
            self._living.add(conversation)
            if answer.worker_died:
                self._living.discard(conversation)
            return evolve(answer, fresh=fresh)

    @override
    def close(self, conversation: str) -> None:
        with self._lock:
            self._living.discard(conversation)

    @override
    def close_all(self) -> None:
        with self._lock:
            self._living.clear()


@final
class FakePort(Port[Request]):
    """Answers from a table: request → what comes of it. ``acted`` tells who asked for what, in order.

    >>> FakePort({}).acted
    ()
    """

    __slots__ = ("_lock", "_table", "acted")

    def __init__(self, table: Mapping[Request, Answer | Problem]) -> None:
        self._lock = Lock()
        self._table = dict(table)
        self.acted: tuple[tuple[str, Request], ...] = ()

    @override
    def act(self, request: Request, cfg: ChatConfig, scope: Scope) -> Answer | Problem:
        if scope.cancelled:
            return never_began()
        with self._lock:
            self.acted = (*self.acted, (cfg.conversation, request))
        return self._table.get(request) or unscripted(type(request).__name__)

    def offered(self, cfg: ChatConfig, scope: Scope) -> Offered:
        """No tools: there are no servers."""
        return Offered()

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""


@final
class FakeClock(Clock):
    """A clock that goes on by a second each time it is read, ids that count, and no chance: it is always the middle. Nobody waits.

    >>> clock = FakeClock()
    >>> clock.now_ms(), clock.now_ms(), clock.new_id(), clock.new_id()
    (1000, 2000, 'id-000001', 'id-000002')
    """

    __slots__ = ("_ids", "_lock", "_now_ms", "_step_ms")

    def __init__(self, start_ms: int = 0, step_ms: int = 1000) -> None:
        self._lock = Lock()
        self._now_ms, self._step_ms, self._ids = start_ms, step_ms, 0

    @override
    def now_ms(self) -> int:
        with self._lock:
            self._now_ms += self._step_ms
            return self._now_ms

    @override
    def new_id(self) -> str:
        with self._lock:
            self._ids += 1
            return f"id-{self._ids:06d}"

    @override
    def seconds(self, delay_ms: int) -> float:
        return 0.0

    @override
    def chance(self) -> float:
        return 0.5


@final
@frozen
class FakeSecrets(Secrets):
    """Secrets from pairs of name and value.

    >>> FakeSecrets((("A", "1234"),)).value("A")
    '1234'
    """

    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @override
    def value(self, name: str) -> str | None:
        return dict(self.values).get(name) or None

    @override
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, value in self.values if value))

"""The ports: everything that the shell needs of the outside, each a protocol of at most five methods.

A port acts, and answers with an ``Answer`` or a ``Problem``; what it raises besides is a bug that ``perform`` reports.
Ports are called from any thread, several at once for one conversation. A request that can last takes a ``Scope``: it
stops when the scope is cancelled, leaving nothing behind.
"""

from __future__ import annotations

from typing import Protocol

from turnfold.core.problem import Problem
from turnfold.core.world.answers import FileRead, FilesListed, FileWritten, ProcessEnded, PythonEnded, StreamEnded
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, RunProcess, RunPython, WriteFile
from turnfold.shell.scope import Scope


class Files(Protocol):
    """The file system."""

    def read(self, request: ReadFile) -> FileRead | Problem: ...
    def write(self, request: WriteFile) -> FileWritten | Problem: ...
    def list(self, request: ListFiles) -> FilesListed | Problem: ...


class Processes(Protocol):
    """Commands."""

    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem: ...


class Pythons(Protocol):
    """Python workers, one a conversation."""

    def run(self, conversation: str, request: RunPython, scope: Scope) -> PythonEnded | Problem: ...
    def close(self, conversation: str) -> None: ...
    def close_all(self) -> None: ...


class Models(Protocol):
    """Model servers: streams the reply's bytes to ``scope.emit`` as they come."""

    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem: ...
    def close(self) -> None: ...


class Clock(Protocol):
    """Time and chance."""

    def now_ms(self) -> int: ...
    def new_id(self) -> str: ...


class Secrets(Protocol):
    """Values of secrets, by name; None where there is none."""

    def value(self, name: str) -> str | None: ...

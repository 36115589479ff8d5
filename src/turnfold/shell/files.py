"""The file system of this machine.

Reading and writing are about whole files. A path is walked by descriptors (``beneath.py``), where it leads is judged (``bounds.py``),
and just that is opened. A write is atomic, and takes effect only on what was expected (``replacing.py``): a reader sees the old text
or the new, and a crash leaves one of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar, final

from attrs import frozen
from typing_extensions import override

from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.world.answers import Entry, EntryKind, FileRead, FilesChanged, FilesListed, FileWritten, ImageRead
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ListFiles, ReadFile, ReadImage, WriteFile
from turnfold.shell.beneath import Place, real_path, walked
from turnfold.shell.bounds import FREE, Bounds, OnePath
from turnfold.shell.file_problems import (
    PATH,
    RefusedError,
    decoded,
    irregular,
    os_problem,
    path_problem,
    pictured,
    too_large,
)
from turnfold.shell.kinds import HEAD_BYTES
from turnfold.shell.ports import Files
from turnfold.shell.replacing import replace_all

A = TypeVar("A")


@final
@frozen
class LocalFiles(Files):
    """Files of this machine, by absolute paths."""

    @override
    def read(self, request: ReadFile, bounds: Bounds = FREE) -> FileRead | Problem:
        return _told(lambda: decoded(request.path, _content(request, bounds)), request.path, "read")

    @override
    def read_image(self, request: ReadImage, bounds: Bounds = FREE) -> ImageRead | Problem:
        return _told(lambda: pictured(request.path, _content(request, bounds)), request.path, "read")

    @override
    def write(self, request: WriteFile, bounds: Bounds = FREE) -> FileWritten | Problem:
        return _told(lambda: FileWritten(_replaced((request,), bounds)[0]), request.path, "written")

    @override
    def change(self, request: ChangeFiles, bounds: Bounds = FREE) -> FilesChanged | Problem:
        where = request.changes[0].path if len(request.changes) == 1 else "one of the files"
        return _told(lambda: FilesChanged(_replaced(request.changes, bounds)), where, "written")

    @override
    def list(self, request: ListFiles, bounds: Bounds = FREE) -> FilesListed | Problem:
        return _told(lambda: _listed(request, bounds), request.path, "listed")

    @override
    def real(self, path: str) -> str:
        return path if path_problem(path) is not None else real_path(path)


def _told(act: Callable[[], A], path: str, done: str) -> A | Problem:
    """What came of ``act``, or why ``path`` could not be ``done``."""
    try:
        return act()
    except RefusedError as refused:
        return refused.problem
    except OSError as error:
        return os_problem(error, path, done)


@contextlib.contextmanager
def _reached(request: OnePath, bounds: Bounds) -> Iterator[Place]:
    """The place that the request is about, where it may be; a path that can't be one, or goes too far, is refused."""
    if (wrong := path_problem(request.path)) is not None:
        raise RefusedError(wrong)
    with walked(request.path) as place:
        if (fault := bounds.fault(request, scalar_text(place.path), real_path)) is not None:
            raise RefusedError(fault)
        yield place


def _content(request: ReadFile | ReadImage, bounds: Bounds) -> bytes:
    """The bytes of a file that is no longer than it may be."""
    with _reached(request, bounds) as place:
        status = place.status()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "a folder")
        if not stat.S_ISREG(status.st_mode):  # seen before it is opened: to open a pipe or a device is an act
            raise RefusedError(irregular(request.path, status.st_mode))
        with os.fdopen(place.open(os.O_RDONLY), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise RefusedError(irregular(request.path, status.st_mode))
            data = file.read(request.limit_bytes + 1 if status.st_size <= request.limit_bytes else HEAD_BYTES)
            if max(status.st_size, len(data)) > request.limit_bytes:
                raise RefusedError(too_large(request.path, max(status.st_size, len(data)), request.limit_bytes, data[:HEAD_BYTES]))
            return data


def _replaced(changes: tuple[WriteFile | DeleteFile, ...], bounds: Bounds) -> tuple[str, ...]:
    """The digests after all of the changes were made; raises where one can't be, and all is as it was."""
    with ExitStack() as walks:
        places: list[tuple[Place, WriteFile | DeleteFile]] = []
        for each in changes:
            try:
                places.append((walks.enter_context(_reached(each, bounds)), each))
            except OSError as error:
                raise RefusedError(os_problem(error, each.path, "written")) from error
        seen: set[str] = set()
        for place, each in places:
            if place.path in seen:
                message = f"{each.path} is the same file as another one that is to be changed, by a link: change it once."
                raise RefusedError(caller_problem("bad-path", message, PATH))
            seen.add(place.path)
        return replace_all(tuple(places))


def _listed(request: ListFiles, bounds: Bounds) -> FilesListed:
    with _reached(request, bounds) as place:
        descriptor = place.open(os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(descriptor) as found:
                entries = sorted(found, key=lambda entry: entry.name)
            shown = entries[: max(request.limit, 0)]
            return FilesListed(entries=tuple(_entry(entry) for entry in shown), omitted=len(entries) - len(shown))
        finally:
            os.close(descriptor)


def _entry(found: os.DirEntry[str]) -> Entry:
    """What ``found`` is; something that went away meanwhile is of another kind."""
    name = scalar_text(found.name)  # a name that is no UTF-8 is shown, though it can't be asked for
    try:
        if found.is_symlink():
            return Entry(name=name, kind=EntryKind.LINK)
        if found.is_dir():
            return Entry(name=name, kind=EntryKind.FOLDER)
        if found.is_file():
            return Entry(name=name, kind=EntryKind.FILE, size_bytes=found.stat(follow_symlinks=False).st_size)
    except OSError:
        pass
    return Entry(name=name, kind=EntryKind.OTHER)

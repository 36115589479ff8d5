"""The file system of this machine.

Reading and writing are about whole files of text. A write is atomic: the text goes to a new file beside the old one,
is synced, and takes its name; so a reader sees the old text or the new, and a crash leaves one of them.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, caller_problem, model_problem, world_problem
from turnfold.core.world.answers import Entry, EntryKind, FileRead, FilesChanged, FilesListed, FileWritten, ImageRead
from turnfold.core.world.requests import ChangeFiles, ListFiles, ReadFile, ReadImage, WriteFile
from turnfold.shell.ports import Files

PATH = "$.path"
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ETXTBSY})


@final
@frozen
class _Seen:
    """A file as it was when its digest was taken; no digest and no mark: there was none."""

    digest: str = ""
    mark: tuple[int, ...] = ()
    mode: int | None = None


@final
@frozen
class LocalFiles(Files):
    """Files of this machine, by absolute paths."""

    @override
    def read(self, request: ReadFile) -> FileRead | Problem:
        if (wrong := path_problem(request.path)) is not None:
            return wrong
        try:
            with _opened(request.path) as (file, status):
                if not stat.S_ISREG(status.st_mode):
                    return irregular(request.path, status.st_mode)
                data = file.read(request.limit_bytes + 1) if status.st_size <= request.limit_bytes else b""
                if status.st_size > request.limit_bytes or len(data) > request.limit_bytes:
                    return too_large(request.path, max(status.st_size, len(data)), request.limit_bytes)
        except OSError as error:
            return os_problem(error, request.path, "read")
        return decoded(request.path, data)

    @override
    def write(self, request: WriteFile) -> FileWritten | Problem:
        if (wrong := path_problem(request.path)) is not None:
            return wrong
        data = scalar_text(request.text).encode("utf-8")
        try:
            target = os.path.realpath(request.path)  # a link stays a link: what it points to is written
            seen = _seen(target)
            if isinstance(seen, Problem):
                return seen
            if seen.digest != request.expected_digest:
                return changed(request.path, existed=bool(request.expected_digest), exists=bool(seen.digest))
            if seen.digest and not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, "read-only")
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            if not _replaced(target, data, seen):
                return changed(request.path, existed=bool(request.expected_digest), exists=os.path.lexists(target))
        except OSError as error:
            return os_problem(error, request.path, "written")
        return FileWritten(hashlib.sha256(data).hexdigest())

    @override
    def read_image(self, request: ReadImage) -> ImageRead | Problem:
        return world_problem("absent", "Pictures can't be read yet.")

    @override
    def change(self, request: ChangeFiles) -> FilesChanged | Problem:
        return world_problem("absent", "Several files can't be changed at once yet.")

    @override
    def list(self, request: ListFiles) -> FilesListed | Problem:
        if (wrong := path_problem(request.path)) is not None:
            return wrong
        try:
            with os.scandir(request.path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            return os_problem(error, request.path, "listed")
        shown = entries[: max(request.limit, 0)]
        return FilesListed(entries=tuple(_entry(entry) for entry in shown), omitted=len(entries) - len(shown))

    @override
    def real(self, path: str) -> str:
        return path if path_problem(path) is not None else os.path.realpath(path)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[BufferedReader, os.stat_result]]:
    """``path`` open for reading, with its status; never waits for the other end of a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "a folder")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file, status
    finally:
        os.close(descriptor)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    """What differs when a file was replaced or changed."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _seen(target: str) -> _Seen | Problem:
    """The file at ``target`` as it is now."""
    try:
        with _opened(target) as (file, status):
            if not stat.S_ISREG(status.st_mode):
                return irregular(target, status.st_mode)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return _Seen(digest, _mark(status), stat.S_IMODE(status.st_mode))
    except FileNotFoundError:
        return _Seen()


def _replaced(target: str, data: bytes, seen: _Seen) -> bool:
    """Put ``data`` in the place of what was ``seen`` at ``target``; False, and nothing done, if that is no longer there."""
    folder = Path(target).parent
    temporary, descriptor = _temporary(folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if seen.mode is not None:
                os.fchmod(descriptor, seen.mode)
            os.fsync(descriptor)
        if _now(target) != seen.mark:
            return False
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)  # missing: it took its name
    _sync_folder(folder)
    return True


def _now(target: str) -> tuple[int, ...]:
    try:
        return _mark(Path(target).stat())
    except FileNotFoundError:
        return ()


def _temporary(folder: Path) -> tuple[Path, int]:
    """The path and descriptor of a new file in ``folder``, with the mode that the umask gives to new files."""
    for attempt in range(1000):
        path = folder / f".turnfold-{os.getpid()}-{threading.get_native_id()}-{attempt}"
        with contextlib.suppress(FileExistsError):  # left over from a crash, or another machine's
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    raise FileExistsError(errno.EEXIST, "no free name for a temporary file")


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
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


def path_problem(path: str) -> Problem | None:
    """Why ``path`` can name nothing, or None.

    >>> path_problem("a.txt").code, path_problem("/a.txt")
    ('not-absolute', None)
    """
    if not path.startswith("/"):
        return caller_problem("not-absolute", f"The path {path!r} is relative: give an absolute path.", PATH)
    if "\0" in path or scalar_text(path) != path:
        return model_problem("not-found", f"No file can have the name {path!r}: leave out the characters that are no text.", PATH)
    return None


def decoded(path: str, data: bytes) -> FileRead | Problem:
    """The text that ``data``, the whole of the file at ``path``, holds."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        message = f"{path} is no UTF-8 text ({len(data):,} bytes): look at it with a command, such as file or xxd."
        return model_problem("not-text", message, PATH)
    return FileRead(text=text, digest=hashlib.sha256(data).hexdigest())


def too_large(path: str, size_bytes: int, limit_bytes: int) -> Problem:
    """The Problem of a file beyond the limit."""
    message = (
        f"{path} has {size_bytes:,} bytes, more than the limit of {limit_bytes:,}: read a part of it with a command, such as head or sed."
    )
    return model_problem("too-large", message, PATH)


def changed(path: str, *, existed: bool, exists: bool) -> Problem:
    """The Problem of a file that is not as the writer saw it."""
    if not existed:
        message = f"There is a file {path} already: read it first, then change it."
    elif exists:
        message = f"The file changed meanwhile ({path}): read it again."
    else:
        message = f"The file {path} is gone meanwhile: create it again if it is still wanted."
    return model_problem("changed", message, PATH)


def irregular(path: str, mode: int) -> Problem:
    """The Problem of a pipe, socket or device."""
    kind = "pipe" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
    return model_problem("not-text", f"{path} is a {kind}, not a file of text: use a command for it.", PATH)


def not_found(path: str, nearest: str) -> Problem:
    """The Problem of a path where nothing is; ``nearest`` is the folder above it that there is."""
    return model_problem("not-found", f"There is no {path}: list {nearest} to see what there is.", PATH)


def is_directory(path: str) -> Problem:
    """The Problem of a folder where a file was meant."""
    return model_problem("is-directory", f"{path} is a folder: list it, or name a file in it.", PATH)


def not_directory(path: str) -> Problem:
    """The Problem of a file where a folder was meant."""
    return model_problem("not-directory", f"{path} is no folder, or a part of its path is none: list the folder above it.", PATH)


def os_problem(error: OSError, path: str, done: str) -> Problem:
    """Why ``path`` could not be ``done`` (read, written, listed), in one sentence that says what to do."""
    if error.errno == errno.ENOENT:
        return not_found(path, _nearest(path))
    if error.errno == errno.EISDIR:
        return is_directory(path)
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return not_directory(path)
    if error.errno in NOT_ALLOWED:
        message = f"{path} may not be {done} by this user: change its permissions or its folder's, or choose another path."
        return world_problem("not-allowed", message, PATH)
    if error.errno in NO_SPACE:
        return world_problem("no-space", f"There is no space left to write {path}: free some, then try again; nothing was changed.", PATH)
    if error.errno == errno.ELOOP:
        return world_problem("world", f"{path} is a symbolic link that leads back to itself: remove it, or choose another path.", PATH)
    if error.errno == errno.ENAMETOOLONG:
        return world_problem("world", f"The name of {path} is too long: choose a shorter one.", PATH)
    return world_problem("world", f"{path} could not be {done} ({error.strerror or error}): check the disk, then try again.", PATH)


def _nearest(path: str) -> str:
    """The lowest folder above ``path`` that exists."""
    return next((str(folder) for folder in Path(path).parents if folder.is_dir()), "/")

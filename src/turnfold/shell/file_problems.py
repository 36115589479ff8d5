"""What can be wrong with a file, each in one sentence that says what to do instead."""

from __future__ import annotations

import base64
import codecs
import errno
import hashlib
import stat
from pathlib import Path

from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, caller_problem, model_problem, world_problem
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import FileRead, ImageRead
from turnfold.core.world.images import Image
from turnfold.shell.kinds import OLD_TEXT, UNKNOWN, Kind, kind_of

PATH = "$.path"
LONGEST_BYTES = 4095  # of a path, as Linux has it: no program could open a longer one by its name
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ETXTBSY})


class RefusedError(Exception):
    """A file can't be had as it was asked for; ``problem`` says why. Raised within the port of files only."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def path_problem(path: str) -> Problem | None:
    """Why ``path`` can name nothing, or None.

    >>> path_problem("a.txt").code, path_problem("/a.txt")
    ('not-absolute', None)
    """
    if not path.startswith("/"):
        return caller_problem("not-absolute", f"The path {path!r} is relative: give an absolute path.", PATH)
    if "\0" in path or scalar_text(path) != path:
        return model_problem("not-found", f"No file can have the name {path!r}: leave out the characters that are no text.", PATH)
    if len(path.encode()) > LONGEST_BYTES:
        return world_problem("world", f"The path {clipped(path)} is too long: choose a shorter one.", PATH)
    return None


def decoded(path: str, data: bytes) -> FileRead | Problem:
    """The text that ``data``, the whole of the file at ``path``, holds."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return not_text(path, len(data), kind_of(data))
    return FileRead(text=text, digest=hashlib.sha256(data).hexdigest())


def not_text(path: str, size_bytes: int, kind: Kind) -> Problem:
    """The Problem of a file that is no text."""
    return model_problem("not-text", f"{path} is {kind.name} ({size_bytes:,} bytes): {kind.instead}.", PATH)


def pictured(path: str, data: bytes) -> ImageRead | Problem:
    """The picture that ``data``, the whole of the file at ``path``, holds; recognised by its content, whatever its name says."""
    kind = kind_of(data)
    if kind.media_type:
        return ImageRead(Image(kind.media_type, base64.b64encode(data).decode("ascii")), hashlib.sha256(data).hexdigest())
    text = kind in {UNKNOWN, OLD_TEXT} and is_text(data)
    what = "empty" if not data else "a text" if text else kind.name
    message = (
        f"{path} is {what} ({len(data):,} bytes), not a PNG, JPEG, GIF or WebP picture: turn it into one with a command, such as convert."
    )
    return model_problem("no-picture", message, PATH)


def is_text(data: bytes) -> bool:
    """Whether ``data`` can be the beginning of a UTF-8 text.

    >>> is_text("hé".encode()[:2]), is_text(b"a\\0b"), is_text(b"\\xff\\xfeabc")
    (True, False, False)
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)  # which waits for the rest of a character that is cut
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def too_large(path: str, size_bytes: int, limit_bytes: int, head: bytes = b"") -> Problem:
    """The Problem of a file beyond the limit; ``head``: how it begins."""
    size = f"{size_bytes:,} bytes, more than the limit of {limit_bytes:,}"
    if not is_text(head):
        kind = kind_of(head)
        return model_problem("too-large", f"{path} is {kind.name} ({size}): {kind.instead}.", PATH)
    return model_problem("too-large", f"{path} has {size}: read a part of it with a command, such as head or sed.", PATH)


def changed(path: str, *, existed: bool, exists: bool) -> Problem:
    """The Problem of a file that is not as the writer saw it."""
    if not existed:
        message = f"There is a file {path} already: read it first, then change it."
    elif exists:
        message = f"The file changed meanwhile ({path}): read it again."
    else:
        message = f"The file {path} is gone meanwhile: create it again if it is still wanted."
    return model_problem("changed", message, PATH)


def in_use(path: str) -> Problem:
    """The Problem of a file that another program is writing to."""
    message = f"Another program has {path} open for writing, so nothing was changed: try again when it is done, or end it."
    return world_problem("in-use", message, PATH)


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
    if error.errno == errno.ESTALE:
        return world_problem("changed", f"{path} was replaced by a link while it was opened, so nothing was {done}: try again.", PATH)
    if isinstance(error, TimeoutError):
        return world_problem("in-use", f"Another turnfold is writing beside {path} for too long: wait for it, or end it.", PATH)
    if error.errno == errno.ELOOP:
        return world_problem("world", f"{path} is a symbolic link that leads back to itself: remove it, or choose another path.", PATH)
    if error.errno == errno.ENAMETOOLONG:
        return world_problem("world", f"The name of {path} is too long: choose a shorter one.", PATH)
    return world_problem("world", f"{path} could not be {done} ({error.strerror or error}): check the disk, then try again.", PATH)


def _nearest(path: str) -> str:
    """The lowest folder above ``path`` that exists."""
    return next((str(folder) for folder in Path(path).parents if _is_folder(folder)), "/")


def _is_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:  # a folder above it that may not be entered, a name that is too long
        return False

"""Names given and taken in one act, by descriptors of folders, where the system can: exchange, and take a name that is free.

POSIX ``rename`` throws away what had the name, whatever it was. Linux (``renameat2``) and macOS (``renameatx_np``) can exchange two
names instead, so that what was replaced can be looked at afterwards, and put back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import final

from attrs import frozen

UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


@final
@frozen
class _Call:
    """The system's call, and its flags for both acts."""

    function: str
    exchange: int
    if_free: int


CALL = _Call("renameatx_np", 2, 4) if sys.platform == "darwin" else _Call("renameat2", 2, 1)


def exchanged(folder: int, first: str, second: str) -> bool:
    """Two names in ``folder`` now stand for each other's file; False, and nothing done, where the system or the file system can't."""
    return _renamed(folder, first, second, CALL.exchange)


def take_name(folder: int, temporary: str, name: str) -> None:
    """The file ``temporary`` is called ``name`` from now on; ``FileExistsError`` where that name is taken."""
    if _renamed(folder, temporary, name, CALL.if_free):
        return
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in UNSUPPORTED | {errno.EPERM}:  # file systems without hard links say this
            raise
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, "taken") from None
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    os.unlink(temporary, dir_fd=folder)


def _renamed(folder: int, source: str, target: str, flags: int) -> bool:
    try:
        import ctypes
    except ImportError:  # some Pythons come without it
        return False
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), CALL.function, None)
    if function is None:
        return False
    if function(folder, os.fsencode(source), folder, os.fsencode(target), ctypes.c_uint(flags)) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), target)

"""A small file of turnfold's own, written as a whole: readers see the old one or the new one, and writers take turns."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Nobody else who takes the same lock file is in such a block until this one ends; the lock goes with the process that holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def replace_whole(path: Path, data: bytes, new_mode: int) -> None:
    """Put ``data`` in the place of ``path``, or leave it as it is; with the mode that it has, or ``new_mode``. Raises ``OSError``."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else new_mode
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise

"""What keeps others away while a file is replaced: a lock among our own processes, and a lease on the file that is replaced.

The lock is advisory, on the folder: no lock files lie about, and only who asks for it, too, is kept out. A lease (Linux, of one's own
files) is what the kernel gives only where nobody has the file open for writing; who opens it so meanwhile has to wait, and
``broken`` tells that somebody does. Where a system has neither, both are as if they held.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import select
import signal
from collections.abc import Iterator
from enum import Enum

from turnfold.shell.clock import monotonic_s

PATIENCE_S = 5.0  # for what others hold for milliseconds
PAUSE_S = 0.001
READ_LEASE = getattr(fcntl, "F_RDLCK", 0)
SET_LEASE = getattr(fcntl, "F_SETLEASE", None)
GET_LEASE = getattr(fcntl, "F_GETLEASE", None)
SET_SIGNAL = getattr(fcntl, "F_SETSIG", None)


def _waited(deadline_s: float) -> bool:
    """Whether there is time left, after a short pause."""
    left_s = deadline_s - monotonic_s()
    if left_s <= 0:
        return False
    select.select((), (), (), min(PAUSE_S, left_s))
    return True


@contextlib.contextmanager
def locked(folder: int) -> Iterator[None]:
    """The folder of the descriptor is ours among turnfold's processes, until the block ends.

    Raises ``TimeoutError`` where another holds it for too long. What can't be locked counts as ours.
    """
    deadline_s = monotonic_s() + PATIENCE_S
    while not _try_lock(folder):
        if not _waited(deadline_s):
            raise TimeoutError(errno.ETIMEDOUT, "another program holds its folder")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_UN)


def _try_lock(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # file systems that know no locks
        return True
    return True


class Lease(Enum):
    """What the system says to somebody who wants a lease."""

    HELD = "held"  # nobody has the file open for writing, nor gets it open without our knowing
    BUSY = "busy"  # somebody has it open
    NONE = "none"  # there are no leases here, or not of this file


def lease(descriptor: int) -> Lease:
    """Wait until nobody has the file open for writing; what is held is held until ``release``, or until the descriptor is closed."""
    if SET_LEASE is None or SET_SIGNAL is None:
        return Lease.NONE
    deadline_s = monotonic_s() + PATIENCE_S
    while True:
        try:
            fcntl.fcntl(
                descriptor, SET_SIGNAL, signal.SIGURG
            )  # is sent when somebody else wants it, and ignored; by default it is one that kills
            fcntl.fcntl(descriptor, SET_LEASE, READ_LEASE)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return Lease.NONE
        else:
            return Lease.HELD
        if not _waited(deadline_s):
            return Lease.BUSY


def broken(descriptor: int) -> bool:
    """Whether somebody waits to open for writing what we hold a lease on."""
    return GET_LEASE is not None and fcntl.fcntl(descriptor, GET_LEASE) != READ_LEASE


def release(descriptor: int) -> None:
    """Let go of a lease."""
    if SET_LEASE is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, SET_LEASE, fcntl.F_UNLCK)

"""What tests of real processes need: to know who lives, to hear from inside, to find what leaked. Nothing here sleeps."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

PATIENCE_S = 20.0  # for what must happen; a loaded machine is slow, a broken program never gets there


def gone(pid: int, patience_s: float = PATIENCE_S) -> bool:
    """Whether ``pid`` has ended (a zombie has), or ends in time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(patience_s * 1000))
    finally:
        os.close(descriptor)


class Fifo:
    """A named pipe that a command writes lines to, and the test reads."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fifo"
        os.mkfifo(self.path)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)  # for writing too, so that it has no end
        self._seen = b""

    def line(self) -> str:
        """The next line; fails when none comes in time."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        while b"\n" not in self._seen:
            assert poll.poll(PATIENCE_S * 1000), f"nobody wrote to the pipe after {self._seen!r}"
            self._seen += os.read(self._descriptor, 4096)
        line, _, self._seen = self._seen.partition(b"\n")
        return line.decode()

    def pids(self) -> tuple[int, ...]:
        """The next line, which holds process ids."""
        return tuple(int(word) for word in self.line().split())

    def close(self) -> None:
        os.close(self._descriptor)


def descriptors() -> frozenset[str]:
    """The open descriptors of this process."""
    return frozenset(entry.name for entry in Path("/proc/self/fd").iterdir() if _is_open(entry.name))


def _is_open(name: str) -> bool:
    with contextlib.suppress(OSError):
        return bool(os.fstat(int(name)))
    return False  # the listing's own


def children() -> frozenset[int]:
    """The child processes of this one, zombies too."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(state[1]) == os.getpid():
                    found.add(int(entry.name))
    return frozenset(found)


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Fails when the block leaves a descriptor, a thread or a child process behind."""
    before = (descriptors(), frozenset(threading.enumerate()), children())
    yield
    assert (descriptors(), frozenset(threading.enumerate()), children()) == before


@contextlib.contextmanager
def other_program(source: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program with turnfold, killed at the end of the block at the latest."""
    program = subprocess.Popen((sys.executable, "-c", source, *arguments), stdin=subprocess.DEVNULL)
    try:
        yield program
    finally:
        program.kill()
        program.wait()

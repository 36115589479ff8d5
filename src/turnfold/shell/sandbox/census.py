"""A census: how many processes a sandbox has and how much memory they take together, for back ends that can't hold that down.

Looked at some twenty times a second, so it can be passed by a little before all of it is ended.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import final

from turnfold.shell.clock import monotonic_s
from turnfold.shell.kin import descendants, every

EVERY_S = 0.05
PROPORTIONAL = re.compile(rb"^Pss:\s+(\d+) kB$", re.MULTILINE)


@final
class Census:
    """Watches the descendants of ``pid``, those apart that are no program's (``shells`` of them); used by one thread."""

    __slots__ = ("_due_s", "_memory_bytes", "_pid", "_processes", "_shells", "over")

    def __init__(self, pid: int, memory_bytes: int | None, processes: int | None, shells: int) -> None:
        self._pid = pid
        self._memory_bytes = memory_bytes
        self._processes = processes
        self._shells = shells
        self._due_s = 0.0
        self.over = ""  # what is over its limit, once something is

    @property
    def limited(self) -> bool:
        """Whether there is anything to watch."""
        return self._memory_bytes is not None or self._processes is not None

    def look(self) -> bool:
        """Whether a limit is passed; looks again when it is time."""
        if not self.over and self.limited and (now_s := monotonic_s()) >= self._due_s:
            self._due_s = now_s + EVERY_S
            self.over = self._found()
        return bool(self.over)

    def _found(self) -> str:
        depths = descendants(self._pid, every())
        own = tuple(pid for pid, depth in depths.items() if depth >= self._shells)
        if self._processes is not None and len(own) > self._processes:
            return f"more than {self._processes:,} processes at once"
        if self._memory_bytes is not None and memory_bytes(own, self._memory_bytes) > self._memory_bytes:
            return f"more than {self._memory_bytes:,} bytes of memory"
        return ""


def memory_bytes(pids: tuple[int, ...], enough: int) -> int:
    """What these processes take together; what they share counts once, but for sums up to ``enough``, which are only estimates from above."""
    resident = sum(map(_resident, pids))
    return resident if resident <= enough else sum(map(_proportional, pids))


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _proportional(pid: int) -> int:
    with contextlib.suppress(OSError):
        found = PROPORTIONAL.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
        return int(found[1]) * 1024 if found is not None else 0
    return _resident(pid)


def with_limit(output: str, over: str) -> str:
    r"""``output`` of what was ended because it was ``over`` a limit, and a line that says so.

    >>> with_limit("a", "more than 9 processes at once")
    'a\n[Ended by the sandbox: more than 9 processes at once.]\n'
    """
    gap = "" if not output or output.endswith("\n") else "\n"
    return f"{output}{gap}[Ended by the sandbox: {over}.]\n" if over else output

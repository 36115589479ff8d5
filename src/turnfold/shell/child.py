"""A child process that leaves nothing behind: not when it ends, not when it is killed, not when we are.

Every child leads a session and a process group of its own, and has a *watcher* beside it: a line of ``sh`` that reads
from the *lifeline*, a pipe whose other end we hold. When we die, however that is, the kernel closes it, and the watcher
kills the session. Its id the child itself says there before all else, and closes its end: so there is no moment at which
it acts and the watcher does not know of it. (PR_SET_PDEATHSIG costs less, but reaches one process only,
and fires when the *thread* that forked ends. A watcher forked by the child would be an orphan at its end: a zombie for
good in a container whose process 1 reaps nothing. This one is ours to reap.)

A process can leave the group (``timeout`` and ``set -m`` do), the session (``setsid``) and its parents (a daemon does all
three), so all of its *kin* are searched for, where there is /proc: see there. Only one that has left its session and was
started without the environment that it would inherit gets away; out of a sandbox nothing does.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from threading import Lock
from typing import final

from turnfold.shell.clock import monotonic_s
from turnfold.shell.kin import MARK, descendants, every, family

# The fields after the last ")" of stat are state, parent, group and session. The leader is stopped before its children are killed, lest
# it goes on with its script, and killed after them: orphans may come to it.
WATCHER = """trap '' HUP INT QUIT TERM
read -r p || exit
read -r _
kill -STOP "-$p"
for i in 1 2 3; do
for s in /proc/[0-9]*/stat; do
read -r l <"$s" || continue
set -- ${l##*) }
s=${s#/proc/}
[ "${s%/stat}" != "$p" ] && case $p in "$2"|"$4") kill -9 "${s%/stat}";; esac
done
done
kill -9 "-$p"
for s in $(grep -lzxFe "$MARKED" /proc/[0-9]*/environ 2>/dev/null); do
s=${s#/proc/}; [ "${s%/environ}" != $$ ] && kill -9 "${s%/environ}"
done
"""
SHELL = "/bin/sh"
TICK_S = 0.02  # between two looks at the child, where its end can't be waited for together with its pipes
READ_BYTES = 65536
REST_ROUNDS = 64  # more than a full pipe
KILL_ROUNDS = 50  # of those who fork faster than they are found


@final
class Waker:
    """A descriptor that becomes readable when any thread calls ``wake``."""

    __slots__ = ("_lock", "_write", "descriptor", "woken")

    def __init__(self) -> None:
        self.descriptor, self._write = os.pipe()
        self._lock = Lock()  # closing must not hand the descriptor's number to others while a wake is on its way
        self.woken = False

    def wake(self) -> None:
        """Make the descriptor readable, for good; nothing after ``close``."""
        with self._lock:
            if not self.woken and self._write >= 0:
                self.woken = True
                os.write(self._write, b"!")

    def close(self) -> None:
        """Give the descriptors back."""
        with self._lock:
            if self._write >= 0:
                os.close(self._write)
                os.close(self.descriptor)
                self._write = -1

    def __enter__(self) -> Waker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@final
class Pump:
    """Moves bytes out of some descriptors and into others until something holds; used by one thread."""

    __slots__ = ("_pending", "_poll", "_readers", "_watched", "ticking")

    def __init__(self) -> None:
        self._poll = select.poll()
        self._readers: dict[int, Callable[[bytes], None]] = {}
        self._pending: dict[int, memoryview] = {}
        self._watched: set[int] = set()
        self.ticking = False  # whether the condition must be looked at every TICK_S, besides

    def read(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        """Give ``take`` whatever comes out of ``descriptor``, until its end."""
        self._readers[descriptor] = take
        self._poll.register(descriptor, select.POLLIN)

    def write(self, descriptor: int, data: bytes) -> None:
        """Put ``data`` into the non-blocking ``descriptor``, as fast as it takes it."""
        self._pending[descriptor] = memoryview(data)
        self._poll.register(descriptor, select.POLLOUT)

    def watch(self, descriptor: int) -> None:
        """Look at the condition again as soon as ``descriptor`` is readable."""
        self._watched.add(descriptor)
        self._poll.register(descriptor, select.POLLIN)

    def ended(self, descriptor: int) -> bool:
        """Whether ``descriptor`` has no more to read."""
        return descriptor not in self._readers

    def until(self, condition: Callable[[], bool], deadline_s: float | None) -> bool:
        """Move bytes until ``condition()`` holds, True, or the deadline on the monotonic clock is over, False."""
        while not condition():
            left_s = None if deadline_s is None else deadline_s - monotonic_s()
            if left_s is not None and left_s <= 0:
                return False
            self._move(left_s)
        return True

    def rest(self) -> None:
        """Read what is there already, waiting for nothing; of one who writes without end, only so much."""
        for _ in range(REST_ROUNDS):
            if not self._move(0):
                return

    def _move(self, wait_s: float | None) -> list[int]:
        """One round; the descriptors that something was read from."""
        if self.ticking:
            wait_s = min(TICK_S, TICK_S if wait_s is None else wait_s)
        events = self._poll.poll(None if wait_s is None else max(wait_s * 1000, 0))
        return [descriptor for descriptor, _ in events if self._served(descriptor)]

    def _served(self, descriptor: int) -> bool:
        """Serve one ready descriptor; whether it was one to read from."""
        if (take := self._readers.get(descriptor)) is not None:
            if data := os.read(descriptor, READ_BYTES):
                take(data)
            else:
                self._forget(descriptor)
            return True
        if (data_left := self._pending.get(descriptor)) is not None:
            try:
                self._pending[descriptor] = data_left[os.write(descriptor, data_left) :]
            except BlockingIOError:
                return False
            except BrokenPipeError:
                self._pending[descriptor] = data_left[:0]
            if not self._pending[descriptor]:
                self._forget(descriptor)
        elif descriptor in self._watched:
            self._forget(descriptor)  # it stays readable: once is enough
        return False

    def _forget(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._readers.pop(descriptor, None)
        self._pending.pop(descriptor, None)
        self._watched.discard(descriptor)


@final
class _Watcher:
    """What kills the session of a child when we die."""

    __slots__ = ("_process", "lifeline", "mark")

    def __init__(self) -> None:
        lifeline, self.lifeline = os.pipe()
        self.mark = f"{os.getpid()}.{os.fstat(lifeline).st_ino}"  # a pipe's number is its own as long as it is open
        try:
            self._process = subprocess.Popen(
                (SHELL, "-c", WATCHER),
                cwd="/",
                env={"MARKED": f"{MARK}={self.mark}"},
                stdin=lifeline,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            os.close(self.lifeline)
            raise
        finally:
            os.close(lifeline)

    def close(self) -> None:
        """End the watch; the watcher goes before its lifeline does."""
        self._process.kill()
        self._process.wait()
        os.close(self.lifeline)


@final
class Child:
    """A process that leads its own session, its output (1 and 2, in order) in one pipe; ``reap`` ends it for good.

    ``shells``: how many processes, itself counted, stand before the program that is meant, and only pass on how that ends. They are spared
    by polite signals. A sandbox has one, to which orphans come, or two, the second of which takes all with it when it ends.
    """

    __slots__ = ("_end", "_process", "_shells", "_watcher", "output", "pid")

    def __init__(
        self,
        argv: Callable[[int], tuple[str, ...]],
        cwd: str,
        environment: Mapping[str, str],
        keep: tuple[int, ...],
        *,
        stdin: int = subprocess.DEVNULL,
        shells: int = 0,
    ) -> None:
        """Start a program with the descriptors ``keep``; ``OSError`` or ``ValueError`` when it can't be started.

        ``argv`` is given a descriptor, to which the program must write its id and a newline, and close it, first of all.
        """
        self._shells = shells
        with contextlib.ExitStack() as failed:
            self._watcher = _Watcher()
            failed.callback(self._watcher.close)
            self.output, output = os.pipe()
            failed.callback(os.close, self.output)
            try:
                self._process = subprocess.Popen(
                    argv(self._watcher.lifeline),
                    cwd=cwd,
                    env={**environment, "PWD": cwd, MARK: self._watcher.mark},  # cwd as the caller spells it, links and all
                    stdin=stdin,
                    stdout=output,
                    stderr=output,
                    pass_fds=(*keep, self._watcher.lifeline),
                    start_new_session=True,
                )
            finally:
                os.close(output)
            failed.pop_all()
        self.pid = self._process.pid
        self._end = _end_of(self.pid)

    def attach(self, pump: Pump, waker: Waker) -> None:
        """Make ``pump`` look up when this child ends or ``waker`` is woken."""
        pump.watch(waker.descriptor)
        if self._end >= 0:
            pump.watch(self._end)
        else:
            pump.ticking = True

    def exited(self) -> bool:
        """Whether it has ended; it stays a zombie, so that its id is not given to another."""
        if sys.platform != "linux":
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # the program ignores SIGCHLD, so the kernel reaped it
            return True

    def exit_code(self) -> int:
        """The exit code of one that has ended, negative for a signal; its id may be another's from now on."""
        return self._process.wait()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the whole group of the program."""
        if not self._shells:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
            return
        living = every()
        depths = descendants(self.pid, living)
        groups = {each.group for each in living if depths.get(each.pid) == self._shells}
        for each in living:
            if depths.get(each.pid, 0) >= self._shells and each.group in groups:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(each.pid, number)

    def kill_session(self, *, whole: bool) -> None:
        """Kill the group and all its kin (of processes younger than this one, unless ``whole``), in rounds, until none is found."""
        above = 0 if whole else self.pid
        if self._shells == 1:  # while it lives, orphans are found
            self._kill(family(self.pid, self._watcher.mark, above))
        members = family(self.pid, self._watcher.mark, above) if not self._shells else frozenset()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        members |= family(self.pid, self._watcher.mark, above)
        for _ in range(KILL_ROUNDS):
            if not members:
                break
            self._kill(members)
            for pid in members:  # orphans are ours to reap when we are process 1 of a container; else they are no children
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
            members = family(self.pid, self._watcher.mark, above)

    def _kill(self, members: frozenset[int]) -> None:
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def stop(self, first: signal.Signals, pump: Pump, grace_s: float) -> None:
        """Send ``first`` to the group, after ``grace_s`` SIGKILL to the session, and return when the child has ended."""
        self.signal_group(first)
        if not pump.until(self.exited, monotonic_s() + grace_s):
            self.kill_session(whole=True)
            pump.until(self.exited, None)

    def drain(self, pump: Pump, drain_s: float, *, whole: bool) -> None:
        """After its end: give those that still write a moment, kill them, read what is left."""
        pump.until(lambda: pump.ended(self.output), monotonic_s() + drain_s)
        self.kill_session(whole=whole or not pump.ended(self.output))
        pump.until(lambda: pump.ended(self.output), monotonic_s() + drain_s)
        pump.rest()

    def reap(self) -> int:
        """Kill what there is left, give everything back; the exit code, negative for a signal."""
        if self._process.returncode is None:
            self.kill_session(whole=False)
        code = self._process.wait()
        self._watcher.close()
        os.close(self.output)
        if self._end >= 0:
            os.close(self._end)
        return code


def _end_of(pid: int) -> int:
    """A descriptor that is readable once ``pid`` has ended; -1 where the system has none."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return -1

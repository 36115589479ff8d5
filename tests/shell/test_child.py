from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.shell.support import Fifo, gone, nothing_left, other_program
from turnfold.shell import child
from turnfold.shell.child import Child, Pump, Waker
from turnfold.shell.clock import monotonic_s


def test_a_waker_wakes_once_and_never_after_it_is_closed() -> None:
    with nothing_left():
        with Waker() as waker:
            waker.wake()
            waker.wake()
            assert os.read(waker.descriptor, 10) == b"!"
        late = Waker()
        late.close()
        late.close()
        late.wake()
        assert not late.woken


def test_a_waker_ends_the_pumps_wait_from_another_thread() -> None:
    pump = Pump()
    with Waker() as waker:
        pump.watch(waker.descriptor)
        thread = threading.Thread(target=waker.wake)
        thread.start()
        assert pump.until(lambda: waker.woken, monotonic_s() + 20)
        thread.join()


def test_a_pump_gives_up_at_its_deadline() -> None:
    assert not Pump().until(lambda: False, monotonic_s() + 0.01)


def test_a_pump_writes_more_than_a_pipe_holds_while_it_reads() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    pump, got, data = Pump(), bytearray(), bytes(300_000)
    pump.read(read, got.extend)
    pump.write(write, data)
    assert pump.until(lambda: len(got) == len(data), monotonic_s() + 20)
    os.close(write)
    assert pump.until(lambda: pump.ended(read), monotonic_s() + 20)
    os.close(read)


def test_a_pump_stops_writing_when_nobody_reads() -> None:
    read, write = os.pipe()
    os.close(read)
    pump = Pump()
    pump.write(write, b"x")
    assert not pump.until(lambda: False, monotonic_s() + 0.01)
    os.close(write)


def test_a_program_that_can_not_be_started_leaves_nothing() -> None:
    with nothing_left():
        with pytest.raises(FileNotFoundError):
            Child(lambda _: ("/nonexistent/program",), "/", {}, keep=())
        with pytest.raises(ValueError, match="null"):
            Child(lambda _: ("/bin/true",), "/", {"A": "\0"}, keep=())


def test_without_a_descriptor_for_the_end_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_end_of", lambda _: -1)
    with nothing_left(), Waker() as waker:
        started, pump = Child(lambda _: ("/bin/sh", "-c", "read x; exit 7"), "/", {}, keep=()), Pump()
        started.attach(pump, waker)
        assert pump.until(started.exited, monotonic_s() + 20)
        assert started.reap() == 7


KILLED_AT_ONCE = """
import os, sys
from turnfold.core.world.requests import RunProcess
from turnfold.shell import child
from turnfold.shell.processes import LocalProcesses
from turnfold.shell.scope import Scope

def die(pid):
    with open(sys.argv[1], "w") as fifo:
        fifo.write(f"{pid}\\n")
    os.kill(os.getpid(), 9)

child._end_of = die  # what is called first once the command is started
LocalProcesses((("PATH", os.environ["PATH"]),)).run(
    RunProcess(script="sleep 1000", cwd="/", environment=(), timeout_s=1000, output_bytes=1000), Scope()
)
"""


def test_there_is_no_moment_at_which_our_death_goes_unseen(tmp_path: Path) -> None:
    fifo = Fifo(tmp_path)
    with other_program(KILLED_AT_ONCE, str(fifo.path)):
        assert all(gone(pid) for pid in fifo.pids())
    fifo.close()

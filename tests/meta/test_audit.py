"""Law 2: core does nothing; and the watch that says so sees what is done."""

from __future__ import annotations

import datetime
import os
import pathlib
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.conversation.log import Log
from turnfold.core.json import dumps, loads_untrusted
from turnfold.core.world.permission import permit
from turnfold.core.world.requests import ListFiles, ReadFile, Request, RunProcess, WriteFile
from turnfold.testing.purity import EffectSeenError

NoEffects = Callable[[], AbstractContextManager[None]]

ACTS: tuple[Callable[[], object], ...] = (
    lambda: open(os.devnull),
    lambda: pathlib.Path("a").exists(),
    lambda: os.listdir("."),
    lambda: os.system("true"),
    lambda: subprocess.run(["true"], check=False),
    lambda: socket.socket(),
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: __import__("no_such_module"),
    lambda: eval("1"),
    lambda: os.chdir("."),
    lambda: os.putenv("A", "b"),
    lambda: os.environ["PATH"],
    lambda: os.environ.get("NO_SUCH_NAME"),
    lambda: os.environ.update(A="b"),
    lambda: dict(os.environ),
    lambda: os.getenv("PATH"),
    lambda: os.urandom(1),
    lambda: os.getcwd(),
    lambda: time.time(),
    lambda: time.monotonic(),
    lambda: time.perf_counter_ns(),
    lambda: time.sleep(0),
    lambda: random.random(),
    lambda: random.choice("ab"),
    lambda: random.shuffle([1]),
    lambda: secrets.token_hex(),
    lambda: uuid.uuid4(),
    lambda: uuid.uuid1(),
    lambda: threading.Thread(target=int).start() if sys.version_info >= (3, 12) else time.time(),  # 3.11 tells nothing of threads
    lambda: sys._getframe(),
)


@pytest.mark.parametrize("act", ACTS, ids=range(len(ACTS)))
def test_the_watch_sees(act: Callable[[], object], no_effects: NoEffects) -> None:
    with pytest.raises(EffectSeenError, match="no effect"), no_effects():
        act()


def test_the_watch_tells_what_the_block_has_hidden(no_effects: NoEffects) -> None:
    with pytest.raises(EffectSeenError, match=r"time\.time, random\.random"), no_effects():
        with suppress(Exception):
            time.time()
        with suppress(Exception):
            random.random()


def test_the_watch_is_disarmed_and_the_world_is_whole_afterwards(no_effects: NoEffects) -> None:
    real, environment = time.time, os.environ
    with no_effects():
        pass
    with suppress(ZeroDivisionError), no_effects():
        raise ZeroDivisionError
    assert time.time is real
    assert os.environ is environment
    assert pathlib.Path(os.devnull).exists()


def test_other_threads_go_on(no_effects: NoEffects) -> None:
    begin, end = threading.Event(), threading.Event()
    done: list[float] = []

    def work() -> None:
        begin.wait(10)
        done.append(time.time() + len(os.environ) + len(os.listdir("/")))
        end.set()

    thread = threading.Thread(target=work)
    thread.start()
    with no_effects():
        begin.set()
        assert end.wait(10)
    thread.join()
    assert done


def test_what_the_watch_is_blind_to(no_effects: NoEffects) -> None:
    """If this fails, the watch has learned something: shorten its list of blind spots."""
    with no_effects():
        datetime.datetime.now(datetime.UTC)


PATHS = st.text(alphabet="ab./*;", max_size=8).map(lambda text: "/" + text)
REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(ReadFile, path=PATHS, limit_bytes=st.just(9)),
    st.builds(WriteFile, path=PATHS, text=st.text(max_size=3), expected_digest=st.just("")),
    st.builds(ListFiles, path=PATHS, limit=st.just(9)),
    st.builds(
        RunProcess,
        script=st.text(alphabet="git ;*\n", max_size=6),
        cwd=PATHS,
        environment=st.just(()),
        timeout_s=st.just(1.0),
        output_bytes=st.just(9),
    ),
)
RULES = st.builds(Rule, st.sampled_from(Verdict), st.sampled_from(("*", "read", "write", "run")), st.text(alphabet="*?ab/[]", max_size=5))


@given(request_=REQUESTS, rules=st.lists(RULES, max_size=4).map(tuple))
def test_permit_does_nothing(request_: Request, rules: tuple[Rule, ...], no_effects: NoEffects) -> None:
    cfg = ChatConfig(ProjectConfig(Config(rules=rules)), workspace="/a")
    with no_effects():
        first = permit(request_, cfg)
        assert permit(request_, cfg) == first
        repr(first)


@given(items=st.lists(st.integers(), max_size=80))
def test_the_log_does_nothing(items: list[int], no_effects: NoEffects) -> None:
    with no_effects():
        log = Log.of(*items)
        assert tuple(log) == tuple(items)
        assert log == Log.of(*items)
        assert hash(log) == hash(Log.of(*items))
        assert repr(log)


@given(text=st.one_of(st.text(alphabet='{}[]",:01e ntrue', max_size=20), st.just('{"a":[1,{"b":null}]}')))
def test_json_does_nothing(text: str, no_effects: NoEffects) -> None:
    with no_effects():
        loads_untrusted(text).map(dumps)

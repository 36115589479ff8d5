"""Runs that come to a limit or to the end of a model's window, over real HTTP, by every driver."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import evolve

from turnfold import (
    BUILTIN_TOOLS,
    ChatConfig,
    Config,
    Input,
    ModelProfile,
    ProjectConfig,
    Rule,
    RunResult,
    UserSaid,
    Verdict,
    World,
    fold,
    run,
    run_async,
)
from turnfold.core.agent.events import Compacted, Reason, RequestOpened, TurnInterrupted
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.summary import SUMMARY
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import Limits, Provider
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.world.answers import ProcessEnded
from turnfold.core.world.requests import CallModel, Purpose, RunProcess
from turnfold.core.world.usage import Usage
from turnfold.shell.alarm import LONGEST_S, alarm, left_s
from turnfold.shell.clock import SystemClock
from turnfold.shell.routed_models import RoutedModels
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import fake_world
from turnfold.testing.fakes import FakeSecrets
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

SHORT_S = 0.3
PATIENCE_S = 20.0  # far beyond what is awaited, on any machine

Driver: TypeAlias = Callable[[Input, ChatConfig, World, ChatState], RunResult]


def plain(first: Input, cfg: ChatConfig, world: World, state: ChatState) -> RunResult:
    return run(first, BUILTIN_TOOLS, cfg, world, state=state)


def aside(first: Input, cfg: ChatConfig, world: World, state: ChatState) -> RunResult:
    with ThreadPoolExecutor(2) as executor:
        return run(first, BUILTIN_TOOLS, cfg, world, state=state, executor=executor)


def on_a_loop(first: Input, cfg: ChatConfig, world: World, state: ChatState) -> RunResult:
    return asyncio.run(run_async(first, BUILTIN_TOOLS, cfg, world, state=state))


@pytest.fixture(params=[plain, aside, on_a_loop], ids=["run", "run-executor", "run_async"])
def driver(request: pytest.FixtureRequest) -> Driver:
    chosen: Driver = request.param
    return chosen


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of fakes whose models are asked over HTTP, at the time that it is."""
    models = RoutedModels(FakeSecrets(), tmp_path, lambda _chosen: None, lambda _done, _all: None)
    yield evolve(fake_world(files={"/w/a.txt": "alpha"}), models=models, clock=SystemClock())
    models.close()


def config(server: ScriptedServer, window: int | None = None, limits: Limits | None = None) -> ChatConfig:
    base = Config(
        model="here/model",
        providers=(Provider(name="here", base_url=server.base_url),),
        models=(ModelProfile(pattern="here/*", window_tokens=window),),
        rules=(Rule(Verdict.ALLOW),),
        compaction=Compaction(keep_turns=1),
        limits=limits or Limits(),
    )
    return ChatConfig(ProjectConfig(base), workspace="/w", conversation="c")


def scripted(text: str, tokens: int, *calls: RawCall) -> ScriptedReply:
    return ScriptedReply(chunks=(chat_stream(text, calls, Usage(input_tokens=tokens, output_tokens=9)),))


def told(body: bytes) -> list[str]:
    return [each["content"] for each in json.loads(body)["messages"] if each["role"] in ("user", "assistant")]


def test_a_long_conversation_is_summed_up_in_the_middle_and_goes_on(driver: Driver, world: World) -> None:
    """The server counts three bytes a token and says so; it refuses nothing, so what it got is looked at."""
    turns = 12
    replies = tuple(scripted(f"Reply {number}. {'word ' * 200}", 2_000 + number * 400) for number in range(turns * 2))
    with ScriptedServer(replies) as server:
        cfg = config(server, window=6_000)
        state = ChatState()
        for number in range(turns):
            result = driver(UserSaid(f"Question {number}?", world.clock.now_ms()), cfg, world, state)
            assert result.ended is not None
            assert result.ended.reason is Reason.COMPLETED
            state = result.state
        bodies = [request.body for request in server.requests]
    assert isinstance(world.journal, MemoryJournal)
    events = world.journal.load("c")
    assert fold(events) == state.past
    summed = [event for event in events if isinstance(event, Compacted)]
    assert len(summed) >= 1
    opened = [event.request for event in events if isinstance(event, RequestOpened)]
    assert [each.size_bytes for each in opened if isinstance(each, CallModel)] == list(map(len, bodies))
    asked = [isinstance(each, CallModel) and each.purpose is Purpose.SUMMARY for each in opened]
    after = bodies[asked.index(True) + 1]
    assert told(after)[0] == "Question 0?"
    assert told(after)[1].startswith(f"{SUMMARY}\n\nReply ")
    assert len(after) < len(bodies[asked.index(True) - 1])
    assert told(bodies[-1])[-1] == f"Question {turns - 1}?"
    assert len(state.past.log) == 2 * turns  # the log keeps all


def test_a_silent_server_does_not_hold_a_turn_beyond_its_seconds(driver: Driver, world: World) -> None:
    silent = ScriptedReply(chunks=(chat_stream("Hello.")[:100], b"never"), gate=threading.Event(), gate_at=1)
    with ScriptedServer((silent, scripted("Yes?", 9))) as server:
        cfg = config(server, limits=Limits(turn_s=SHORT_S))
        begun = time.monotonic()
        result = driver(UserSaid("Hello?", world.clock.now_ms()), cfg, world, ChatState())
        took_s = time.monotonic() - begun
        assert result.ended is not None
        assert result.ended.reason is Reason.LIMIT
        assert result.problem is not None
        assert result.problem.path == "$.limits.turn_s"
        assert SHORT_S <= took_s < PATIENCE_S
        assert isinstance(world.journal, MemoryJournal)
        events = world.journal.load("c")
        assert [each.limit for each in events if isinstance(each, TurnInterrupted)] == [result.problem]
        assert fold(events) == result.state.past
        again = driver(UserSaid("Still there?", world.clock.now_ms()), config(server), world, result.state)
    assert isinstance(again.state.past.log[-1], AssistantMessage)
    assert again.reply == "Yes?"


class Endless:
    """Commands that last until they are cancelled."""

    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        over = threading.Event()
        with scope.stopping(over.set):
            assert over.wait(PATIENCE_S), "it was never cancelled"
        return ProcessEnded(exit_code=-15, output="half done", cwd="/w")


def test_a_command_that_runs_on_is_cancelled_when_the_turn_has_taken_its_time(driver: Driver, world: World) -> None:
    with ScriptedServer((scripted("", 9, RawCall("shell", '{"command":"slow"}')),)) as server:
        cfg = config(server, limits=Limits(turn_s=SHORT_S))
        result = driver(UserSaid("Go.", world.clock.now_ms()), cfg, evolve(world, processes=Endless()), ChatState())
    assert result.ended is not None
    assert result.ended.reason is Reason.LIMIT
    (message,) = [each for each in result.state.past.log if isinstance(each, ToolMessage)]
    assert "half done" in message.text
    assert len(server.requests) == 1


# the alarm


def test_the_alarm_rings_when_the_deadline_is_over_and_only_then() -> None:
    rung = threading.Event()
    with alarm(1, lambda: 2, rung.set):
        assert rung.wait(PATIENCE_S)
    silent = threading.Event()
    with alarm(10**12, lambda: 0, silent.set), alarm(None, lambda: 0, silent.set):
        pass
    assert not silent.is_set()
    assert left_s(10**15, 0) == LONGEST_S


def test_an_alarm_that_wakes_too_early_waits_on() -> None:
    times = iter((0, 999, 1_000))
    rung = threading.Event()
    begun = time.monotonic()
    with alarm(1_000, lambda: next(times), rung.set):
        assert rung.wait(PATIENCE_S)
    assert time.monotonic() - begun >= 1.0
    assert next(times, None) is None

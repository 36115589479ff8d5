"""F1 and F8 of SCENARIOS.md: one conversation is one sequence of inputs, and what a run works with is its own, by every driver."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import final

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from typing_extensions import override

from tests.laws.comparison import assert_acceptable, without_times
from tests.shell.test_run import CFG, Driver, driver, on_a_loop
from turnfold import BUILTIN_TOOLS, Effect, Publish, RunResult, World, load, run, run_async
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import CallClosed, Event
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.answers import FilesSearched, Match
from turnfold.core.world.requests import SearchFiles
from turnfold.shell.ports import Journal, Kept, Port
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import FakeModels, fake_world
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.wire import chat_stream

__all__ = ["driver"]  # the fixture of all drivers
CALLS = tuple(RawCall("grep", json.dumps({"pattern": f"word{number}"})) for number in range(4))
PATIENCE_S = 20.0


@final
class LastFirst(Port[SearchFiles]):
    """Searches that are answered in the order opposite to the one in which they were asked, each when the one after it is recorded."""

    def __init__(self, count: int) -> None:
        self.turns = tuple(threading.Event() for _ in range(count))
        self.turns[-1].set()

    @override
    def act(self, request: SearchFiles, cfg: ChatConfig, scope: Scope) -> FilesSearched:
        number = int(request.pattern.removeprefix("word"))
        self.turns[number].wait(PATIENCE_S)
        return FilesSearched(found=(Match(path=f"{number}.txt", line=1, text=request.pattern),))

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""


@final
class Heard(Journal):
    """A journal in memory; that a call is closed is the sign for the one before it."""

    def __init__(self, searches: LastFirst) -> None:
        self._kept = MemoryJournal()
        self._searches = searches

    @override
    def append(self, conversation: str, records: tuple[Record, ...]) -> None:
        self._kept.append(conversation, records)
        for record in records:
            if isinstance(record.event, CallClosed) and record.event.slot:
                self._searches.turns[record.event.slot - 1].set()

    @override
    def load(self, conversation: str) -> tuple[Event, ...]:
        return self._kept.load(conversation)

    @override
    def keep(self, digest: str, cfg: ChatConfig) -> None:
        self._kept.keep(digest, cfg)

    @override
    def config(self, digest: str) -> ChatConfig:
        return self._kept.config(digest)

    @override
    def find(self) -> tuple[Kept, ...]:
        return self._kept.find()


def by_threads(world: World) -> RunResult:
    with ThreadPoolExecutor(len(CALLS)) as executor:
        return run("go", BUILTIN_TOOLS, CFG, world, executor=executor)


@pytest.mark.parametrize("drive", [by_threads, lambda world: on_a_loop("go", CFG, world)], ids=["run-executor", "run_async"])
def test_f1_answers_of_parallel_calls_land_in_their_slots_whatever_their_order(drive: Driver) -> None:
    models = FakeModels((chat_stream("", CALLS), chat_stream("Done.")))
    searches = LastFirst(len(CALLS))
    world = evolve(fake_world(), models=models, finder=searches, journal=Heard(searches))
    result = drive(world)
    events = world.journal.load(result.cfg.conversation)
    assert [event.slot for event in events if isinstance(event, CallClosed)] == [3, 2, 1, 0]
    told = [message.text for message in result.state.past.log if isinstance(message, ToolMessage)]
    assert [f"word{number}" in text for number, text in enumerate(told)] == [True] * 4
    assert_acceptable(models.bodies[-1])


def test_f1_two_runs_at_once_of_one_conversation_leave_one_sequence_that_goes_on() -> None:
    cfg = evolve(CFG, conversation="c")
    world = fake_world((chat_stream("One."), chat_stream("Two."), chat_stream("Three.")))

    async def both() -> list[RunResult]:
        return await asyncio.gather(*(run_async(said, BUILTIN_TOOLS, cfg, world) for said in ("first", "second")))

    results = asyncio.run(both())
    problems = [result.problem.code for result in results if result.problem is not None]
    assert problems == ["conversation-taken"]
    (whole,) = (result for result in results if result.problem is None)
    events = world.journal.load("c")
    assert load(events).past == whole.state.past
    assert isinstance(world.models, FakeModels)
    on = run("third", BUILTIN_TOOLS, cfg, world, state=load(events))
    assert on.problem is None
    assert on.state.past.turns == 2
    assert_acceptable(world.models.bodies[-1])


def offered(body: bytes) -> list[str]:
    """The tools that a model is offered."""
    return sorted(tool["function"]["name"] for tool in json.loads(body)["tools"])


def test_f8_a_change_of_tools_and_settings_is_for_new_runs(driver: Driver) -> None:
    """While one runs, its caller goes on with other tools and settings: a change is a new value, and the run has the old one."""
    calls = (chat_stream("", (RawCall("read", '{"path":"a.txt"}'),)), chat_stream("", (RawCall("read", '{"path":"a.txt"}'),)))
    outer = evolve(fake_world((), {"/w/a.txt": "alpha"}), models=FakeModels((*calls, chat_stream("Done."))))
    inner = evolve(fake_world(), models=FakeModels((chat_stream("Hi."),) * 20))
    fewer = tuple(tool for tool in BUILTIN_TOOLS if tool.name == "read")

    def meanwhile(effect: Effect) -> None:
        if isinstance(effect, Publish):
            run("hi", fewer, evolve(CFG, instructions="Be brief.", temperature=0.1), inner)

    alone = evolve(fake_world((), {"/w/a.txt": "alpha"}), models=FakeModels((*calls, chat_stream("Done."))))
    expected = driver("go", CFG, alone)
    result = driver("go", CFG, outer, watch=meanwhile)
    assert isinstance(outer.models, FakeModels)
    assert isinstance(alone.models, FakeModels)
    assert isinstance(inner.models, FakeModels)
    assert outer.models.bodies == alone.models.bodies
    assert len({tuple(offered(body)) for body in outer.models.bodies}) == 1
    assert {tuple(offered(body)) for body in inner.models.bodies} == {("read",)}
    kept = [tuple(map(without_times, world.journal.load(each.cfg.conversation))) for world, each in ((outer, result), (alone, expected))]
    assert kept[0] == kept[1]


def test_f8_no_tool_and_no_setting_can_be_changed_in_place() -> None:
    for value, name in ((BUILTIN_TOOLS[0], "description"), (CFG, "model"), (CFG.project, "base")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "x")

"""A model from a script and a tool without a world, for benchmarks: what is left is what turnfold costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import final

from attrs import evolve, frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Limits, Rule, Verdict
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import Call, Done, ToolSpec
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.clock import SystemClock
from turnfold.shell.ports import AsyncModels, Journal, Models
from turnfold.shell.scope import Scope
from turnfold.shell.world import World
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.wire import chat_stream

WORD = "word "
CALL = chat_stream("", (RawCall("weather", '{"city":"Rome"}'),), piece_chars=100)
END = chat_stream("It is sunny in Rome.", piece_chars=100)
CFG = ChatConfig(
    ProjectConfig(Config(model="scripted/m", providers=(SCRIPTED,), limits=Limits(generations=1_000_000, reply_bytes=1_000_000_000))),
    workspace="/w",
    rules=(Rule(Verdict.ALLOW),),
)


def sunny(call: Call, cfg: ChatConfig) -> Done:
    """The weather, known without a look."""
    return Done(f"It is sunny in {call.arguments['city']}.")


WEATHER = ToolSpec(
    name="weather",
    description="The weather of a city.",
    advance=sunny,
    parameters=JsonObject.of(
        type="object", properties=JsonObject.of(city=JsonObject.of(type="string")), required=("city",), additionalProperties=False
    ),
)


def words(count: int) -> tuple[bytes, ...]:
    """A reply of so many deltas, a chunk each."""
    events = chat_stream(WORD * count, piece_chars=len(WORD)).split(b"\n\n")
    return tuple(event + b"\n\n" for event in events if event)


@final
@frozen
class Script:
    """What the model says: a call of the tool for each of ``calls`` rounds of a turn, then ``chunks``."""

    calls: int
    chunks: tuple[bytes, ...] = (END,)

    def reply(self, body: bytes) -> tuple[bytes, ...]:
        """The reply to ``body``, by what the turn has seen so far."""
        return (CALL,) if body.rpartition(b'"role":"user"')[2].count(b'"role":"tool"') < self.calls else self.chunks


@final
@frozen(eq=False)
class PlainModels(Models):
    """The script on the thread of whoever performs."""

    script: Script

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        return cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        for chunk in self.script.reply(body):
            scope.emit(chunk)
        return StreamEnded()

    @override
    def close(self) -> None:
        """Nothing is open."""


@final
@frozen(eq=False)
class LoopModels(AsyncModels):
    """The script on the event loop, which goes on before each reply."""

    script: Script

    @override
    def serves(self, request: CallModel, models: Models) -> bool:
        return True

    @override
    async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
        await asyncio.sleep(0)
        for chunk in self.script.reply(body):
            emit(chunk)
        return StreamEnded()

    @override
    def close(self) -> None:
        """Nothing is open."""


def scripted_world(script: Script, journal: Journal | None = None) -> World:
    """A world with this script, for every driver."""
    kept = MemoryJournal() if journal is None else journal
    return evolve(fake_world(), models=PlainModels(script), async_models=LoopModels(script), clock=SystemClock(), journal=kept)

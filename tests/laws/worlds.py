"""A scripted world for the drivers: the simulated world behind the shell's ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import Lock
from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.core.agent.asked import Question
from turnfold.core.agent.inputs import Decided
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem
from turnfold.core.world.answers import ProcessEnded, PythonEnded, StreamEnded
from turnfold.core.world.requests import CallModel, Purpose, RunProcess, RunPython, WorldRequest
from turnfold.shell.ports import AsyncModels, Human, Models, Processes, Pythons
from turnfold.shell.scope import Scope
from turnfold.shell.world import World
from turnfold.testing.fakes import FakeClock, FakeFiles, FakeSecrets
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.simulated import DONE, SUMMARY, Stream
from turnfold.testing.simulated_world import Disk, outcome_of

CHUNK = 60


@final
class ScriptedModels(Models):
    """Models whose replies come from a script, one a call; a summary is always the same."""

    __slots__ = ("_lock", "_replies")

    def __init__(self, replies: tuple[Stream, ...]) -> None:
        self._lock = Lock()
        self._replies: Iterator[Stream] = iter(replies)

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        return cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        with self._lock:
            reply = SUMMARY if request.purpose is Purpose.SUMMARY else next(self._replies, DONE)
        for start in range(0, len(reply.data), CHUNK):
            scope.emit(reply.data[start : start + CHUNK])
        return StreamEnded() if reply.problem is None else reply.problem

    @override
    def close(self) -> None:
        pass


@final
@frozen(eq=False)
class ScriptedAsyncModels(AsyncModels):
    """The same script on an event loop, which goes on between two chunks."""

    plain: ScriptedModels

    @override
    def serves(self, request: CallModel, models: Models) -> bool:
        return True

    @override
    async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
        chunks: list[bytes] = []
        outcome = self.plain.stream(request, body, Scope(chunks.append))
        for chunk in chunks:
            await asyncio.sleep(0)
            emit(chunk)
        return outcome

    @override
    def close(self) -> None:
        pass


@final
class SimulatedProcesses(Processes):
    """Commands as the simulated world answers them."""

    __slots__ = ()

    @override
    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        outcome = _outcome(request)
        return outcome if isinstance(outcome, (ProcessEnded, Problem)) else unexpected()


@final
class SimulatedPythons(Pythons):
    """Python as the simulated world answers it."""

    __slots__ = ()

    @override
    def run(self, conversation: str, request: RunPython, scope: Scope) -> PythonEnded | Problem:
        outcome = _outcome(request)
        return outcome if isinstance(outcome, (PythonEnded, Problem)) else unexpected()

    @override
    def close(self, conversation: str) -> None:
        pass

    @override
    def close_all(self) -> None:
        pass


def _outcome(request: WorldRequest) -> object:
    return outcome_of(request, Disk()).outcome


def unexpected() -> Problem:
    raise AssertionError("the simulated world answers each request with its kind of answer")


@final
class Decider(Human):
    """A person who says yes to all but Python."""

    __slots__ = ()

    @override
    def decide(self, question: Question) -> Decided | None:
        return Decided(question.request_id, allowed=not isinstance(question.request, RunPython), note="no Python")


def world_of(replies: tuple[Stream, ...], journal: MemoryJournal, *, on_loop: bool = False) -> World:
    """A world of its own, with these replies; ``on_loop``: the model speaks on the event loop itself."""
    models = ScriptedModels(replies)
    return World(
        files=FakeFiles(dict(Disk().files)),
        processes=SimulatedProcesses(),
        pythons=SimulatedPythons(),
        models=models,
        async_models=ScriptedAsyncModels(models) if on_loop else None,
        clock=FakeClock(),
        secrets=FakeSecrets(),
        human=Decider(),
        journal=journal,
    )

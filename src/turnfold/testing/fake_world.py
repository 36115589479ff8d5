"""A whole world of fakes: for tests of runs, by third parties too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock
from types import MappingProxyType
from typing import final

from attrs import evolve
from typing_extensions import override

from turnfold.core.agent.asked import Question
from turnfold.core.agent.inputs import Decided
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import find_provider
from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem
from turnfold.core.world.answers import Answer, ProcessEnded, PythonEnded, StreamEnded
from turnfold.core.world.requests import CallModel, Request
from turnfold.shell.people import Nobody
from turnfold.shell.ports import AsyncModels, Human, Models
from turnfold.shell.scope import Scope
from turnfold.shell.world import World
from turnfold.testing.fakes import FakeClock, FakeFiles, FakePort, FakeProcesses, FakePythons, FakeSecrets, unscripted
from turnfold.testing.memory_journal import MemoryJournal

SCRIPTED = Provider(name="scripted", base_url="scripted:")
CHUNK_BYTES = 64


@final
class FakeModels(Models):
    """Replies from a script, one a call: stream bytes, given in chunks, or a Problem. ``bodies`` tells what was asked.

    >>> FakeModels((b"data: [DONE]",)).bodies
    ()
    """

    __slots__ = ("_chunk_bytes", "_lock", "_replies", "bodies")

    def __init__(self, replies: tuple[bytes | Problem, ...], chunk_bytes: int = CHUNK_BYTES) -> None:
        self._lock = Lock()
        self._replies = deque(replies)
        self._chunk_bytes = chunk_bytes
        self.bodies: tuple[bytes, ...] = ()

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        return evolve(cfg, model=cfg.model or "scripted/model", providers=(SCRIPTED,)) if isinstance(find_provider(cfg), Problem) else cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        with self._lock:
            self.bodies = (*self.bodies, body)
            reply = self._replies.popleft() if self._replies else unscripted("a model call")
        if isinstance(reply, Problem):
            return reply
        for start in range(0, len(reply), self._chunk_bytes):
            if scope.cancelled:
                break
            scope.emit(reply[start : start + self._chunk_bytes])
        return StreamEnded()

    @override
    def close(self) -> None:
        """Nothing is open."""


@final
class FakeAsyncModels(AsyncModels):
    """Replies from a script as with ``FakeModels``, on the running event loop, which goes on between two chunks.

    ``went``: how often it came to its end, one way or another, after it had begun.

    >>> FakeAsyncModels((b"data: [DONE]",)).bodies
    ()
    """

    __slots__ = ("_chunk_bytes", "_replies", "bodies", "went")

    def __init__(self, replies: tuple[bytes | Problem, ...], chunk_bytes: int = CHUNK_BYTES) -> None:
        self._replies = deque(replies)
        self._chunk_bytes = chunk_bytes
        self.bodies: tuple[bytes, ...] = ()
        self.went = 0

    @override
    def serves(self, request: CallModel, models: Models) -> bool:
        return True

    @override
    async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
        from asyncio import sleep  # a third of the import time of turnfold

        self.bodies = (*self.bodies, body)
        reply = self._replies.popleft() if self._replies else unscripted("a model call")
        try:
            if isinstance(reply, Problem):
                return reply
            for start in range(0, len(reply), self._chunk_bytes):
                await sleep(0)
                emit(reply[start : start + self._chunk_bytes])
            return StreamEnded()
        finally:
            self.went += 1

    @override
    def close(self) -> None:
        """Nothing is open."""


@final
class FakeHuman(Human):
    """A person who gives these answers, one a question, and then none; ``asked`` tells what was asked."""

    __slots__ = ("_answers", "asked")

    def __init__(self, *answers: bool) -> None:
        self._answers = deque(answers)
        self.asked: tuple[Question, ...] = ()

    @override
    def decide(self, question: Question) -> Decided | None:
        self.asked = (*self.asked, question)
        return Decided(question.request_id, self._answers.popleft()) if self._answers else None


def fake_world(
    replies: tuple[bytes | Problem, ...] = (),
    files: Mapping[str, str | bytes] = MappingProxyType({}),
    commands: Mapping[str, ProcessEnded | Problem] = MappingProxyType({}),
    code: Mapping[str, PythonEnded | Problem] = MappingProxyType({}),
    human: Human | None = None,
    acts: Mapping[Request, Answer | Problem] = MappingProxyType({}),
) -> World:
    """A world of these replies, files, commands, pieces of code and other acts, with nobody to ask unless ``human`` is given.

    >>> fake_world(files={"/w/a.txt": "hi"}).journal.find()
    ()
    """
    port = FakePort(acts)
    return World(
        files=FakeFiles(files),
        processes=FakeProcesses(commands),
        pythons=FakePythons(code),
        models=FakeModels(replies),
        clock=FakeClock(),
        secrets=FakeSecrets(),
        human=Nobody() if human is None else human,
        journal=MemoryJournal(),
        jobs=port,
        finder=port,
        index=port,
        web=port,
        browsers=port,
        chats=port,
        functions=port,
        mcp=port,
    )

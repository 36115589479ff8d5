"""What tests of streams need: a model whose reply comes when the test says so, and tools that do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import TypeAlias, final

from attrs import evolve
from typing_extensions import override

from turnfold import Caller, ChatConfig, Config, ProjectConfig, Rule, Verdict, World, tool, with_functions
from turnfold.core.agent.events import Event, RequestClosed, RequestOpened, TurnEnded
from turnfold.core.config.models import find_provider
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.ports import Models
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.wire import chat_stream

PATIENCE_S = 20.0
CFG = ChatConfig(ProjectConfig(Config(model="scripted/model", providers=(SCRIPTED,))), workspace="/w", rules=(Rule(Verdict.ALLOW),))


@final
class Gate:
    """A place where a performing thread waits until the test lets it go on, or its request is cancelled."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def passed(self, scope: Scope) -> bool:
        """Whether it was opened, and not cancelled before."""
        with scope.stopping(self.opened.set):
            self.reached.set()
            assert self.opened.wait(PATIENCE_S), "the gate was never opened"
        return not scope.cancelled

    def arrived(self) -> None:
        """Wait until someone waits here."""
        assert self.reached.wait(PATIENCE_S), "nobody came to the gate"


Script: TypeAlias = Iterable[bytes | Gate]


@final
class GatedModels(Models):
    """Replies, each a row of chunks and gates."""

    def __init__(self, *replies: Script) -> None:
        self.replies = deque(tuple(each) for each in replies)

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        found = find_provider(cfg)
        return found if isinstance(found, Problem) else cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        for piece in self.replies.popleft() if self.replies else (chat_stream("Done."),):
            if scope.cancelled or (isinstance(piece, Gate) and not piece.passed(scope)):
                break
            if isinstance(piece, bytes):
                scope.emit(piece)
        return StreamEnded()

    @override
    def close(self) -> None:
        """Nothing is open."""


def pieces(data: bytes) -> tuple[bytes, ...]:
    """The events of a stream, each a chunk."""
    return tuple(each + b"\n\n" for each in data.split(b"\n\n") if each)


def called(*names: str) -> bytes:
    """A reply that calls these functions."""
    return chat_stream("Let me.", tuple(RawCall(name, "{}") for name in names))


def gated_world(*replies: Script) -> World:
    """A world of these replies."""
    return evolve(fake_world(), models=GatedModels(*replies))


@final
class Tools:
    """Functions that wait at gates: ``quick`` and ``slow``, and ``deaf``, which looks at no cancel. ``began`` counts them all."""

    def __init__(self) -> None:
        self.quick_gate, self.slow_gate, self.deaf_gate = Gate(), Gate(), Gate()
        self.began: tuple[str, ...] = ()

        @tool
        def quick(caller: Caller) -> str:
            self.began += ("quick",)
            self.quick_gate.passed(caller.scope)
            return "quick is done"

        @tool
        def slow(caller: Caller) -> str:
            self.began += ("slow",)
            self.slow_gate.passed(caller.scope)
            return "slow is done"

        @tool
        def deaf() -> str:
            self.began += ("deaf",)
            self.deaf_gate.passed(Scope())
            return "deaf is done"

        self.tools = (quick, slow, deaf)
        self.specs = (quick.spec, slow.spec, deaf.spec)

    def in_world(self, world: World) -> World:
        """``world``, with these functions."""
        return with_functions(world, *self.tools)


def journaled(world: World) -> tuple[Event, ...]:
    """The journal of the one conversation of ``world``."""
    (kept,) = world.journal.find()
    return world.journal.load(kept.conversation)


def assert_ended(world: World) -> None:
    """All that was opened is closed, and the turn has ended."""
    events = journaled(world)
    opened = [event.request_id for event in events if isinstance(event, RequestOpened)]
    closed = [event.request_id for event in events if isinstance(event, RequestClosed)]
    assert sorted(map(str, opened)) == sorted(map(str, closed))
    assert isinstance(events[-1], TurnEnded)

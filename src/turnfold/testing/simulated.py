"""A pure simulation of the shell: conversations under every order of events, without a world.

A :class:`Sim` is a value: the conversation, its journal, what was performed and not answered yet, and a small world that
answers. A :data:`Move` is one thing that can happen to it; :func:`moved` makes it happen, or changes nothing where it
can't (there is nothing to answer). So a list of moves is a whole life of a conversation, crashes included, and a law is
a sentence about all such lists.

>>> from turnfold.core.agent.state import ChatState
>>> from turnfold.testing.sample_tools import ALL_TOOLS
>>> sim = finished(moved(Sim(tools=ALL_TOOLS), Say("hi")))
>>> sim.state.idle, sim.state.past.log[-1].text
(True, 'Done.')
"""

from __future__ import annotations

from functools import reduce
from typing import final

from attrs import evolve, field, frozen

from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Delta, Effect, Perform, Publish
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import (
    Answered,
    ChunkArrived,
    CommandGiven,
    Decided,
    Failed,
    Input,
    Interrupted,
    Resumed,
    TimePassed,
    UserSaid,
)
from turnfold.core.agent.state import ChatState, questions
from turnfold.core.agent.step import step
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Provider, Wire
from turnfold.core.journal import load, recorded
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.answers import Answer, FileWritten, StreamEnded, Waited
from turnfold.core.world.requests import AskHuman, CallModel, Purpose, Wait
from turnfold.testing.moves import (
    TICK_MS,
    Break,
    Command,
    Crash,
    Decide,
    Deliver,
    Finish,
    Interrupt,
    Late,
    Mismatch,
    Move,
    Pass,
    Say,
    Unknown,
    Wild,
)
from turnfold.testing.simulated_world import Came, Disk, filled_form, outcome_of
from turnfold.testing.wire import chat_stream
from turnfold.testing.wires import stream_in

PROVIDER = Provider(name="scripted", base_url="http://127.0.0.1:9/v1", retries=0)  # a failure is the turn's end, unless a test says more
CONFIG = ChatConfig(ProjectConfig(Config(model="scripted/model", providers=(PROVIDER,))), workspace="/w", conversation="c")
PATIENCE = 500  # moves until a conversation that does not end counts as one that never does


@final
@frozen
class Stream:
    """A scripted reply: its bytes, and how it fails at their end, where it does; ``then`` are the replies to the tries after it, the last for
    all that follow.
    """

    data: bytes = field(default=chat_stream("Done."))
    problem: Problem | None = None
    then: tuple[Stream, ...] = ()


DONE = Stream()
SUMMARY = Stream(chat_stream("They said hello."))
NO = Stream(chat_stream("No."))


@final
@frozen(kw_only=True)
class Outstanding:
    """Something performed and not answered; ``sent`` counts a stream's bytes that have come."""

    perform: Perform
    sent: int = 0


@final
@frozen(kw_only=True, eq=False)
class Taken:
    """One step as it was taken; ``disk`` is the world after it."""

    before: ChatState
    input: Input
    step: Step
    disk: Disk


@final
@frozen(kw_only=True, eq=False)
class Sim:
    """A conversation in a simulated world.

    ``script`` holds the model's replies, a row a turn and in it one a generation; beyond it the model says that it is
    done. The same place gets the same reply, also when it is asked again, unless the reply says more. ``summary`` is what it replies when it is
    asked for one, ``verdicts`` what it replies to guardrails, one after another.
    """

    tools: tuple[ToolSpec, ...]
    cfg: ChatConfig = CONFIG
    script: tuple[tuple[Stream, ...], ...] = ()
    summary: Stream = SUMMARY
    verdicts: tuple[Stream, ...] = (NO,)
    state: ChatState = field(factory=ChatState)
    outstanding: tuple[Outstanding, ...] = ()
    ghosts: tuple[Perform, ...] = ()  # answered, or lost with a process: what comes of them now is late
    history: tuple[Taken, ...] = ()
    disk: Disk = field(factory=Disk)
    now_ms: int = 0

    @property
    def journal(self) -> tuple[tuple[Event, ...], ...]:
        """The appends, one a step that recorded something."""
        return tuple(events for taken in self.history if (events := recorded(taken.step)))

    @property
    def events(self) -> tuple[Event, ...]:
        """The whole journal."""
        return tuple(event for append in self.journal for event in append)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """All that was to be done, in order."""
        return tuple(effect for taken in self.history for effect in taken.step.effects)

    @property
    def performs(self) -> tuple[Perform, ...]:
        """All that was performed, in order."""
        return tuple(effect for effect in self.effects if isinstance(effect, Perform))

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """All pieces of replies that were published, in order."""
        return tuple(effect.what for effect in self.effects if isinstance(effect, Publish) and isinstance(effect.what, Delta))


def taken(sim: Sim, input: Input) -> Sim:
    """``sim`` after a step with ``input``; what it performs is outstanding from then on."""
    stepped = step(sim.state, input, sim.tools, sim.cfg)
    started = tuple(Outstanding(perform=effect) for effect in stepped.effects if isinstance(effect, Perform))
    kept = Taken(before=sim.state, input=input, step=stepped, disk=sim.disk)
    return evolve(
        sim,
        state=stepped.state,
        outstanding=sim.outstanding + started,
        history=(*sim.history, kept),
        now_ms=sim.now_ms + TICK_MS,
    )


def walked(sim: Sim, moves: tuple[Move, ...]) -> Sim:
    """``sim`` after all of ``moves``."""
    return reduce(moved, moves, sim)


def moved(sim: Sim, move: Move) -> Sim:
    """``sim`` after ``move``; as it was, where that can't happen now."""
    match move:
        case Say(text):
            return taken(sim, UserSaid(text, sim.now_ms))
        case Command(command):
            return taken(sim, CommandGiven(command, sim.now_ms))
        case Interrupt():
            return taken(sim, Interrupted(sim.now_ms))
        case Pass(for_ms):
            later = evolve(sim, now_ms=sim.now_ms + for_ms)
            return taken(later, TimePassed(later.now_ms))
        case Crash():
            return resumed(evolve(sim, state=load(sim.events)))
        case Unknown(request_id):
            return taken(sim, Answered(request_id, FileWritten(""), sim.now_ms))
        case Wild(input):
            return taken(sim, input)
        case Decide():
            return _decided(sim, move)
        case Late():
            return _late(sim, move)
        case Deliver() | Finish() | Break() | Mismatch():
            return _came(sim, move) if sim.outstanding else sim


def resumed(sim: Sim) -> Sim:
    """``sim`` gone on with in a new process, in which nothing is under way."""
    return taken(evolve(sim, outstanding=(), ghosts=(*sim.ghosts, *(each.perform for each in sim.outstanding))), Resumed(sim.now_ms))


def _decided(sim: Sim, move: Decide) -> Sim:
    asked = questions(sim.state.past)
    if not asked:
        return sim
    found = asked[move.pick % len(asked)]
    said = filled_form(found.request) if isinstance(found.request, AskHuman) else None
    rules = () if move.rule is None else (move.rule,)
    return taken(sim, Decided(found.request_id, move.allowed, "so I say", rules, sim.now_ms, said, move.arguments))


def _late(sim: Sim, move: Late) -> Sim:
    if not sim.ghosts:
        return sim
    ghost = sim.ghosts[move.pick % len(sim.ghosts)]
    if move.chunk:
        return taken(sim, ChunkArrived(ghost.request_id, chat_stream("late"), sim.now_ms))
    return taken(sim, Answered(ghost.request_id, _answer_of_kind(ghost), sim.now_ms))


def _answer_of_kind(perform: Perform) -> Answer:
    if isinstance(perform.request, CallModel):
        return StreamEnded()
    outcome = Waited() if isinstance(perform.request, Wait) else outcome_of(perform.request, Disk()).outcome
    return FileWritten("") if isinstance(outcome, Problem) else outcome


def _came(sim: Sim, move: Deliver | Finish | Break | Mismatch) -> Sim:
    index = move.pick % len(sim.outstanding)
    due = sim.outstanding[index]
    request_id = due.perform.request_id
    if isinstance(move, Deliver):
        return _delivered(sim, index, move.size) if isinstance(due.perform.request, CallModel) else sim
    if isinstance(move, Finish) and isinstance(due.perform.request, CallModel):
        sim = _delivered(sim, index, len(stream_of(sim, due.perform).data))
    rest = sim.outstanding[:index] + sim.outstanding[index + 1 :]
    closed = evolve(sim, outstanding=rest, ghosts=(*sim.ghosts, due.perform))
    match move:
        case Break():
            return taken(closed, Failed(request_id, world_problem("broken", "It broke."), sim.now_ms))
        case Mismatch():
            wrong: Answer = FileWritten("") if isinstance(due.perform.request, CallModel) else StreamEnded()
            return taken(closed, Answered(request_id, wrong, sim.now_ms))
        case Finish():
            return _answered(closed, due.perform)


def _answered(sim: Sim, perform: Perform) -> Sim:
    request = perform.request
    if isinstance(request, CallModel):
        failed = stream_of(sim, perform).problem
        return taken(sim, _as_input(perform.request_id, StreamEnded() if failed is None else failed, sim.now_ms))
    came = Came(Waited(), sim.disk) if isinstance(request, Wait) else outcome_of(request, sim.disk)
    return taken(evolve(sim, disk=came.disk), _as_input(perform.request_id, came.outcome, sim.now_ms))


def _as_input(request_id: RequestId, outcome: Answer | Problem, at_ms: int) -> Input:
    return Failed(request_id, outcome, at_ms) if isinstance(outcome, Problem) else Answered(request_id, outcome, at_ms)


def _delivered(sim: Sim, index: int, size: int) -> Sim:
    due = sim.outstanding[index]
    data = stream_of(sim, due.perform).data[due.sent : due.sent + max(size, 0)]
    if not data:
        return sim
    known = evolve(sim, outstanding=(*sim.outstanding[:index], evolve(due, sent=due.sent + len(data)), *sim.outstanding[index + 1 :]))
    return taken(known, ChunkArrived(due.perform.request_id, data, sim.now_ms))


def stream_of(sim: Sim, perform: Perform) -> Stream:
    """What the script has the model reply to this call."""
    request_id, request = perform.request_id, perform.request
    if isinstance(request, CallModel) and request.purpose is Purpose.GUARDRAIL:
        return sim.verdicts[request_id.n % len(sim.verdicts)]
    if isinstance(request, CallModel) and request.purpose is Purpose.SUMMARY:
        return _try(sim.summary, sim, perform)
    row = sim.script[request_id.turn - 1] if 0 < request_id.turn <= len(sim.script) else ()
    done = Stream(stream_in(request.provider.wire if isinstance(request, CallModel) else Wire.CHAT, "Done."))
    return _try(row[request_id.generation - 1], sim, perform) if 0 < request_id.generation <= len(row) else done


def _try(first: Stream, sim: Sim, perform: Perform) -> Stream:
    """The reply to this try of the same call."""
    wanted, purpose = evolve(perform.request_id, n=0), getattr(perform.request, "purpose", None)
    made = (each for each in sim.performs if first.then and getattr(each.request, "purpose", None) is purpose)
    tries = sum(each.request_id.n < perform.request_id.n and evolve(each.request_id, n=0) == wanted for each in made)
    return (first, *first.then)[min(tries, len(first.then))]


def finished(sim: Sim, *, allowed: bool = True) -> Sim:
    """``sim`` with everything answered, and every question decided in the same way, until the conversation is idle.

    Stops after ``PATIENCE`` moves, which no conversation with a bounded script needs.
    """
    for _ in range(PATIENCE):
        if sim.outstanding:
            sim = moved(sim, Finish())
        elif questions(sim.state.past):
            sim = moved(sim, Decide(allowed=allowed))
        else:
            return sim
    return sim

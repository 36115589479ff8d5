"""The state of a conversation as a value: ``past`` is everything the journal holds, ``live`` what it does not.

How to read it. No turn: *idle*. A turn has either a model call (``model``) or a round of ``slots``, one a call of the
last reply, in the order asked. A request is open while it has no outcome; a turn whose open requests are all
``ASKED`` is *paused*. Nothing else says what is going on: there are no flags to forget.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import final

from attrs import evolve, field, frozen

from turnfold.core.agent.context import NOT_MEASURED, Measured
from turnfold.core.agent.events import Check, ModelReplied, Outcome, RestoreAsked, Unanswered, Why
from turnfold.core.agent.ids import GUARD, MODEL, RequestId
from turnfold.core.agent.live import Live
from turnfold.core.agent.summary import Summary
from turnfold.core.agent.turn_events import GuardrailChecked
from turnfold.core.agent.writes import Writes
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.selection import selected
from turnfold.core.config.values import ModelProfile
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Invocation, Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import Memory, ToolSpec
from turnfold.core.world.answers import Exchange
from turnfold.core.world.requests import CallModel, Purpose, Request
from turnfold.core.world.usage import Usage


class Status(Enum):
    """How far an open request is."""

    ASKED = "asked"  # waits for a person; not performed
    RUNNING = "running"
    CANCELLING = "cancelling"  # shall stop; counts as open until it answers


@final
@frozen(kw_only=True)
class Opened:
    """A request that was opened; ``outcome`` is None while it is open; ``since_ms`` is when its status was set.

    ``check``: what it is asked for, where a guardrail asks.
    """

    request_id: RequestId
    request: Request
    status: Status
    since_ms: int = 0
    asked: str = ""
    outcome: Outcome | None = None
    check: Check | None = None

    @property
    def lost(self) -> bool:
        """Whether it shall be repeated."""
        return isinstance(self.outcome, Unanswered) and self.outcome.why is Why.LOST

    @property
    def summarising(self) -> bool:
        """Whether it asks for a summary."""
        return isinstance(self.request, CallModel) and self.request.purpose is Purpose.SUMMARY


@final
@frozen(kw_only=True)
class Slot:
    """One call of a round: its requests in the order asked, how many were opened, its result when it is closed, and whether it ``ends`` the turn.

    ``edited``: the person gave it other arguments than the model.
    """

    invocation: Invocation
    requests: tuple[Opened, ...] = ()
    opened: int = 0
    result: ToolMessage | None = None
    ends: bool = False
    edited: bool = False

    @property
    def waiting(self) -> bool:
        """Whether a request of it is open."""
        return any(each.outcome is None for each in self.requests)

    def unanswered(self, why: Why) -> Unanswered | None:
        """The first of its requests' ends that has this cause."""
        for each in self.requests:
            if isinstance(each.outcome, Unanswered) and each.outcome.why is why:
                return each.outcome
        return None

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Its answered requests, in the order asked."""
        pairs = ((each.request, each.outcome) for each in self.requests)
        return tuple(
            Exchange(request, outcome)
            for request, outcome in pairs
            if outcome is not None and not isinstance(outcome, (Unanswered, ModelReplied))
        )


@final
@frozen(kw_only=True)
class Turn:
    """The running turn: its number, the generation it is in, and that generation's model call or round.

    ``overrides`` are the changes of settings that were made when the round began: its tools see no later ones. ``asked``
    counts the generation's model calls, a lost one and a summary too. A ``commanded`` turn calls no model for a reply;
    its requests need no second yes unless it has to ``ask``. ``summary``: it is there to have a summary written;
    ``summarised``: one was asked for, and came to nothing so far. ``waited_ms``: how long it was paused, ``paused_ms``: since when
    it is. ``limit``: why it is ``interrupted``, where no person did it. ``completed``: the id of the call that ends it, so that no model
    is called any more. ``restoring``: it is there to put files back for what was asked; it has no mark. ``failures``: how often in a row the
    generation's model call has failed; ``fallback``: the model that is asked instead, for the rest of the turn. ``overlong``: the provider
    said that the conversation is too long for the model, and has not taken it since; ``overlong_bytes``: how long, as long as neither a summary nor another model has changed
    that. ``checks``: what guardrails have asked in this
    generation, and what of earlier ones is still open; ``checked``: their verdicts on what was said, and on this generation. ``repairs``:
    how often a reply had to be written anew; ``answering``: the model was told to answer now, without tools.
    """

    number: int
    generation: int = 1
    model: Opened | None = None
    asked: int = 0
    began_ms: int = 0
    slots: tuple[Slot, ...] = ()
    overrides: tuple[Overrides, ...] = ()
    commanded: bool = False
    ask: bool = False
    summary: bool = False
    summarised: bool = False
    interrupted: bool = False
    limit: Problem | None = None
    waited_ms: int = 0
    paused_ms: int | None = None
    completed: str = ""
    restoring: RestoreAsked | None = None
    failures: int = 0
    fallback: str = ""
    overlong: bool = False
    overlong_bytes: int = 0
    checks: tuple[Opened, ...] = ()
    checked: tuple[GuardrailChecked, ...] = ()
    repairs: int = 0
    answering: bool = False


@final
@frozen(kw_only=True)
class Mark:
    """What a turn found when it started, for undoing it."""

    turn: int
    log_length: int
    memories: JsonObject
    overrides: tuple[Overrides, ...]
    summary: Summary | None = None
    told: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class Taken:
    """What a rewind took back, for redoing it; ``files``: those that were put back."""

    log: Log[Message]
    memories: JsonObject
    overrides: tuple[Overrides, ...]
    marks: Log[Mark]
    summary: Summary | None = None
    told: tuple[str, ...] = ()
    writes: Writes = field(factory=Writes)
    files: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class Past:
    """What the conversation holds to be true: a fold of its journal.

    ``events`` counts the journal; ``turns`` counts the turns ever started; both only grow. ``memories``: what each
    tool remembers, by name. ``marks``: one a turn that can be undone. ``undone``: what can be redone, the last first.
    ``queue``: said during the turn. ``measured``: the last reply's request, as its provider counted it. ``told``: the paths of the lessons that models are told. ``name``: since it was renamed.
    ``writes``: what its turns wrote to files. ``worked_ms``: how long its turns took that are over, the waits for people apart.
    """

    conversation: str = ""
    cfg_digest: str = ""
    tools_digest: str = ""
    events: int = 0
    turns: int = 0
    log: Log[Message] = field(factory=Log)
    turn: Turn | None = None
    memories: JsonObject = field(factory=JsonObject)
    overrides: tuple[Overrides, ...] = ()
    usage: Usage = Usage()
    measured: Measured = NOT_MEASURED
    marks: Log[Mark] = field(factory=Log)
    queue: tuple[UserMessage, ...] = ()
    undone: tuple[Taken, ...] = ()
    summary: Summary | None = None
    told: tuple[str, ...] = ()
    name: str = ""
    writes: Writes = field(factory=Writes)
    worked_ms: int = 0

    @property
    def started(self) -> bool:
        """Whether the first event is recorded."""
        return self.events > 0


@final
@frozen
class ChatState:
    """A conversation: ``past`` makes its identity, ``live`` can be rebuilt and counts for nothing."""

    past: Past = field(factory=Past)
    live: Live = field(factory=Live, eq=False, repr=False)

    @property
    def idle(self) -> bool:
        """Whether no turn runs and none is queued."""
        return self.past.turn is None

    @property
    def paused(self) -> bool:
        """Whether a turn runs, and all that is open are questions to people."""
        return self.past.turn is not None and all(each.status is Status.ASKED for each in open_requests(self.past))


def open_requests(past: Past) -> Iterator[Opened]:
    """The requests without an outcome, in the order of their slots."""
    turn = past.turn
    if turn is None:
        return
    if turn.model is not None and turn.model.outcome is None:
        yield turn.model
    yield from (each for each in turn.checks if each.outcome is None)
    for slot in turn.slots:
        yield from (each for each in slot.requests if each.outcome is None)


def waits_for_person(past: Past) -> bool:
    """Whether there are open requests, and all of them are questions."""
    statuses = [each.status for each in islice(open_requests(past), 1)]
    return statuses == [Status.ASKED] and all(each.status is Status.ASKED for each in open_requests(past))


def find_open(past: Past, request_id: RequestId) -> Opened | None:
    """The open request of this id, or None where there is none (any more)."""
    turn = past.turn
    if turn is None or turn.number != request_id.turn:
        return None
    if request_id.slot == GUARD:
        candidates: tuple[Opened, ...] = turn.checks  # a guardrail may take longer than the generation
    elif turn.generation != request_id.generation:
        return None
    elif request_id.slot == MODEL:
        candidates = () if turn.model is None else (turn.model,)
    else:
        candidates = turn.slots[request_id.slot].requests if 0 <= request_id.slot < len(turn.slots) else ()
    for each in candidates:
        if each.request_id == request_id:
            return each if each.outcome is None else None
    return None


def questions(past: Past) -> tuple[Opened, ...]:
    """The requests that wait for a person."""
    return tuple(each for each in open_requests(past) if each.status is Status.ASKED)


def memory_of(past: Past, tool: str) -> Memory:
    """What ``tool`` remembers; empty at first.

    >>> memory_of(Past(memories=JsonObject.of(shell=JsonObject.of(cwd="/w/src"))), "shell")
    JsonObject.of(cwd='/w/src')
    """
    found = past.memories.get(tool)
    return found if isinstance(found, JsonObject) else JsonObject()


def effective(cfg: ChatConfig, past: Past) -> ChatConfig:
    """``cfg`` with the changes made since the conversation started, and the model that the running turn has fallen back to.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> cfg = ChatConfig(ProjectConfig(Config(model="a/b")))
    >>> effective(cfg, Past(overrides=(Overrides(model="c/d"),))).model
    'c/d'
    """
    if past.turn is not None and past.turn.fallback:
        return _changed(cfg, (Overrides(model=past.turn.fallback), *past.overrides))
    return _changed(cfg, past.overrides)


def effective_in_round(cfg: ChatConfig, turn: Turn) -> ChatConfig:
    """``cfg`` with the changes made until the round of ``turn`` began."""
    return _changed(cfg, turn.overrides)


def _changed(cfg: ChatConfig, changes: tuple[Overrides, ...]) -> ChatConfig:
    return evolve(cfg, overrides=changes + cfg.overrides) if changes else cfg


def usable(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> tuple[ToolSpec, ...]:
    """The tools that ``cfg`` lets the conversation use, in the order handed in."""
    names = selected(cfg.tools, None, tuple(tool.name for tool in tools if not tool.bare))
    return tuple(tool for tool in tools if tool.name in names and not tool.bare)


def offered(tools: tuple[ToolSpec, ...], cfg: ChatConfig, profile: ModelProfile) -> tuple[ToolSpec, ...]:
    """Those of the usable ``tools`` that the model is told of: as the config says, else as the model's profile does, else all but the optional."""
    called = tuple(tool for tool in tools if not tool.bare)
    default = tuple(tool.name for tool in called if not tool.optional) if profile.tools is None else profile.tools
    names = selected(cfg.tools, default, tuple(tool.name for tool in called))
    return tuple(tool for tool in called if tool.name in names)

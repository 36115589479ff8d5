"""Spans: a conversation as a tree of what was begun and how it ended.

::

    conversation > turn > (agent) > model call
                                  > round > call of a tool > request to the world > permission
                                                           > child conversation > its turns
                        > guardrail > model call
                        > handoff

An id is a place (turn ``1``, agent ``1.a1``, model call ``1.2.m.0``, round ``1.2``, call ``1.2.0``, request ``1.2.0.3``, its permission
``1.2.0.3.p``, guardrail ``1.2.g.0.c`` or ``1.g1``, handoff ``1.h1``), times are the events'. Nothing is current: a span is what the
journal says of it, so it can be told again years later, and what never ended says so.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.events import Reason
from turnfold.core.config.tables import Guarded
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import Stop
from turnfold.core.world.requests import Purpose
from turnfold.core.world.usage import Usage


class Status(Enum):
    """How a span ended."""

    OK = "ok"
    FAILED = "failed"
    DENIED = "denied"  # a person or a rule said no
    INTERRUPTED = "interrupted"
    LOST = "lost"  # the process ended meanwhile; it was done again
    UNKNOWN = "unknown"  # nobody knows whether it took effect
    UNFINISHED = "unfinished"  # it has not ended: it goes on, or waits, or its process is gone


@final
@frozen
class TurnFacts:
    """A turn: what was said or commanded, who led it when it began, why it ended, and the last that the model said, or what the program said in its place."""

    said: str
    reason: Reason | None = None
    agent: str = ""
    reply: str = ""


@final
@frozen
class AgentFacts:
    """What one agent led of a turn: all of it, or what lies between two handoffs."""

    agent: str


@final
@frozen(kw_only=True)
class ModelFacts:
    """A model call: ``model`` as ``provider/name``, its usage as far as it was told, and, of a good end, why the model stopped, and what it said."""

    model: str
    purpose: Purpose
    usage: Usage = Usage()
    stop: Stop | None = None
    reply: str = ""
    calls: tuple[str, ...] = ()


@final
@frozen
class RoundFacts:
    """A round: the calls of one reply, side by side."""

    calls: int


@final
@frozen
class CallFacts:
    """A call of a tool: what with, and what the model read of it."""

    tool: str
    arguments: JsonObject | str = ""
    result: str = ""


@final
@frozen(kw_only=True)
class RequestFacts:
    """A request to the world: its kind, what it is about, and what came of it, in a few words."""

    kind: str
    subject: str
    outcome: str = ""


@final
@frozen(kw_only=True)
class PermissionFacts:
    """The wait for a person's yes or no: why it was asked for, and what they said to it."""

    asked: str
    note: str = ""


@final
@frozen(kw_only=True)
class GuardrailFacts:
    """A check: its name and what it looked at (unknown until it was through, where the journal is an older one), and whether and why it tripped."""

    name: str = ""
    on: Guarded | None = None
    tripped: bool = False
    reason: str = ""


@final
@frozen
class HandoffFacts:
    """From here on another agent leads."""

    agent: str


@final
@frozen(kw_only=True)
class ChildFacts:
    """A conversation that does a task for this one: its id, who leads it, and what it used."""

    conversation: str
    task: str
    agent: str = ""
    usage: Usage = Usage()


Facts: TypeAlias = (
    TurnFacts
    | AgentFacts
    | ModelFacts
    | RoundFacts
    | CallFacts
    | RequestFacts
    | PermissionFacts
    | GuardrailFacts
    | HandoffFacts
    | ChildFacts
)


@final
@frozen(kw_only=True)
class Span:
    """Something that was begun: where (``id``), within what (``parent``; empty for a turn), when, and what came of it.

    ``ended_ms`` is None while ``status`` is unfinished, and only then. Where it ended badly, ``error`` is the code of what was wrong, and
    ``problem`` a sentence about it. ``children``: what was done for it, in the order begun, where the span is one of a tree;
    ``child``: the trace of the conversation that it is.
    """

    id: str
    facts: Facts
    began_ms: int
    parent: str = ""
    ended_ms: int | None = None
    status: Status = Status.UNFINISHED
    error: str = ""
    problem: str = ""
    children: tuple[Span, ...] = ()
    child: Trace | None = None


@final
@frozen(kw_only=True)
class Trace:
    """A conversation: its turns, those that were taken back too, what all its model calls used, and when it was heard of last."""

    conversation: str = ""
    began_ms: int = 0
    last_ms: int = 0
    usage: Usage = Usage()
    turns: tuple[Span, ...] = ()

"""Spans: a conversation as a tree of what was begun and how it ended.

::

    conversation > turn > model call
                        > round > call of a tool > request to the world

An id is a place (turn ``1``, model call ``1.2.m.0``, round ``1.2``, call ``1.2.0``, request ``1.2.0.3``), times are the
events'. Nothing is current: a span is what the journal says of it, so it can be told again years later, and what never
ended says so.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.events import Reason
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
    """A turn: the beginning of what was said or commanded, and why it ended."""

    said: str
    reason: Reason | None = None


@final
@frozen(kw_only=True)
class ModelFacts:
    """A model call: ``model`` as ``provider/name``, and, of a good end, its usage and why the model stopped."""

    model: str
    purpose: Purpose
    usage: Usage = Usage()
    stop: Stop | None = None


@final
@frozen
class RoundFacts:
    """A round: the calls of one reply, side by side."""

    calls: int


@final
@frozen
class CallFacts:
    """A call of a tool."""

    tool: str


@final
@frozen(kw_only=True)
class RequestFacts:
    """A request to the world: its kind and what it is about; why it was asked for, where it was, and when it was permitted then.

    ``outcome``: what came of it, in a few words.
    """

    kind: str
    subject: str
    asked: str = ""
    permitted_ms: int | None = None
    outcome: str = ""


Facts: TypeAlias = TurnFacts | ModelFacts | RoundFacts | CallFacts | RequestFacts


@final
@frozen(kw_only=True)
class Span:
    """Something that was begun: where (``id``), when, what came of it, and what was done for it, in the order begun.

    ``ended_ms`` is None while ``status`` is unfinished, and only then. ``problem`` says in a sentence why it ended badly.
    """

    id: str
    facts: Facts
    began_ms: int
    ended_ms: int | None = None
    status: Status = Status.UNFINISHED
    problem: str = ""
    children: tuple[Span, ...] = ()


@final
@frozen(kw_only=True)
class Trace:
    """A conversation: its turns, those that were taken back too, and what all its model calls used."""

    conversation: str = ""
    began_ms: int = 0
    usage: Usage = Usage()
    turns: tuple[Span, ...] = ()

"""Effects: what the shell shall do, as inert values."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import field, frozen

from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import RequestId
from turnfold.core.problem import Problem
from turnfold.core.world.requests import Request


@final
@frozen
class Record:
    """Append ``event`` to the journal as its number ``number`` (from 0), durably, before anything else is done."""

    number: int
    event: Event


@final
@frozen
class Perform:
    """Perform ``request``; answer with ``Answered`` or ``Failed`` under its id. ``body`` is what a model call sends."""

    request_id: RequestId
    request: Request
    body: bytes = field(default=b"", repr=False)


@final
@frozen
class Cancel:
    """Stop performing a request; answer it all the same."""

    request_id: RequestId


class Channel(Enum):
    """What a piece of a reply belongs to."""

    TEXT = "text"
    REASONING = "reasoning"


@final
@frozen(kw_only=True)
class Delta:
    """A piece of the reply to ``request_id``, numbered from 0 within it; the pieces of a channel join to its whole."""

    request_id: RequestId
    number: int
    text: str
    channel: Channel = Channel.TEXT


@final
@frozen
class Notice:
    """Something to show the person: a command's output. Never part of the conversation."""

    text: str


@final
@frozen
class Document:
    """A text to hand to the person, as the new file ``path`` (relative to where they are) or, where it is empty, on the screen."""

    path: str
    text: str


@final
@frozen
class Leave:
    """The person wants to leave; the conversation stays as it is."""


@final
@frozen
class Progress:
    """What the request ``request_id``, which is under way, has printed or said since the last one."""

    request_id: RequestId
    text: str


@final
@frozen
class Publish:
    """Show ``what`` to whoever watches the conversation now; it is not kept."""

    what: Delta | Problem | Notice | Document | Leave | Progress


@final
@frozen
class KeepFork:
    """Keep the journal's first ``upto`` events as the beginning of a new conversation, called ``name``, and say its id."""

    upto: int
    name: str = ""


@final
@frozen
class TellTrace:
    """Show what happened in turn ``turn`` (0: in all of them), with times and usage."""

    turn: int = 0


@final
@frozen
class Recall:
    """Do something that takes the whole journal, which the state does not hold; comes after the records."""

    what: KeepFork | TellTrace


Effect: TypeAlias = Record | Perform | Cancel | Publish | Recall

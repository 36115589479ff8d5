"""Items: what a reader of a conversation is told, in order; each with its place, from which another reader can go on.

::

    RunStarted
      TurnStarted
        ReplyStarted  ReasoningDelta…  TextDelta…  (ToolCallStarted  ArgumentsDelta…  ToolCallComplete)…
          UsageTold  MessageDone | ReplyDropped
        (PermissionAsked  PermissionDecided)  ToolProgress…  ToolOutput
        …
      TurnEnded
    RunEnded

What is told as started ends once: a reply with ``MessageDone`` or ``ReplyDropped``, a question with ``PermissionDecided``, a turn with
``TurnEnded``, a call with ``ToolOutput``; a call that ``MessageDone`` does not name, and all calls of a dropped reply, are as if they had
never been told. The deltas of a message join to its text. A reader that comes late, or back, is given longer deltas, and the same text.
"""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.events import Reason
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.stream.position import Position
from turnfold.core.world.requests import FormField
from turnfold.core.world.usage import Usage


@final
@frozen(kw_only=True)
class RunStarted:
    """A run of ``conversation`` began."""

    at: Position
    conversation: str


@final
@frozen(kw_only=True)
class TurnStarted:
    """Turn ``turn`` began with what was said or commanded; ``said_by_model``: a person said it in the model's place."""

    at: Position
    turn: int
    said: str
    said_by_model: bool = False


@final
@frozen(kw_only=True)
class ReplyStarted:
    """Model ``model`` (``provider/name``) is asked for reply ``reply``, which is the request's id."""

    at: Position
    reply: str
    model: str


@final
@frozen(kw_only=True)
class ReasoningDelta:
    """More of a reply's reasoning."""

    at: Position
    reply: str
    text: str


@final
@frozen(kw_only=True)
class TextDelta:
    """More of a reply's text, with the calls of a text format in it."""

    at: Position
    reply: str
    text: str


@final
@frozen(kw_only=True)
class ToolCallStarted:
    """The model, or a person, calls ``tool``; ``call`` is the call's id until its output."""

    at: Position
    call: str
    tool: str


@final
@frozen(kw_only=True)
class ArgumentsDelta:
    """More of a call's arguments, as JSON text; a reader that joined within them is not always given their rest, but always what is complete."""

    at: Position
    call: str
    text: str


@final
@frozen(kw_only=True)
class ToolCallComplete:
    """No more of the call will come. ``arguments`` are None where ``text``, as the model wrote it, is no JSON object."""

    at: Position
    call: str
    tool: str
    arguments: JsonObject | None
    text: str = ""


@final
@frozen(kw_only=True)
class UsageTold:
    """What the model call ``request`` used, and what all of the conversation used so far."""

    at: Position
    request: str
    usage: Usage
    total: Usage


@final
@frozen(kw_only=True)
class MessageDone:
    """The reply is over and in the log: its whole text, and the ids of its calls. ``cut``: it ended early."""

    at: Position
    reply: str
    text: str
    calls: tuple[str, ...] = ()
    cut: bool = False


@final
@frozen(kw_only=True)
class ReplyDropped:
    """Nothing of the reply is kept: forget its deltas. ``problem``: what was wrong; ``why``, where nothing was: it was interrupted or lost."""

    at: Position
    reply: str
    why: str = ""
    problem: Problem | None = None


@final
@frozen(kw_only=True)
class Retrying:
    """A model is asked again after ``delay_ms``."""

    at: Position
    delay_ms: int


@final
@frozen(kw_only=True)
class FellBack:
    """For the rest of the turn ``model`` is asked, since the one before failed with ``problem``."""

    at: Position
    model: str
    problem: Problem


@final
@frozen(kw_only=True)
class PermissionAsked:
    """Request ``request`` of call ``call`` waits for a person: what kind of act on what, why it is asked, and what it would do.

    A question of a tool has ``fields`` to be answered, and ``reason`` is its words.
    """

    at: Position
    request: str
    call: str
    kind: str
    subject: str
    reason: str
    preview: str
    fields: tuple[FormField, ...] = ()


@final
@frozen(kw_only=True)
class CallEdited:
    """A person has the call done with other ``arguments``."""

    at: Position
    call: str
    arguments: JsonObject


@final
@frozen(kw_only=True)
class ModelUrged:
    """turnfold itself told the model ``text``: nobody said it. Its next reply is due."""

    at: Position
    text: str


@final
@frozen(kw_only=True)
class PermissionDecided:
    """The request was allowed, and is performed; or it was not, and nothing of it happens."""

    at: Position
    request: str
    allowed: bool
    note: str = ""


@final
@frozen(kw_only=True)
class ToolProgress:
    """What request ``request`` of call ``call`` has printed by now. Shown and not kept: the place stays as it was, and some may be left out."""

    at: Position
    request: str
    call: str
    text: str


@final
@frozen(kw_only=True)
class ToolOutput:
    """The call is over, and this is what the model will read; ``images``: the digests of the pictures that it will see."""

    at: Position
    call: str
    tool: str
    ok: bool
    text: str
    images: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class HandedOff:
    """Agent ``agent`` leads from now on; ``call`` asked for it."""

    at: Position
    agent: str
    call: str = ""


@final
@frozen(kw_only=True)
class GuardrailChecked:
    """The guardrail ``name`` has looked at ``on`` (input, output, a call), and ``tripped`` or not."""

    at: Position
    name: str
    on: str
    tripped: bool
    reason: str = ""


@final
@frozen(kw_only=True)
class MessageQueued:
    """The person said something during the turn; it is told as ``TurnStarted`` when its turn comes."""

    at: Position
    text: str


@final
@frozen(kw_only=True)
class SummedUp:
    """Models are told a summary in place of the first ``upto`` messages."""

    at: Position
    upto: int


@final
@frozen(kw_only=True)
class TurnsTakenBack:
    """Turn ``to`` and all after it were taken back."""

    at: Position
    to: int


@final
@frozen(kw_only=True)
class TurnsRestored:
    """What was taken back last is there again."""

    at: Position


@final
@frozen(kw_only=True)
class TurnEnded:
    """Turn ``turn`` is over; ``text``: its result, where the program's own rule gave one in place of the model."""

    at: Position
    turn: int
    reason: Reason
    problem: Problem | None = None
    text: str = ""


@final
@frozen(kw_only=True)
class Shown:
    """Something for whoever watches now: what a command has to say, or a ``problem``. It is not kept: the place stays as it was."""

    at: Position
    text: str
    problem: Problem | None = None


@final
@frozen(kw_only=True)
class RunEnded:
    """The run is over, for the ``reason`` of its last turn; None where no turn ended: it could not begin, or is ``paused`` until a person decides."""

    at: Position
    reason: Reason | None
    paused: bool = False
    problem: Problem | None = None


Item: TypeAlias = (
    RunStarted
    | TurnStarted
    | ReplyStarted
    | ReasoningDelta
    | TextDelta
    | ToolCallStarted
    | ArgumentsDelta
    | ToolCallComplete
    | UsageTold
    | MessageDone
    | ReplyDropped
    | Retrying
    | FellBack
    | PermissionAsked
    | CallEdited
    | ModelUrged
    | PermissionDecided
    | ToolProgress
    | ToolOutput
    | HandedOff
    | GuardrailChecked
    | MessageQueued
    | SummedUp
    | TurnsTakenBack
    | TurnsRestored
    | TurnEnded
    | Shown
    | RunEnded
)

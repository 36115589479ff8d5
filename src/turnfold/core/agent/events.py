"""Events: what the conversation holds to be true. The journal is the list of them, in order."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.turn_events import CallEdited, FellBack, GuardrailChecked, HandedOff, ModelUrged
from turnfold.core.config.layers import Overrides
from turnfold.core.config.tables import Guarded
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.llm.reply import Stop
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import Memory
from turnfold.core.world.answers import Answer
from turnfold.core.world.requests import Request
from turnfold.core.world.usage import Usage

SCHEMA = 1  # of the journal; recorded in Started


class Why(Enum):
    """Why a request was closed without an answer."""

    DENIED = "denied"  # a person or a rule said no; nothing happened
    INTERRUPTED = "interrupted"  # the turn was ended; nothing happened, or the reply was cut
    EDITED = "edited"  # a person gave its call other arguments; nothing happened
    LOST = "lost"  # the process ended while it was under way; safe to repeat
    UNKNOWN = "unknown"  # it was under way and nothing more is known: it may have taken effect


@final
@frozen
class Unanswered:
    """A request's end without an answer; ``note`` is the person's reason or the rule's."""

    why: Why
    note: str = ""


@final
@frozen(kw_only=True)
class ModelReplied:
    """A model call's good end; the reply itself is the message recorded with it."""

    usage: Usage
    stop: Stop


Outcome: TypeAlias = Answer | Problem | ModelReplied | Unanswered


class Reason(Enum):
    """Why a turn ended."""

    COMPLETED = "completed"
    CUT = "cut"  # the reply hit the token limit
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"  # the model declined; its last message says so
    GUARDRAIL = "guardrail"  # a check tripped; the problem says which
    LIMIT = "limit"  # of model calls, turns, tokens, seconds or money; the problem says which


@final
@frozen(kw_only=True)
class Started:
    """The conversation began, with this id, under this config and these tools (SHA-256 of their values)."""

    conversation: str
    cfg_digest: str
    tools_digest: str
    schema: int = SCHEMA
    at_ms: int = 0


@final
@frozen
class MessageAdded:
    """The person's message, which starts a turn; or the model's reply, which opens a round where it has calls."""

    message: UserMessage | AssistantMessage
    at_ms: int = 0


@final
@frozen
class MessageQueued:
    """The person said something during a turn; it joins the log when the turn ends."""

    message: UserMessage
    at_ms: int = 0


@final
@frozen
class CallCommanded:
    """The person had a tool called, by the command ``line``: a turn of one round without a model.

    ``more`` are further calls of the round; ``ask``: their requests are asked for, as a model's are.
    """

    line: str
    call: ToolCall
    at_ms: int = 0
    more: tuple[ToolCall, ...] = ()
    ask: bool = False


@final
@frozen
class Impersonated:
    """The person spoke as the model: a turn of one round, if the message has calls, without a model."""

    message: AssistantMessage
    at_ms: int = 0


@final
@frozen
class SummaryAsked:
    """The person had the conversation's beginning summarised, by the command ``line``: a turn of one model call."""

    line: str
    at_ms: int = 0


@final
@frozen
class Compacted:
    """What the log holds before index ``upto``, the messages at ``pinned`` apart, is from now on told to models as ``summary``.

    The log itself keeps everything.
    """

    upto: int
    summary: str
    pinned: tuple[int, ...] = ()
    at_ms: int = 0


@final
@frozen(kw_only=True)
class Check:
    """What a guardrail judges: ``name`` is its own; ``generation`` where it looks, ``slot`` the call of the round, where it looks at one."""

    name: str
    on: Guarded
    generation: int
    slot: int | None = None


@final
@frozen(kw_only=True)
class RequestOpened:
    """A request is due: performed at once, or, where ``asked`` gives a reason, after a person allows it.

    ``check``: what it is asked for, where a guardrail asks.
    """

    request_id: RequestId
    request: Request
    asked: str = ""
    at_ms: int = 0
    check: Check | None = None


@final
@frozen
class Permitted:
    """An asked request may be performed."""

    request_id: RequestId
    at_ms: int = 0


@final
@frozen
class CancelAsked:
    """A request that is under way shall stop; it stays open until it answers or the grace time is over."""

    request_id: RequestId
    at_ms: int = 0


@final
@frozen
class RequestClosed:
    """A request is over; nothing that comes later under its id counts.

    ``spent``: what the provider said of tokens before a model call broke; a good one says it in its outcome.
    """

    request_id: RequestId
    outcome: Outcome
    at_ms: int = 0
    spent: Usage | None = None


@final
@frozen(kw_only=True)
class CallClosed:
    """A call of the round is over: what the model will read, and what the tool remembers (None: as before).

    ``images``: the digests of the pictures that the model is shown; they are among the answers of the call. ``ends``: the turn's end,
    where no call of the round failed.
    """

    slot: int
    text: str
    ok: bool
    memory: Memory | None = None
    at_ms: int = 0
    images: tuple[str, ...] = ()
    ends: bool = False


@final
@frozen
class RoundEnded:
    """All calls of the round are closed; their results join the log in the order asked."""

    at_ms: int = 0


@final
@frozen
class TurnInterrupted:
    """The running turn shall end as soon as what is under way has stopped: a person wants it, or a limit of time is over."""

    at_ms: int = 0
    limit: Problem | None = None


@final
@frozen
class TurnEnded:
    """The turn is over; ``call`` is the id of the tool's call that ended it, where one did: its text is the turn's result.

    ``text``: the result, where a function of the program gave it; it joins the log in the place of a reply.
    """

    reason: Reason
    problem: Problem | None = None
    at_ms: int = 0
    call: str = ""
    text: str = ""


@final
@frozen
class Reconfigured:
    """Settings were changed for the rest of the conversation."""

    change: Overrides
    at_ms: int = 0


@final
@frozen
class Renamed:
    """A person calls the conversation ``name`` from now on."""

    name: str
    at_ms: int = 0


@final
@frozen
class Redone:
    """What the last ``Rewound`` took back is there again; nothing was begun since."""

    at_ms: int = 0


@final
@frozen
class Rewound:
    """Turn ``to`` and all after it are taken back: log, tool memories and settings are as they were before it.

    ``files``: the files that were put back before; None where files stay as those turns left them.
    """

    to: int
    at_ms: int = 0
    files: tuple[str, ...] | None = None


@final
@frozen(kw_only=True)
class RestoreAsked:
    """The person wants turns taken back or forth, by the command ``line``, and files with them: a turn that puts files back first.

    ``to``: that turn and all after it are to be taken back; or, where ``again`` is not 0, so many rewinds are to be undone.
    """

    line: str
    to: int = 0
    again: int = 0
    at_ms: int = 0


@final
@frozen
class Forgotten:
    """The oldest ``count`` records of what was written to files are no longer kept: there were more than the settings allow."""

    count: int
    at_ms: int = 0


Event: TypeAlias = (
    Started
    | MessageAdded
    | MessageQueued
    | CallCommanded
    | Impersonated
    | SummaryAsked
    | Compacted
    | RequestOpened
    | Permitted
    | CancelAsked
    | RequestClosed
    | CallClosed
    | RoundEnded
    | TurnInterrupted
    | TurnEnded
    | Reconfigured
    | Renamed
    | Rewound
    | Redone
    | RestoreAsked
    | Forgotten
    | HandedOff
    | GuardrailChecked
    | FellBack
    | CallEdited
    | ModelUrged
)

"""Inputs: what reached the conversation from outside. Time and chance come in here and nowhere else."""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.ids import RequestId
from turnfold.core.config.layers import Overrides
from turnfold.core.config.values import Rule
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.world.answers import Answer, ChildEnded


@final
@frozen
class UserSaid:
    """The person said ``text``, with ``context``; during a turn it waits for the turn's end."""

    text: str
    at_ms: int = 0
    context: str = ""


@final
@frozen
class CommandGiven:
    """The person gave a command: a line such as ``/tools`` or ``/shell ls``, or a tool call as a value."""

    command: str | ToolCall
    at_ms: int = 0


@final
@frozen
class ChunkArrived:
    """Some bytes of the stream that answers a model call."""

    request_id: RequestId
    data: bytes
    at_ms: int = 0


@final
@frozen
class Answered:
    """A performed request was answered; nothing more comes of it. ``chance``: of 0 to 1, for what shall differ between conversations."""

    request_id: RequestId
    answer: Answer
    at_ms: int = 0
    chance: float = 0.5


@final
@frozen
class Failed:
    """A performed request failed; nothing more comes of it. ``chance``: of 0 to 1, for what shall differ between conversations."""

    request_id: RequestId
    problem: Problem
    at_ms: int = 0
    chance: float = 0.5


@final
@frozen
class Decided:
    """A person decided on a request that was asked; ``rules`` hold from now on, all in force at once.

    ``said``: what they answered to a question of a tool (``AskHuman``), by the names of its fields. ``arguments``: what the call that asked
    shall be done with instead of its own.
    """

    request_id: RequestId
    allowed: bool
    note: str = ""
    rules: tuple[Rule, ...] = ()
    at_ms: int = 0
    said: JsonObject | None = None
    arguments: JsonObject | None = None


@final
@frozen
class SettingsChanged:
    """The person changed settings for the rest of the conversation."""

    change: Overrides
    at_ms: int = 0


@final
@frozen
class Interrupted:
    """The person wants the running turn to end."""

    at_ms: int = 0


@final
@frozen
class TimePassed:
    """It is now ``at_ms``; requests that were cancelled and never answered are given up after the grace time."""

    at_ms: int = 0


@final
@frozen
class Resumed:
    """The process that ran the conversation is gone, and another goes on: nothing that was under way is any more.

    ``children``: how far those came whose journals can be read; what they cost is known by that.
    """

    at_ms: int = 0
    children: tuple[ChildEnded, ...] = ()


Input: TypeAlias = (
    UserSaid | CommandGiven | ChunkArrived | Answered | Failed | Decided | SettingsChanged | Interrupted | TimePassed | Resumed
)

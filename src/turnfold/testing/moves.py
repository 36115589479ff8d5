"""Moves: what can happen to a simulated conversation next."""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import (
    Input,
)
from turnfold.core.config.values import Rule
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject

TICK_MS = 1000


@final
@frozen
class Say:
    """The person says something."""

    text: str = "Go on."


@final
@frozen
class Command:
    """The person gives a command."""

    command: str | ToolCall


@final
@frozen
class Deliver:
    """So many bytes of a stream arrive; ``pick`` chooses among what is outstanding, here and below."""

    pick: int = 0
    size: int = 40


@final
@frozen
class Finish:
    """What is outstanding is answered, a stream by all the rest of it."""

    pick: int = 0


@final
@frozen
class Break:
    """What is outstanding fails."""

    pick: int = 0


@final
@frozen
class Mismatch:
    """What is outstanding is answered by the wrong kind of answer."""

    pick: int = 0


@final
@frozen
class Late:
    """What was answered (or lost) before is answered, or a chunk of it comes."""

    pick: int = 0
    chunk: bool = False


@final
@frozen
class Unknown:
    """Something is answered that was never asked."""

    request_id: RequestId


@final
@frozen
class Decide:
    """The person decides on a question; ``rule`` says that it shall hold from now on; ``arguments``: what the call shall be done with."""

    pick: int = 0
    allowed: bool = True
    rule: Rule | None = None
    arguments: JsonObject | None = None


@final
@frozen
class Interrupt:
    """The person interrupts."""


@final
@frozen
class Pass:
    """Time passes."""

    for_ms: int = 60_000


@final
@frozen
class Crash:
    """The process dies, and another goes on from the journal alone."""


@final
@frozen
class Wild:
    """Any input at all."""

    input: Input


Move: TypeAlias = Say | Command | Deliver | Finish | Break | Mismatch | Late | Unknown | Decide | Interrupt | Pass | Crash | Wild

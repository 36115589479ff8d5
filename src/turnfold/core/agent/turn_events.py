"""Events within a turn that few turns have: another agent or model goes on, a check has a verdict, somebody steps in."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import frozen

from turnfold.core.config.layers import Overrides
from turnfold.core.config.tables import Guarded
from turnfold.core.conversation.messages import Message
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem


@final
@frozen(kw_only=True)
class HandedOff:
    """Agent ``agent`` leads from now on, with the settings ``change``; the call ``call`` asked for it.

    ``told``: what it is told in place of the log's first ``upto`` messages; None where it is told all of them.
    """

    agent: str
    change: Overrides
    call: str = ""
    upto: int = 0
    told: tuple[Message, ...] | None = None
    at_ms: int = 0


@final
@frozen(kw_only=True)
class GuardrailChecked:
    """The guardrail ``name`` has looked at what it is there for, and ``tripped`` or not; ``reason`` says why.

    ``generation`` is where; ``slot`` the call of the round, where it looked at one.
    """

    name: str
    on: Guarded
    tripped: bool
    reason: str = ""
    generation: int = 0
    slot: int | None = None
    at_ms: int = 0


@final
@frozen
class FellBack:
    """For the rest of the turn ``model`` is asked, since the one before failed with ``problem``."""

    model: str
    problem: Problem
    at_ms: int = 0


@final
@frozen
class CallEdited:
    """The person has call ``slot`` of the round done with other ``arguments``; it begins afresh."""

    slot: int
    arguments: JsonObject
    at_ms: int = 0


class Cause(Enum):
    """Why turnfold itself tells the model something."""

    REPAIR = "repair"  # its reply was not what it had to be
    ANSWER = "answer"  # the turn has had all its model calls


@final
@frozen(kw_only=True)
class ModelUrged:
    """turnfold told the model ``text`` in the midst of a turn: nobody said it. The next model call is due."""

    text: str
    cause: Cause
    at_ms: int = 0

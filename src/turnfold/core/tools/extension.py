"""Extensions: pure functions that a program brings in with its tools, for what settings alone can't say.

They are asked with a *situation*, the conversation as far as it has come, and the config, and are asked again for every decision, so
nothing of them is kept: a journal needs them no more than it needs the tools.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, final

from attrs import field, frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Guarded
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Message, ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.world.usage import Usage


@final
@frozen(kw_only=True)
class Situation:
    """A conversation as an extension sees it: what was said and done, what tools remember, what it has cost, and which turn and model call
    this is. ``agent``: the name of the agent that leads it; empty for none.
    """

    log: Log[Message] = field(factory=Log)
    memories: JsonObject = JsonObject()
    usage: Usage = Usage()
    turn: int = 0
    generation: int = 0
    agent: str = ""


@final
@frozen(kw_only=True)
class Guard:
    """A guardrail as a pure function: why what it is given (a text, or a call) must not be, or None. ``name`` is what it is told as."""

    name: str
    on: Guarded
    trips: Callable[[Situation, str | ToolCall, ChatConfig], str | None] = field(repr=False)


Says: TypeAlias = Callable[[Situation, ChatConfig], str]
Stops: TypeAlias = Callable[[Situation, ChatConfig], str | None]
Answers: TypeAlias = Callable[[Situation, Problem, ChatConfig], str | None]
Retells: TypeAlias = Callable[[tuple[Message, ...]], tuple[Message, ...]]


@final
@frozen(kw_only=True)
class Extension:
    """What a program adds to the decisions of ``step``; all of it is pure.

    ``agents``: it counts while one of them leads; empty: always. ``instructions``: told to the model behind all others. ``stops``: judged
    at the end of a round; a text ends the turn, and is its result. ``at_limit``: the answer in place of the model's, where a turn has had
    all its model calls. ``retells``: what an agent is told of the conversation that is handed to it. ``guards``: checks.
    """

    agents: tuple[str, ...] = ()
    instructions: Says | None = field(default=None, repr=False)
    stops: Stops | None = field(default=None, repr=False)
    at_limit: Answers | None = field(default=None, repr=False)
    retells: Retells | None = field(default=None, repr=False)
    guards: tuple[Guard, ...] = ()

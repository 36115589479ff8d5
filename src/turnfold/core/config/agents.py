"""An agent: a name for how a conversation shall be led, as a value of config or code."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import field, frozen

from turnfold.core.config.notes import Form, note
from turnfold.core.config.said import Said
from turnfold.core.config.values import Limits
from turnfold.core.json import JsonObject

RUNS = "runs, streams and traces"


class History(Enum):
    """What an agent that a conversation is handed to is told of it."""

    ALL = "all"  # everything, as it is
    FILTERED = "filtered"  # what was said, without calls of tools and their outputs
    NESTED = "nested"  # all of it as one transcript in one message


@final
@frozen(kw_only=True)
class AgentSpec:
    """``[agents.NAME]``: what is empty is as the conversation has it.

    >>> AgentSpec(name="reviewer", instructions="Review, change nothing.", tools=("read",)).name
    'reviewer'
    """

    name: str
    instructions: str = field(default="", metadata=note("what the agent is told"))
    description: str = field(default="", metadata=note("what other agents are told of it; by default the first line of its instructions"))
    model: str = field(default="", metadata=note("the model that speaks for it", form=Form.MODEL))
    tools: tuple[str, ...] | None = field(
        default=None, metadata=note("the tools that it may use; +NAME and -NAME change the list", form=Form.TOOL)
    )
    history: History = field(default=History.ALL, metadata=note("what it is told of a conversation that is handed to it"))
    helpers: tuple[str, ...] = field(default=(), metadata=note("agents that it may call as tools"))
    tool_choice: str = field(default="", metadata=note("auto, required, none, or the tool that its first reply of a turn calls"))
    parallel_calls: bool | None = field(default=None, metadata=note("whether a reply may have several calls"))
    stop_on: tuple[str, ...] | None = field(default=None, metadata=note("tools whose good end is the turn's; * for any"))
    handoffs: tuple[str, ...] = field(default=(), metadata=note("agents that it may hand the conversation to"))
    output: JsonObject | None = field(default=None, metadata=note("the JSON Schema of what it has to answer"))
    guardrails: tuple[str, ...] = field(
        default=(), metadata=note("the guardrails that count while it leads; none named: all", granted=True)
    )
    limits: Said[Limits] | None = field(default=None, metadata=note("limits of its own"))

"""An agent: a name for how a conversation shall be led, as a value of config or code."""

from __future__ import annotations

from typing import final

from attrs import field, frozen

from turnfold.core.config.notes import Form, note
from turnfold.core.config.said import Said
from turnfold.core.config.values import Limits
from turnfold.core.json import JsonObject

RUNS = "runs, streams and traces"


@final
@frozen(kw_only=True)
class AgentSpec:
    """``[agents.NAME]``: what is empty is as the conversation has it.

    >>> AgentSpec(name="reviewer", instructions="Review, change nothing.", tools=("read",)).name
    'reviewer'
    """

    name: str
    instructions: str = field(default="", metadata=note("what the agent is told"))
    model: str = field(default="", metadata=note("the model that speaks for it", form=Form.MODEL))
    tools: tuple[str, ...] | None = field(
        default=None, metadata=note("the tools that it may use; +NAME and -NAME change the list", form=Form.TOOL)
    )
    handoffs: tuple[str, ...] = field(default=(), metadata=note("agents that it may hand the conversation to", awaits=RUNS))
    output: JsonObject | None = field(default=None, metadata=note("the JSON Schema of what it has to answer", awaits=RUNS))
    guardrails: tuple[str, ...] = field(default=(), metadata=note("names of guardrails", awaits=RUNS))
    limits: Said[Limits] | None = field(default=None, metadata=note("limits of its own"))

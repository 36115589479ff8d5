"""The tools that the leading agent has of its own: one for each agent that it may hand the conversation to, and one for each helper.

They are made afresh from the settings whenever tools are asked for, and equal ones are equal: nothing is kept. A name that a tool handed in has already
stays that tool's.

A handoff is pure as any tool: its call says that another agent shall lead, and when the round ends, it does (``handoffs.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import final

from attrs import evolve, frozen

from turnfold.core.agent.state import usable
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, agent_layer
from turnfold.core.config.models import leading_agent, locate
from turnfold.core.problem import Problem, caller_problem, did_you_mean
from turnfold.core.tools.agent_tool import NAME_CHARS, about_agent, agent_tool, fit_name
from turnfold.core.tools.arguments import parameters, text_parameter
from turnfold.core.tools.spec import Call, Done, Next, Refuse, ToolSpec

TRANSFER = "transfer_to_"
AGENT = "_agent"
PARAMETERS = parameters((), reason=text_parameter("Why, and what is wanted of it."))


@final
@frozen
class Transfer:
    """The ``advance`` of a handoff to ``agent``."""

    agent: str

    def __call__(self, call: Call, cfg: ChatConfig) -> Next:
        """The call's end, which says who leads; refused where that agent can't."""
        found = able(self.agent, cfg)
        return Refuse(found) if isinstance(found, Problem) else Done(f"{self.agent} leads the conversation from here on.")


def able(name: str, cfg: ChatConfig) -> AgentSpec | Problem:
    """The agent of that name, where it is described and its model can be found; else why it can't lead."""
    spec = next((agent for agent in cfg.agents if agent.name == name), None)
    if spec is None:
        hint = did_you_mean(name, tuple(agent.name for agent in cfg.agents)) or "."
        return caller_problem("unknown-agent", f"There is no agent {name[:60]!r}{hint}")
    found = locate(evolve(cfg, overrides=(agent_layer(spec), *cfg.overrides)), spec.model) if spec.model else None
    if isinstance(found, Problem):
        return evolve(found, message=f"The agent {name} can't lead. {found.message}")
    return spec


def led_tools(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> tuple[ToolSpec, ...]:
    """What the agent that leads under ``cfg`` has besides ``tools``, those that were handed in; free where none leads."""
    spec = leading_agent(cfg)
    if spec is None or not (spec.handoffs or spec.helpers):
        return ()
    taken = {tool.name for tool in tools}
    found: tuple[ToolSpec, ...] = ()
    agents = {agent.name: agent for agent in cfg.agents}  # one that is described nowhere ends the turn with a word (``missing_agent``)
    transfers = (_transfer(agents[name]) for name in spec.handoffs if name in agents)
    for tool in (*transfers, *(agent_tool(agents[name]) for name in spec.helpers if name in agents)):
        name = next(name for name in _names(tool.name) if name not in taken)
        taken |= {name}
        found += (tool if name == tool.name else evolve(tool, name=name),)
    return found


def every_name(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> tuple[str, ...]:
    """The names of all tools that can be called under some agent of ``cfg``: of ``tools``, and of what the agents have of their own."""
    leading = (evolve(cfg, overrides=(agent_layer(spec), *cfg.overrides)) for spec in cfg.agents)
    own = (tool.name for each in leading for tool in led_tools(tools, each))
    return tuple(dict.fromkeys((*(tool.name for tool in tools if not tool.bare), *own)))


def at_hand(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> tuple[ToolSpec, ...]:
    """All tools that can be called under ``cfg``: those of ``tools`` that it lets be used, and what its agent has of its own."""
    there = usable(tools, cfg)
    return (*there, *own) if (own := led_tools(tools, cfg)) else there


def _names(name: str) -> Iterator[str]:
    """``name``, and what the tool is called where another has that name."""
    yield name
    endings = (f"{AGENT}{number if number > 1 else ''}" for number in count(1))
    yield from (f"{name[: NAME_CHARS - len(ending)]}{ending}" for ending in endings)


def _transfer(agent: AgentSpec) -> ToolSpec:
    return ToolSpec(
        name=fit_name(f"{TRANSFER}{agent.name}"),
        description=f"Hand the conversation to {agent.name}, who leads it from then on. {about_agent(agent, '')}".rstrip(),
        parameters=PARAMETERS,
        advance=Transfer(agent.name),
        body="reason",
    )

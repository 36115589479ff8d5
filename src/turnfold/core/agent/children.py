"""What a child conversation starts with, by its parent's state alone: settings, tools and a budget that can't be overrun.

A child has its parent's layers with the changes made since, so all rules of permission hold for it; the agent, the tools and the limits
that the request names lie over them. What the parent may still spend is divided by the children that are under way, so side by side they
can't spend more than it has left. A child never has a tool that its parent has not.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.ids import RequestId, child_id, depth_of
from turnfold.core.agent.state import Past, effective, open_requests, usable
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Overrides, agent_layer
from turnfold.core.config.missing import MISSING
from turnfold.core.config.values import Limits
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, did_you_mean, model_problem
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import ToolSpec, extended
from turnfold.core.world.requests import StartChild


def parent_config(cfg: ChatConfig, past: Past) -> ChatConfig:
    """The config of a conversation as it is now, with what is left for each child that is under way as its limits.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.world.usage import Usage
    >>> cfg = ChatConfig(ProjectConfig(Config(limits=Limits(tokens=100))))
    >>> parent_config(cfg, Past(usage=Usage(input_tokens=30))).limits.tokens
    70
    """
    now = effective(cfg, past)
    children = max(sum(isinstance(each.request, StartChild) for each in open_requests(past)), 1)
    limits, usage = now.limits, past.usage
    used = usage.input_tokens + usage.output_tokens
    tokens = None if limits.tokens is None else max(limits.tokens - used, 0) // children
    usd = None if limits.usd is None else max(limits.usd - usage.cost_usd, 0.0) / children
    return evolve(now, overrides=(Overrides(limits=evolve(limits, tokens=tokens, usd=usd)), *now.overrides))


def child_config(request: StartChild, request_id: RequestId, cfg: ChatConfig) -> ChatConfig | Problem:
    """The config of the child that ``request`` starts below the conversation of ``cfg``, whose limits are what is left."""
    deepest = cfg.limits.child_depth
    if depth_of(cfg.conversation) >= deepest:
        message = (
            f"No conversation may be started here: they may lie {counted(deepest, 'level')} deep (limits.child_depth). Do it yourself."
        )
        return model_problem("too-deep", message)
    spec = next((agent for agent in cfg.agents if request.agent and agent.name == request.agent), AgentSpec(name=""))
    led = (agent_layer(spec),) if spec.name else ()
    if request.agent and not led:
        known = ", ".join(agent.name for agent in cfg.agents) or "none is described"
        return model_problem(
            "unknown-agent", f"There is no agent {request.agent[:60]!r} (there are: {known}). Leave agent away.", "$.agent"
        )
    leading = evolve(cfg, overrides=(*led, *cfg.overrides))
    own = Overrides(
        limits=_limits(request, leading.limits, cfg.limits),
        tools=MISSING if request.tools is None else request.tools,
        output=spec.output or JsonObject(),  # what its parent has to answer, call first and stop on is its parent's alone
        tool_choice=spec.tool_choice,
        stop_on=spec.stop_on or (),
    )
    return evolve(leading, conversation=child_id(cfg.conversation, request_id), name="", overrides=(own, *leading.overrides))


def _limits(request: StartChild, led: Limits, left: Limits) -> Limits:
    """What bounds the child: of the request's limits, its agent's and what is left, the lowest each."""
    return evolve(
        led,
        generations=min(each for each in (led.generations, request.generations) if each is not None),
        tokens=min((each for each in (left.tokens, led.tokens, request.tokens) if each is not None), default=None),
        usd=min((each for each in (left.usd, led.usd, request.usd) if each is not None), default=None),
        child_depth=left.child_depth,
    )


def child_tools(request: StartChild, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> tuple[ToolSpec, ...] | Problem:
    """Those of the parent's tools that the child may use; a Problem where the request names another.

    The functions that come with any tool go down with all of them: what a program checks or says holds for children, too.
    """
    there = usable(tools, cfg)
    if request.tools is None:
        return (*there, *_extending(tools, there))
    names = tuple(tool.name for tool in there)
    for name in request.tools:
        if name not in names:
            hint = did_you_mean(name, names) or f"; there are {', '.join(names)}."
            return model_problem("unknown-tool", f"There is no tool {name[:60]!r} to hand on{hint}", "$.tools")
    handed = tuple(tool for tool in there if tool.name in request.tools)
    return (*handed, *_extending(tools, handed))


def _extending(tools: tuple[ToolSpec, ...], handed: tuple[ToolSpec, ...]) -> tuple[ToolSpec, ...]:
    """The extensions of ``tools`` that are not ``handed`` on, without their tools."""
    return tuple(extended(tool.name, tool.extension) for tool in tools if tool.extension is not None and tool not in handed)

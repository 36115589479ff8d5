"""Handoffs: another agent leads the conversation from the next model call on, because the one that led it called for that.

All calls of a round are made; when it ends, the first handoff of it, in the order of its calls, that came to a good end is recorded, with the
settings of the agent and with what it is told of the conversation. A second one in the same round is refused. The agent's settings lie over
all others, as with ``/agent``, and hold until another agent leads. What it is told stands in place of the log for models, as a summary does;
the log keeps all, and taking the turn back takes the handoff back.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Publish
from turnfold.core.agent.led_tools import TRANSFER, Transfer, able, at_hand, led_tools
from turnfold.core.agent.retelling import retold, sound
from turnfold.core.agent.state import Slot, Turn, effective, effective_in_round, offered
from turnfold.core.agent.summary import told_now
from turnfold.core.agent.turn_events import HandedOff
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, agent_layer
from turnfold.core.config.models import format_of, profile_of
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import text_argument
from turnfold.core.tools.spec import ToolSpec, extensions, find_tool

GO_ON = "It is your turn: go on from here."


def may_transfer(slot: Slot) -> bool:
    """Whether the call can be a handoff, by its name: they wait for each other, since the first that comes to a good end counts."""
    return slot.invocation.name.startswith(TRANSFER)


def second_transfer(turn: Turn, index: int, tool: ToolSpec | None, tools: tuple[ToolSpec, ...]) -> Problem | None:
    """The Problem of a call that would hand over what a call before it in the round hands over already; None for all others."""
    if tool is None or not isinstance(tool.advance, Transfer):
        return None
    earlier = next((agent for slot in turn.slots[:index] if (agent := _target(slot, tools))), "")
    if not earlier:
        return None
    message = f"The conversation is handed to {earlier} already: one call of a round can do that, and the first one counts."
    return model_problem("second-handoff", message)


def handed_over(draft: Draft, turn: Turn, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The draft after the round of ``turn``, which has ended, with the handoff recorded that it asked for."""
    if not any(map(may_transfer, turn.slots)):
        return draft
    begun = effective_in_round(cfg, turn)
    known = at_hand(tools, begun)
    slot, agent = next(((slot, agent) for slot in turn.slots if (agent := _target(slot, known))), (None, ""))
    spec = able(agent, begun) if agent else None
    if slot is None or spec is None or isinstance(spec, Problem):
        return draft
    return _recorded(draft, spec, slot, tools, effective(cfg, draft.past), turn)


def _target(slot: Slot, tools: tuple[ToolSpec, ...]) -> str:
    """The agent that the call hands the conversation to; empty where it does not, or has not come to a good end."""
    if slot.result is None or not slot.result.ok or not may_transfer(slot):
        return ""
    tool = find_tool(tools, slot.invocation.name)
    return tool.advance.agent if tool is not None and isinstance(tool.advance, Transfer) else ""


def _recorded(draft: Draft, spec: AgentSpec, slot: Slot, tools: tuple[ToolSpec, ...], cfg: ChatConfig, turn: Turn) -> Draft:
    retells = next((each.retells for each in extensions(tools, spec.name) if each.retells is not None), None)
    change = agent_layer(spec)
    leading = evolve(cfg, overrides=(change, *cfg.overrides))
    calls = bool((*offered(tools, leading, profile_of(leading)), *led_tools(tools, leading)))
    said = retold(told_now(draft.past.summary, draft.past.log), spec.history, retells, format_of(cfg), calls=calls)
    word = UserMessage(_word(spec, slot, cfg)) if not turn.commanded else AssistantMessage(text=_result(slot), place="")
    told = None if said.told is None else sound((*said.told, word))
    event = HandedOff(
        agent=spec.name,
        change=change,
        call="" if slot.result is None else slot.result.call_id,
        upto=len(draft.past.log),
        told=told,
        at_ms=draft.at_ms,
    )
    recorded = draft.record(event)
    return recorded if said.problem is None else recorded.act(Publish(said.problem))


def _result(slot: Slot) -> str:
    return "" if slot.result is None else slot.result.text


def _word(spec: AgentSpec, slot: Slot, cfg: ChatConfig) -> str:
    """What the agent is told last: by whom the conversation is handed to it, and why."""
    call = slot.invocation
    reason = text_argument(call.arguments, "reason").strip() if isinstance(call, ToolCall) else ""
    ended = reason if reason.endswith((".", "!", "?")) else f"{reason}."
    by = f" by {cfg.agent}" if cfg.agent else ""
    return f"(The conversation was handed to you, {spec.name}{by}.{f' The reason: {ended}' if reason else ''} {GO_ON})"

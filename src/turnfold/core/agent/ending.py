"""How a turn comes to its end: what its last reply is worth, which rules stop it, and what is done where it has had all its model calls.

* A reply without calls ends the turn. Where it has to be JSON (``output``) and is not what it has to be, the model is told what is
  wrong, and where, at most ``limits.repairs`` times; then the turn fails. A refusal is the model's last word, and is not repaired.
* ``tool_choice`` holds for the first reply of a turn alone, or the turn would never end; where that reply calls nothing although it has
  to, the model is told once.
* At the end of a round the rules of the program's extensions (``stops``) are asked; a call that ends the turn, by itself (``Done.ends``) or
  by ``stop_on``, has closed it already.
* A turn that has had all its model calls ends there; or an extension (``at_limit``) answers; or the model is told to answer with what it
  knows, and is called once more, with no tools (``limits.at_generations``).

What the model is told here is recorded as ``ModelUrged``: nobody takes it for the person's words.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from attrs import evolve
from returns.result import Failure

from turnfold.core.agent.draft import Draft, end_turn
from turnfold.core.agent.events import Reason, TurnEnded
from turnfold.core.agent.extending import said_untrusted, situation_of
from turnfold.core.agent.led_tools import every_name
from turnfold.core.agent.limits import is_of
from turnfold.core.agent.state import Past, Turn
from turnfold.core.agent.turn_events import Cause, ModelUrged
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import AtGenerations
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage
from turnfold.core.llm.reply import Stop
from turnfold.core.llm.structured import read_output_untrusted, told_again
from turnfold.core.problem import Problem, caller_problem, did_you_mean
from turnfold.core.tools.spec import ToolSpec, extensions

ANY = "*"  # in stop_on
AUTO, REQUIRED, NONE = "auto", "required", "none"
CHOICES = (AUTO, REQUIRED, NONE)
Verdict: TypeAlias = Reason | Problem | ModelUrged
ANSWER_NOW = (
    "This turn has had all its model calls, so no tool can be called any more. Answer now, with what you know: say what is done, "
    "and what is still open."
)


def verdict_on(past: Past, turn: Turn, stop: Stop, cfg: ChatConfig, at_ms: int) -> Verdict:
    """What comes of a reply without calls: the reason that the turn ends with, a Problem that it fails with, or what the model is told."""
    if stop is Stop.LENGTH:
        return Reason.CUT
    if stop is Stop.REFUSED:
        return Reason.REFUSED
    if turn.generation == 1 and chosen(turn, cfg) not in ("", AUTO, NONE):
        return ModelUrged(text=_call_first(cfg.tool_choice), cause=Cause.REPAIR, at_ms=at_ms)
    if not cfg.output:
        return Reason.COMPLETED
    last = past.log[-1]
    read = read_output_untrusted(last.text if isinstance(last, AssistantMessage) else "", cfg.output)
    if not isinstance(read, Failure):
        return Reason.COMPLETED
    problem: Problem = read.failure()
    if turn.answering or turn.repairs >= cfg.limits.repairs:
        return problem
    return ModelUrged(text=told_again(problem), cause=Cause.REPAIR, at_ms=at_ms)


def _call_first(choice: str) -> str:
    return f"Call {'a tool' if choice == REQUIRED else f'the tool {choice}'} first: this has to be done before you answer."


def chosen(turn: Turn, cfg: ChatConfig) -> str:
    """What the next reply of ``turn`` has to do with tools: as ``tool_choice`` for its first one, nothing where it has to answer, else as it likes."""
    if turn.answering:
        return NONE
    return cfg.tool_choice if turn.generation == 1 else ""


def choice_missing(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Problem | None:
    """The Problem of a ``tool_choice`` that names none of the offered ``tools``; else None."""
    names, choice = tuple(tool.name for tool in tools), cfg.tool_choice
    if choice and choice not in CHOICES and choice not in names:
        return _unknown("tool_choice", choice, (*CHOICES, *names), "no such tool is offered")
    if cfg.tool_choice == REQUIRED and not names:
        return caller_problem("unknown-tool", "tool_choice is required, and no tool is offered.", "$.tool_choice")
    return None


def stop_missing(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Problem | None:
    """The Problem of a ``stop_on`` that names no tool at all; else None. One that the leading agent does not have may be another's.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> stop_missing((), ChatConfig(ProjectConfig(Config(stop_on=("raed",))))).message
    "stop_on names the tool 'raed', and there is no such tool; there are *."
    """
    if not cfg.stop_on:
        return None
    names = (ANY, *every_name(tools, cfg))
    name = next((name for name in cfg.stop_on if name not in names), None)
    return None if name is None else _unknown("stop_on", name, names, "there is no such tool")


def _unknown(setting: str, name: str, names: tuple[str, ...], why: str) -> Problem:
    near = did_you_mean(name, names) or f"; there are {', '.join(names)}."
    return caller_problem("unknown-tool", f"{setting} names the tool {name[:60]!r}, and {why}{near}", f"$.{setting}")


def stops_on(name: str, cfg: ChatConfig) -> bool:
    """Whether the good end of a call of tool ``name`` is the turn's."""
    return name in cfg.stop_on or ANY in cfg.stop_on


def stopped(draft: Draft, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The turn, whose model is due, ended where a round is over and a rule of the program says so; ``cfg`` is as it is now."""
    log, known = draft.past.log, extensions(tools, cfg.agent)
    if not known or not len(log) or not isinstance(log[-1], ToolMessage):
        return draft
    for stops in tuple(each.stops for each in known if each.stops is not None):
        said = said_untrusted("stops", partial(stops, situation_of(draft.past, cfg), cfg))
        if isinstance(said, Problem):
            return end_turn(draft, Reason.FAILED, said)
        if said is not None:
            return draft.record(TurnEnded(Reason.COMPLETED, None, draft.at_ms, text=said))
    return draft


def at_limit(draft: Draft, turn: Turn, limit: Problem, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The turn that ``limit`` forbids another model call: answered by an extension, told to answer now, or ended."""
    if not is_of(limit, "generations"):
        return end_turn(draft, Reason.LIMIT, limit)
    for answer in tuple(each.at_limit for each in extensions(tools, cfg.agent) if each.at_limit is not None):
        said = said_untrusted("at_limit", partial(answer, situation_of(draft.past, cfg), limit, cfg))
        if isinstance(said, Problem):
            return end_turn(draft, Reason.LIMIT, evolve(limit, message=f"{limit.message} {said.message}"))
        if said is not None:
            return draft.record(TurnEnded(Reason.COMPLETED, None, draft.at_ms, text=said))
    if cfg.limits.at_generations is AtGenerations.ANSWER and not turn.answering:
        return draft.record(ModelUrged(text=ANSWER_NOW, cause=Cause.ANSWER, at_ms=draft.at_ms))
    return end_turn(draft, Reason.LIMIT, limit)

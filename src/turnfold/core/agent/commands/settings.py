"""Settings of the running conversation: its model, agent, permission rules and name.

What is changed holds from now on, also for the turn that runs, and is recorded as the layer that it makes.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.commands.command import Command, columns, or_near, parted, refuse, tell, wrong
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.events import Renamed
from turnfold.core.agent.reconfigure import reconfigured
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import NO_AGENT, ChatConfig, Overrides, agent_layer, leads, no_agent, origin_of, said_from
from turnfold.core.config.missing import DEFAULT, Missing
from turnfold.core.config.models import full_name, locate
from turnfold.core.config.values import KINDS, Preset, Rule, Verdict
from turnfold.core.problem import Problem
from turnfold.core.tools.agent_tool import about_agent
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.tools.textlines import clipped

NAME_CHARS = 100
LINE_CHARS = 80
PRESETS: tuple[tuple[Preset, str], ...] = (
    (Preset.READ_ONLY, "looking is allowed, and what may change something is denied"),
    (Preset.ASK, "looking is allowed, and everything else is asked for"),
    (Preset.EDIT, "files of the workspace may be changed as well"),
    (Preset.ALL, "everything is allowed"),
)


def _model(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if not rest:
        return tell(draft, f"The model is {full_name(cfg, cfg.model) or 'not chosen'}.")
    name = _model_at_first(draft, cfg) if rest == "default" else full_name(cfg, rest)
    found = locate(cfg, name) if name or rest != "default" else None
    if isinstance(found, Problem):
        return refuse(draft, found)
    changed = reconfigured(draft, Overrides(model=name or DEFAULT), cfg)
    return tell(changed, f"The model is now {name}." if name else "No model is chosen now: the config names none.")


def _model_at_first(draft: Draft, cfg: ChatConfig) -> str:
    """The model without what was changed in this conversation; an agent that was called since has its own."""
    changed = len(draft.past.overrides)
    kept = tuple(change for change in cfg.overrides[:changed] if leads(change))
    first = evolve(cfg, overrides=kept + cfg.overrides[changed:])
    return full_name(first, first.model)


def _agent(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if not rest:
        return tell(draft, _agents(cfg))
    if rest == NO_AGENT:
        return tell(reconfigured(draft, no_agent(), cfg), "No agent leads the conversation now; its settings are as without one.")
    spec = next((agent for agent in cfg.agents if agent.name == rest), None)
    if spec is None:
        names = tuple(agent.name for agent in cfg.agents)
        return wrong(draft, f"There is no agent {rest[:40]!r}{or_near(rest, (*names, NO_AGENT))} /agent lists the agents.", "unknown-agent")
    change = agent_layer(spec)
    found = locate(evolve(cfg, overrides=(change, *cfg.overrides)), spec.model) if spec.model else None
    if isinstance(found, Problem):
        return refuse(draft, evolve(found, message=f"The agent {spec.name} can't lead. {found.message}"))
    return tell(reconfigured(draft, change, cfg), f"The agent {spec.name} leads the conversation now.")


def _agents(cfg: ChatConfig) -> str:
    """The agents, with what sets them apart; ``*`` marks the one that leads."""
    if not cfg.agents:
        return "There are no agents. Describe one in a config file, as [agents.NAME], or in code, as an AgentSpec."
    rows = tuple((f"{'*' if agent.name == cfg.agent else ' '} {agent.name}", _about(agent)) for agent in cfg.agents)
    return columns((*rows, (f"{'*' if not cfg.agent else ' '} {NO_AGENT}", "")))


def _about(agent: AgentSpec) -> str:
    model = f"({agent.model}) " if agent.model else ""
    return model + clipped(about_agent(agent, ""), LINE_CHARS)


def _allow(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if not rest:
        return tell(draft, columns(_rules(draft, cfg)) or f"There are no rules; the preset {cfg.permission.value} holds (/permission).")
    kind, pattern = parted(rest)
    if kind not in KINDS:
        return wrong(draft, f"/allow takes a kind of request, not {kind[:40]!r}{or_near(kind, KINDS)} It is one of {', '.join(KINDS)}.")
    rule = Rule(Verdict.ALLOW, kind, pattern.strip() or "*")
    changed = reconfigured(draft, Overrides(rules=(rule,)), cfg)
    return tell(changed, f"From now on this is allowed: {rule.kind} {rule.pattern}")


def _rules(draft: Draft, cfg: ChatConfig) -> tuple[tuple[str, str], ...]:
    """The rules in force, each with the layer that it is of."""
    rows: tuple[tuple[str, str], ...] = ()
    for layer in cfg.layers:
        rules = () if isinstance(layer.own_rules, Missing) else layer.own_rules
        rows += tuple((f"{rule.verdict.value} {rule.kind} {rule.pattern}", _said_in(layer)) for rule in rules)
    return rows


def _said_in(layer: Layer) -> str:
    origin = origin_of(layer)
    return said_from(origin.layer, origin.place)


def _permission(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if not rest:
        rows = tuple((f"{'*' if preset is cfg.permission else ' '} {preset.value}", about) for preset, about in PRESETS)
        return tell(draft, columns(rows))
    preset = next((each for each, _ in PRESETS if each.value == rest), None)
    if preset is None:
        names = tuple(each.value for each, _ in PRESETS)
        return wrong(draft, f"/permission takes a preset, not {rest[:40]!r}{or_near(rest, names)} It is one of {', '.join(names)}.")
    changed = reconfigured(draft, Overrides(permission=preset), cfg)
    return tell(changed, f"The preset is now {preset.value}: {dict(PRESETS)[preset]}. Rules go before it.")


def _rename(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    name = " ".join(rest.split())
    if not name:
        called = draft.past.name or cfg.name
        return tell(draft, f"The conversation is called {called}." if called else "The conversation has no name. Write  /rename NAME")
    if len(name) > NAME_CHARS:
        return wrong(draft, f"A name has at most {NAME_CHARS} characters, not {len(name):,}: write a shorter one.")
    return tell(draft.record(Renamed(name, draft.at_ms)), f"The conversation is now called {name}.")


MODEL = Command(
    name="model",
    arguments="[NAME]",
    help="Say which model is used, or use another from now on.\n"
    "NAME is PROVIDER/NAME or an alias; default is the one that the conversation began with.",
    run=_model,
)
AGENT = Command(
    name="agent",
    arguments="[NAME]",
    help="List the agents, or let one lead the conversation from now on.\n"
    "Its settings lie over all others, those of the agent before it hold no more; none goes on without an agent.",
    run=_agent,
)
ALLOW = Command(
    name="allow",
    arguments="[KIND [PATTERN]]",
    help="List the permission rules, or allow what matches without a question from now on.\n"
    f"KIND is one of {', '.join(KINDS)}; PATTERN a glob over the path, the command, the code, the host or the name. A rule that denies wins.",
    run=_allow,
)
PERMISSION = Command(
    name="permission",
    arguments="[PRESET]",
    help="List the presets of what needs no question, or use another from now on.\n"
    f"PRESET is one of {', '.join(preset.value for preset, _ in PRESETS)}. It holds where no rule speaks; /allow adds rules.",
    run=_permission,
)
RENAME = Command(name="rename", arguments="[NAME]", help="Say what the conversation is called, or call it NAME.", run=_rename)

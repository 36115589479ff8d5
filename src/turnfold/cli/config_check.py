"""``turnfold config check``: every fault of every file, what was left out, what nothing uses yet, and names that nobody defines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

from attrs import frozen

from turnfold.core.agent.ending import ANY, CHOICES
from turnfold.core.agent.led_tools import every_name
from turnfold.core.codec.shapes import SETTINGS, Key, Named, Table
from turnfold.core.config.explain import Explained, explain, said_keys, split_key
from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import locate
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, did_you_mean
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.schema_oddities import oddities
from turnfold.shell.catalogue import catalogue, with_catalogue
from turnfold.shell.folders import Folders
from turnfold.shell.hooks import EVENT_NAMES, EVERY
from turnfold.shell.mcp.offers import FOREIGN
from turnfold.shell.settings import Settings, load_settings


@final
@frozen
class Checked:
    """What is to be told, and how many faults are among it."""

    text: str
    faults: int


def check(folders: Folders, workspace: Path, environ: Mapping[str, str]) -> Checked:
    """Everything that can be said against the settings for ``workspace``."""
    settings = load_settings(folders, workspace, environ, (catalogue(),))
    if isinstance(settings, tuple):
        return Checked("".join(f"✗ {problem}\n" for problem in settings), len(settings))
    cfg = ChatConfig(settings.project)
    unknown = tuple(unknown_names(cfg))
    lines = (
        *(f"✗ {sentence}" for sentence in unknown),
        *(f"  {problem}" for problem in settings.withheld),
        *(f"  {sentence}" for sentence in unused(cfg)),
    )
    return Checked("".join(f"{line}\n" for line in (*lines, _summary(settings, len(unknown)))), len(unknown))


def _summary(settings: Settings, faults: int) -> str:
    count = len(settings.files)
    files = f"{count} file{'' if count == 1 else 's'} read"
    return f"{files}, {'no fault' if not faults else '1 fault' if faults == 1 else f'{faults} faults'}."


def unused(cfg: Layer) -> Iterator[str]:
    """A sentence for each setting that is read and kept, and that nothing uses yet."""
    for key in said_keys(cfg, shipped=False):
        found = explain(cfg, key)
        awaited = _awaited(split_key(key))
        if awaited and isinstance(found, Explained) and found.layer != "default":
            place = f"{found.place}: " if found.place else ""
            yield f"{place}{key} is read and kept, and nothing uses it yet: it waits for {awaited}."


def _awaited(parts: tuple[str, ...]) -> str:
    """What will use the setting; empty where it is used."""
    table: Table | None = SETTINGS
    names = list(parts)
    awaited = ""
    while names and table is not None:
        key: Key | None = table.key(names.pop(0))
        awaited = awaited or ("" if key is None else key.note.awaits)
        shape = None if key is None else key.shape
        if isinstance(shape, Named) and names:
            names.pop(0)
        table = shape.table if isinstance(shape, Named) else shape if isinstance(shape, Table) else None
    return awaited


def unknown_names(cfg: ChatConfig) -> Iterator[str]:
    """A sentence for each model, provider, tool, agent, guardrail and event that a setting names and nothing defines."""
    known = with_catalogue(cfg)
    built_in = tuple(tool.name for tool in BUILTIN_TOOLS)
    for key, model in _models_named(cfg):
        located = locate(known, model)
        if isinstance(located, Problem):
            yield f"{_place(cfg, key)}{located.message} @ $.{key}"
    servers = tuple(FOREIGN.sub("_", server.name) for server in cfg.mcp if server.enabled)
    called = every_name(BUILTIN_TOOLS, cfg)
    named = (
        *((key, name, built_in) for key, name in _tools_named(cfg)),
        *((key, name, (*called, *words)) for key, name, words in _calls_named(cfg)),
    )
    for key, name, there in () if cfg.tool_modules else named:  # what modules hold is known when they are loaded
        if name not in there and name.partition("__")[0] not in servers:
            hint = did_you_mean(name, there) or f"; there are {', '.join(there)}."
            yield f"{_place(cfg, key)}There is no tool {name[:60]!r}{hint} @ $.{key}"
    yield from _odd_schemas(cfg)
    yield from _undefined(cfg)
    yield from _odd_hooks(cfg)


def _undefined(cfg: ChatConfig) -> Iterator[str]:
    """A sentence for each agent and guardrail that is named, and is described nowhere."""
    agents = tuple(each.name for each in cfg.agents)
    guardrails = tuple(each.name for each in cfg.guardrails)
    named = [("agent", "agent", cfg.agent, agents)] if cfg.agent else []
    for each in cfg.agents:
        named += [(f"agents.{each.name}.handoffs", "agent", name, agents) for name in each.handoffs]
        named += [(f"agents.{each.name}.helpers", "agent", name, agents) for name in each.helpers]
        named += [(f"agents.{each.name}.guardrails", "guardrail", name, guardrails) for name in each.guardrails]
    for key, kind, name, defined in named:
        if name not in defined:
            yield f"{_place(cfg, key)}There is no {kind} {name[:60]!r}{did_you_mean(name, defined) or f'; define it as [{kind}s.{name[:60]}].'} @ $.{key}"


def _odd_schemas(cfg: ChatConfig) -> Iterator[str]:
    """A sentence for each part of an ``output`` that checks nothing."""
    own = () if _place(cfg, "output").startswith("agent ") else (("output", cfg.output),)  # that agent's is told below
    for key, schema in (*own, *((f"agents.{each.name}.output", each.output) for each in cfg.agents)):
        yield from (f"{_place(cfg, key)}{sentence}" for sentence in oddities(schema or JsonObject(), key))


def _odd_hooks(cfg: ChatConfig) -> Iterator[str]:
    """A sentence for each event that a hook names and there is not, and for each hook that is never run."""
    for each in cfg.hooks:
        key = f"hooks.{each.name}"
        for name in each.on:
            if name != EVERY and name not in EVENT_NAMES:
                hint = did_you_mean(name, EVENT_NAMES) or f"; there are {', '.join(EVENT_NAMES)}, and {EVERY} for all."
                yield f"{_place(cfg, f'{key}.on')}There is no event {name[:60]!r}{hint} @ $.{key}.on"
        missing = "command" if not each.command else "on" if not each.on else ""
        if missing:
            yield f"{_place(cfg, f'{key}.command')}The hook {each.name} is never run: {missing} is missing. @ $.{key}.{missing}"


def _models_named(cfg: ChatConfig) -> Iterator[tuple[str, str]]:
    """The settings that name a model, each with the name."""
    if cfg.model and not _place(cfg, "model").startswith("agent "):  # that agent's is told below
        yield "model", cfg.model
    yield from (("fallbacks", name) for name in cfg.fallbacks)
    if cfg.compaction.model:
        yield "compaction.model", cfg.compaction.model
    yield from ((f"agents.{each.name}.model", each.model) for each in cfg.agents if each.model)
    yield from ((f"guardrails.{each.name}.model", each.model) for each in cfg.guardrails if each.model)


def _tools_named(cfg: ChatConfig) -> Iterator[tuple[str, str]]:
    """The settings that name a tool, each with the name."""
    agents = ((f"agents.{each.name}.tools", each.tools or ()) for each in cfg.agents)
    for key, names in (("tools", () if _place(cfg, "tools").startswith("agent ") else cfg.tools or ()), *agents):
        yield from ((key, name.removeprefix("+").removeprefix("-")) for name in names)


def _calls_named(cfg: ChatConfig) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The settings that name a tool whose call a turn shall begin or end with, each with the name, and the words that mean no tool."""
    led = tuple(key for key in ("tool_choice", "stop_on") if _place(cfg, key).startswith("agent "))  # that agent's is told below
    choices = [("tool_choice", cfg.tool_choice if "tool_choice" not in led else "")]
    choices += [(f"agents.{each.name}.tool_choice", each.tool_choice) for each in cfg.agents]
    yield from ((key, name, CHOICES) for key, name in choices if name)
    stops = [("stop_on", cfg.stop_on if "stop_on" not in led else ())]
    stops += [(f"agents.{each.name}.stop_on", each.stop_on or ()) for each in cfg.agents]
    yield from ((key, name, (ANY,)) for key, names in stops for name in names)


def _place(cfg: ChatConfig, key: str) -> str:
    found = explain(cfg, key)
    return f"{found.place}: " if isinstance(found, Explained) and found.place else ""

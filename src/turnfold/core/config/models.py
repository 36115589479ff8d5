"""Which provider and which profile a conversation's model has."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.missing import Missing
from turnfold.core.config.named import entry, name_of
from turnfold.core.config.said import Said, filled
from turnfold.core.config.values import DEFAULT_PROVIDERS, ModelProfile, Provider, ToolFormat
from turnfold.core.problem import Problem, caller_problem, did_you_mean, near_misses

PLAIN_PROFILE = ModelProfile(pattern="*")


@final
@frozen
class Located:
    """A model and where it is served."""

    provider: Provider
    model: str


def find_provider(cfg: Layer) -> Located | Problem:
    """The provider of ``cfg.model`` (``provider/name`` or an alias), or what is wrong with the name.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> find_provider(ChatConfig(ProjectConfig(Config(model="ollama/qwen3")))).model
    'qwen3'
    """
    return locate(cfg, cfg.model)


def locate(cfg: Layer, model: str) -> Located | Problem:
    """The provider of ``model`` (``provider/name`` or an alias) under ``cfg``."""
    if not model:
        message = "No model is chosen. Set one as provider/name, in the config or with --model."
        return caller_problem("no-model", message, "model")
    head, slash, name = full_name(cfg, model).partition("/")
    said = [*(layer.own_providers for layer in cfg.layers), DEFAULT_PROVIDERS]
    provider = entry(lambda name: Provider(name=name), said, "name", head) if slash and name else None
    if provider is not None and provider.base_url:
        return Located(provider, name)
    if provider is not None:
        message = f'The provider {head} has no address that counts here: write base_url = "…" under [providers.{head}].'
        return caller_problem("unknown-model", message, "$.model")
    message = f'There is no provider for the model "{model[:100]}": {_hint(cfg, head, name)}'
    return caller_problem("unknown-model", message, "$.model")


def _hint(cfg: Layer, head: str, name: str) -> str:
    """What may have been meant: a provider, an alias, or a model that is known without its provider."""
    providers = tuple(provider.name for provider in cfg.providers)
    if name:
        meant = tuple(f"{near}/{name}" for near in near_misses(head, providers))
    else:
        known = cfg.models
        words = {alias: alias for profile in known for alias in profile.aliases}
        words |= {provider: f"{provider}/MODEL" for provider in providers}
        words |= {profile.pattern.partition("/")[2]: profile.pattern for profile in reversed(known) if "*" not in profile.pattern}
        meant = tuple(words[near] for near in near_misses(head, words))
    return f"did you mean {' or '.join(meant[:2])}?" if meant else f"write PROVIDER/MODEL with one of {', '.join(providers)}."


def has_catalogue(cfg: ChatConfig) -> bool:
    """Whether the table of models that turnfold ships lies under ``cfg``; a config that was made in code lacks it at first."""
    return any(file.origin.layer == "default" for file in cfg.project.base.files)


def leading_agent(cfg: Layer) -> AgentSpec | None:
    """The agent that leads under ``cfg``, as all layers describe it; None where none does, or none describes it.

    >>> from turnfold.core.config.layers import Config
    >>> leading_agent(Config(agent="reviewer", agents=(AgentSpec(name="reviewer", tools=("read",)),))).tools
    ('read',)
    """
    name = cfg.agent
    return entry(lambda name: AgentSpec(name=name), [layer.own_agents for layer in cfg.layers], "name", name) if name else None


def missing_agent(cfg: Layer) -> Problem | None:
    """The Problem of a config that is led by an agent which no layer describes, or which names such a one; None where there is no such.

    >>> from turnfold.core.config.layers import Config
    >>> missing_agent(Config(agent="reviwer", agents=(AgentSpec(name="reviewer"),))).message
    "There is no agent 'reviwer'; did you mean reviewer?"
    """
    wanted = cfg.agent
    if not wanted:
        return None
    spec = leading_agent(cfg)
    if spec is None:
        return _no_agent(wanted, cfg, "agent")
    if not (spec.handoffs or spec.helpers):
        return None
    described = tuple(agent.name for agent in cfg.agents)
    named = (*((name, "handoffs") for name in spec.handoffs), *((name, "helpers") for name in spec.helpers))
    return next((_no_agent(name, cfg, f"agents.{wanted}.{key}") for name, key in named if name not in described), None)


def _no_agent(name: str, cfg: Layer, key: str) -> Problem:
    hint = did_you_mean(name, tuple(agent.name for agent in cfg.agents)) or ": describe it in a config file, under [agents.NAME]."
    return caller_problem("unknown-agent", f"There is no agent {name[:60]!r}{hint}", f"$.{key}")


def full_name(cfg: Layer, model: str) -> str:
    """``model`` as provider/name, where it is an alias of one; else as it is.

    >>> from turnfold.core.config.layers import Config
    >>> full_name(Config(models=(ModelProfile(pattern="openai/gpt-5-mini", aliases=("mini",)),)), "mini")
    'openai/gpt-5-mini'
    """
    if "/" in model:
        return model
    for layer in cfg.layers:
        if isinstance(layer.own_models, Missing):
            if layer.own_models.mentioned:
                break
            continue
        for each in layer.own_models:
            aliases = each.get("aliases") if isinstance(each, Said) else each.aliases
            if isinstance(aliases, tuple) and model in aliases:
                return name_of(each, "pattern")
    return model


def profile_of(cfg: Layer, model: str = "") -> ModelProfile:
    """The facts about ``model`` (by default the conversation's): each from the highest layer that mentions it, else native calls."""
    name = full_name(cfg, model or cfg.model)
    fitting: list[ModelProfile | Said[ModelProfile]] = []
    for layer in cfg.layers:
        if not isinstance(layer.own_models, Missing):
            fitting += _fitting(layer.own_models, name)
        elif layer.own_models.mentioned:
            break
    return filled(PLAIN_PROFILE, fitting)


def _fitting(profiles: tuple[ModelProfile | Said[ModelProfile], ...], name: str) -> list[ModelProfile | Said[ModelProfile]]:
    """Those that speak of the model ``name``, the one with the longest pattern first.

    Every model that is known is compared, several times a turn: hence nothing is called for those that are told by their name.
    """
    found = [
        (pattern, each)
        for each in profiles
        if (pattern := each.name if type(each) is Said else name_of(each, "pattern")) == name
        or ("*" in pattern and name.startswith(pattern.partition("*")[0]) and _fits(pattern, name))
    ]
    return [each for _, each in sorted(found, key=lambda pair: -len(pair[0]))]


def _fits(pattern: str, name: str) -> bool:
    """Whether ``name``, which begins as the pattern does, is its pieces in their order, with any text for each ``*``."""
    head, *inner, tail = pattern.split("*")
    place = len(head)
    for piece in inner:
        found = name.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return name.endswith(tail) and len(name) - len(tail) >= place


def format_of(cfg: ChatConfig) -> ToolFormat:
    """How the model shall write its calls: as the config says, else as its profile does."""
    return cfg.tool_format or profile_of(cfg).tool_format


def generations_of(cfg: ChatConfig, profile: ModelProfile) -> int:
    """How many model calls a turn may have: the model's own limit where it is lower."""
    own = profile.generations
    return cfg.limits.generations if own is None else min(own, cfg.limits.generations)

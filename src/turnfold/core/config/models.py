"""Which provider and which profile a conversation's model has."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import final

from attrs import frozen

from turnfold.core.config.layers import ChatConfig, Layer
from turnfold.core.config.values import ModelProfile, Provider, ToolFormat
from turnfold.core.problem import Problem, caller_problem, near_misses

PLAIN_PROFILE = ModelProfile(pattern="*")


@final
@frozen
class Located:
    """A model and where it is served."""

    provider: Provider
    model: str


def find_provider(cfg: Layer) -> Located | Problem:
    """The provider of ``cfg.model`` (``provider/name``), or what is wrong with the name.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> find_provider(ChatConfig(ProjectConfig(Config(model="ollama/qwen3")))).model
    'qwen3'
    """
    if not cfg.model:
        message = "No model is chosen. Set one as provider/name, in the config or with --model."
        return caller_problem("no-model", message, "model")
    head, slash, name = cfg.model.partition("/")
    for provider in cfg.providers:
        if provider.name == head and slash and name:
            return Located(provider, name)
    names = tuple(provider.name for provider in cfg.providers)
    near = near_misses(head, names)[:1]
    hint = f"did you mean {near[0]}/{name or 'MODEL'}?" if near else f"write PROVIDER/MODEL with one of {', '.join(names)}."
    return caller_problem("unknown-model", f'There is no provider for the model "{cfg.model}": {hint}', "$.model")


def profile_of(cfg: ChatConfig) -> ModelProfile:
    """The first profile whose pattern fits the model, else plain native calls."""
    for profile in cfg.profiles:
        if fnmatchcase(cfg.model, profile.pattern):
            return profile
    return PLAIN_PROFILE


def format_of(cfg: ChatConfig) -> ToolFormat:
    """How the model shall write its calls: as the config says, else as its profile does."""
    return cfg.tool_format or profile_of(cfg).tool_format


def offered_tools(cfg: ChatConfig) -> tuple[str, ...] | None:
    """The names of the tools to offer: as the config says, else as the model's profile does; None means all."""
    return cfg.tools if cfg.tools is not None else profile_of(cfg).tools


def generations_of(cfg: ChatConfig) -> int:
    """How many model calls a turn may have: the model's own limit where it is lower."""
    own = profile_of(cfg).generations
    return cfg.limits.generations if own is None else min(own, cfg.limits.generations)

"""Three immutable layers, passed by hand: ``Config`` (user) → ``ProjectConfig(base)`` → ``ChatConfig(project)``.

A layer is sparse: a setting that it does not mention is ``MISSING``, which is neither the default nor empty. Reading
``cfg.model`` asks the layers from the top down. The rule of merging stands in each property:

* a single value or a list: the highest layer that mentions it wins, whole;
* a named table (providers, profiles): merged by name, the higher layer's entry wins;
* permission rules: the higher layer's come first, and every layer's count (see ``world.permission``);
* environment: merged by name, like a table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar, final

from attrs import field, frozen
from typing_extensions import override

from turnfold.core.config.values import (
    DEFAULT_LIMITS,
    DEFAULT_PROVIDERS,
    MISSING,
    Environment,
    Limits,
    Missing,
    ModelProfile,
    Provider,
    Rule,
    ToolFormat,
)

T = TypeVar("T")


def _first(said: Iterable[T | Missing], default: T) -> T:
    """What the highest layer says that says anything, else ``default``."""
    for value in said:
        if not isinstance(value, Missing):
            return value
    return default


def _all(said: Iterable[tuple[T, ...] | Missing]) -> tuple[T, ...]:
    """Everything that the layers say, highest first."""
    return tuple(item for value in said if not isinstance(value, Missing) for item in value)


@frozen(kw_only=True)
class Layer:
    """The settings that one layer mentions, and how they read through the layers below it."""

    own_model: str | Missing = field(default=MISSING, alias="model")
    own_providers: tuple[Provider, ...] | Missing = field(default=MISSING, alias="providers")
    own_profiles: tuple[ModelProfile, ...] | Missing = field(default=MISSING, alias="profiles")
    own_tool_format: ToolFormat | Missing = field(default=MISSING, alias="tool_format")
    own_tools: tuple[str, ...] | Missing = field(default=MISSING, alias="tools")
    own_rules: tuple[Rule, ...] | Missing = field(default=MISSING, alias="rules")
    own_instructions: str | Missing = field(default=MISSING, alias="instructions")
    own_temperature: float | Missing = field(default=MISSING, alias="temperature")
    own_max_tokens: int | Missing = field(default=MISSING, alias="max_tokens")
    own_environment: Environment | Missing = field(default=MISSING, alias="environment")
    own_workspace: str | Missing = field(default=MISSING, alias="workspace")
    own_limits: Limits | Missing = field(default=MISSING, alias="limits")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """This layer and those below it, highest first."""
        return (self,)

    @property
    def model(self) -> str:
        """``provider/name`` of the model; empty where none is chosen."""
        return _first((layer.own_model for layer in self.layers), "")

    @property
    def providers(self) -> tuple[Provider, ...]:
        """All providers, one a name, those of higher layers first."""
        said = (*_all(layer.own_providers for layer in self.layers), *DEFAULT_PROVIDERS)
        by_name = {provider.name: provider for provider in reversed(said)}
        return tuple(by_name[name] for name in dict.fromkeys(provider.name for provider in said))

    @property
    def profiles(self) -> tuple[ModelProfile, ...]:
        """Facts about models, those of higher layers first; the first whose pattern fits is used."""
        return _all(layer.own_profiles for layer in self.layers)

    @property
    def tool_format(self) -> ToolFormat | None:
        """How calls are written, where a layer says so; otherwise the model's profile decides."""
        return _first((layer.own_tool_format for layer in self.layers), None)

    @property
    def tools(self) -> tuple[str, ...] | None:
        """The names of the tools to use of those that are handed in; ``None`` means all."""
        return _first((layer.own_tools for layer in self.layers), None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Permission rules of all layers, the highest layer's first."""
        return _all(layer.own_rules for layer in self.layers)

    @property
    def instructions(self) -> str:
        """What the person tells every model; empty for the general instructions."""
        return _first((layer.own_instructions for layer in self.layers), "")

    @property
    def temperature(self) -> float | None:
        """Sampling temperature, where a layer says so."""
        return _first((layer.own_temperature for layer in self.layers), None)

    @property
    def max_tokens(self) -> int | None:
        """The longest reply in tokens, where a layer says so."""
        return _first((layer.own_max_tokens for layer in self.layers), None)

    @property
    def environment(self) -> Environment:
        """Variables that every command of the conversation gets, one a name, sorted by name."""
        said = _all(layer.own_environment for layer in self.layers)
        return tuple(sorted({each.name: each for each in reversed(said)}.values(), key=lambda each: each.name))

    @property
    def workspace(self) -> str:
        """The folder that relative paths start from, as an absolute POSIX path."""
        return _first((layer.own_workspace for layer in self.layers), "/")

    @property
    def limits(self) -> Limits:
        """What ends a turn or cuts an output."""
        return _first((layer.own_limits for layer in self.layers), DEFAULT_LIMITS)


@final
@frozen(kw_only=True)
class Config(Layer):
    """The user's layer: what holds in every project of a person.

    >>> Config(model="openai/gpt-5-mini").model
    'openai/gpt-5-mini'
    """


@final
@frozen
class ProjectConfig(Layer):
    """A project's layer over the user's.

    >>> ProjectConfig(Config(model="a/b")).model
    'a/b'
    """

    base: Config

    @property
    @override
    def layers(self) -> tuple[Layer, ...]:
        """This layer, then the user's."""
        return (self, self.base)


@final
@frozen(kw_only=True)
class Overrides(Layer):
    """One change made since a conversation started."""


@final
@frozen
class ChatConfig(Layer):
    """One conversation's layer over its project's: what an operation may know of the world it runs in.

    ``conversation`` is its id, ``name`` what a person calls it; ``workspace`` the folder that paths start from.

    >>> ChatConfig(ProjectConfig(Config(model="a/b")), workspace="/tmp/demo").model
    'a/b'
    """

    project: ProjectConfig
    conversation: str = field(default="", kw_only=True)
    name: str = field(default="", kw_only=True)
    overrides: tuple[Overrides, ...] = field(default=(), kw_only=True)  # the latest first

    @property
    @override
    def layers(self) -> tuple[Layer, ...]:
        """What was changed since the start, then this layer, the project's and the user's."""
        return (*self.overrides, self, *self.project.layers)

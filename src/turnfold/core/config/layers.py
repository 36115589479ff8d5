"""Three immutable layers, passed by hand: ``Config`` (user) → ``ProjectConfig(base)`` → ``ChatConfig(project)``.

Reading ``cfg.model`` asks the layers from the top down; how they lie over each other stands in ``config.layer``. A layer made
from files keeps each file's settings apart, with the place where each stands, so that ``explain`` can name it. The order, the
highest first: changes made since the conversation started; the conversation's own; its agent's; variables of the environment;
the project's files; the person's files; the defaults that turnfold ships.
"""

from __future__ import annotations

from typing import final

from attrs import Factory, field, frozen
from typing_extensions import override

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.briefing import Briefing
from turnfold.core.config.layer import Layer, LayerName
from turnfold.core.config.missing import MISSING, Missing
from turnfold.core.config.named import entry
from turnfold.core.config.said import filled
from turnfold.core.config.values import DEFAULT_LIMITS, Limits


@final
@frozen
class Line:
    """Where in a file a setting stands: its path, as errors write it, and the line, from 1."""

    path: str
    number: int


@final
@frozen(kw_only=True)
class Origin:
    """Where settings come from: the layer that they count to, the file or variable (``place``), and the lines in it.

    ``leads``: they say which agent leads the conversation from then on, and lie over those of the agent before.
    """

    layer: LayerName = "chat"
    place: str = ""
    leads: bool = False
    lines: tuple[Line, ...] = field(default=(), repr=False)


@final
@frozen(kw_only=True)
class Overrides(Layer):
    """Settings from one place, laid over what is below: a file, the environment, or a change since the conversation started."""

    origin: Origin = Origin()


@final
@frozen(kw_only=True)
class Config(Layer):
    """The user's layer: what holds in every project of a person. ``files``: what was read for it, the highest first.

    >>> Config(model="openai/gpt-5-mini").model
    'openai/gpt-5-mini'
    """

    files: tuple[Overrides, ...] = ()

    @property
    @override
    def layers(self) -> tuple[Layer, ...]:
        """This layer, then its files."""
        return (self, *self.files)


@final
@frozen
class ProjectConfig(Layer):
    """A project's layer over the user's. ``variables`` of the environment lie over it, its ``files`` under it, the highest first.

    >>> ProjectConfig(Config(model="a/b")).model
    'a/b'
    """

    base: Config
    variables: tuple[Overrides, ...] = field(default=(), kw_only=True)
    files: tuple[Overrides, ...] = field(default=(), kw_only=True)

    @property
    @override
    def layers(self) -> tuple[Layer, ...]:
        """The environment's, this layer, its files, then the user's."""
        return (*self.variables, self, *self.files, *self.base.layers)


def _changes(cfg: ChatConfig) -> tuple[Overrides, ...]:
    """What was changed since the conversation started, without the agents that lead it no more: one leads at a time."""
    latest = next((index for index, change in enumerate(cfg.overrides) if leads(change)), None)
    if latest is None:
        return cfg.overrides
    return (*cfg.overrides[: latest + 1], *(change for change in cfg.overrides[latest + 1 :] if not leads(change)))


def _below(cfg: ChatConfig) -> tuple[Layer, ...]:
    """The layers under a conversation's own: its agent's, where one leads it and was not called since, the project's and the user's."""
    below = cfg.project.layers
    if any(leads(change) for change in cfg.overrides):
        return below
    spec = _leading((*cfg.overrides, cfg, *below))
    return below if spec is None else (_agent_layer(spec, MISSING), *below)


def _leading(layers: tuple[Layer, ...]) -> AgentSpec | None:
    """The agent that the highest layer names, as all layers describe it; None for none, or one that none describes."""
    for layer in layers:
        said = layer.own_agent
        if isinstance(said, Missing) and not said.mentioned:
            continue
        if isinstance(said, Missing) or not said:
            return None
        return entry(lambda name: AgentSpec(name=name), [layer.own_agents for layer in layers], "name", said)
    return None


NO_AGENT = "none"


def leads(change: Overrides) -> bool:
    """Whether ``change`` says which agent leads from now on: it is an agent's layer, or :func:`no_agent`."""
    return change.origin.leads


def _limits(cfg: ChatConfig) -> Limits:
    return filled(DEFAULT_LIMITS, [layer.own_limits for layer in cfg.layers])


@final
@frozen
class ChatConfig(Layer):
    """One conversation's layer over its project's: what an operation may know of the world it runs in.

    ``conversation`` is its id, ``name`` what a person calls it; ``workspace`` the folder that paths start from; ``briefing``
    what was read of the surroundings when it began. ``traceparent``: the span that it is a part of, as W3C Trace Context writes it.

    >>> ChatConfig(ProjectConfig(Config(model="a/b")), workspace="/tmp/demo").model
    'a/b'
    """

    project: ProjectConfig
    conversation: str = field(default="", kw_only=True)
    name: str = field(default="", kw_only=True)
    traceparent: str = field(default="", kw_only=True)
    overrides: tuple[Overrides, ...] = field(default=(), kw_only=True)  # the latest first
    briefing: Briefing = field(default=Briefing(), kw_only=True)
    _changes: tuple[Overrides, ...] = field(default=Factory(_changes, takes_self=True), init=False, eq=False, repr=False)
    _below: tuple[Layer, ...] = field(default=Factory(_below, takes_self=True), init=False, eq=False, repr=False)  # read at every turn
    _limits: Limits = field(default=Factory(_limits, takes_self=True), init=False, eq=False, repr=False)  # read in every step

    @property
    @override
    def layers(self) -> tuple[Layer, ...]:
        """What was changed since the start, this layer, its agent's, the project's and the user's."""
        return (*self._changes, self, *self._below)

    @property
    @override
    def limits(self) -> Limits:
        """What ends a turn or a conversation, or cuts an output."""
        return self._limits


def agent_layer(spec: AgentSpec) -> Overrides:
    """What an agent says of a conversation that it leads, as settings; ``agent`` itself is among them.

    >>> agent_layer(AgentSpec(name="reviewer", tools=("read",))).tools
    ('read',)
    """
    return _agent_layer(spec, spec.name)


def _agent_layer(spec: AgentSpec, agent: str | Missing) -> Overrides:
    return Overrides(
        agent=agent,
        instructions=spec.instructions or MISSING,
        model=spec.model or MISSING,
        tools=MISSING if spec.tools is None else spec.tools,
        limits=MISSING if spec.limits is None else spec.limits,
        output=MISSING if spec.output is None else spec.output,
        tool_choice=spec.tool_choice or MISSING,
        parallel_calls=MISSING if spec.parallel_calls is None else spec.parallel_calls,
        stop_on=MISSING if spec.stop_on is None else spec.stop_on,
        origin=Origin(layer="chat", place=f"agent {spec.name}", leads=True),
    )


def no_agent() -> Overrides:
    """What is said where no agent leads the conversation any more.

    >>> project = ProjectConfig(Config(agents=(AgentSpec(name="reviewer", tools=("read",)),)), agent="reviewer")
    >>> ChatConfig(project).tools, ChatConfig(project, overrides=(no_agent(),)).tools
    (('read',), None)
    """
    return Overrides(agent="", origin=Origin(layer="chat", place=f"agent {NO_AGENT}", leads=True))


def origin_of(layer: Layer) -> Origin:
    """Where the settings of ``layer`` come from.

    >>> origin_of(Config())
    Origin(layer='user', place='', leads=False)
    """
    if isinstance(layer, Overrides):
        return layer.origin
    return Origin(layer="user" if isinstance(layer, Config) else "project" if isinstance(layer, ProjectConfig) else "chat")


def said_from(layer: str, place: str) -> str:
    """Where something comes from, for a person.

    >>> said_from("user", "config.toml:3"), said_from("chat", "")
    ('from user (config.toml:3)', 'from chat')
    """
    return f"from {layer}{f' ({place})' if place else ''}"

"""One layer of settings, sparse, and how it reads through the layers below it.

A setting that a layer does not mention is ``MISSING``, one that it puts back is ``DEFAULT``; neither is the same as empty.
Each field says by its merge how layers lie over each other. All of it is in :func:`laid_fields`; field by field:

* WHOLE: the highest layer that mentions it wins, as it stands: parts of two JSON schemas make no schema;
* REPLACE: the highest layer that mentions it wins; tables go field by field (``said.laid``);
* NAMED: entries with a name (providers, models, agents …): merged by name, each entry field by field, the higher layer's first;
* JOINED: the entries of every layer count, the higher layer's first (permission rules: a deny below is never lost);
* TOOLS: a list replaces; one of ``+name`` and ``-name`` changes the list below.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal, TypeAlias, cast

import attrs
from attrs import field, frozen

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.missing import MISSING, Missing
from turnfold.core.config.named import entries, laid_named
from turnfold.core.config.notes import Form, note
from turnfold.core.config.said import Said, filled, laid
from turnfold.core.config.selection import laid_tools
from turnfold.core.config.stack import all_joined, topmost, whole_environment, whole_object, whole_tools
from turnfold.core.config.tables import Compaction, Exporter, Guardrail, Hook, McpServer, Prompt, Sandbox, Server, Skills, User, Web
from turnfold.core.config.values import (
    DEFAULT_LIMITS,
    DEFAULT_PROVIDERS,
    Environment,
    Limits,
    ModelProfile,
    Preset,
    Provider,
    Rule,
    ToolFormat,
)
from turnfold.core.json import JsonObject

LayerName: TypeAlias = Literal["user", "project", "chat", "environment", "default"]
Names: TypeAlias = tuple[str, ...]


class Merge(Enum):
    """How a field lies over the same field of the layer below."""

    WHOLE = "whole"
    REPLACE = "replace"
    NAMED = "named"
    JOINED = "joined"
    TOOLS = "tools"


MERGE = "merge"


def _setting(
    merge: Merge,
    about: str,
    form: Form = Form.ANY,
    *,
    least: float | None = None,
    most: float | None = None,
    granted: bool = False,
    awaits: str = "",
) -> Mapping[str, object]:
    return {**note(about, form=form, least=least, most=most, granted=granted, awaits=awaits), MERGE: merge}


@frozen(kw_only=True)
class Layer:
    """The settings that one layer mentions, and how they read through the layers below it."""

    own_model: str | Missing = field(
        default=MISSING, alias="model", metadata=_setting(Merge.REPLACE, "the model, as provider/name or an alias", Form.MODEL)
    )
    own_fallbacks: Names | Missing = field(
        default=MISSING,
        alias="fallbacks",
        metadata=_setting(Merge.REPLACE, "models that are asked when the model fails, in order", Form.MODEL),
    )
    own_tool_format: ToolFormat | Missing = field(
        default=MISSING, alias="tool_format", metadata=_setting(Merge.REPLACE, "how the model writes calls; by default as its profile says")
    )
    own_temperature: float | Missing = field(
        default=MISSING, alias="temperature", metadata=_setting(Merge.REPLACE, "sampling temperature", least=0, most=2)
    )
    own_max_tokens: int | Missing = field(
        default=MISSING, alias="max_tokens", metadata=_setting(Merge.REPLACE, "the longest reply that is asked for, in tokens", least=1)
    )
    own_parameters: JsonObject | Missing = field(
        default=MISSING,
        alias="parameters",
        metadata=_setting(Merge.REPLACE, "more parameters of a model call, sent as they are, such as top_p", Form.PARAMETERS, granted=True),
    )
    own_instructions: str | Missing = field(
        default=MISSING, alias="instructions", metadata=_setting(Merge.REPLACE, "what you tell every model")
    )
    own_tools: Names | Missing = field(
        default=MISSING,
        alias="tools",
        metadata=_setting(
            Merge.TOOLS,
            "the tools that may be used; +NAME and -NAME change the list below, or the tools that are offered by default",
            Form.TOOL,
        ),
    )
    own_tool_modules: Names | Missing = field(
        default=MISSING,
        alias="tool_modules",
        metadata=_setting(Merge.REPLACE, "modules (package.module, or a file) whose TOOLS are tools, too", Form.SOME, granted=True),
    )
    own_output: JsonObject | Missing = field(
        default=MISSING, alias="output", metadata=_setting(Merge.WHOLE, "the JSON Schema of a turn's last reply")
    )
    own_tool_choice: str | Missing = field(
        default=MISSING,
        alias="tool_choice",
        metadata=_setting(Merge.REPLACE, "auto, required, none, or the tool that the first reply of a turn calls"),
    )
    own_parallel_calls: bool | Missing = field(
        default=MISSING, alias="parallel_calls", metadata=_setting(Merge.REPLACE, "whether a reply may have several calls")
    )
    own_stop_on: Names | Missing = field(
        default=MISSING, alias="stop_on", metadata=_setting(Merge.REPLACE, "tools whose good end is the turn's; * for any")
    )
    own_agent: str | Missing = field(
        default=MISSING, alias="agent", metadata=_setting(Merge.REPLACE, "the agent that leads the conversation")
    )
    own_agents: tuple[AgentSpec | Said[AgentSpec], ...] | Missing = field(
        default=MISSING, alias="agents", metadata=_setting(Merge.NAMED, "agents, by name")
    )
    own_providers: tuple[Provider | Said[Provider], ...] | Missing = field(
        default=MISSING, alias="providers", metadata=_setting(Merge.NAMED, "where models are served, by name")
    )
    own_models: tuple[ModelProfile | Said[ModelProfile], ...] | Missing = field(
        default=MISSING, alias="models", metadata=_setting(Merge.NAMED, "facts about models, by provider/name; * stands for any text")
    )
    own_rules: tuple[Rule, ...] | Missing = field(default=MISSING, alias="rules", metadata=_setting(Merge.JOINED, "permission rules"))
    own_permission: Preset | Missing = field(
        default=MISSING,
        alias="permission",
        metadata=_setting(Merge.REPLACE, "what may be done without a question where no rule speaks", granted=True),
    )
    own_sandbox: Sandbox | Said[Sandbox] | Missing = field(
        default=MISSING, alias="sandbox", metadata=_setting(Merge.REPLACE, "what commands may touch")
    )
    own_web: Web | Said[Web] | Missing = field(
        default=MISSING, alias="web", metadata=_setting(Merge.REPLACE, "how far fetch and the browser reach")
    )
    own_workspace: str | Missing = field(
        default=MISSING, alias="workspace", metadata=_setting(Merge.REPLACE, "the folder that paths start from", granted=True)
    )
    own_roots: Names | Missing = field(
        default=MISSING, alias="roots", metadata=_setting(Merge.REPLACE, "more folders that may be read without asking", granted=True)
    )
    own_environment: Environment | Missing = field(
        default=MISSING, alias="environment", metadata=_setting(Merge.NAMED, "variables of every command", granted=True)
    )
    own_prompt: Prompt | Said[Prompt] | Missing = field(
        default=MISSING, alias="prompt", metadata=_setting(Merge.REPLACE, "what the model is told of the project")
    )
    own_skills: Skills | Said[Skills] | Missing = field(
        default=MISSING, alias="skills", metadata=_setting(Merge.REPLACE, "skills and lessons")
    )
    own_user: User | Said[User] | Missing = field(default=MISSING, alias="user", metadata=_setting(Merge.REPLACE, "who is talking"))
    own_limits: Limits | Said[Limits] | Missing = field(
        default=MISSING, alias="limits", metadata=_setting(Merge.REPLACE, "what ends a turn or a conversation, or cuts an output")
    )
    own_compaction: Compaction | Said[Compaction] | Missing = field(
        default=MISSING, alias="compaction", metadata=_setting(Merge.REPLACE, "when and how a long conversation is summarised")
    )
    own_mcp: tuple[McpServer | Said[McpServer], ...] | Missing = field(
        default=MISSING, alias="mcp", metadata=_setting(Merge.NAMED, "servers of tools, by name")
    )
    own_guardrails: tuple[Guardrail | Said[Guardrail], ...] | Missing = field(
        default=MISSING, alias="guardrails", metadata=_setting(Merge.NAMED, "checks that can stop a run, by name")
    )
    own_exporters: tuple[Exporter | Said[Exporter], ...] | Missing = field(
        default=MISSING, alias="exporters", metadata=_setting(Merge.NAMED, "who gets traces, by name")
    )
    own_server: Server | Said[Server] | Missing = field(default=MISSING, alias="server", metadata=_setting(Merge.REPLACE, "the server"))
    own_hooks: tuple[Hook | Said[Hook], ...] | Missing = field(
        default=MISSING, alias="hooks", metadata=_setting(Merge.NAMED, "commands that run when something has happened, by name")
    )

    @property
    def layers(self) -> tuple[Layer, ...]:
        """This layer and those below it, highest first."""
        return (self,)

    @property
    def model(self) -> str:
        """``provider/name`` or an alias of the model; empty where none is chosen."""
        return topmost([layer.own_model for layer in self.layers], "")

    @property
    def fallbacks(self) -> Names:
        """The models that are asked when the model fails, in order."""
        return topmost([layer.own_fallbacks for layer in self.layers], ())

    @property
    def tool_format(self) -> ToolFormat | None:
        """How calls are written, where a layer says so; otherwise the model's profile decides."""
        return topmost([layer.own_tool_format for layer in self.layers], None)

    @property
    def temperature(self) -> float | None:
        """Sampling temperature, where a layer says so."""
        return topmost([layer.own_temperature for layer in self.layers], None)

    @property
    def max_tokens(self) -> int | None:
        """The longest reply in tokens, where a layer says so."""
        return topmost([layer.own_max_tokens for layer in self.layers], None)

    @property
    def parameters(self) -> JsonObject:
        """More parameters of a model call, by name."""
        return whole_object([layer.own_parameters for layer in self.layers])

    @property
    def instructions(self) -> str:
        """What the person tells every model; empty for the general instructions."""
        return topmost([layer.own_instructions for layer in self.layers], "")

    @property
    def tools(self) -> Names | None:
        """The tools to use of those that are handed in: their names, or what ``+name`` and ``-name`` change of all; None means all."""
        return whole_tools([layer.own_tools for layer in self.layers])

    @property
    def tool_modules(self) -> Names:
        """The Python modules whose ``TOOLS`` are handed in besides the built-in ones."""
        return topmost([layer.own_tool_modules for layer in self.layers], ())

    @property
    def output(self) -> JsonObject:
        """The JSON Schema of a turn's last reply; empty where it is free."""
        return topmost([layer.own_output for layer in self.layers], JsonObject())

    @property
    def tool_choice(self) -> str:
        """``auto``, ``required``, ``none``, or the tool that the first reply of a turn calls; empty where nobody says."""
        return topmost([layer.own_tool_choice for layer in self.layers], "")

    @property
    def parallel_calls(self) -> bool | None:
        """Whether a reply may have several calls; None where nobody says."""
        return topmost([layer.own_parallel_calls for layer in self.layers], None)

    @property
    def stop_on(self) -> Names:
        """The tools whose good end is the turn's; ``*`` for any."""
        return topmost([layer.own_stop_on for layer in self.layers], ())

    @property
    def agent(self) -> str:
        """The name of the agent that leads the conversation; empty for none."""
        return topmost([layer.own_agent for layer in self.layers], "")

    @property
    def agents(self) -> tuple[AgentSpec, ...]:
        """All agents, those of higher layers first."""
        return entries(lambda name: AgentSpec(name=name), [layer.own_agents for layer in self.layers], "name")

    @property
    def providers(self) -> tuple[Provider, ...]:
        """All providers, one a name, those of higher layers first."""
        return entries(lambda name: Provider(name=name), [*(layer.own_providers for layer in self.layers), DEFAULT_PROVIDERS], "name")

    @property
    def models(self) -> tuple[ModelProfile, ...]:
        """Facts about models, one a pattern, those of higher layers first."""
        return entries(lambda pattern: ModelProfile(pattern=pattern), [layer.own_models for layer in self.layers], "pattern")

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Permission rules of all layers, the highest layer's first."""
        return all_joined([layer.own_rules for layer in self.layers])

    @property
    def permission(self) -> Preset:
        """What may be done without a question where no rule speaks."""
        return topmost([layer.own_permission for layer in self.layers], Preset.ASK)

    @property
    def sandbox(self) -> Sandbox:
        """What commands may touch."""
        return filled(Sandbox(), [layer.own_sandbox for layer in self.layers])

    @property
    def web(self) -> Web:
        """How far ``fetch`` and ``browser`` reach."""
        return filled(Web(), [layer.own_web for layer in self.layers])

    @property
    def workspace(self) -> str:
        """The folder that relative paths start from, as an absolute POSIX path."""
        return topmost([layer.own_workspace for layer in self.layers], "/")

    @property
    def roots(self) -> Names:
        """More folders that may be read without asking, as absolute POSIX paths."""
        return topmost([layer.own_roots for layer in self.layers], ())

    @property
    def environment(self) -> Environment:
        """Variables that every command of the conversation gets, one a name, sorted by name."""
        return whole_environment([layer.own_environment for layer in self.layers])

    @property
    def prompt(self) -> Prompt:
        """What the model is told of the project."""
        return filled(Prompt(), [layer.own_prompt for layer in self.layers])

    @property
    def skills(self) -> Skills:
        """Skills and lessons."""
        return filled(Skills(), [layer.own_skills for layer in self.layers])

    @property
    def user(self) -> User:
        """Who is talking."""
        return filled(User(), [layer.own_user for layer in self.layers])

    @property
    def limits(self) -> Limits:
        """What ends a turn or a conversation, or cuts an output."""
        return filled(DEFAULT_LIMITS, [layer.own_limits for layer in self.layers])

    @property
    def compaction(self) -> Compaction:
        """When and how a long conversation is summarised."""
        return filled(Compaction(), [layer.own_compaction for layer in self.layers])

    @property
    def mcp(self) -> tuple[McpServer, ...]:
        """Servers of tools, one a name."""
        return entries(lambda name: McpServer(name=name), [layer.own_mcp for layer in self.layers], "name")

    @property
    def guardrails(self) -> tuple[Guardrail, ...]:
        """Checks that can stop a run, one a name."""
        return entries(lambda name: Guardrail(name=name), [layer.own_guardrails for layer in self.layers], "name")

    @property
    def exporters(self) -> tuple[Exporter, ...]:
        """Who gets traces, one a name."""
        return entries(lambda name: Exporter(name=name), [layer.own_exporters for layer in self.layers], "name")

    @property
    def server(self) -> Server:
        """The server."""
        return filled(Server(), [layer.own_server for layer in self.layers])

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """Commands that run when something has happened, one a name."""
        return entries(lambda name: Hook(name=name), [layer.own_hooks for layer in self.layers], "name")


def merge_of(setting: attrs.Attribute[object]) -> Merge:
    """How the field lies over the same field of the layer below."""
    return cast(Merge, setting.metadata[MERGE])


def key_of(setting: str) -> str:
    """The field that names the entries of a named setting."""
    return "pattern" if setting == "models" else "name"


def laid_setting(setting: attrs.Attribute[object], over: object, under: object) -> object:
    """What two layers say of one setting, as one."""
    merge = merge_of(setting)
    if merge is Merge.JOINED and isinstance(over, Missing):
        return under
    if isinstance(over, tuple) and isinstance(under, tuple):
        if merge is Merge.NAMED:
            return laid_named(over, under, key_of(setting.alias or ""))
        if merge is Merge.JOINED:
            return tuple(dict.fromkeys((*over, *under)))
        if merge is Merge.TOOLS:
            return laid_tools(over, under)
    return over if merge is Merge.WHOLE and isinstance(over, JsonObject) else laid(over, under)


def laid_fields(over: Layer, under: Layer) -> dict[str, object]:
    """What ``over`` and ``under`` mention, as one layer's keywords: an equal reading of everything that lies below both."""
    both = {field.alias or field.name: laid_setting(field, getattr(over, field.name), getattr(under, field.name)) for field in settings()}
    return {name: value for name, value in both.items() if value != MISSING}


def settings() -> tuple[attrs.Attribute[object], ...]:
    """The fields of a layer, in the order of the document."""
    return cast("tuple[attrs.Attribute[object], ...]", attrs.fields(Layer))

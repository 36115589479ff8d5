"""What a layer says of a table, of named entries and of tools; each reading property of a layer."""

from __future__ import annotations

from typing import Any

import pytest

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layer import Layer, settings
from turnfold.core.config.layers import ChatConfig, Config, Origin, Overrides, ProjectConfig, agent_layer, leads
from turnfold.core.config.missing import DEFAULT, MISSING
from turnfold.core.config.named import entries, entry
from turnfold.core.config.notes import note_of
from turnfold.core.config.said import filled, laid, said
from turnfold.core.config.selection import laid_tools, selected, signed
from turnfold.core.config.tables import (
    Compaction,
    Exporter,
    Guarded,
    Guardrail,
    Hook,
    McpServer,
    Prompt,
    Sandbox,
    SandboxProfile,
    Server,
    Skills,
    User,
    Web,
)
from turnfold.core.config.values import DEFAULT_LIMITS, DEFAULT_PROVIDERS, Limits, Preset, Provider, SecretRef, ToolFormat, Variable
from turnfold.core.json import JsonObject

READ = (
    ("model", "a/b", "", "a/b"),
    ("fallbacks", ("a/b",), (), ("a/b",)),
    ("output", JsonObject.of(type="object"), JsonObject(), JsonObject.of(type="object")),
    ("tool_choice", "none", "", "none"),
    ("parallel_calls", False, None, False),
    ("stop_on", ("read",), (), ("read",)),
    ("tool_format", ToolFormat.MARKDOWN, None, ToolFormat.MARKDOWN),
    ("temperature", 0.5, None, 0.5),
    ("max_tokens", 9, None, 9),
    ("parameters", JsonObject.of(top_p=1), JsonObject(), JsonObject.of(top_p=1)),
    ("instructions", "Be brief.", "", "Be brief."),
    ("tools", (), None, ()),
    ("tool_modules", ("acme.tools",), (), ("acme.tools",)),
    ("agent", "r", "", "r"),
    ("agents", (said(AgentSpec, name="r"),), (), (AgentSpec(name="r"),)),
    ("rules", (), (), ()),
    ("permission", Preset.EDIT, Preset.ASK, Preset.EDIT),
    ("sandbox", said(Sandbox, profile=SandboxProfile.READ_ONLY), Sandbox(), Sandbox(profile=SandboxProfile.READ_ONLY)),
    ("web", said(Web, timeout_s=5.0), Web(), Web(timeout_s=5.0)),
    ("workspace", "/w", "/", "/w"),
    ("roots", ("/r",), (), ("/r",)),
    ("environment", (Variable("B", None), Variable("A", "1")), (), (Variable("A", "1"), Variable("B", None))),
    ("prompt", said(Prompt, files=("a.md",)), Prompt(), Prompt(files=("a.md",))),
    ("skills", said(Skills, lessons_at_once=0), Skills(), Skills(lessons_at_once=0)),
    ("user", User(name="Ada"), User(), User(name="Ada")),
    ("limits", said(Limits, usd=2.0), DEFAULT_LIMITS, Limits(usd=2.0)),
    ("compaction", said(Compaction, auto=False), Compaction(), Compaction(auto=False)),
    ("mcp", (said(McpServer, name="m", url="http://m"),), (), (McpServer(name="m", url="http://m"),)),
    ("guardrails", (said(Guardrail, name="g", on=Guarded.CALL),), (), (Guardrail(name="g", on=Guarded.CALL),)),
    ("exporters", (said(Exporter, name="e", content=True),), (), (Exporter(name="e", content=True),)),
    ("server", said(Server, port=0), Server(), Server(port=0)),
    ("hooks", (said(Hook, name="h", on=("end",)),), (), (Hook(name="h", on=("end",)),)),
)  # fmt: skip


def overrides(**said: Any) -> Overrides:
    return Overrides(**said)


@pytest.mark.parametrize(("name", "mentioned", "default", "value"), READ)
def test_each_setting_is_read(name: str, mentioned: object, default: object, value: object) -> None:
    layer = overrides(**{name: mentioned})
    assert getattr(layer, name) == value
    assert getattr(Layer(), name) == default
    assert getattr(ChatConfig(ProjectConfig(Config(files=(layer,)))), name) == value
    assert getattr(Config(files=(overrides(**{name: DEFAULT}), layer)), name) == default


def test_each_setting_is_noted_and_read_by_its_name() -> None:
    names = tuple(each.alias or "" for each in settings())
    assert len(names) == len(set(names)) == 34
    assert all(note_of(each) and each.name == f"own_{each.alias}" and hasattr(Layer(), each.alias or "") for each in settings())
    assert {name for name, *_ in READ} == set(names) - {"providers", "models"}  # these two: test_layers.py, test_models.py


def test_a_configuration_can_be_made_of_nothing() -> None:
    cfg = ChatConfig(ProjectConfig(Config()))
    assert cfg.providers == DEFAULT_PROVIDERS
    assert [getattr(cfg, each.alias or "") for each in settings()] == [getattr(Layer(), each.alias or "") for each in settings()]
    assert len(cfg.layers) == 3


def test_what_is_said_is_sorted_and_its_names_are_known() -> None:
    table = said(Limits, usd=2.0, turns=1)
    assert [member.name for member in table.members] == ["turns", "usd"]
    assert table == said(Limits, turns=1, usd=2.0)
    assert (table.get("usd"), table.get("tokens")) == (2.0, MISSING)
    with pytest.raises(TypeError, match="eur"):
        said(Limits, eur=2.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="by keyword"):
        said(Variable, "A", "1")


def test_a_field_that_is_put_back_has_its_default_whatever_lies_below() -> None:
    back = said(Provider, name="x", timeout_s=DEFAULT, secret=DEFAULT)  # type: ignore[arg-type]
    whole = Provider(name="x", base_url="http://x/v1", secret=SecretRef("K"), timeout_s=9.0)
    assert laid(back, whole) == Provider(name="x", base_url="http://x/v1")
    assert Config(files=(Overrides(providers=(back,)), Overrides(providers=(whole,)))).providers[0] == laid(back, whole)


def test_a_table_that_is_put_back_hides_what_stands_below_it() -> None:
    high, low = said(Limits, usd=1.0), said(Limits, turns=5)
    assert filled(Limits(), [high, DEFAULT, low]) == Limits(usd=1.0)
    assert filled(Limits(), [DEFAULT, low]) == Limits()
    named = ((said(Provider, name="a"),), DEFAULT, (said(Provider, name="b"),))
    assert [each.name for each in entries(lambda name: Provider(name=name), named, "name")] == ["a"]
    assert entry(lambda name: Provider(name=name), named, "name", "b") is None
    assert entry(lambda name: Provider(name=name), (MISSING, *named), "name", "a") == Provider(name="a")
    assert Config(environment=DEFAULT, files=(Overrides(environment=(Variable("A", "1"),)),)).environment == ()


def test_laying_what_does_not_fit_takes_the_higher() -> None:
    assert laid("a", said(Limits, usd=1.0)) == "a"
    assert laid(said(Limits, usd=1.0), "a") == said(Limits, usd=1.0)


def test_tools_are_changed_or_replaced() -> None:
    project = ProjectConfig(Config(tools=("read", "shell")), tools=("-shell", "+todo"))
    assert ChatConfig(project, tools=("+save",)).tools == ("read", "todo", "save")
    assert ChatConfig(project, tools=()).tools == ()
    assert ChatConfig(project, tools=DEFAULT).tools is None
    assert ProjectConfig(Config(), tools=("-shell",)).tools == ("-shell",)
    assert (signed(()), signed(("+a", "b"))) == (False, False)
    assert laid_tools(("+a",), ("-a",)) == ("+a",)
    assert selected(None, None, ("a", "b")) == ("a", "b")
    assert selected(None, ("b",), ("a", "b")) == ("b",)
    assert selected(("a", "nope"), None, ("a", "b")) == ("a",)


AGENT = AgentSpec(name="r", model="agent/m", instructions="Review.", tools=("read",), limits=said(Limits, turns=3))


def test_the_layers_in_their_order() -> None:
    """Changes > the conversation > its agent > variables > the project > the person > the defaults."""
    config = Config(model="user/m", agents=(AGENT,), files=(Overrides(model="user-file/m"),))
    project = ProjectConfig(config, files=(Overrides(model="project-file/m"),))
    told = ProjectConfig(config, model="project/m", files=project.files)
    varied = ProjectConfig(config, model="project/m", variables=(Overrides(model="environment/m"),))
    led = ChatConfig(varied, agent="r")
    own = ChatConfig(varied, agent="r", model="chat/m")
    over = ChatConfig(varied, agent="r", model="chat/m", overrides=(Overrides(model="now/m"), Overrides(model="before/m")))
    assert [cfg.model for cfg in (Config(), config, project, told, varied, led, own, over)] == [
        "", "user/m", "project-file/m", "project/m", "environment/m", "agent/m", "chat/m", "now/m",
    ]  # fmt: skip
    assert (led.tools, led.instructions, led.limits, led.agent) == (("read",), "Review.", Limits(turns=3), "r")
    assert own.tools == ("read",)


def test_an_agent_that_is_put_away_leads_no_more() -> None:
    project = ProjectConfig(Config(agents=(AGENT,)), agent="r")
    assert ChatConfig(project).model == "agent/m"
    assert ChatConfig(project, agent=DEFAULT).model == ""
    assert ChatConfig(project, overrides=(Overrides(agent=""),)).model == ""
    assert ChatConfig(project, agent="nobody").model == ""


def test_an_agent_says_only_what_it_has() -> None:
    layer = agent_layer(AgentSpec(name="plain"))
    assert (layer.own_agent, layer.own_model, layer.own_tools, layer.own_limits) == ("plain", MISSING, MISSING, MISSING)
    assert layer.origin.place == "agent plain"
    assert leads(layer)
    assert not leads(Overrides(model="a/b", origin=Origin(layer="chat", place="agent plain")))  # a place is only told


def test_a_resumed_conversation_can_go_back_to_a_default() -> None:
    """G12: missing and default differ."""
    started = ChatConfig(ProjectConfig(Config(temperature=0.2, tools=("read",))), temperature=1.5, limits=said(Limits, command_s=9.0))
    missing = ChatConfig(started.project, temperature=MISSING)
    back = ChatConfig(
        started.project,
        temperature=1.5,
        overrides=(Overrides(temperature=DEFAULT, tools=DEFAULT, limits=said(Limits, command_s=DEFAULT)),),  # type: ignore[arg-type]
        limits=said(Limits, command_s=9.0),
    )
    assert (started.temperature, missing.temperature, back.temperature) == (1.5, 0.2, None)
    assert back.tools is None
    assert back.limits == DEFAULT_LIMITS

"""Which profile a model has; which rules speak of what lies outside the workspace."""

from __future__ import annotations

import pytest
from attrs import evolve

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.missing import DEFAULT
from turnfold.core.config.models import PLAIN_PROFILE, format_of, full_name, locate, missing_agent, profile_of
from turnfold.core.config.said import said
from turnfold.core.config.values import ModelProfile, Provider, Rule, ToolFormat, Verdict
from turnfold.core.problem import Problem
from turnfold.core.world.permission import Allow, Ask, permit
from turnfold.core.world.requests import ReadFile

SMALL = ModelProfile(pattern="ollama/*", tool_format=ToolFormat.MARKDOWN)


def config(model: str, tool_format: ToolFormat | None = None) -> ChatConfig:
    base = Config(model=model, models=(ModelProfile(pattern="x/*"), SMALL))
    project = ProjectConfig(base) if tool_format is None else ProjectConfig(base, tool_format=tool_format)
    return ChatConfig(project)


def test_the_first_profile_that_fits_the_model_is_used() -> None:
    assert profile_of(config("ollama/qwen")) is SMALL
    assert profile_of(config("openai/gpt")) is PLAIN_PROFILE


def test_the_config_says_the_format_before_the_profile_does() -> None:
    assert format_of(config("ollama/qwen")) is ToolFormat.MARKDOWN
    assert format_of(config("ollama/qwen", ToolFormat.NATIVE)) is ToolFormat.NATIVE


def test_a_provider_without_an_address_is_told_as_such() -> None:
    found = locate(Config(providers=(said(Provider, name="far", timeout_s=5.0),)), "far/x")
    assert isinstance(found, Problem)
    assert found.message == 'The provider far has no address that counts here: write base_url = "…" under [providers.far].'


def test_outside_of_the_workspace_only_absolute_patterns_count() -> None:
    outside = ReadFile(path="/etc/passwd", limit_bytes=1)

    def allowed(*rules: Rule) -> bool:
        return isinstance(permit(outside, ChatConfig(ProjectConfig(Config(rules=rules)), workspace="/w")), Allow)

    assert not allowed(Rule(Verdict.ALLOW, "read", "etc/*"))
    assert not allowed(Rule(Verdict.ALLOW, "read", "*"))
    assert allowed(Rule(Verdict.ALLOW, "read", "/etc/*"))
    assert allowed(Rule(Verdict.ALLOW))
    assert isinstance(permit(outside, ChatConfig(ProjectConfig(Config()), workspace="/w")), Ask)


def test_models_that_are_put_back_are_those_of_nobody() -> None:
    user = Config(models=(ModelProfile(pattern="ollama/*", aliases=(), grammar=True), ModelProfile(pattern="a/b", aliases=("short",))))
    chat = ChatConfig(ProjectConfig(user), models=DEFAULT, model="ollama/qwen")
    assert profile_of(chat) is PLAIN_PROFILE
    assert full_name(chat, "short") == "short"
    assert full_name(ChatConfig(ProjectConfig(user)), "short") == "a/b"


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*", True),
        ("open*/gpt-*-mini", True),
        ("openai/*5*", True),
        ("*/*/*", False),
        ("openai/gpt-5-mini*mini", False),
        ("*nano", False),
        ("openai/?pt-5-mini", False),
    ],
)
def test_a_star_stands_for_any_text_and_nothing_else_does(pattern: str, fits: bool) -> None:
    cfg = Config(model="openai/gpt-5-mini", models=(ModelProfile(pattern=pattern, grammar=True),))
    assert profile_of(cfg).grammar == fits


def test_an_agent_that_nobody_describes_is_named() -> None:
    cfg = Config(agents=(AgentSpec(name="reviewer"),))
    assert missing_agent(cfg) is None
    assert missing_agent(evolve(cfg, agent="reviewer")) is None
    missing = missing_agent(Config(agent="x"))
    assert missing is not None
    assert missing.message == "There is no agent 'x': describe it in a config file, under [agents.NAME]."

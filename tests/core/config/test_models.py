"""Which profile a model has; which rules speak of what lies outside the workspace."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.models import PLAIN_PROFILE, format_of, locate, profile_of
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

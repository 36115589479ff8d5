"""Three layers read as one."""

from __future__ import annotations

import pytest

from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.values import (
    DEFAULT_LIMITS,
    DEFAULT_PROVIDERS,
    Limits,
    ModelProfile,
    Provider,
    Rule,
    ToolFormat,
    Variable,
    Verdict,
)

SINGLE = (
    ("model", "a/b", ""),
    ("tool_format", ToolFormat.MARKDOWN, None),
    ("tools", ("read",), None),
    ("instructions", "Be brief.", ""),
    ("temperature", 0.5, None),
    ("max_tokens", 9, None),
    ("workspace", "/w", "/"),
    ("limits", Limits(generations=1), DEFAULT_LIMITS),
)


@pytest.mark.parametrize(("name", "value", "default"), SINGLE)
def test_the_highest_layer_that_says_something_wins(name: str, value: object, default: object) -> None:
    user = Config(**{name: value})  # type: ignore[arg-type]  # one case for settings of every type
    other = {"model": "c/d", "workspace": "/x"}.get(name, value)
    project = ProjectConfig(user, **{name: other})  # type: ignore[arg-type]
    assert getattr(Config(), name) == default
    assert getattr(ChatConfig(ProjectConfig(user)), name) == value
    assert getattr(ChatConfig(project), name) == other
    overridden = ChatConfig(project, overrides=(Overrides(**{name: value}), Overrides(**{name: other})))  # type: ignore[arg-type]
    assert getattr(overridden, name) == value


def test_what_is_empty_is_said_all_the_same() -> None:
    assert ProjectConfig(Config(tools=("read",)), tools=()).tools == ()


def test_providers_are_merged_by_name() -> None:
    mine = Provider(name="openai", base_url="http://proxy/v1")
    providers = ProjectConfig(Config(providers=(mine, Provider(name="x", base_url="http://x")))).providers
    assert providers[0] == mine
    assert [each.name for each in providers].count("openai") == 1
    assert {each.name for each in providers} == {"x", *(each.name for each in DEFAULT_PROVIDERS)}


def test_rules_and_profiles_of_all_layers_count_the_highest_first() -> None:
    low, high = Rule(Verdict.ALLOW), Rule(Verdict.DENY)
    assert ProjectConfig(Config(rules=(low,)), rules=(high,)).rules == (high, low)
    profile = ModelProfile(pattern="*")
    assert ChatConfig(ProjectConfig(Config(models=(profile,)))).models == (profile,)


def test_environment_is_merged_by_name() -> None:
    cfg = ProjectConfig(Config(environment=(Variable("B", "1"), Variable("A", "1"))), environment=(Variable("B", None),))
    assert cfg.environment == (Variable("A", "1"), Variable("B", None))


def test_layers_stand_highest_first() -> None:
    user = Config()
    project = ProjectConfig(user)
    over = Overrides(model="x/y")
    chat = ChatConfig(project, overrides=(over,))
    assert chat.layers == (over, chat, project, user)
    assert all(isinstance(layer, Layer) for layer in chat.layers)

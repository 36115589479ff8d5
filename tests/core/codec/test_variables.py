"""Settings from variables of the environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure

from turnfold.core.codec.variables import VARIABLES, read_variables_untrusted
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.values import ToolFormat


def read(*variables: tuple[str, str]) -> tuple[Overrides, ...]:
    return read_variables_untrusted(variables).unwrap()


def faults(*variables: tuple[str, str]) -> list[str]:
    found = read_variables_untrusted(variables)
    assert isinstance(found, Failure)
    return [str(problem) for problem in found.failure()]


def test_variables_lie_over_the_project_and_under_the_conversation() -> None:
    variables = read(
        ("TURNFOLD_HOME", "/x"),
        ("TURNFOLD_MAX_TOKENS", " "),
        ("TURNFOLD_MODEL", "e/e"),
        ("TURNFOLD_TEMPERATURE", "0.5"),
        ("TURNFOLD_TOOLS", "read, shell,"),
        ("TURNFOLD_TOOL_FORMAT", "markdown"),
        ("TURNFOLD_LIMITS__USD", "2"),
        ("TURNFOLD_LIMITS__TURNS", " 3 "),
        ("TURNFOLD_COMPACTION__AUTO", "False"),
        ("TURNFOLD_USER__NAME", "Ada"),
        ("OTHER_MODEL", "x"),
        ("TURNFOLD_QUITE_ELSE", "x"),
    )
    laid = ProjectConfig(Config(model="u/u"), model="p/p", max_tokens=5, variables=variables)
    assert (laid.model, laid.max_tokens, laid.temperature, laid.tools) == ("e/e", 5, 0.5, ("read", "shell"))
    assert (laid.limits.usd, laid.limits.turns, laid.compaction.auto, laid.user.name) == (2.0, 3, False, "Ada")
    assert laid.tool_format is ToolFormat.MARKDOWN
    assert ChatConfig(laid, model="c/c").model == "c/c"
    assert [layer.origin.place for layer in variables][:2] == ["TURNFOLD_MODEL", "TURNFOLD_TEMPERATURE"]
    assert {layer.origin.layer for layer in variables} == {"environment"}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TURNFOLD_MAX_TOKENS", "many", "TURNFOLD_MAX_TOKENS: max_tokens takes a whole number, not text. @ $.max_tokens"),
        ("TURNFOLD_MAX_TOKENS", "1.5", "TURNFOLD_MAX_TOKENS: max_tokens takes a whole number, not text. @ $.max_tokens"),
        ("TURNFOLD_TEMPERATURE", "-1", "TURNFOLD_TEMPERATURE: temperature takes a number from 0 to 2, not -1. @ $.temperature"),
        (
            "TURNFOLD_COMPACTION__AUTO",
            "yes",
            "TURNFOLD_COMPACTION__AUTO: compaction.auto takes true or false, not text. @ $.compaction.auto",
        ),
        ("TURNFOLD_MDOEL", "a/b", "TURNFOLD_MDOEL: there is no setting of this name; did you mean TURNFOLD_MODEL? @ TURNFOLD_MDOEL"),
        (
            "TURNFOLD_RULES",
            "x",
            "TURNFOLD_RULES: there is no setting of this name; rules can be set in a config file only. @ TURNFOLD_RULES",
        ),
    ],
)
def test_faults_of_variables_name_the_variable(name: str, value: str, told: str) -> None:
    assert faults((name, value)) == [told]


def test_all_faults_are_told_at_once() -> None:
    assert len(faults(("TURNFOLD_MAX_TOKENS", "x"), ("TURNFOLD_MODEL", "a/b"), ("TURNFOLD_TOOL_FORMAT", "yaml"))) == 2


@given(st.sampled_from(VARIABLES), st.text())
def test_no_text_raises(name: str, value: str) -> None:
    read_variables_untrusted(((name, value),))

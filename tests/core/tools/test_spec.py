"""A tool is found by its name."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.json import JsonObject
from turnfold.core.tools.extension import Extension
from turnfold.core.tools.spec import Call, Done, Refuse, ToolSpec, extended, find_tool


def test_find_tool() -> None:
    spec = ToolSpec(name="a", description="", parameters=JsonObject(), advance=lambda _call, _cfg: Done(""))
    assert find_tool((spec,), "a") is spec
    assert find_tool((spec,), "b") is None


def test_what_only_brings_functions_is_no_tool() -> None:
    bare = extended("dates", Extension())
    refused = bare.advance(Call(JsonObject()), ChatConfig(ProjectConfig(Config())))
    assert isinstance(refused, Refuse)
    assert refused.problem.code == "unknown-tool"

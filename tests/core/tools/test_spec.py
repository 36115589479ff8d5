"""A tool is found by its name."""

from __future__ import annotations

from turnfold.core.json import JsonObject
from turnfold.core.tools.spec import Done, ToolSpec, find_tool


def test_find_tool() -> None:
    spec = ToolSpec(name="a", description="", parameters=JsonObject(), advance=lambda _call, _cfg: Done(""))
    assert find_tool((spec,), "a") is spec
    assert find_tool((spec,), "b") is None

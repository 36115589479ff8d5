"""Paths are made absolute as text."""

from __future__ import annotations

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.tools.paths import resolve


@pytest.mark.parametrize(
    ("path", "cwd", "absolute"),
    [
        ("a.txt", "", "/w/a.txt"),
        ("a.txt", "/x", "/x/a.txt"),
        ("../a", "", "/a"),
        ("/etc/x", "/y", "/etc/x"),
        ("./b/../c", "d", "/w/d/c"),
        ("~", "", "/w/~"),
    ],
)
def test_resolve(path: str, cwd: str, absolute: str) -> None:
    assert resolve(path, ChatConfig(ProjectConfig(Config()), workspace="/w"), cwd) == absolute

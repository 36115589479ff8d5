"""What core may import, and where time and chance come from: the contracts hold, and they catch what is planted."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.meta.contract import refused_imports
from tests.meta.source import PACKAGE, PROJECT, package_modules, planted, within


def contract(name: str) -> dict[str, Any]:
    """The options of one contract, as pyproject.toml has them."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return next(each for each in settings["tool"]["importlinter"]["contracts"] if each["id"] == name)


def refused(rule: str, text: str, module: str) -> tuple[str, ...]:
    options = contract(rule)
    found = refused_imports(planted(text, module), *(tuple(options.get(key, ())) for key in ("allowed", "denied", "only_in")))
    return tuple(each.sentence for each in found)


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("import os", "turnfold.core.agent.step"),
        ("import asyncio", "turnfold.core.agent.step"),
        ("from functools import cache", "turnfold.core.agent.step"),
        ("import functools", "turnfold.core.agent.step"),
        ("from collections import deque", "turnfold.core.agent.step"),
        ("import datetime", "turnfold.core.agent.step"),
        ("from pathlib import PurePosixPath", "turnfold.core.agent.step"),
        ("from urllib.request import urlopen", "turnfold.core.agent.step"),
        ("from turnfold.shell.ports import Files", "turnfold.core.agent.step"),
        ("import turnfold", "turnfold.core.agent.step"),
        ("import cattrs", "turnfold.core.agent.step"),
        ("import json", "turnfold.core.config.layers"),
        ("def f():\n    import os", "turnfold.core.agent.step"),
        ("from . import a", "turnfold.core.agent.step"),
    ],
)
def test_core_may_not_import(text: str, module: str) -> None:
    assert refused("core-imports", text, module)


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("from attrs import frozen", "turnfold.core.agent.step"),
        ("from collections.abc import Callable", "turnfold.core.agent.step"),
        ("from functools import partial, reduce", "turnfold.core.agent.step"),
        ("from urllib.parse import quote", "turnfold.core.agent.step"),
        ("import cattrs", "turnfold.core.codec.unions"),
        ("import json", "turnfold.core.json"),
        ("from turnfold.core.problem import Problem", "turnfold.core.agent.step"),
    ],
)
def test_core_may_import(text: str, module: str) -> None:
    assert not refused("core-imports", text, module)


@pytest.mark.parametrize("name", ["time", "random", "secrets", "uuid"])
def test_time_and_chance_come_from_the_clock_alone(name: str) -> None:
    assert refused("clock", f"import {name}", "turnfold.shell.perform")
    assert refused("clock", f"from {name} import x", "turnfold.testing.worlds")
    assert not refused("clock", f"import {name}", "turnfold.shell.clock")


@pytest.mark.parametrize("rule", ["core-imports", "clock"])
def test_contract_holds(rule: str) -> None:
    options = contract(rule)
    lists = tuple(tuple(options.get(key, ())) for key in ("allowed", "denied", "only_in"))
    modules = tuple(module for module in package_modules() if within(module.name, options["source"]))
    assert modules
    assert not [f"{module.name}:{each.line}: {each.sentence}" for module in modules for each in refused_imports(module, *lists)]


def test_what_is_banned_everywhere_is_banned_in_core() -> None:
    """A table replaces the one it extends in ruff, so core's ruff.toml has to repeat the project's."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    core = tomllib.loads((PACKAGE / "core" / "ruff.toml").read_text(encoding="utf-8"))["lint"]
    assert project["flake8-tidy-imports"]["banned-api"].items() <= core["flake8-tidy-imports"]["banned-api"].items()

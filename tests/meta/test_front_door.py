"""The front door, as the program and as type checkers see it: the same names, from the same modules; and nothing is imported before."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module

import pytest

import turnfold
from tests.meta.source import PACKAGE

STUB = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
IMPORTS = tuple((node.module or "", alias.name) for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names)


@pytest.mark.parametrize(("home", "name"), IMPORTS)
def test_the_stub_says_where_each_name_comes_from(home: str, name: str) -> None:
    assert getattr(turnfold, name) is getattr(import_module(home), name)


def test_the_stub_has_all_names() -> None:
    assert sorted(name for _, name in IMPORTS) == sorted(turnfold.__all__)
    said = next(node.value for node in STUB.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(said) == list(turnfold.__all__)


def test_the_names_are_listed_for_whoever_completes_them() -> None:
    assert set(turnfold.__all__) <= set(dir(turnfold))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        turnfold.nonsense  # type: ignore[attr-defined]  # noqa: B018 - asking is the test


@pytest.mark.parametrize(
    "line",
    ["import turnfold", "from turnfold.cli.main import main; main(['--help'])", "from turnfold.cli.main import main; main(['--vrsion'])"],
)
def test_what_only_tells_something_imports_nothing_heavy(line: str) -> None:
    heavy = ("attrs", "cattrs", "returns", "httpx2", "sqlite3", "asyncio", "ssl", "subprocess", "turnfold.core", "turnfold.shell")
    script = f"import sys; {line}; print(*[name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.splitlines()[-1] == ""


@pytest.mark.parametrize("action", ["show", "paths", "check", "schema"])
def test_looking_at_the_settings_waits_for_no_journal_and_no_model(action: str) -> None:
    heavy = (
        "cattrs",
        "sqlite3",
        "turnfold.core.codec.codec",
        "turnfold.shell.journal",
        "turnfold.shell.real",
        "turnfold.shell.routed_models",
    )
    line = f"from turnfold.cli.main import main; main(['config', '{action}'])"
    script = f"import sys; {line}; print(*[name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.splitlines()[-1] == ""

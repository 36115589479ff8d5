"""docs/from-gptme.md says what is so: its rows are what the import does, its commands and names are there, its code runs."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

import turnfold
from turnfold.adapters.gptme.rules import Kind, Place
from turnfold.adapters.gptme.settings import settings_of_untrusted
from turnfold.cli.arguments import Importing, Talk, parse_arguments
from turnfold.core.agent.commands.table import COMMANDS
from turnfold.core.agent.draft import Step
from turnfold.core.json import JsonObject, JsonValue, freeze
from turnfold.core.tools.builtin import BUILTIN_TOOLS

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "from-gptme.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

# What a key is given to see it carried over; anything else is a text.
SAMPLES: dict[str, object] = {
    "model": "ollama/qwen3",
    "tool_format": "tool",
    "tools": "save,ipython",
    "providers.local.base_url": "http://127.0.0.1:1/v1",
    "max_tokens": 100,
    "temperature": 0.5,
    "parameters.top_p": 0.5,
    "limits.generations": "3",
    "limits.command_s": "3",
    "compaction.at": 0.5,
    "prompt.files": ["a.md"],
    "skills.lessons": ["lessons"],
}


def rows(title: str) -> list[tuple[str, str]]:
    """The rows of the table below a heading."""
    part = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", part, re.MULTILINE)
    return [(str(old), str(new)) for old, new in found if old != "gptme"]


def keys() -> list[tuple[str, str]]:
    """Each key of the table of config, with what it becomes."""
    return [
        (key, re.findall(r"`([^`]+)`", new)[0])
        for old, new in rows("Config")
        for key in re.findall(r"`([a-z_]+(?:\.\w+)*)`", old)
        if not old.startswith("other")
    ]


def nested(path: str, value: object) -> object:
    """``value`` in tables of these names."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def at(settings: JsonObject, path: str) -> JsonValue:
    """What stands at ``path``."""
    value: JsonValue = settings
    for name in path.split("."):
        value = value.get(name) if isinstance(value, JsonObject) else None
    return value


@pytest.mark.parametrize(("old", "new"), keys())
def test_each_key_of_the_table_becomes_what_it_says(old: str, new: str) -> None:
    kinds = (Kind.CHAT,) if old.startswith("chat.") else tuple(Kind)
    config = freeze(nested(old, SAMPLES.get(new, "some text")))
    assert isinstance(config, JsonObject)
    assert any(at(settings_of_untrusted(config, Place(kind=kind)).settings, new) is not None for kind in kinds)


def test_the_table_of_keys_is_read() -> None:
    assert len(keys()) > 25


@pytest.mark.parametrize("name", sorted({name for _, new in rows("Commands") for name in re.findall(r"`/(\w+)", new)}))
def test_the_commands_are_there(name: str) -> None:
    known = {alias for command in COMMANDS for alias in (command.name, *command.aliases)}
    assert name in known | {tool.name for tool in BUILTIN_TOOLS}


def test_those_that_are_the_same_are_there() -> None:
    (same,) = (old for old, new in rows("Commands") if new == "the same")
    assert set(re.findall(r"`/(\w+)", same)) <= {command.name for command in COMMANDS}


@pytest.mark.parametrize("name", sorted({name for _, new in rows("Code") for name in re.findall(r"`turnfold\.(\w+)", new)}))
def test_the_names_are_there(name: str) -> None:
    assert name in turnfold.__all__


def test_the_lines_of_the_shell_are_plans() -> None:
    lines = TEXT.partition("```bash\n")[2].partition("```")[0].strip().split("\n")
    plans = [parse_arguments(re.findall(r'"[^"]*"|\S+', line.partition("#")[0])[1:]) for line in lines]
    assert [type(plan) for plan in plans] == [Importing] * 5 + [Talk]


def test_the_old_code_does_what_the_new_code_does() -> None:
    old: dict[str, object] = {}
    new: dict[str, object] = {}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        exec(compile(CODE[0], "from-gptme.md", "exec"), old)
    exec(compile(CODE[1], "from-gptme.md", "exec"), new)
    assert isinstance(new["step"], Step)
    assert (old["step"], old["other"], old["names"]) == (new["step"], new["other"], new["names"])
    assert [warning.category for warning in seen] == [DeprecationWarning] * 4

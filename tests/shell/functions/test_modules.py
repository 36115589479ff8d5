"""Tools of modules that the settings name: loaded once, explicitly; what is wrong with one is said with its line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.world.answers import Returned
from turnfold.core.world.requests import CallPython
from turnfold.shell.functions.modules import Loaded, load_modules
from turnfold.shell.scope import Scope
from turnfold.shell.toolbox import Toolbox, equipped
from turnfold.testing.fake_world import fake_world

GOOD = '''from __future__ import annotations
import attrs
from turnfold import BUILTIN_TOOLS, tool

@attrs.frozen
class City:
    name: str

@tool
def weather(city: City) -> str:
    """Tell the weather."""
    return f"rain in {city.name}"

TOOLS = (weather,)
'''


def config(workspace: Path, *names: str, own: bool = False) -> ChatConfig:
    user = Config(tool_modules=names) if own else Config()
    project = ProjectConfig(user) if own else ProjectConfig(user, tool_modules=names)
    return ChatConfig(project, workspace=workspace.as_posix())


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def fault(cfg: ChatConfig) -> str:
    loaded = load_modules(cfg)
    assert isinstance(loaded, Problem)
    assert loaded.blame is Blame.CALLER
    assert loaded.path == "$.tool_modules"
    return loaded.message


def test_the_tools_of_a_file_are_among_the_tools(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    box = equipped(config(tmp_path, "mine.py"), fake_world())
    assert isinstance(box, Toolbox)
    assert [tool.name for tool in box.tools] == [*(tool.name for tool in BUILTIN_TOOLS), "weather"]
    request = CallPython("weather", JsonObject.of(city=JsonObject.of(name="Rome")))
    assert box.world.functions.act(request, config(tmp_path), Scope()) == Returned(text="rain in Rome")


def test_a_module_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my_tools_of_a_test"
    folder.mkdir()
    written(folder, "", "__init__.py")
    written(folder, GOOD, "weather.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    loaded = load_modules(config(tmp_path, "my_tools_of_a_test.weather", own=True))
    assert isinstance(loaded, Loaded)
    assert [tool.name for tool in loaded.tools] == ["weather"]
    del sys.modules["my_tools_of_a_test.weather"], sys.modules["my_tools_of_a_test"]
    assert "There is no module my_tools_of_a_test.rain: install it" in fault(config(tmp_path, "my_tools_of_a_test.rain", own=True))


def test_a_path_of_ones_own_settings_means_one_file_everywhere(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert "another file in every workspace" in fault(config(tmp_path, "mine.py", own=True))
    assert isinstance(load_modules(config(tmp_path, path.as_posix(), own=True)), Loaded)


def test_a_file_that_says_a_tool_spec_is_taken(tmp_path: Path) -> None:
    written(tmp_path, "from turnfold import BUILTIN_TOOLS\nTOOLS = [BUILTIN_TOOLS[0]]\n")
    loaded = load_modules(config(tmp_path, "mine.py"))
    assert loaded == Loaded(tools=BUILTIN_TOOLS[:1])
    box = equipped(config(tmp_path, "mine.py"), fake_world())
    assert isinstance(box, Problem)
    assert f"two tools called {BUILTIN_TOOLS[0].name}" in box.message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = 1\nraise ValueError('no key')\n", "mine.py:2): ValueError: no key. Mend it, or take it out of tool_modules."),
        ("def f(:\n", "mine.py:1): SyntaxError: "),
        ("import sys\n\nsys.exit(3)\n", "mine.py:3): SystemExit: 3"),
        ("import nothing_of_this_name\n", "mine.py:1): ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("from turnfold import tool\n\n@tool\ndef f(a): ...\n", "mine.py:3): UnfitError: f can't be a tool: the parameter a has no type"),
        ("x = 1\n", "says no TOOLS: end it with  TOOLS = (my_tool,)"),
        ("def f(): ...\nTOOLS = (f,)\n", "holds f, which is no tool: write @tool above it"),
        ("TOOLS = (3,)\n", "holds int, which is no tool"),
    ],
)
def test_what_is_wrong_with_a_module_is_said_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    written(tmp_path, text)
    before = frozenset(sys.modules)
    assert what in fault(config(tmp_path, "mine.py"))
    left = {name for name in sys.modules if name.startswith("turnfold_tools_")} - before
    assert len(left) == (1 if "TOOLS" in what or "is no tool" in what else 0)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert fault(config(tmp_path, "none.py")) == f"There is no file {tmp_path}/none.py: mend tool_modules, or take it out."

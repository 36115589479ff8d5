"""docs/tools.md says what is so: its code runs, its settings are settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import attrs
import pytest
from attrs import evolve

from tests.test_docs import PROJECT, block
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, FunctionTool, ProjectConfig, ToolSpec, run, with_functions
from turnfold.core.config.tables import McpServer
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.shell.functions.modules import Loaded, load_modules
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

TOOLS = (PROJECT / "docs" / "tools.md").read_text(encoding="utf-8")
CFG = evolve(ChatConfig(ProjectConfig(Config()), workspace="/w"), rules=(Rule(Verdict.ALLOW, "function"),))


def names(of: str) -> dict[str, object]:
    found: dict[str, object] = {"__name__": "tools_md"}
    exec(compile(block(TOOLS, "python", of), "tools.md", "exec", dont_inherit=True), found)
    return found


def told(call: RawCall, *tools: ToolSpec, functions: tuple[FunctionTool[..., object], ...] = ()) -> str:
    world = fake_world((chat_stream(calls=(call,)), chat_stream("Done.")), {"/w/a.txt": "one\ntwo\n"})
    result = run("Do it.", (*BUILTIN_TOOLS, *tools), CFG, with_functions(world, *functions))
    (message,) = (message for message in result.state.past.log if isinstance(message, ToolMessage))
    return message.text


def test_every_tool_is_listed_with_whether_it_is_offered() -> None:
    rows = re.findall(r"^\| (`.*?`) \|.*\| (yes|by name) \|$", TOOLS, re.MULTILINE)
    listed = {name: offered for cell, offered in rows for name in re.findall(r"`(.*?)`", cell)}
    assert listed == {tool.name: "by name" if tool.optional else "yes" for tool in BUILTIN_TOOLS}


def test_the_functions_run() -> None:
    found = names("def weather")
    weather, tidy = found["weather"], found["tidy"]
    assert isinstance(weather, FunctionTool)
    assert isinstance(tidy, FunctionTool)
    call = RawCall("weather", '{"place": {"city": "Ulm"}, "days": 2}')
    assert told(call, weather.spec, functions=(weather,)) == '{"city":"Ulm","sky":["rain","rain"],"unit":"C"}'
    assert told(RawCall("tidy", '{"files": ["a"]}'), tidy.spec, functions=(tidy,)) == "1 tidied in /w"
    wrong = told(RawCall("weather", '{"place": {}, "days": "3"}'), weather.spec, functions=(weather,))
    assert block(TOOLS, "text", "The arguments don't fit").strip() in wrong


def test_the_script_runs() -> None:
    lines = names("def count_lines")["LINES"]
    assert isinstance(lines, ToolSpec)
    assert told(RawCall("lines", '{"path": "a.txt"}'), lines) == "2 lines"


def test_the_module_is_one(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(block(TOOLS, "python", "TOOLS = (shout,)"))
    loaded = load_modules(ChatConfig(ProjectConfig(Config(), tool_modules=("mine.py",)), workspace=tmp_path.as_posix()))
    assert isinstance(loaded, Loaded)
    assert [tool.name for tool in loaded.tools] == ["shout"]


@pytest.mark.parametrize("name", ["docs", "issues"])
def test_the_settings_of_servers_are_settings(name: str) -> None:
    tables = tomllib.loads(block(TOOLS, "toml", "[mcp.docs]"))
    assert set(tables["mcp"][name]) <= {field.name for field in attrs.fields(McpServer)}


def test_the_setting_of_modules_is_one() -> None:
    assert list(tomllib.loads(block(TOOLS, "toml", "tool_modules"))) == ["tool_modules"]
    assert "tool_modules" in {field.alias for field in attrs.fields(Config)}

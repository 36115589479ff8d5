"""Settings are values of a conversation (SCENARIOS G4, G7, G12): what one says, another never sees, and reading writes nothing."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Overrides, ProjectConfig, Rule, ToolFormat, Verdict, explain, real_world, run
from turnfold.core.agent.inputs import CommandGiven, SettingsChanged
from turnfold.core.agent.state import ChatState, effective
from turnfold.core.codec.codec import STATE, decode_untrusted, encode
from turnfold.core.config.explain import Explained
from turnfold.core.config.missing import DEFAULT
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.shell.desk import RunResult
from turnfold.shell.folders import Folders
from turnfold.shell.settings import Settings, load_settings
from turnfold.shell.trust import trust
from turnfold.shell.world import World
from turnfold.testing.fake_world import FakeModels, fake_world
from turnfold.testing.wire import chat_stream

BLOCK = "```read a.txt\n```\n"
READ = chat_stream(calls=(RawCall("read", '{"path": "a.txt"}'),))


def outputs(result: RunResult) -> tuple[str, ...]:
    assert result.problem is None
    return tuple(message.text for message in result.state.past.log if isinstance(message, ToolMessage))


def project(folder: Path, name: str, folders: Folders) -> ChatConfig:
    """A conversation in a project with a variable of its own."""
    folder.mkdir()
    (folder / "turnfold.toml").write_text(f'[environment]\nDEMO_{name} = "of {name}"\nDEMO = "{name}"\n', encoding="utf-8")
    assert trust(folders, folder) is None
    settings = load_settings(folders, folder, {})
    assert isinstance(settings, Settings)
    return ChatConfig(settings.project, conversation=name, workspace=str(folder), rules=(Rule(Verdict.ALLOW),))


def asked(world: World, cfg: ChatConfig, state: ChatState, command: str) -> RunResult:
    return run(CommandGiven(f"/shell {command}"), BUILTIN_TOOLS, cfg, world, state=state)


def test_the_environment_is_a_value_of_the_conversation(tmp_path: Path) -> None:
    """G4: two projects with a variable each, in turns and at once, in real processes."""
    folders = Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")
    before = dict(os.environ)
    cfgs = tuple(project(tmp_path / name, name, folders) for name in ("A", "B"))
    with real_world(folders=folders) as world, ThreadPoolExecutor(2) as pool:
        states = [ChatState(), ChatState()]
        for turn in range(3):
            command = f"env | grep ^DEMO | sort; export DEMO_TURN_$DEMO={turn}"
            done = tuple(pool.map(asked, (world, world), cfgs, states, (command, command)))
            states = [each.state for each in done]
            for name, other, each in (("A", "B", done[0]), ("B", "A", done[1])):
                said = outputs(each)[-1]
                assert f"DEMO={name}\nDEMO_{name}=of {name}" in said
                assert f"DEMO_{other}" not in said
                assert f"DEMO_TURN_{other}" not in said
                assert (f"DEMO_TURN_{name}={turn - 1}" in said) == (turn > 0)
    assert dict(os.environ) == before


def offered(world: World) -> list[tuple[str, ...]]:
    """The tools that each call of the model was offered."""
    assert isinstance(world.models, FakeModels)
    bodies = (json.loads(body) for body in world.models.bodies)
    return [tuple(tool["function"]["name"] for tool in body.get("tools", ())) for body in bodies]


def test_tools_for_one_message_hold_for_its_whole_turn_and_no_longer() -> None:
    """G7: the next step does not forget the list, and the next message does."""
    files = {"/w/a.txt": "alpha\n"}
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w")
    world = fake_world((READ, chat_stream("Done."), chat_stream("Again.")), files)
    once = run("one", BUILTIN_TOOLS, evolve(cfg, tools=("read",)), world)
    run("two", BUILTIN_TOOLS, cfg, world, state=once.state)
    every = tuple(tool.name for tool in BUILTIN_TOOLS if not tool.optional)
    first, second, third = offered(world)
    assert first == second == ("read",)
    assert sorted(third) == sorted(every)


def test_formats_and_tool_lists_side_by_side() -> None:
    """G7: the same reply in two conversations, a format and a list each, changed in one while the other goes on."""
    files = {"/w/a.txt": "alpha\n"}
    reply = (chat_stream(BLOCK), chat_stream("Done."))
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w")
    worlds = (fake_world(reply * 2, files), fake_world(reply * 2, files))
    a = run("a", BUILTIN_TOOLS, evolve(cfg, tool_format=ToolFormat.MARKDOWN, tools=("read",)), worlds[0])
    b = run("b", BUILTIN_TOOLS, evolve(cfg, tool_format=ToolFormat.NATIVE, tools=("shell",)), worlds[1])
    assert len(outputs(a)) == 1
    assert outputs(b) == ()
    changed = run(SettingsChanged(Overrides(tool_format=ToolFormat.NATIVE)), BUILTIN_TOOLS, a.cfg, worlds[0], state=a.state)
    again = run("a", BUILTIN_TOOLS, a.cfg, worlds[0], state=changed.state)
    assert len(outputs(again)) == 1  # the block is text now
    assert effective(b.cfg, b.state.past).tool_format is ToolFormat.NATIVE
    assert effective(b.cfg, b.state.past).tools == ("shell",)


def test_reading_never_writes_and_the_unknown_section_is_told(tmp_path: Path) -> None:
    """G12: the section stays in the person's file, and is named with its line."""
    folders = Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")
    folders.config.mkdir()
    file = folders.config / "config.toml"
    file.write_text('model = "a/b"\n\n[plugin.mine]\nkeep = "this"\n', encoding="utf-8")
    before, status = file.read_bytes(), file.stat()
    found = load_settings(folders, tmp_path, {})
    assert isinstance(found, tuple)
    assert [str(problem).partition(": ")[0] for problem in found] == [f"{file}:3"]
    assert "plugin" in found[0].message
    assert file.read_bytes() == before
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["config", "config.toml"]


@pytest.mark.parametrize("name", ["temperature", "tools", "instructions"])
def test_a_resumed_conversation_can_go_back_to_a_default(name: str) -> None:
    """G12: missing and default differ, in the journal, too."""
    cfg = ChatConfig(ProjectConfig(Config(temperature=0.2, tools=("read",), instructions="Mine.")), workspace="/w")
    world = fake_world((chat_stream("One."), chat_stream("Two.")))
    begun = run("one", BUILTIN_TOOLS, cfg, world)
    told = run(SettingsChanged(Overrides(**{name: DEFAULT})), BUILTIN_TOOLS, begun.cfg, world, state=begun.state)  # type: ignore[arg-type]
    kept = decode_untrusted(STATE, encode(STATE, told.state)).unwrap()  # as another process has it
    resumed = run("two", BUILTIN_TOOLS, begun.cfg, world, state=kept)
    now = effective(begun.cfg, resumed.state.past)
    assert getattr(begun.cfg, name) == getattr(cfg, name)
    assert getattr(now, name) == getattr(Config(), name)
    found = explain(now, name)
    assert isinstance(found, Explained)
    assert (found.layer, [each.value for each in found.overrode]) == ("chat", [getattr(cfg, name)])

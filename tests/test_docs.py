"""The documents say what is so: their code runs as it stands, what they name is there."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import cast

import attrs
import pytest
from returns.result import Success

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, ToolSpec, World, load, run
from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.config.briefing import Briefing, Skill, Text
from turnfold.core.config.matching import LOOKED_AT, REACH, fitting
from turnfold.core.config.tables import Prompt, Skills, User
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.prompt import system_prompt
from turnfold.core.llm.reply import RawCall
from turnfold.shell.briefing import COMMAND_S
from turnfold.shell.front_matter import parse_lesson_untrusted
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

PROJECT = Path(__file__).resolve().parents[1]
ARCHITECTURE = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
RUNS = (PROJECT / "docs" / "runs.md").read_text(encoding="utf-8")
PROMPT = (PROJECT / "docs" / "prompt.md").read_text(encoding="utf-8")


def block(document: str, language: str, of: str) -> str:
    """The one block of code of this language in which ``of`` stands."""
    (found,) = (each for each in re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL) if of in each)
    return str(found)


@pytest.mark.parametrize("name", ["approval.md", "output.md"])
def test_what_a_document_shows_runs(name: str) -> None:
    text = (PROJECT / "docs" / name).read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(compile(code, name, "exec"), names)
    assert "done" in names or "tools" in names


def test_the_tool_of_your_own_runs() -> None:
    names: dict[str, object] = {}
    exec(compile(block(ARCHITECTURE, "python", "WORDS = "), "architecture.md", "exec"), names)
    words = names["WORDS"]
    assert isinstance(words, ToolSpec)
    call = RawCall("words", '{"path": "a.txt"}')
    world = fake_world((chat_stream(calls=(call,)), chat_stream("Three.")), {"/w/a.txt": "one two three\n"})
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w")
    result = run("How many words has a.txt?", (*BUILTIN_TOOLS, words), cfg, world)
    assert [message.text for message in result.state.past.log if isinstance(message, ToolMessage)] == ["3 words"]
    assert result.reply == "Three."


@pytest.mark.parametrize("name", re.findall(r"`((?:core|shell)/[\w/]+\.py)`", ARCHITECTURE))
def test_the_modules_that_are_named_are_there(name: str) -> None:
    assert (PROJECT / "src" / "turnfold" / name).is_file()


def test_the_runs_run() -> None:
    names: dict[str, object] = {}
    exec(compile(block(RUNS, "python", "run_async"), "runs.md", "exec", dont_inherit=True), names)
    poems = cast("Callable[[ChatConfig, World], Coroutine[None, None, list[str]]]", names["poems"])
    world = fake_world((chat_stream("It falls."),) * 4)
    assert asyncio.run(poems(ChatConfig(ProjectConfig(Config())), world)) == ["It falls."] * 2
    assert [load(world.journal.load(word)).past.turns for word in ("rain", "snow")] == [2, 2]


def test_the_parts_of_the_prompt_come_in_the_order_that_is_told() -> None:
    briefing = Briefing(texts=(Text("AGENTS.md", "x"),), skills=(Skill(name="s", description="d", path="/w/s/SKILL.md"),))
    cfg = ChatConfig(ProjectConfig(Config(user=User(name="Ada"), instructions="Be brief.")), workspace="/w", briefing=briefing)
    text = system_prompt(cfg, BUILTIN_TOOLS, ToolFormat.MARKDOWN)
    parts = ("# Calling tools", "The workspace is", "# The user", "AGENTS.md:", "# Skills", "# What the user wants of you")
    assert sorted(parts, key=text.index) == list(parts)
    for name in Prompt().guides:
        assert f"`{name}`" in PROMPT


def test_the_settings_of_the_prompt_are_settings_with_these_defaults() -> None:
    tables = tomllib.loads(block(PROMPT, "toml", "[prompt]"))
    kinds = {"user": User, "prompt": Prompt, "skills": Skills}
    assert set(tables) == {"instructions", *kinds}
    for name, kind in kinds.items():
        assert set(tables[name]) <= {field.name for field in attrs.fields(kind)}
    assert {name: tuple(value) if isinstance(value, list) else value for name, value in tables["skills"].items()} == attrs.asdict(Skills())
    assert tables["prompt"]["limit_bytes"] == Prompt().limit_bytes
    for figure in (f"{COMMAND_S:g} s each", f"first {LOOKED_AT:,} characters", f"reach {REACH} characters"):
        assert figure in PROMPT


def test_the_lesson_of_the_document_fits_what_it_says() -> None:
    read = parse_lesson_untrusted(block(PROMPT, "markdown", "match:"), "rebase.md")
    assert isinstance(read, Success), read
    file = read.unwrap()
    assert (file.tells, file.problems, file.lesson.tools) == (True, (), ("shell",))
    for text in ("Rebase it", "a merge_conflict", "git pull --force it"):
        assert fitting((file.lesson,), text, ("shell",), (), 1) == (file.lesson,)
    assert fitting((file.lesson,), "a merge of a conflict", ("shell",), (), 1) == ()


def test_a_briefing_is_read_as_the_document_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TURNFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "AGENTS.md").write_text("Use tabs.")
    (tmp_path / "CLAUDE.md").write_bytes(b"\xff")
    names: dict[str, object] = {}
    code = block(PROMPT, "python", "read_briefing").replace("/tmp/demo", str(tmp_path))
    exec(compile(code, "prompt.md", "exec"), names)
    cfg = names["cfg"]
    assert isinstance(cfg, ChatConfig)
    assert [text.text for text in cfg.briefing.texts] == ["Use tabs."]
    assert capsys.readouterr().out.startswith("The model is not told CLAUDE.md")


GUARDRAILS = (PROJECT / "docs" / "guardrails.md").read_text(encoding="utf-8")


def test_the_guardrails_of_the_document_work() -> None:
    names: dict[str, object] = {}
    exec(compile(block(GUARDRAILS, "python", "ENOUGH = "), "guardrails.md", "exec"), names)
    enough = names["ENOUGH"]
    assert isinstance(enough, ToolSpec)
    calls = chat_stream(calls=(RawCall("read", '{"path": "a.txt"}'),))
    world = fake_world((calls,) * 9, {"/w/a.txt": "one\n"})
    result = run("Read it for ever.", (*BUILTIN_TOOLS, enough), ChatConfig(ProjectConfig(Config()), workspace="/w"), world)
    assert result.problem is not None
    assert "The guardrail enough stopped the turn at a call: three model calls are enough." in result.problem.message
    for text in re.findall(r"^```toml\n(.*?)^```$", GUARDRAILS, re.MULTILINE | re.DOTALL):
        assert isinstance(read_file_untrusted(text, "config.toml", "user"), Success)

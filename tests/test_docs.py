"""The documents say what is so: their code runs as it stands, what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from returns.result import Success

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Rule, ToolSpec, Verdict, run
from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.codec.variables import VARIABLES
from turnfold.core.config.values import DEFAULT_PROVIDERS, SecretRef
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.shell.real import HOME
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

PROJECT = Path(__file__).resolve().parents[1]
ARCHITECTURE = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONFIG = (PROJECT / "docs" / "config.md").read_text(encoding="utf-8")


def block(document: str, language: str, of: str) -> str:
    """The one block of code of this language in which ``of`` stands."""
    (found,) = (each for each in re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL) if of in each)
    return str(found)


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


def test_the_example_of_a_config_is_one_and_says_what_its_comments_say() -> None:
    read = read_file_untrusted(block(CONFIG, "toml", "[providers.work]"), "config.toml", "user")
    assert isinstance(read, Success), read
    cfg = ChatConfig(ProjectConfig(Config(files=(read.unwrap().layer,))))
    assert cfg.model == "work/qwen3-coder"
    assert cfg.providers[0].secret == SecretRef("WORK_API_KEY")
    assert cfg.rules == (Rule(Verdict.ALLOW, "run", "git status*"), Rule(Verdict.DENY, "*", "*.env"))
    assert (cfg.limits.generations, cfg.limits.command_s) == (20, 120)


def test_the_providers_that_need_no_line_are_named() -> None:
    for provider in DEFAULT_PROVIDERS:
        assert f"`{provider.name}`" in CONFIG
    said = re.search(r"of the built-in ones: ([a-z ]+)", CONFIG)
    assert said is not None
    assert sorted(said[1].split()) == sorted(tool.name for tool in BUILTIN_TOOLS)


def test_no_variable_is_named_that_is_not_read() -> None:
    assert set(re.findall(r"`(TURNFOLD_\w+)`", CONFIG)) <= {*VARIABLES, HOME}

"""The table of commands: names, near misses, help, and what a turn that runs lets through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.core.agent.scripted import after, call, notices, problems, reply, sim
from turnfold.core.agent.commands.table import COMMANDS, find_command
from turnfold.core.agent.effects import Publish
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import execute_command
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.tools.spec import ToolSpec
from turnfold.testing.moves import Command, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG


@pytest.mark.parametrize(("command", "meant"), [("/shel ls", "/shell"), ("/undoo", "/undo"), ("/hlep", "/help")])
def test_an_unknown_command_names_what_may_have_been_meant(command: str, meant: str) -> None:
    done = after(sim(), Command(command))
    assert problems(done)[0].code == "unknown-command"
    assert f"Did you mean {meant}" in problems(done)[0].message


@pytest.mark.parametrize("name", [known.name for known in COMMANDS if not known.arguments])
def test_what_follows_a_command_that_takes_nothing_is_not_passed_over(name: str) -> None:
    done = after(sim(), Command(f"/{name} all"))
    assert problems(done)[0].message == f"/{name} takes nothing, so not 'all' either: write  /{name}"
    assert done.state == ChatState()


@pytest.mark.parametrize("command", ["hello", "", "/", "/ shell", "  "])
def test_what_is_no_command_says_how_one_looks(command: str) -> None:
    assert problems(after(sim(), Command(command)))[0].code == "not-a-command"


@pytest.mark.parametrize("command", ["/nope", "hello", "/undo", "/help", "/tools", "/model", ToolCall("nope", JsonObject())])
def test_what_changes_nothing_leaves_the_state_as_it_was_even_a_fresh_one(command: str | ToolCall) -> None:
    step = execute_command(command, ALL_TOOLS, CONFIG)
    assert step.state == ChatState()
    assert [type(effect) for effect in step.effects] == [Publish]


def test_help_lists_commands_and_tools_with_how_they_are_used() -> None:
    shown = notices(after(sim(), Command("/help")))[0]
    assert "/undo [N]" in shown
    assert "/save PATH CONTENT" in shown
    assert "/shell COMMAND" in shown


def test_tools_lists_the_tools_that_may_be_used() -> None:
    assert "shell: " in notices(after(sim(), Command("/tools")))[0]
    assert notices(after(sim(tools=()), Command("/tools"))) == ("There are no tools.",)


def test_during_a_turn_calls_and_undo_are_refused_and_the_rest_is_not() -> None:
    busy = after(sim(reply("", call("shell", command="ls"))), Say("go"))
    for command in ("/shell ls", "/undo", ToolCall("shell", JsonObject.of(command="ls"))):
        refused = after(busy, Command(command))
        assert problems(refused)[-1].code == "busy"
        assert refused.state == busy.state
    assert notices(after(busy, Command("/tools")))
    assert "now scripted/b" in notices(after(busy, Command("/model scripted/b")))[0]


def test_help_says_all_about_one_command_or_tool() -> None:
    assert notices(after(sim(), Command("/help quit")))[0].split("\n")[0] == "/exit"
    assert "Also: /quit" in notices(after(sim(), Command("/help /exit")))[0]
    redo = find_command("redo")
    assert redo is not None
    assert notices(after(sim(), Command("/help redo"))) == (f"{redo.usage}\n{redo.help}",)
    shell = notices(after(sim(), Command("/help shell")))[0]
    assert shell.startswith("/shell COMMAND\n")
    assert '--json takes: {"command":' in shell
    bare = ToolSpec(name="bare", description="", parameters=JsonObject.of(type="object"), advance=ALL_TOOLS[0].advance)
    assert '{"type":"object"}' in notices(after(sim(tools=(bare,)), Command("/help bare")))[0]


def test_help_about_what_is_not_there_names_what_may_have_been_meant() -> None:
    (problem,) = problems(after(sim(), Command("/help rewnd")))
    assert (problem.code, "Did you mean /rewind" in problem.message) == ("unknown-command", True)


def test_a_command_comes_before_a_tool_of_its_name() -> None:
    tool = ToolSpec(name="log", description="Mine.", parameters=JsonObject.of(type="object"), advance=ALL_TOOLS[0].advance)
    assert notices(after(sim(tools=(tool,)), Command("/log"))) == ("Nothing was said yet.",)


@pytest.mark.parametrize("name", "undo redo rewind edit retry fork compact replay impersonate".split())
def test_what_would_change_the_turn_that_runs_has_to_wait(name: str) -> None:
    busy = after(sim(reply("", call("shell", command="ls"))), Say("go"))
    rest = {"rewind": "0", "edit": "x", "impersonate": "x"}.get(name, "")
    refused = after(busy, Command(f"/{name} {rest}"))
    assert (problems(refused)[-1].code, refused.state) == ("busy", busy.state)


def test_names_and_usages_are_of_one_form() -> None:
    names = [name for known in COMMANDS for name in (known.name, *known.aliases)]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.islower() for name in names)
    assert [known.usage for known in COMMANDS if known.name in ("undo", "tools")] == ["/tools", "/undo [N]"]


def test_the_document_has_the_same_table() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "commands.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(/.*?)` \| (.*) \|$", page, re.MULTILINE)
    said = [(usage.replace("\\|", "|"), about.replace("\\|", "|")) for usage, about in table]
    also = {known: "".join(f" Also: `/{alias}`." for alias in known.aliases) for known in COMMANDS}
    assert said == [(known.usage, known.help.replace("\n", " ") + also[known]) for known in COMMANDS]

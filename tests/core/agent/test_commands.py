"""Commands: names, near misses, arguments, and what they change."""

from __future__ import annotations

from typing import cast

import pytest

from tests.core.agent.scripted import YES, after, call, config, log, notices, problems, reasons, reply, results, sim
from turnfold.core.agent.commands.tools import read_arguments_untrusted
from turnfold.core.agent.effects import Publish
from turnfold.core.agent.events import CallCommanded, Reason
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import execute_command
from turnfold.core.codec.codec import EVENT, decode_untrusted, encode
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Blame
from turnfold.core.tools.spec import ToolSpec, find_tool
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Command, Interrupt, Say, finished


def tool(name: str) -> ToolSpec:
    found = find_tool(ALL_TOOLS, name)
    assert found is not None
    return found


@pytest.mark.parametrize(("command", "meant"), [("/shel ls", "/shell"), ("/undoo", "/undo"), ("/hlep", "/help")])
def test_an_unknown_command_names_what_may_have_been_meant(command: str, meant: str) -> None:
    done = after(sim(), Command(command))
    assert problems(done)[0].code == "unknown-command"
    assert f"Did you mean {meant}" in problems(done)[0].message


@pytest.mark.parametrize("command", ["hello", "", "/", "/ shell", "  "])
def test_what_is_no_command_says_how_one_looks(command: str) -> None:
    assert problems(after(sim(), Command(command)))[0].code == "not-a-command"


@pytest.mark.parametrize("command", ["/nope", "hello", "/undo", "/help", "/tools", "/model", ToolCall("nope", JsonObject())])
def test_what_changes_nothing_leaves_the_state_as_it_was_even_a_fresh_one(command: str | ToolCall) -> None:
    step = execute_command(command, ALL_TOOLS, CONFIG)
    assert step.state == ChatState()
    assert [type(effect) for effect in step.effects] == [Publish]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("/shell", "/shell needs COMMAND: write  /shell COMMAND"),
        ("/save", "/save needs PATH and CONTENT: write  /save PATH CONTENT"),
        ("/save a.txt", "/save needs CONTENT: write  /save PATH CONTENT"),
        ('/save --json {"path": 3, "content": ""}', "The arguments don't fit"),
    ],
)
def test_a_commanded_call_that_does_not_fit_is_told_to_the_person_as_a_command(command: str, sentence: str) -> None:
    (problem,) = problems(after(sim(), Command(command)))
    assert problem.blame is Blame.CALLER
    assert problem.message.startswith(sentence)


def test_help_lists_commands_and_tools_with_how_they_are_used() -> None:
    shown = notices(after(sim(), Command("/help")))[0]
    assert "/undo [N]" in shown
    assert "/save PATH CONTENT" in shown
    assert "/shell COMMAND" in shown


def test_tools_lists_the_tools_that_may_be_used() -> None:
    assert "shell: " in notices(after(sim(), Command("/tools")))[0]
    assert notices(after(sim(tools=()), Command("/tools"))) == ("There are no tools.",)


def test_a_commanded_call_runs_without_a_second_yes_and_without_the_model() -> None:
    done = finished(after(sim(), Command("/shell ls")))
    assert log(done) == (
        UserMessage("/shell ls"),
        AssistantMessage(text="", place="1.0", calls=(ToolCall("shell", JsonObject.of(command="ls")),)),
        ToolMessage(call_id="1.0.0", tool="shell", text="ran ls in /w", ok=True),
    )
    assert reasons(done) == (Reason.COMPLETED,)


def test_a_commanded_call_can_be_interrupted() -> None:
    done = finished(after(sim(), Command("/shell ls"), Interrupt()))
    assert reasons(done) == (Reason.INTERRUPTED,)


def test_a_call_as_a_value_is_recorded_as_the_line_that_would_make_it() -> None:
    done = after(sim(), Command(ToolCall("shell", JsonObject.of(command="ls"))))
    assert log(done)[0] == UserMessage('/shell --json {"command":"ls"}')


@pytest.mark.parametrize(
    ("name", "line", "arguments"),
    [
        ("save", "a.txt hello world", JsonObject.of(path="a.txt", content="hello world")),
        ("save", "a.txt\nhello world\n  indented", JsonObject.of(path="a.txt", content="hello world\n  indented")),
        ("save", "a.txt\n    indented", JsonObject.of(path="a.txt", content="    indented")),
        ("save", "a.txt", JsonObject.of(path="a.txt")),
        ("save", "", JsonObject()),
        ("read", "a file.txt", JsonObject.of(path="a file.txt")),
        ("shell", "ls -la | wc", JsonObject.of(command="ls -la | wc")),
        ("shell", '--json {"command": "ls"}', JsonObject.of(command="ls")),
        ("shell", '--json{"command": "ls"}', JsonObject.of(command="ls")),
        ("shell", "--json", JsonObject()),
        ("shell", "--jsonlines", JsonObject.of(command="--jsonlines")),
    ],
)
def test_arguments_are_read_as_words_a_body_or_json(name: str, line: str, arguments: JsonObject) -> None:
    assert read_arguments_untrusted(tool(name), line).unwrap() == arguments


def test_a_tool_without_words_takes_json_alone() -> None:
    bare = ToolSpec(name="bare", description="", parameters=JsonObject.of(type="object"), advance=tool("nothing").advance)
    assert read_arguments_untrusted(bare, "").unwrap() == JsonObject()
    assert read_arguments_untrusted(bare, '{"a": 1}').unwrap() == JsonObject.of(a=1)
    assert "/bare --json {…}" in notices(after(sim(tools=(bare,)), Command("/help")))[0]


@pytest.mark.parametrize("line", ["/shell --json [1]", "/shell --json {", "/save", "/save a.txt", '/shell --json {"cmd": "ls"}'])
def test_arguments_that_do_not_fit_are_a_problem_and_change_nothing(line: str) -> None:
    done = after(sim(), Command(line))
    assert len(problems(done)) == 1
    assert done.state == ChatState()


@pytest.mark.parametrize("value", [float("nan"), object(), [1]], ids=str)
def test_a_call_as_a_value_that_no_json_can_spell_is_a_problem(value: object) -> None:
    done = after(sim(), Command(ToolCall("shell", JsonObject.of(command=cast(JsonValue, value)))))
    assert problems(done)[0].code in {"bad-arguments", "wrong-arguments"} or problems(done)[0].message
    assert done.state == ChatState()


def test_what_a_command_records_can_be_stored_whatever_characters_it_had() -> None:
    done = after(sim(), Command("/shell echo \ud800"))
    event = next(event for event in done.events if isinstance(event, CallCommanded))
    assert decode_untrusted(EVENT, encode(EVENT, event)).unwrap() == event
    assert event.call == ToolCall("shell", JsonObject.of(command="echo \ufffd"))


def test_during_a_turn_calls_and_undo_are_refused_and_the_rest_is_not() -> None:
    busy = after(sim(reply("", call("shell", command="ls"))), Say("go"))
    for command in ("/shell ls", "/undo", ToolCall("shell", JsonObject.of(command="ls"))):
        refused = after(busy, Command(command))
        assert problems(refused)[-1].code == "busy"
        assert refused.state == busy.state
    assert notices(after(busy, Command("/tools")))
    assert "now scripted/b" in notices(after(busy, Command("/model scripted/b")))[0]


def test_the_model_can_be_asked_for_and_changed_for_the_rest_of_the_conversation() -> None:
    done = finished(after(sim(), Command("/model"), Command("/model scripted/other"), Say("hi")))
    assert notices(done)[0] == "The model is scripted/model."
    assert b'"model":"other"' in done.performs[0].body
    assert problems(after(done, Command("/model nope/x")))[0].code == "unknown-model"
    assert notices(after(sim(cfg=config(model="")), Command("/model"))) == ("The model is not chosen.",)


@pytest.mark.parametrize("count", ["0", "x", "-1", "1.5", "9999999"])
def test_undo_wants_a_count(count: str) -> None:
    done = finished(after(sim(), Say("hi")))
    assert problems(after(done, Command(f"/undo {count}")))[0].code == "bad-argument"


def test_undo_takes_back_log_memories_and_settings_and_nothing_else() -> None:
    one = finished(after(sim(cfg=config(YES)), Command("/shell export A=1")))
    two = finished(after(one, Command("/shell cd sub"), Command("/model scripted/other"), Say("hi")))
    back = after(two, Command("/undo 2"))
    assert log(back) == log(one)
    assert back.state.past.memories == one.state.past.memories
    assert back.state.past.overrides == ()
    assert (back.state.past.turns, back.state.past.usage) == (two.state.past.turns, two.state.past.usage)
    assert "Took back 2 turns" in notices(back)[-1]
    again = finished(after(back, Say("again")))
    assert {perform.request_id.turn for perform in again.performs} == {1, 2, 3, 4}
    assert problems(after(after(again, Command("/undo 5")), Command("/undo")))[0].code == "nothing-to-undo"


def test_undo_makes_the_next_request_as_if_the_turn_had_never_been() -> None:
    fresh = finished(after(sim(), Say("hi")))
    back = finished(after(sim(), Say("something else"), *()))
    again = finished(after(back, Command("/undo"), Say("hi")))
    assert again.performs[-1].body == fresh.performs[-1].body
    assert results(again) == ()

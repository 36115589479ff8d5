"""Calls of tools by a person."""

from __future__ import annotations

from typing import cast

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, call, config, log, notices, problems, reasons, reply, results, sim
from turnfold.core.agent.commands.tools import read_arguments_untrusted
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.events import CallCommanded, Reason
from turnfold.core.agent.state import ChatState, Past, questions
from turnfold.core.codec.codec import EVENT, decode_untrusted, encode
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Blame
from turnfold.core.tools.spec import ToolSpec, find_tool
from turnfold.testing.moves import Command, Interrupt, Move, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Sim, finished


def tool(name: str) -> ToolSpec:
    found = find_tool(ALL_TOOLS, name)
    assert found is not None
    return found


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


def test_a_commanded_call_runs_without_a_second_yes_and_without_the_model() -> None:
    done = finished(after(sim(), Command("/shell make")))
    assert log(done) == (
        UserMessage("/shell make"),
        AssistantMessage(text="", place="1.0", calls=(ToolCall("shell", JsonObject.of(command="make")),)),
        ToolMessage(call_id="1.0.0", tool="shell", text="ran make in /w", ok=True),
    )
    assert reasons(done) == (Reason.COMPLETED,)


def test_a_commanded_call_can_be_interrupted() -> None:
    done = finished(after(sim(), Command("/shell make"), Interrupt()))
    assert reasons(done) == (Reason.INTERRUPTED,)


def test_a_call_as_a_value_is_recorded_as_the_line_that_would_make_it() -> None:
    done = after(sim(), Command(ToolCall("shell", JsonObject.of(command="make"))))
    assert log(done)[0] == UserMessage('/shell --json {"command":"make"}')


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
        ("shell", '--json {"command": "make"}', JsonObject.of(command="make")),
        ("shell", '--json{"command": "make"}', JsonObject.of(command="make")),
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
    wrong = {line: read_arguments_untrusted(bare, line).failure().message for line in ("hi there", "--json hi")}
    assert wrong["hi there"] == "/bare takes its arguments as a JSON object: /bare --json {…}"
    assert wrong["--json hi"] == "/bare --json wants a JSON object: /bare --json {…}"
    assert "/bare --json {…}" in notices(after(sim(tools=(bare,)), Command("/help")))[0]


@pytest.mark.parametrize("line", ["/shell --json [1]", "/shell --json {", "/save", "/save a.txt", '/shell --json {"cmd": "ls"}'])
def test_arguments_that_do_not_fit_are_a_problem_and_change_nothing(line: str) -> None:
    done = after(sim(), Command(line))
    assert len(problems(done)) == 1
    assert done.state == ChatState()


@pytest.mark.parametrize("value", [float("nan"), object(), [1]], ids=("nan", "object", "list"))
def test_a_call_as_a_value_that_no_json_can_spell_is_a_problem(value: object) -> None:
    done = after(sim(), Command(ToolCall("shell", JsonObject.of(command=cast(JsonValue, value)))))
    assert problems(done)[0].code in {"bad-arguments", "wrong-arguments"} or problems(done)[0].message
    assert done.state == ChatState()


def test_what_a_command_records_can_be_stored_whatever_characters_it_had() -> None:
    done = after(sim(), Command("/shell echo \ud800"))
    event = next(event for event in done.events if isinstance(event, CallCommanded))
    assert decode_untrusted(EVENT, encode(EVENT, event)).unwrap() == event
    assert event.call == ToolCall("shell", JsonObject.of(command="echo \ufffd"))


LS = ToolCall("shell", JsonObject.of(command="make"))


def called(*moves: Move) -> Sim:
    """A conversation in which the model called shell, count and shell again, in two rounds."""
    first, second = reply("", call("shell", command="make"), call("count")), reply("", call("shell", command="make"))
    return finished(after(finished(after(sim(first, second, cfg=config(YES)), Say("go"))), *moves))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("/replay", ["shell"]),
        ("/replay last", ["shell"]),
        ("/replay all", ["shell", "count", "shell"]),
        ("/replay count", ["count"]),
        ("/replay shell", ["shell", "shell"]),
    ],
)
def test_calls_are_made_again_in_one_round(line: str, names: list[str]) -> None:
    done = called(Command(line))
    message = next(message for message in log(done) if isinstance(message, AssistantMessage) and message.place == "2.0")
    assert [each.name for each in message.calls] == names
    assert [each.tool for each in log(done)[-len(names) :] if isinstance(each, ToolMessage)] == names
    assert reasons(done)[-1] is Reason.COMPLETED


def test_what_is_made_again_is_asked_for_as_a_models_call_is() -> None:
    done = finished(after(sim(reply("", call("shell", command="make"))), Say("go")))
    again = after(done, Command("/replay"))
    assert len(questions(again.state.past)) == 1
    assert not [effect for effect in again.history[-1].step.effects if isinstance(effect, Perform)]


@pytest.mark.parametrize(("line", "sentence"), [("/replay shel", "did you mean shell?"), ("/replay nope", "last, all, or the name")])
def test_what_was_not_called_cannot_be_called_again(line: str, sentence: str) -> None:
    assert sentence in problems(called(Command(line)))[0].message
    assert problems(after(sim(), Command("/replay")))[0].code == "nothing-to-replay"


def test_a_round_has_an_end() -> None:
    many = Past(events=1, log=Log.of(*(AssistantMessage(text="", place=f"{n}.1", calls=(LS,)) for n in range(1, 60))))
    refused = after(evolve(sim(), state=ChatState(many)), Command("/replay all"))
    assert "59 calls" in problems(refused)[0].message


def test_a_person_speaks_as_the_model() -> None:
    done = finished(after(sim(), Command("/impersonate I am done.")))
    assert log(done) == (AssistantMessage(text="I am done.", place="1.0"),)
    assert (reasons(done), done.performs) == ((Reason.COMPLETED,), ())


def test_calls_of_the_person_who_speaks_as_the_model_are_asked_for_and_end_the_turn() -> None:
    asked = after(sim(), Command("/impersonate Let me.\n```shell\nmake\n```\nand\n```count\n```"))
    assert len(questions(asked.state.past)) == 1
    done = finished(asked)
    assert [type(message) for message in log(done)] == [AssistantMessage, ToolMessage, ToolMessage]
    assert log(done)[1] == ToolMessage(call_id="1.0.0", tool="shell", text="ran make in /w")
    assert reasons(done) == (Reason.COMPLETED,)
    assert results(finished(asked, allowed=False))[0].startswith("Denied")


@pytest.mark.parametrize("line", ["/impersonate", "/impersonate ```save a.txt\nhi"])
def test_what_cannot_be_said_as_the_model_is_refused(line: str) -> None:
    done = after(sim(), Command(line))
    assert problems(done)[0].blame is Blame.CALLER
    assert done.state == ChatState()

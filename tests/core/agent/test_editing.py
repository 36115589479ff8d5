"""Calls that a person has done with other arguments: begun afresh, told, and never done twice."""

from __future__ import annotations

from attrs import evolve

from tests.core.agent.scripted import after, call, closed, config, log, problems, reasons, reply, results, sim
from tests.laws.comparison import assert_balanced
from turnfold.core.agent.events import Reason, RequestClosed, RequestOpened, Unanswered, Why
from turnfold.core.agent.inputs import Decided
from turnfold.core.agent.state import questions
from turnfold.core.agent.turn_events import CallEdited
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, ToolMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.requests import RunProcess
from turnfold.testing.moves import Command, Crash, Decide, Finish, Move, Say, Wild
from turnfold.testing.simulated import Sim, finished

SAFER = JsonObject.of(command="make test")
TOUCH = JsonObject.of(path="safe.txt")


def asked(*calls: RawCall, rules: tuple[Rule, ...] = ()) -> Sim:
    """A conversation in which these calls are due."""
    return after(sim(reply("", *calls), cfg=config(*rules)), Say("go"), Finish())


def edited(begun: Sim, arguments: JsonObject, *moves: Move) -> Sim:
    return after(begun, Decide(arguments=arguments), *moves)


def scripts(done: Sim) -> tuple[str, ...]:
    return tuple(perform.request.script for perform in done.performs if isinstance(perform.request, RunProcess))


def test_a_call_is_done_with_the_arguments_of_the_person_and_the_model_is_told() -> None:
    begun = asked(call("shell", command="make install"))
    done = finished(edited(begun, SAFER))
    assert scripts(done) == ("make test",)
    assert_balanced(done)
    assert results(done)[0].endswith('[The user changed the arguments of this call. It was done with: {"command":"make test"}]')
    assert CallEdited(0, SAFER, 2) in [evolve(event, at_ms=2) if isinstance(event, CallEdited) else event for event in done.events]
    said = next(message for message in log(done) if isinstance(message, AssistantMessage))
    assert said.calls == (ToolCall("shell", JsonObject.of(command="make install")),), "what the model wrote stays"
    told = next(message for message in log(done) if isinstance(message, ToolMessage))
    assert told.edited == SAFER


def test_what_was_asked_so_far_is_closed_as_edited_and_its_id_is_never_reused() -> None:
    done = finished(edited(asked(call("careful", path="d.txt")), TOUCH))
    outcomes = [event for event in done.events if isinstance(event, RequestClosed) and event.outcome == Unanswered(Why.EDITED)]
    assert [str(event.request_id) for event in outcomes] == ["1.1.0.0", "1.1.0.1"]
    opened = [event.request_id for event in done.events if isinstance(event, RequestOpened)]
    assert len(opened) == len(set(opened))
    assert {perform.request.path for perform in done.performs if hasattr(perform.request, "path")} == {"/w/safe.txt.0", "/w/safe.txt.1"}


def test_what_a_person_typed_is_commanded_and_a_rule_that_denies_holds() -> None:
    begun = asked(call("shell", command="make install"), rules=(Rule(Verdict.DENY, "run", "rm *"),))
    then = edited(begun, JsonObject.of(command="rm -r build"))
    assert not scripts(then)
    assert not questions(then.state.past), "a rule is no question"
    assert "Denied" in results(finished(then))[0]
    assert scripts(finished(edited(begun, JsonObject.of(command="ls; make clean")))) == ("ls; make clean",)


def test_arguments_that_do_not_fit_leave_the_question_open() -> None:
    begun = asked(call("shell", command="make"))
    for unfit in (JsonObject.of(comand="ls"), JsonObject.of(command=3), JsonObject.of(command=float("nan"))):
        then = edited(begun, unfit)
        assert then.state.past == begun.state.past
        assert problems(then)[-1].code == "bad-arguments"
        assert "question is still open" in problems(then)[-1].message


def test_a_call_of_which_something_was_done_is_not_begun_afresh() -> None:
    begun = after(asked(call("careful", path="d.txt")), Decide())
    assert len(begun.outstanding) == 1
    running = edited(begun, TOUCH)
    assert problems(running)[-1].message.startswith("A part of the call is under way")
    done = edited(after(begun, Finish()), TOUCH)
    assert problems(done)[-1].message.startswith("A part of the call was done")
    assert done.state.past == after(begun, Finish()).state.past


def test_reads_that_a_call_has_made_are_made_again_and_do_no_harm() -> None:
    begun = after(asked(call("twice", path="a.txt")), Finish())
    assert questions(begun.state.past)
    done = finished(edited(begun, JsonObject.of(path="b.txt")))
    assert [perform.request.path for perform in done.performs if hasattr(perform.request, "path")] == [
        "/w/a.txt",
        "/w/b.txt",
        "/w/b.txt.copy",
    ]


def test_a_tool_s_question_and_a_no_take_no_arguments() -> None:
    asking = asked(call("ask", question="Who?"))
    assert problems(edited(asking, JsonObject.of(question="What?")))[-1].code == "not-editable"
    denied = after(asked(call("shell", command="make")), Decide(allowed=False, arguments=SAFER))
    assert "Denied" in results(finished(denied))[0]
    assert not any(isinstance(event, CallEdited) for event in denied.events)


def test_files_that_are_put_back_are_not_edited() -> None:
    rules = (Rule(Verdict.ALLOW, "write", "/w/c.txt"),)
    wrote = finished(after(sim(reply("", call("save", path="c.txt", content="x\n")), cfg=config(*rules)), Say("go")))
    undoing = after(evolve(wrote, cfg=config(Rule(Verdict.ASK, "write", "*"))), Command("/undo"))
    for _ in range(4):
        undoing = undoing if questions(undoing.state.past) else after(undoing, Finish())
    if questions(undoing.state.past):
        assert problems(edited(undoing, TOUCH))[-1].code == "not-editable"


def test_an_edited_call_goes_on_in_another_process() -> None:
    begun = edited(asked(call("shell", command="make install")), SAFER)
    back = finished(after(begun, Crash()))
    assert closed(back)[0].text.startswith("This was stopped while it ran")
    again = finished(
        after(evolve(begun, outstanding=(), history=begun.history[:-1], state=begun.history[-1].before), Crash(), Decide(arguments=SAFER))
    )
    assert scripts(again)[-1] == "make test"
    assert reasons(again) == (Reason.COMPLETED,)


def test_a_tool_that_is_gone_can_not_be_edited() -> None:
    begun = asked(call("shell", command="make"))
    gone = evolve(begun, tools=tuple(tool for tool in begun.tools if tool.name != "shell"))
    then = edited(gone, SAFER)
    assert problems(then)[-1].message.startswith("The tool that asked is not there")
    assert then.state.past == begun.state.past


def test_an_edit_of_what_is_no_question_changes_nothing() -> None:
    begun = asked(call("shell", command="make"))
    running = after(begun, Decide())
    late = after(running, Wild(Decided(questions(begun.state.past)[0].request_id, True, arguments=SAFER)))
    assert late.state == running.state

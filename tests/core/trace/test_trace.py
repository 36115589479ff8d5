"""A trace as a person and an exporter read it, case by case; the laws are in tests/laws/test_trace.py."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, call, config, reply, sim
from turnfold.core.agent.events import (
    CallClosed,
    Impersonated,
    MessageAdded,
    Permitted,
    RequestClosed,
    RequestOpened,
    RestoreAsked,
    Rewound,
    Started,
    SummaryAsked,
)
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.config.values import Provider, Rule, Verdict
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.spans import CallFacts, RequestFacts, Span, Status, Trace, TurnFacts
from turnfold.core.trace.text import trace_text
from turnfold.core.world.answers import ProcessEnded, PythonEnded, StreamEnded
from turnfold.core.world.requests import CallModel, Purpose
from turnfold.testing.moves import Break, Command, Crash, Decide, Deliver, Finish, Interrupt, Say
from turnfold.testing.simulated import finished

READ = call("read", path="a.txt")
LS = call("shell", command="make")
BEGUN = Started(conversation="c", cfg_digest="", tools_digest="")


def test_a_turn_is_a_tree_with_times() -> None:
    done = after(sim(reply("I look.", READ, LS), reply("Done.")), Say("look\naround"), Finish(), Finish(), Decide(), Finish(), Finish())
    assert trace_text(trace_of(done.events)) == (
        "conversation c · 1 turn\n"
        "  turn 1 · 7.0 s · completed · look around\n"
        "    model scripted/model · 2.0 s · stop: calls\n"
        "    round of 2 calls · 3.0 s\n"
        "      tool read · 1.0 s\n"
        "        read /w/a.txt · 1.0 s · 6 characters\n"
        "      tool shell · 3.0 s\n"
        "        run make · 3.0 s · exit code 0\n"
        "          permission · 2.0 s · permitted · asked: It runs a command: make\n"
        "    model scripted/model · 2.0 s · stop: end\n"
    )


def test_what_has_not_ended_says_so() -> None:
    """O13: a run that crashed does not look like one that ended well."""
    cut = after(sim(reply("", LS), cfg=config(YES)), Say("go"), Finish())
    assert trace_text(trace_of(cut.events)) == (
        "conversation c · 1 turn\n"
        "  turn 1 · unfinished · go\n"
        "    model scripted/model · 2.0 s · stop: calls\n"
        "    round of 1 call · unfinished\n"
        "      tool shell · unfinished\n"
        "        run make · unfinished\n"
    )
    back = trace_of(finished(after(cut, Crash())).events)
    told = trace_text(back, 1)
    assert "run make · 1.0 s · unknown\n" in told
    assert "tool shell · 1.0 s · unknown · This was stopped while it ran" in told
    assert back.turns[0].status is Status.OK
    waiting = after(sim(reply("", LS)), Say("go"), Finish())
    assert "run make · unfinished\n          permission · unfinished · asked: It runs a command: make\n" in trace_text(
        trace_of(waiting.events)
    )


def test_a_lost_model_call_and_the_one_that_repeats_it_are_two() -> None:
    done = finished(after(sim(reply("Done.")), Say("go"), Deliver(), Crash()))
    first, second = trace_of(done.events).turns[0].children
    assert (first.status, second.status) == (Status.LOST, Status.OK)


@pytest.mark.parametrize(
    ("rule", "status", "words"),
    [
        (Rule(Verdict.DENY, "run", "*"), Status.DENIED, "denied · A rule of the configuration denies this (run: make)."),
        (YES, Status.OK, "make"),
    ],
)
def test_a_denial_is_no_failure(rule: Rule, status: Status, words: str) -> None:
    done = finished(after(sim(reply("", LS), cfg=config(rule)), Say("go")))
    (tool,) = trace_of(done.events).turns[0].children[1].children
    assert (tool.status, tool.children[0].status) == (status, status)
    assert words in trace_text(trace_of(done.events))


def test_what_failed_and_what_was_interrupted() -> None:
    failed = after(sim(reply("", READ)), Say("go"), Finish(), Break())
    (tool,) = trace_of(failed.events).turns[0].children[1].children
    assert (tool.status, tool.children[0].status) == (Status.FAILED, Status.FAILED)
    assert tool.problem.startswith("Error: ")
    stopped = after(sim(reply("", LS), cfg=config(YES)), Say("go"), Finish(), Interrupt(), Break())
    (turn,) = trace_of(stopped.events).turns
    assert {turn.status, turn.children[1].status, turn.children[1].children[0].children[0].status} == {Status.INTERRUPTED}
    broken = after(sim(), Say("go"), Break())
    assert trace_of(broken.events).turns[0].status is Status.FAILED
    assert trace_of(broken.events).turns[0].problem


def test_turns_of_commands() -> None:
    first = finished(after(sim(cfg=config(YES)), Command("/shell make")))
    done = finished(after(first, Command(ToolCall("python", JsonObject.of(code="1")))))
    told = trace_text(trace_of(done.events), 2)
    assert "turn 1" not in told
    assert "python 1 · 1.0 s · ran" in told
    assert trace_text(trace_of(done.events), 9).count("\n") == 1
    asked = trace_of((BEGUN, SummaryAsked("/compact", 5)))
    provider = Provider(name="p", base_url="")
    opened = RequestOpened(
        request_id=RequestId(1, 0, MODEL, 0), request=CallModel(provider=provider, model="m", upto=1, purpose=Purpose.SUMMARY)
    )
    assert "model p/m for a summary · unfinished" in trace_text(trace_of((BEGUN, SummaryAsked("/compact", 5), opened)))
    assert asked.turns[0].facts == TurnFacts("/compact")
    spoken = AssistantMessage(text="I look.", place="1.0", calls=(ToolCall("read", JsonObject.of(path="a")),))
    assert [each.id for each in trace_of((BEGUN, Impersonated(spoken, 3))).turns[0].children] == ["1.0"]


def test_what_comes_of_code_and_of_time_outs() -> None:
    for answer, words in (
        (PythonEnded(output="", failed=True), "raised"),
        (PythonEnded(output="", timed_out=True), "timed out"),
        (ProcessEnded(exit_code=-9, output="", cwd="/w", timed_out=True), "timed out"),
        (StreamEnded(), "streamed"),
    ):
        cut = after(sim(reply("", LS), cfg=config(YES)), Say("go"), Finish())
        closed = RequestClosed(RequestId(1, 1, 0, 0), answer, 9_000)
        assert f" · {words}\n" in trace_text(trace_of((*cut.events, closed)))


def test_a_turn_that_is_taken_back_in_its_midst_has_ended() -> None:
    cut = after(sim(reply("", READ, LS)), Say("go"), Finish(), Finish())
    (turn,) = trace_of((*cut.events, Rewound(1, 9_000))).turns
    _, around = turn.children
    read, ls = around.children
    assert (turn.status, around.status, read.status, ls.status) == (Status.INTERRUPTED, Status.INTERRUPTED, Status.OK, Status.INTERRUPTED)
    assert ls.ended_ms == 9_000


def test_events_that_speak_of_what_is_not_there_change_nothing() -> None:
    said = (BEGUN, MessageAdded(UserMessage("hi"), 1))
    ghost = RequestId(7, 1, 0, 0)
    after_all = (*said, Permitted(ghost, 2), RequestClosed(ghost, StreamEnded(), 2), CallClosed(slot=3, text="", ok=True, at_ms=2))
    assert trace_of(after_all) == evolve(trace_of(said), last_ms=2)
    assert trace_of((BEGUN, CallClosed(slot=0, text="", ok=True))) == trace_of((BEGUN,))


def test_requests_of_every_kind_are_told() -> None:
    calls = (call("save", path="c.txt", content="x"), call("read", path="."), call("read", path="none.txt"), call("shell", command="make"))
    done = finished(after(sim(reply("", *calls), cfg=config(YES)), Say("go")))
    facts = [
        request.facts
        for tool in trace_of(done.events).turns[0].children[1].children
        for request in tool.children
        if isinstance(request.facts, RequestFacts)
    ]
    assert {each.kind for each in facts} == {"read", "write", "list", "run"}
    assert {each.outcome for each in facts} >= {"written", "exit code 0"}


def test_a_turn_that_puts_files_back_is_a_turn_with_a_round() -> None:
    asked = RestoreAsked(line="/undo", to=1, at_ms=5)
    (turn,) = trace_of((BEGUN, asked)).turns
    assert (turn.facts, turn.began_ms) == (TurnFacts("/undo"), 5)
    assert [child.facts for child in turn.children[0].children] == [CallFacts("undo", JsonObject())]


def test_a_name_cant_begin_a_line_of_its_own() -> None:
    call = Span(id="1.1.0", facts=CallFacts("read\r\x0b\nturn 9"), began_ms=0)
    told = trace_text(Trace(conversation="c", turns=(call,)))
    assert told.splitlines() == ["conversation c · 1 turn", "  tool read turn 9 · unfinished"]

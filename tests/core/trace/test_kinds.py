"""Spans of every kind, from journals written out: agents and handoffs, guardrails, permissions, children, edited calls."""

from __future__ import annotations

from turnfold.core.agent.events import (
    CallClosed,
    CancelAsked,
    Check,
    Event,
    MessageAdded,
    ModelReplied,
    Permitted,
    Reason,
    Reconfigured,
    Redone,
    RequestClosed,
    RequestOpened,
    Rewound,
    RoundEnded,
    Started,
    TurnEnded,
    TurnInterrupted,
    Unanswered,
    Why,
)
from turnfold.core.agent.ids import GUARD, MODEL, RequestId
from turnfold.core.agent.turn_events import CallEdited, FellBack, GuardrailChecked, HandedOff
from turnfold.core.config.layers import Overrides
from turnfold.core.config.tables import Guarded
from turnfold.core.config.values import Provider
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, ToolCall, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import Stop
from turnfold.core.problem import model_problem, world_problem
from turnfold.core.trace.fold import advanced, begun, trace_of
from turnfold.core.trace.html import html_page
from turnfold.core.trace.spans import (
    AgentFacts,
    CallFacts,
    ChildFacts,
    GuardrailFacts,
    HandoffFacts,
    ModelFacts,
    PermissionFacts,
    Span,
    Status,
    Trace,
    TurnFacts,
)
from turnfold.core.trace.text import trace_text
from turnfold.core.world.answers import ChildEnded, FileRead, StreamEnded, Waited
from turnfold.core.world.requests import CallModel, Purpose, ReadFile, StartChild, Wait
from turnfold.core.world.usage import Usage

BEGUN = Started(conversation="c", cfg_digest="", tools_digest="")
SAID = MessageAdded(UserMessage("hi"), 1)
ASKED = CallModel(provider=Provider(name="p", base_url=""), model="m", upto=1)
GUARDED = CallModel(provider=Provider(name="p", base_url=""), model="m", upto=1, purpose=Purpose.GUARDRAIL)
DONE = ModelReplied(usage=Usage(input_tokens=1, output_tokens=1), stop=Stop.END)
SWITCH = ToolCall("transfer", JsonObject())
ENDED = TurnEnded(Reason.COMPLETED, None, 99)


def model(generation: int, at_ms: int) -> tuple[Event, ...]:
    """A model call, opened and answered a moment later."""
    request_id = RequestId(1, generation, MODEL, 0)
    return (RequestOpened(request_id=request_id, request=ASKED, at_ms=at_ms), RequestClosed(request_id, DONE, at_ms + 1))


def replied(generation: int, at_ms: int, *calls: ToolCall | BrokenCall) -> MessageAdded:
    return MessageAdded(AssistantMessage(text="Well.", place=f"1.{generation}", calls=calls), at_ms)


def handed(agent: str, at_ms: int) -> HandedOff:
    return HandedOff(agent=agent, change=Overrides(agent=agent), at_ms=at_ms)


def within(span: Span) -> list[str]:
    return [each.id for each in span.children]


def test_an_agent_leads_from_one_handoff_to_the_next_and_the_round_that_asked_for_it_is_the_first_ones() -> None:
    events = (
        BEGUN, SAID, *model(1, 2), replied(1, 3, SWITCH),
        handed("writer", 4), CallClosed(slot=0, text="ok", ok=True, at_ms=5), RoundEnded(6),
        *model(2, 7), replied(2, 8), ENDED,
    )  # fmt: skip
    (turn,) = trace_of(events, agent="triage").turns
    assert within(turn) == ["1.a1", "1.h2", "1.a3"]
    first, handoff, second = turn.children
    assert (first.facts, handoff.facts, second.facts) == (AgentFacts("triage"), HandoffFacts("writer"), AgentFacts("writer"))
    assert (within(first), within(second)) == (["1.1.m.0", "1.1"], ["1.2.m.0"])
    assert (first.ended_ms, handoff.ended_ms, second.began_ms, second.ended_ms) == (6, 4, 6, 99)
    later = trace_of((*events, MessageAdded(UserMessage("more"), 100)), agent="triage").turns[1]
    assert [each.facts for each in later.children] == [AgentFacts("writer")]
    text = trace_text(trace_of(events, agent="triage"))
    assert "    agent writer · 93 ms\n" in text
    assert "    handoff to writer\n" in text


def test_a_handoff_between_two_rounds_counts_at_once_and_without_a_name_no_agent_is_told() -> None:
    (turn,) = trace_of((BEGUN, SAID, *model(1, 2), handed("writer", 4), *model(2, 5), ENDED)).turns
    assert within(turn) == ["1.1.m.0", "1.h1", "1.a2"]
    assert within(turn.children[2]) == ["1.2.m.0"]
    (back,) = trace_of((BEGUN, SAID, handed("", 4), *model(1, 5), ENDED), agent="a").turns
    assert within(back) == ["1.a1", "1.h2", "1.1.m.0"]


def test_who_leads_is_taken_back_and_forth_with_the_turns_that_changed_it() -> None:
    changed = Reconfigured(Overrides(agent="b"), 5)
    turns = (SAID, ENDED, changed, SAID, ENDED, Rewound(2, 100), SAID, ENDED)
    names = [[each.facts for each in turn.children] for turn in trace_of((BEGUN, *turns), agent="a").turns]
    assert names == [[AgentFacts("a")], [AgentFacts("b")], [AgentFacts("b")]]
    undone = (SAID, ENDED, changed, SAID, ENDED, Rewound(1, 100), SAID)
    assert trace_of((BEGUN, *undone), agent="a").turns[-1].children[0].facts == AgentFacts("a")
    redone = (SAID, ENDED, changed, SAID, ENDED, Rewound(1, 100), Redone(101), SAID)
    assert trace_of((BEGUN, *redone), agent="a").turns[-1].children[0].facts == AgentFacts("b")
    assert trace_of((BEGUN, Redone(1), Rewound(7, 2), SAID), agent="a").turns[0].children[0].facts == AgentFacts("a")


def test_a_guardrail_that_asks_a_model_has_its_call_within_and_one_that_does_not_is_there_at_once() -> None:
    one, two = RequestId(1, 1, GUARD, 0), RequestId(1, 1, GUARD, 1)
    events = (
        BEGUN, SAID,
        GuardrailChecked(name="words", on=Guarded.INPUT, tripped=False, at_ms=2),
        RequestOpened(request_id=one, request=GUARDED, at_ms=2), RequestOpened(request_id=two, request=GUARDED, at_ms=2), *model(1, 2),
        RequestClosed(one, DONE, 5), GuardrailChecked(name="polite", on=Guarded.INPUT, tripped=True, reason="rude", at_ms=5),
        RequestClosed(two, Unanswered(Why.LOST), 6),
        TurnEnded(Reason.GUARDRAIL, model_problem("guardrail", "It was rude."), 7),
    )  # fmt: skip
    (turn,) = trace_of(events).turns
    assert within(turn) == ["1.g1", "1.1.g.0.c", "1.1.g.1.c", "1.1.m.0"]
    words, polite, lost, _ = turn.children
    assert (words.status, words.began_ms, words.ended_ms) == (Status.OK, 2, 2)
    assert polite.facts == GuardrailFacts(name="polite", on=Guarded.INPUT, tripped=True, reason="rude")
    assert (polite.status, polite.problem, within(polite)) == (Status.DENIED, "rude", ["1.1.g.0"])
    assert (lost.status, lost.children[0].status) == (Status.LOST, Status.LOST)
    assert (turn.status, turn.error) == (Status.FAILED, "guardrail")
    text = trace_text(trace_of(events))
    assert "    guardrail polite · 3 ms · on input · tripped · denied · rude\n      model p/m for a guardrail · 3 ms" in text


def test_the_wait_for_a_person_is_a_span_of_its_own_with_what_they_said() -> None:
    read = ReadFile(path="/w/a", limit_bytes=1)
    ids = tuple(RequestId(1, 1, 0, n) for n in range(3))
    events: tuple[Event, ...] = (
        BEGUN, SAID, replied(1, 2, ToolCall("read", JsonObject())),
        *(RequestOpened(request_id=each, request=read, asked="It reads.", at_ms=3) for each in ids),
        Permitted(ids[0], 10), RequestClosed(ids[0], FileRead(text="a", digest="d"), 11),
        RequestClosed(ids[1], Unanswered(Why.DENIED, "Not that one."), 20),
        CallClosed(slot=0, text="denied", ok=False, at_ms=30), RoundEnded(30), ENDED,
    )  # fmt: skip
    (call,) = trace_of(events).turns[0].children[0].children
    first, second, third = (each.children[0] for each in call.children)
    assert (first.id, first.status, first.ended_ms) == ("1.1.0.0.p", Status.OK, 10)
    assert second.facts == PermissionFacts(asked="It reads.", note="Not that one.")
    assert (second.status, second.ended_ms, third.status) == (Status.DENIED, 20, Status.INTERRUPTED)
    assert (call.status, call.error) == (Status.DENIED, "denied")


def test_a_call_that_a_person_edited_says_what_was_done() -> None:
    events: tuple[Event, ...] = (BEGUN, SAID, replied(1, 2, SWITCH, BrokenCall("x", "{", model_problem("bad", "No."))))
    edited = CallEdited(0, JsonObject.of(a=1))
    calls = trace_of((*events, edited, CallEdited(7, JsonObject()))).turns[0].children[0].children
    assert [each.facts for each in calls] == [CallFacts("transfer", JsonObject.of(a=1)), CallFacts("x", "{")]


def test_a_child_has_its_own_trace_within_where_its_journal_is_there() -> None:
    request_id = RequestId(1, 1, 0, 0)
    opened = RequestOpened(request_id=request_id, request=StartChild(task="count", agent="counter"), at_ms=3)
    ended = ChildEnded(conversation="c~1.1.0.0", text="It failed.", ok=False, usage=Usage(input_tokens=3))
    events = (BEGUN, SAID, replied(1, 2, ToolCall("subagent", JsonObject())), opened, RequestClosed(request_id, ended, 9))
    below = (Started(conversation="c~1.1.0.0", cfg_digest="", tools_digest="", at_ms=4), MessageAdded(UserMessage("count"), 5))

    def whole(conversation: str) -> tuple[Event, ...] | None:
        return below if conversation == "c~1.1.0.0" else None

    child = trace_of(events, whole).turns[0].children[0].children[0].children[0]
    assert child.facts == ChildFacts(conversation="c~1.1.0.0", task="count", agent="counter", usage=Usage(input_tokens=3))
    assert (child.status, child.error) == (Status.FAILED, "child-failed")
    assert child.child is not None
    assert within(child.child.turns[0]) == ["1.a1"]
    assert trace_of(events).usage == Usage(input_tokens=3)
    assert trace_of(events).turns[0].children[0].children[0].children[0].child is None
    text = trace_text(trace_of(events, whole))
    assert "        child c~1.1.0.0 · 6 ms · led by counter · 3 tokens in, 0 out · count · failed · It failed.\n          turn 1" in text
    assert "c~1.1.0.0" in html_page(trace_of(events, whole))


def test_waits_failures_and_other_models_are_told_as_they_were() -> None:
    model_0, pause = RequestId(1, 1, MODEL, 0), RequestId(1, 1, MODEL, 1)
    busy = world_problem("rate-limited", "Too many.")
    events = (
        BEGUN, SAID, RequestOpened(request_id=model_0, request=ASKED, at_ms=1), RequestClosed(model_0, busy, 2),
        RequestOpened(request_id=pause, request=Wait(500), at_ms=2), RequestClosed(pause, Waited(), 502),
        FellBack("p/n", busy, 502), TurnInterrupted(503),
        TurnEnded(Reason.INTERRUPTED, None, 504),
    )  # fmt: skip
    (turn,) = trace_of(events).turns
    assert [(each.status, each.error) for each in turn.children] == [(Status.FAILED, "rate-limited"), (Status.OK, "")]
    assert (turn.status, turn.error) == (Status.INTERRUPTED, "interrupted")
    cut = (BEGUN, SAID, RequestOpened(request_id=model_0, request=ASKED, at_ms=1), CancelAsked(model_0, 2), RequestClosed(model_0, busy, 3))
    assert trace_of(cut).turns[0].children[0].status is Status.INTERRUPTED


def test_what_the_model_said_goes_with_its_call_and_a_call_without_a_message_is_told_as_well() -> None:
    (turn,) = trace_of((BEGUN, SAID, *model(1, 2), replied(1, 3, SWITCH))).turns
    call = turn.children[0]
    assert getattr(call.facts, "reply", None) == "Well."
    assert getattr(call.facts, "calls", None) == ("transfer",)
    progress = begun()
    called: tuple[Event, ...] = (BEGUN, SAID, *model(1, 2))
    for event in called:
        progress = advanced(progress, event).progress
    assert progress.now.held is not None  # the next event may say what was replied
    (ended,) = advanced(progress, TurnInterrupted(5)).ended
    assert (ended.id, ended.status) == ("1.1.m.0", Status.OK)
    assert not trace_of((BEGUN, SAID, *model(1, 2))).turns[0].children[0].problem


def test_a_request_of_no_call_and_ends_of_what_is_not_open_change_nothing_else() -> None:
    stray = RequestOpened(request_id=RequestId(1, 1, 5, 0), request=ReadFile(path="/w/a", limit_bytes=1), at_ms=2)
    closed = RequestClosed(RequestId(1, 1, 5, 0), Unanswered(Why.DENIED), 3)
    (turn,) = trace_of((BEGUN, SAID, stray, closed, RoundEnded(4), RequestClosed(RequestId(1, 1, 6, 0), StreamEnded(), 4))).turns
    assert within(turn) == ["1.1.5.0"]
    assert trace_of((BEGUN, RoundEnded(1))) == Trace(conversation="c", last_ms=1)


def test_what_a_broken_reply_used_counts_and_is_told_of_its_call() -> None:
    used = Usage(input_tokens=100, output_tokens=7)
    request_id = RequestId(1, 1, MODEL, 0)
    events: tuple[Event, ...] = (
        BEGUN, SAID,
        RequestOpened(request_id=request_id, request=ASKED, at_ms=2),
        RequestClosed(request_id, model_problem("overloaded", "It is busy."), 3, used),
        TurnEnded(Reason.FAILED, model_problem("overloaded", "It is busy."), 4),
    )  # fmt: skip
    trace = trace_of(events)
    assert trace.usage == fold(events).usage == used
    facts = trace.turns[0].children[0].facts
    assert isinstance(facts, ModelFacts)
    assert facts.usage == used


def test_a_result_that_the_program_gave_is_the_turns_reply() -> None:
    (turn,) = trace_of((BEGUN, SAID, *model(1, 2), replied(1, 3), TurnEnded(Reason.COMPLETED, None, 9, text="Enough."))).turns
    assert isinstance(turn.facts, TurnFacts)
    assert turn.facts.reply == "Enough."


def test_a_guardrail_whose_model_failed_has_its_name() -> None:
    asked = RequestId(1, 1, GUARD, 0)
    check = Check(name="polite", on=Guarded.INPUT, generation=1)
    opened = RequestOpened(request_id=asked, request=GUARDED, at_ms=2, check=check)
    (turn,) = trace_of((BEGUN, SAID, opened, RequestClosed(asked, model_problem("overloaded", "It is busy."), 3))).turns
    assert turn.children[0].facts == GuardrailFacts(name="polite", on=Guarded.INPUT)

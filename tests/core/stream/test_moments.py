"""What is told of events that lives rarely hold, and of such as speak of what is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.examples import examples
from turnfold.core.agent import events, turn_events
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.config.layers import Overrides
from turnfold.core.config.tables import Guarded
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.problem import world_problem
from turnfold.core.stream import items
from turnfold.core.stream.follow import follow
from turnfold.core.stream.items import Item
from turnfold.core.stream.position import Position
from turnfold.core.world.requests import AskHuman, CallModel, FormField, Purpose, Wait
from turnfold.testing.simulated import CONFIG, PROVIDER
from turnfold.testing.strategies import events as any_event
from turnfold.testing.strategies import positions

ID = RequestId(1, 1, MODEL, 0)
OVERLOADED = world_problem("overloaded", "Too many.")
BEGUN = (events.Started(conversation="c", cfg_digest="", tools_digest=""), events.MessageAdded(UserMessage("hi")))
CALLED = events.MessageAdded(AssistantMessage(text="", place="1.1", calls=(ToolCall("read", JsonObject()),)))
MODEL_ASKED = events.RequestOpened(request_id=ID, request=CallModel(provider=PROVIDER, model="m", upto=2))


def told(*more: Event) -> list[Item]:
    return list(follow((*BEGUN, *more), CONFIG, Position(2)))


@pytest.mark.parametrize(
    ("event", "item"),
    [
        (
            turn_events.HandedOff(agent="writer", change=Overrides(), call="1.1.0"),
            items.HandedOff(at=Position(3), agent="writer", call="1.1.0"),
        ),
        (
            turn_events.GuardrailChecked(name="polite", on=Guarded.INPUT, tripped=True, reason="It is rude."),
            items.GuardrailChecked(at=Position(3), name="polite", on="input", tripped=True, reason="It is rude."),
        ),
        (turn_events.FellBack("b/m", OVERLOADED), items.FellBack(at=Position(3), model="b/m", problem=OVERLOADED)),
        (events.RequestOpened(request_id=ID, request=Wait(250)), items.Retrying(at=Position(3), delay_ms=250)),
        (
            turn_events.CallEdited(0, JsonObject.of(path="b.txt")),
            items.CallEdited(at=Position(3), call="1.1.0", arguments=JsonObject.of(path="b.txt")),
        ),
        (turn_events.ModelUrged(text="Write JSON.", cause=turn_events.Cause.REPAIR), items.ModelUrged(at=Position(3), text="Write JSON.")),
        (events.MessageQueued(UserMessage("more")), items.MessageQueued(at=Position(3), text="more")),
        (events.Compacted(2, "They said hi."), items.SummedUp(at=Position(3), upto=2)),
        (events.Rewound(1), items.TurnsTakenBack(at=Position(3), to=1)),
        (events.Redone(), items.TurnsRestored(at=Position(3))),
    ],
)
def test_a_rare_event_is_one_item(event: Event, item: Item) -> None:
    assert told(event) == [item]


@pytest.mark.parametrize(
    "event", [events.Renamed("n"), events.Reconfigured(Overrides()), events.CancelAsked(ID), events.RoundEnded(), events.Forgotten(1)]
)
def test_what_changes_nothing_that_is_shown_is_not_told(event: Event) -> None:
    assert told(event) == []


def test_models_that_are_asked_for_something_else_than_a_reply_are_not_told() -> None:
    for purpose in (Purpose.SUMMARY, Purpose.GUARDRAIL):
        request = CallModel(provider=PROVIDER, model="m", upto=2, purpose=purpose)
        assert told(events.RequestOpened(request_id=ID, request=request), events.RequestClosed(ID, OVERLOADED)) == []


def test_a_reply_that_failed_is_dropped_unless_something_of_it_is_kept() -> None:
    failed = events.RequestClosed(ID, OVERLOADED)
    kept = events.MessageAdded(AssistantMessage(text="So far", place="1.1", cut=True))
    assert told(MODEL_ASKED, failed)[-1] == items.ReplyDropped(at=Position(4), reply="1.1.m.0", problem=OVERLOADED)
    assert [type(item).__name__ for item in told(MODEL_ASKED, failed, kept)] == ["ReplyStarted", "TextDelta", "MessageDone"]


def test_a_question_of_a_tool_is_told_with_its_fields() -> None:
    fields = (FormField(name="color", choices=("red", "green")),)
    asked = events.RequestOpened(request_id=RequestId(1, 1, 0, 0), request=AskHuman(question="Which?", fields=fields), asked="A tool asks.")
    (item,) = (each for each in told(MODEL_ASKED, CALLED, asked) if isinstance(each, items.PermissionAsked))
    assert (item.reason, item.fields, item.call) == ("Which?", fields, "1.1.0")


def test_a_journal_that_is_shorter_than_the_place_tells_nothing() -> None:
    assert list(follow(BEGUN, CONFIG, Position(3))) == []


@given(st.lists(any_event(), max_size=12), positions())
@examples(100)
def test_any_events_are_told_from_any_place(journal: list[Event], position: Position) -> None:
    for place in (Position(), Position(min(position.event, len(journal))), position):
        list(follow(journal, CONFIG, place))

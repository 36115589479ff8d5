"""``apply`` and the journal: what events do to a past, and what they leave alone."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import after, call, reply, sim
from turnfold.core.agent.apply import apply
from turnfold.core.agent.events import (
    CallClosed,
    CancelAsked,
    Event,
    MessageAdded,
    ModelReplied,
    Permitted,
    Reconfigured,
    RequestClosed,
    RequestOpened,
    Rewound,
    RoundEnded,
    Started,
    TurnInterrupted,
    Unanswered,
    Why,
)
from turnfold.core.agent.ids import MODEL, RequestId, parse_id_untrusted
from turnfold.core.agent.state import ChatState, Past, effective, find_open, open_requests
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.journal import fold, load
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import Stop
from turnfold.core.world.requests import ReadFile
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Decide, Finish, Say
from turnfold.testing.simulated import finished

READ = ReadFile(path="/w/a.txt", limit_bytes=1)
OPEN = RequestOpened(request_id=RequestId(1, 1, 0, 0), request=READ)
MODEL_ID = RequestId(1, 1, MODEL, 0)
CLOSED = RequestClosed(MODEL_ID, ModelReplied(usage=Usage(input_tokens=1), stop=Stop.END))
STARTED = Started(conversation="c", cfg_digest="", tools_digest="")


@pytest.mark.parametrize(
    "event",
    [
        OPEN,
        RequestOpened(request_id=RequestId(1, 1, MODEL, 0), request=READ),
        RequestClosed(RequestId(1, 1, MODEL, 0), Unanswered(Why.LOST)),
        RequestClosed(RequestId(1, 1, 0, 0), Unanswered(Why.LOST)),
        CLOSED,
        Permitted(RequestId(1, 1, 0, 0)),
        CancelAsked(RequestId(1, 1, 0, 0)),
        CallClosed(slot=0, text="", ok=True),
        RoundEnded(),
        TurnInterrupted(),
        Rewound(3),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_of_what_is_not_there_changes_only_the_count(event: Event) -> None:
    assert apply(Past(), event) == Past(events=1)


@pytest.mark.parametrize(
    "event",
    [
        OPEN,
        RequestClosed(RequestId(1, 1, 0, 0), Unanswered(Why.LOST)),
        RequestClosed(RequestId(1, 1, MODEL, 7), Unanswered(Why.LOST)),
        CallClosed(slot=0, text="", ok=True),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_of_a_place_that_the_turn_does_not_have_changes_only_the_count(event: Event) -> None:
    begun = fold((STARTED, MessageAdded(UserMessage("go"))))
    assert apply(begun, event).turn == begun.turn


def test_a_request_is_closed_once() -> None:
    past = fold((STARTED, MessageAdded(UserMessage("go")), RequestOpened(request_id=MODEL_ID, request=READ), CLOSED))
    assert past.usage.input_tokens == 1
    assert apply(past, CLOSED) == evolve(past, events=past.events + 1)


def test_only_a_lost_request_is_replaced_by_its_like() -> None:
    reply = MessageAdded(AssistantMessage(text="", place="1.1", calls=(ToolCall("read", JsonObject()),)))
    again = evolve(OPEN, request_id=RequestId(1, 1, 0, 1))
    begun = fold((STARTED, MessageAdded(UserMessage("go")), reply, OPEN))
    for why, places in ((Why.LOST, [1]), (Why.INTERRUPTED, [0, 1])):
        turn = fold((RequestClosed(OPEN.request_id, Unanswered(why)), again), begun).turn
        assert turn is not None
        assert [opened.request_id.n for opened in turn.slots[0].requests] == places
        assert turn.slots[0].opened == 2


def test_a_reply_without_a_turn_joins_the_log_alone() -> None:
    past = fold((STARTED, MessageAdded(AssistantMessage(text="Hi.", place="1.1"))))
    assert past.turn is None
    assert len(past.log) == 1


def test_a_round_that_ends_early_has_the_results_there_are() -> None:
    begun = after(sim(reply("", call("read", path="a.txt"), call("read", path="b.txt"))), Say("go"), Finish(), Finish())
    assert len(apply(begun.state.past, RoundEnded()).log) == 3


def test_loading_is_folding() -> None:
    done = finished(after(sim(), Say("hi")))
    assert load(done.events) == done.state
    assert fold(done.events[3:], fold(done.events[:3])) == done.state.past


def test_what_is_open_is_found_by_its_id_and_by_no_other() -> None:
    begun = after(sim(reply("", call("shell", command="ls"), call("read", path="a.txt"))), Say("go"), Finish())
    past = begun.state.past
    assert [str(each.request_id) for each in open_requests(past)] == ["1.1.0.0", "1.1.1.0"]
    assert find_open(past, RequestId(1, 1, 0, 0)) is not None
    for absent in ((1, 1, 0, 1), (1, 1, 2, 0), (1, 1, MODEL, 1), (1, 2, 0, 0), (2, 1, 0, 0)):
        assert find_open(past, RequestId(*absent)) is None
    assert find_open(past, RequestId(1, 1, MODEL, 0)) is None
    assert find_open(after(sim(), Say("go"), Decide()).state.past, RequestId(1, 1, 0, 0)) is None
    assert not begun.state.paused
    assert not begun.state.idle
    assert not ChatState().paused


def test_changes_since_the_start_come_before_what_was_handed_in() -> None:
    cfg = ChatConfig(ProjectConfig(Config()), overrides=(Overrides(model="a/b", instructions="kept"),))
    past = fold((STARTED, Reconfigured(Overrides(model="c/d"))))
    assert (effective(cfg, past).model, effective(cfg, past).instructions) == ("c/d", "kept")
    assert effective(cfg, Past()) is cfg


@pytest.mark.parametrize(
    "text", ["", "1", "1.1.m", "1.1.m.0.0", "1.1.x.0", "a.1.m.0", "01.1.m.0", "1.1.-1.0", "1.1.m.1234567890", "1.1.1234567890.0"]
)
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse_id_untrusted(text) is None

"""Summaries in the machine: when they are asked for, what comes of them, and what a turn does without."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from tests.core.agent.compacting import keeping, saying, windowed
from tests.core.agent.scripted import after, call, notices, problems, reasons, reply
from tests.laws.comparison import assert_balanced, assert_nothing_lost
from turnfold.core.agent.effects import Cancel
from turnfold.core.agent.events import Compacted, MessageAdded, Reason, RequestClosed, Rewound, TurnEnded
from turnfold.core.agent.inputs import Answered
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.summaries import NOTHING_TO_SUMMARISE
from turnfold.core.agent.summary import SUMMARY as TOLD
from turnfold.core.agent.summary import Summary
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Limits, ModelProfile, Rule, Verdict
from turnfold.core.conversation.messages import UserMessage
from turnfold.core.journal import fold
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import world_problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel, Purpose
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Break, Command, Crash, Deliver, Finish, Interrupt, Mismatch, Say, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import SUMMARY, Sim, Stream, finished, moved, walked
from turnfold.testing.wire import chat_stream

LONG = "word " * 400
WIDE = windowed(100_000, keeping(1))
NARROW = windowed(2_000, keeping(1))  # the tools and the prompt alone have some 1,600 tokens


def said(*texts: str) -> tuple[Say | Finish, ...]:
    return tuple(move for text in texts for move in (Say(text), Finish()))


def narrow(cfg: ChatConfig = NARROW, summary: Stream = SUMMARY) -> Sim:
    """A conversation of two turns in which a summary is due from now on."""
    script = tuple((saying(f"Reply {number}."),) for number in range(9))
    begun = after(Sim(tools=ALL_TOOLS, cfg=WIDE, script=script, summary=summary), *said(LONG, "more"))
    return evolve(begun, cfg=cfg)


def due(sim: Sim) -> list[Purpose]:
    """What models are being asked for."""
    return [each.perform.request.purpose for each in sim.outstanding if isinstance(each.perform.request, CallModel)]


def compactions(sim: Sim) -> list[Compacted]:
    return [event for event in sim.events if isinstance(event, Compacted)]


def commanded(sim: Sim) -> Sim:
    """``sim`` after the person asked for a summary."""
    return after(sim, Command("/compact"))


def contents(body: bytes) -> list[str]:
    return [each["content"] for each in json.loads(body)["messages"] if each["role"] != "system"]


def test_the_summary_is_asked_for_before_the_call_and_takes_the_place_of_what_went() -> None:
    asked = after(narrow(), Say("third"))
    assert due(asked) == [Purpose.SUMMARY]
    assert LONG in contents(asked.outstanding[0].perform.body)[0]
    summed = after(asked, Finish())
    assert due(summed) == [Purpose.REPLY]
    assert str(summed.outstanding[0].perform.request_id) == "3.1.m.1"
    assert contents(summed.outstanding[0].perform.body) == [LONG, f"{TOLD}\n\nThey said hello.", "third"]
    done = finished(summed)
    assert reasons(done)[-1] is Reason.COMPLETED
    assert [(each.upto, each.summary, each.pinned) for each in compactions(done)] == [(4, "They said hello.", (0,))]
    assert_balanced(done)
    assert_nothing_lost(done.events)


def test_nothing_of_the_summary_is_published_but_that_it_began_and_what_came_of_it() -> None:
    before = narrow()
    done = finished(after(before, Say("third"), Deliver(0, 50)))
    ours = [delta for delta in done.deltas if delta.request_id.turn == 3]
    assert {str(delta.request_id) for delta in ours} == {"3.1.m.1"}
    assert notices(done) == (
        "(summing up 4 earlier messages …)",
        "(summed up: the model is told a summary in place of the first 4 messages (1 message pinned))",
    )


def test_its_usage_and_its_cost_count() -> None:
    usage = Usage(input_tokens=1_000, output_tokens=10)
    cfg = evolve(NARROW, models=(ModelProfile(pattern="scripted/model", window_tokens=2_000, input_usd=1.0, output_usd=2.0),))
    before = narrow(cfg, Stream(chat_stream("Short.", usage=usage)))
    done = finished(after(before, Say("third")))
    assert done.state.past.usage.input_tokens == before.state.past.usage.input_tokens + 1_000
    assert done.state.past.usage.cost_usd == pytest.approx(0.00102)
    assert done.state.past.measured == before.state.past.measured


def test_the_next_summary_takes_the_last_one_in() -> None:
    done = finished(after(narrow(), Say("third")))
    again = after(done, Say("last"))
    assert due(again) == [Purpose.SUMMARY]
    assert "# Summary of what was before\n\nThey said hello." in contents(again.outstanding[0].perform.body)[0]
    assert [each.upto for each in compactions(finished(again))] == [4, 6]


BAD = {
    "empty": Stream(chat_stream(" ")),
    "cut": Stream(chat_stream("They", finish_reason="length")),
    "calls": Stream(chat_stream("They", (RawCall("read", '{"path": "a"}'),))),
    "withheld": Stream(chat_stream("", finish_reason="content_filter")),
    "failed": Stream(b"", world_problem("offline", "No network.")),
    "no stream": Stream(b"<html>"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_summary_that_comes_to_nothing_is_told_once_and_the_turn_goes_on_without(name: str) -> None:
    asked = after(narrow(summary=BAD[name]), Say("third"))
    assert due(asked) == [Purpose.SUMMARY]
    failed = after(asked, Finish())
    assert due(failed) == [Purpose.REPLY]
    assert LONG in contents(failed.outstanding[0].perform.body)
    done = finished(failed)
    assert reasons(done)[-1] is Reason.COMPLETED
    assert len(problems(done)) == 1
    assert problems(done)[0].message.startswith("The conversation's beginning could not be summed up")
    assert not compactions(done)
    assert due(after(done, Say("fourth"))) == [Purpose.SUMMARY]  # another turn tries again


def test_a_failed_summary_is_not_tried_again_in_the_later_calls_of_its_turn() -> None:
    before = narrow(summary=BAD["failed"])
    sim = evolve(before, script=(*before.script[:2], (reply("", call("read", path="a.txt")), saying("Done."))))
    done = finished(after(sim, Say("third")))
    asked = [event.request_id for event in done.events if isinstance(event, RequestClosed) and event.request_id.turn == 3]
    assert [str(each) for each in asked] == ["3.1.m.0", "3.1.m.1", "3.1.0.0", "3.2.m.0"]
    assert len(problems(done)) == 1


def test_a_summary_that_is_too_long_is_cut_off() -> None:
    cfg = evolve(NARROW, limits=Limits(reply_bytes=1_000))
    done = finished(after(narrow(cfg, Stream(chat_stream("a" * 5_000))), Say("third"), Deliver(0, 2_000)))
    assert Cancel(done.performs[2].request_id) in done.effects
    assert "longer than 1,000 bytes" in problems(done)[0].message
    assert reasons(done)[-1] is Reason.COMPLETED


def test_a_lost_summary_is_asked_for_again() -> None:
    lost = after(narrow(), Say("third"), Deliver(0, 60), Crash())
    assert due(lost) == [Purpose.SUMMARY]
    assert str(lost.outstanding[0].perform.request_id) == "3.1.m.1"
    done = finished(lost)
    assert len(compactions(done)) == 1
    assert reasons(done)[-1] is Reason.COMPLETED


def test_an_answer_without_a_live_reply_has_the_summary_asked_for_again() -> None:
    asked = after(narrow(), Say("third"))
    bare = evolve(asked, state=type(asked.state)(asked.state.past))
    again = after(bare, Wild(Answered(asked.outstanding[0].perform.request_id, StreamEnded())))
    assert due(again)[-1] is Purpose.SUMMARY


@pytest.mark.parametrize("move", [Break(), Mismatch()])
def test_a_summary_whose_request_fails_costs_nothing_but_itself(move: Break | Mismatch) -> None:
    done = finished(after(narrow(), Say("third"), move))
    assert reasons(done)[-1] is Reason.COMPLETED
    assert len(problems(done)) == 1


def test_an_interrupt_ends_the_turn_in_the_middle_of_a_summary() -> None:
    done = after(narrow(), Say("third"), Deliver(0, 60), Interrupt())
    assert reasons(done)[-1] is Reason.INTERRUPTED
    assert Cancel(done.performs[-1].request_id) in done.effects
    assert len(done.state.past.log) == 5
    assert_balanced(done)


def test_undo_brings_back_what_was_told() -> None:
    before = narrow()
    done = finished(after(before, Say("third")))
    assert done.state.past.summary == Summary(upto=4, text="They said hello.", pinned=(0,))
    undone = after(done, Command("/undo"))
    assert undone.state.past.summary is None
    wide = evolve(undone, cfg=windowed(100_000, keeping(1)))
    assert contents(after(wide, Say("other")).outstanding[0].perform.body)[0] == LONG
    assert len(contents(after(wide, Say("other")).outstanding[0].perform.body)) == 5


def test_lessons_that_went_may_come_up_again_and_pinned_ones_stay_told() -> None:
    messages = tuple(UserMessage(f"{number}", lessons=(f"/l/{number}.md",), pinned=number == 1) for number in range(4))
    events = tuple(event for each in messages for event in (MessageAdded(each), TurnEnded(Reason.COMPLETED)))
    past = fold((*events, Compacted(3, "They spoke.", (0, 1, 77))))
    assert past.told == ("/l/0.md", "/l/1.md", "/l/3.md")
    assert fold((Rewound(3),), past).told == ("/l/0.md", "/l/1.md")


# whose model


def test_the_model_that_the_config_names_sums_up() -> None:
    small = ModelProfile(pattern="scripted/small", input_usd=1.0, output_usd=1.0)
    asked = after(narrow(windowed(2_000, keeping(1, model="scripted/small"), small)), Say("third"))
    request = asked.outstanding[0].perform.request
    assert isinstance(request, CallModel)
    assert request.model == "small"
    assert [each.model for each in (p.request for p in finished(asked).performs) if isinstance(each, CallModel)][-1] == "model"


@pytest.mark.parametrize("cause", ["unknown", "denied", "unpriced"])
def test_where_it_cannot_be_called_that_is_told_and_the_conversations_own_does_it(cause: str) -> None:
    own = ModelProfile(pattern="scripted/model", window_tokens=2_000, input_usd=0.0, output_usd=0.0)
    cfg = evolve(NARROW, models=(own,), compaction=keeping(1, model="no/such" if cause == "unknown" else "scripted/small"))
    cfg = evolve(cfg, rules=(Rule(Verdict.DENY, "model", "scripted/small"),)) if cause == "denied" else cfg
    cfg = evolve(cfg, limits=Limits(usd=1.0)) if cause == "unpriced" else cfg
    asked = after(narrow(cfg), Say("third"))
    request = asked.outstanding[0].perform.request
    assert isinstance(request, CallModel)
    assert (request.model, request.purpose) == ("model", Purpose.SUMMARY)
    assert problems(asked)[-1].message.startswith("compaction.model can't be used")
    assert len(compactions(finished(asked))) == 1


# by command


def test_a_commanded_summary_is_a_turn_of_its_own() -> None:
    asked = commanded(narrow(WIDE))
    assert due(asked) == [Purpose.SUMMARY]
    done = finished(asked)
    assert done.state.past.summary == Summary(upto=2, text="They said hello.", pinned=(0,))
    assert reasons(done)[-1] is Reason.COMPLETED
    assert len(done.state.past.log) == 4
    again = commanded(done)
    assert notices(again)[-1] == NOTHING_TO_SUMMARISE
    assert reasons(again)[-1] is Reason.COMPLETED
    assert again.state.idle


@pytest.mark.parametrize("name", ["empty", "cut", "failed", "no stream"])
def test_a_commanded_summary_that_comes_to_nothing_fails_and_leaves_all_as_it_was(name: str) -> None:
    before = narrow(WIDE, BAD[name])
    done = finished(commanded(before))
    assert reasons(done)[-1] is Reason.FAILED
    assert len(problems(done)) == 1
    assert done.state.past.log == before.state.past.log
    assert done.state.past.summary is None


def test_a_commanded_summary_that_was_lost_is_asked_for_again_and_can_be_interrupted() -> None:
    lost = moved(commanded(narrow(WIDE)), Deliver(0, 60))
    state = ChatState(lost.state.past)
    again = after(evolve(lost, state=state), Wild(Answered(lost.outstanding[0].perform.request_id, StreamEnded())))
    assert [str(each.request_id) for each in again.performs[-2:]] == ["3.0.m.0", "3.0.m.1"]
    assert reasons(walked(again, (Interrupt(),)))[-1] is Reason.INTERRUPTED


def test_a_commanded_summary_knows_limits_and_rules() -> None:
    begun = narrow(WIDE)
    limited = commanded(evolve(begun, cfg=evolve(WIDE, limits=Limits(turns=2))))
    assert reasons(limited)[-1] is Reason.LIMIT
    denied = commanded(evolve(begun, cfg=evolve(WIDE, rules=(Rule(Verdict.DENY, "model"),))))
    assert reasons(denied)[-1] is Reason.FAILED
    assert problems(denied)[-1].code == "model-denied"

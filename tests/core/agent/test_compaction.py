"""What gives way to a summary, what stays, and what the model that sums up is asked."""

from __future__ import annotations

import json
import math

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agent.compacting import Said, keeping, past_of, turns, windowed
from tests.laws.comparison import assert_acceptable
from turnfold.core.agent.apply import apply
from turnfold.core.agent.compaction import ASK, LEAST_BYTES, SYSTEM, plan, plan_if_due, plan_in_turn, summary_body, transcript
from turnfold.core.agent.encoding import encoded_for, request_body
from turnfold.core.agent.events import Compacted, Impersonated, MessageAdded, Reason, SummaryAsked, TurnEnded
from turnfold.core.agent.live import Plan
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.agent.summary import ASKED, SUMMARY, Summary
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import Located, profile_of
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import ModelProfile, ToolFormat
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, PROVIDER

KEEPS = st.builds(keeping, st.integers(0, 4), keep_first=st.booleans())
MODEL = Located(PROVIDER, "model")


def due_plan(past: Past, size_bytes: int, cfg: ChatConfig) -> Plan | None:
    return plan_if_due(past, size_bytes, cfg, profile_of(cfg))


def compacted(past: Past, planned: Plan) -> Past:
    return apply(past, Compacted(planned.upto, "They spoke.", planned.pinned))


def told(past: Past, tool_format: ToolFormat = ToolFormat.NATIVE) -> list[dict[str, str]]:
    """What a model is told of ``past``, the system's part apart."""
    cfg = evolve(CONFIG, tool_format=tool_format)
    body = request_body(encoded_for(ChatState(past), ALL_TOOLS, cfg, profile_of(cfg)), past)
    messages: list[dict[str, str]] = json.loads(body)["messages"]
    return [each for each in messages if each["role"] != "system"]


def user_turns(past: Past) -> list[int]:
    """Where each turn begins."""
    return [index for index in range(len(past.log)) if isinstance(past.log[index], UserMessage)]


# laws of the plan


@given(turns(), KEEPS)
def test_what_stays_is_exactly_the_last_turns(said: tuple[Said, ...], keep: Compaction) -> None:
    past, cfg = past_of(said), evolve(CONFIG, compaction=keep)
    planned = plan(past, cfg)
    begins = [*user_turns(past), len(past.log)]
    kept = max(cfg.compaction.keep_turns, 0 if said[-1].ended else 1)
    if planned is not None:
        assert planned.upto == begins[len(said) - kept]
    else:
        gone = range(begins[max(len(said) - kept, 0)])
        pinned = [isinstance(message := past.log[index], UserMessage) and message.pinned for index in gone]
        first = cfg.compaction.keep_first
        assert all(is_pinned or (first and index == 0) for index, is_pinned in enumerate(pinned))


@given(turns(), KEEPS, turns())
def test_pinned_messages_are_never_lost_and_keep_their_order(said: tuple[Said, ...], keep: Compaction, more: tuple[Said, ...]) -> None:
    past, cfg = past_of((*said[:-1], evolve(said[-1], ended=True))), evolve(CONFIG, compaction=keep)
    for _ in range(2):
        planned = plan(past, cfg)
        if planned is not None:
            past = compacted(past, planned)
            assert list(planned.pinned) == sorted(set(planned.pinned))
        summary = past.summary
        for index in range(0 if summary is None else summary.upto):
            message = past.log[index]
            pinned = isinstance(message, UserMessage) and (message.pinned or (cfg.compaction.keep_first and index == 0))
            assert not pinned or (summary is not None and index in summary.pinned)
            assert not pinned or message.text in "".join(each["content"] or "" for each in told(past))
        past = past_of(more, past)


@given(turns(), KEEPS)
def test_right_after_a_summary_nothing_more_would_go(said: tuple[Said, ...], keep: Compaction) -> None:
    past, cfg = past_of(said), evolve(CONFIG, compaction=keep)
    planned = plan(past, cfg)
    assert planned is None or plan(compacted(past, planned), cfg) is None


@given(turns(), KEEPS, turns(), st.sampled_from(ToolFormat))
def test_every_call_that_is_told_has_its_result_and_roles_alternate(
    said: tuple[Said, ...], keep: Compaction, more: tuple[Said, ...], tool_format: ToolFormat
) -> None:
    past, cfg = past_of((*said[:-1], evolve(said[-1], ended=True))), evolve(CONFIG, compaction=keep)
    for _ in range(2):
        planned = plan(past, cfg)
        past = past if planned is None else compacted(past, planned)
        body = request_body(encoded_for(ChatState(past), ALL_TOOLS, evolve(CONFIG, tool_format=tool_format), profile_of(CONFIG)), past)
        assert_acceptable(body)
        roles = [each["role"] for each in told(past)]
        assert roles[0] == "user"
        assert all(roles[index : index + 2] != ["user", "user"] for index in range(len(roles)))
        past = past_of(tuple(evolve(turn, ended=True) for turn in more), past)


def long_turn(rounds: int, *before: Said) -> Past:
    """A turn that runs and has had so many rounds, behind others."""
    return past_of((*before, Said(rounds=(2,) * rounds, ended=False)))


@given(st.integers(0, 12), st.integers(1, 4), turns(most=2), st.sampled_from(ToolFormat))
def test_of_a_long_turn_its_last_rounds_stay_and_the_message_that_began_it(
    rounds: int, keep: int, before: tuple[Said, ...], tool_format: ToolFormat
) -> None:
    cfg = evolve(CONFIG, compaction=evolve(keeping(9), keep_rounds=keep), tool_format=tool_format)
    past = long_turn(rounds, *(evolve(turn, ended=True) for turn in before))
    planned = plan_in_turn(past, cfg)
    assert (planned is None) == (rounds <= keep)
    if planned is not None:
        tail = tuple(past.log.since(planned.upto))
        assert isinstance(tail[0], AssistantMessage)
        assert sum(isinstance(message, AssistantMessage) for message in tail) == keep
        assert past.marks[-1].log_length in planned.pinned
        done = compacted(past, planned)
        assert plan_in_turn(done, cfg) is None
        body = request_body(encoded_for(ChatState(done), ALL_TOOLS, cfg, profile_of(cfg)), done)
        assert_acceptable(body)
        roles = [each["role"] for each in told(done)]
        assert roles[:4] == ["user", "assistant", "user", "assistant"]


def test_where_no_turn_runs_none_is_cut() -> None:
    assert plan_in_turn(Past(), CONFIG) is None
    assert plan_in_turn(past_of((Said(rounds=(2,) * 9),)), CONFIG) is None


def test_a_long_turn_is_summed_up_again_when_as_many_rounds_came_as_stay() -> None:
    cfg = evolve(CONFIG, compaction=evolve(keeping(9, keep_first=False), keep_rounds=2))
    first = plan_in_turn(long_turn(5, Said()), cfg)
    assert first == Plan(12, (2,))
    assert [plan_in_turn(compacted(long_turn(rounds, Said()), first), cfg) is None for rounds in (5, 6, 7)] == [True, True, False]
    again = plan_in_turn(compacted(long_turn(7, Said()), first), cfg)
    assert again == Plan(18, (2,))
    ended = past_of((Said(), Said(), Said()), apply(compacted(long_turn(7, Said()), first), TurnEnded(Reason.COMPLETED)))
    later = plan(ended, evolve(CONFIG, compaction=keeping(1, keep_first=False)))
    assert later is not None
    assert later.pinned == ()  # what began a turn that is over is no more than any other message


# the plan by example


def test_a_turn_that_said_nothing_is_none_and_the_summary_turn_counts_for_none() -> None:
    past = apply(past_of((Said(), Said(), Said())), SummaryAsked("/compact"))
    assert plan(past, evolve(CONFIG, compaction=keeping(1))) == Plan(4, (0,))
    again = apply(apply(past, TurnEnded(Reason.COMPLETED)), SummaryAsked("/compact"))
    assert plan(again, evolve(CONFIG, compaction=keeping(1))) == Plan(4, (0,))
    assert plan(again, evolve(CONFIG, compaction=keeping(0))) == Plan(6, (0,))


def test_a_conversation_that_begins_with_the_model_has_no_first_message_to_keep() -> None:
    past = apply(Past(), Impersonated(AssistantMessage(text="I am here.", place="1.0")))
    past = past_of((Said(),), apply(past, TurnEnded(Reason.COMPLETED)))
    assert plan(past, evolve(CONFIG, compaction=keeping(1))) == Plan(1, ())


def test_a_turn_without_a_reply_whose_message_is_pinned_is_no_gain() -> None:
    past = past_of((Said(ended=False),))
    past = past_of((Said(), Said()), apply(past, TurnEnded(Reason.INTERRUPTED)))
    assert plan(past, evolve(CONFIG, compaction=keeping(2))) is None
    assert plan(past, evolve(CONFIG, compaction=keeping(2, keep_first=False))) == Plan(1)


def test_what_was_pinned_and_is_not_there_is_borne() -> None:
    past = apply(past_of((Said(), Said(), Said())), Compacted(0, "They spoke.", (-9, 99)))
    assert plan(past, evolve(CONFIG, compaction=keeping(1))) == Plan(4, (0,))


def test_a_first_message_that_is_to_be_kept_from_now_on_comes_back() -> None:
    past = compacted(past_of((Said(), Said(), Said())), Plan(2))
    assert plan(past, evolve(CONFIG, compaction=keeping(1))) == Plan(4, (0,))


@pytest.mark.parametrize(
    ("window", "auto", "due"), [(100_000, True, False), (300, True, True), (300, False, False), (None, True, False)], ids=str
)
def test_a_summary_is_due_when_the_window_is_nearly_full(window: int | None, auto: bool, due: bool) -> None:
    past = past_of((Said(), Said(), Said(ended=False)))
    assert (due_plan(past, 1_000, windowed(window, keeping(1, auto=auto))) is not None) == due


@pytest.mark.parametrize("part", [1e308, -1e308, math.inf, math.nan], ids=str)
def test_a_part_that_is_none_is_borne(part: float) -> None:
    past, cfg = past_of((Said(), Said(), Said(ended=False))), windowed(2_000, keeping(1, at=part))
    assert (due_plan(past, 7_000, cfg) is None) == (part > 0 or math.isnan(part))
    assert summary_body(past, Plan(2), MODEL, cfg)


def test_no_summary_is_due_without_a_turn_nor_twice_in_one() -> None:
    past, cfg = past_of((Said(), Said(), Said(ended=False))), windowed(10, keeping(1))
    assert due_plan(past, 1_000, cfg) is not None
    assert past.turn is not None
    assert due_plan(evolve(past, turn=evolve(past.turn, summarised=True)), 1_000, cfg) is None
    assert due_plan(past_of((Said(), Said())), 1_000, cfg) is None


# what is told afterwards


def test_the_pinned_messages_come_first_then_the_summary_then_the_last_turns() -> None:
    past = compacted(past_of((Said(pinned=True), Said(pinned=True), Said(rounds=(1,)), Said())), Plan(8, (0, 2)))
    assert told(past)[:2] == [
        {"role": "user", "content": "Say 1.\n\nSay 2."},
        {"role": "assistant", "content": f"{SUMMARY}\n\nThey spoke."},
    ]
    assert told(past)[2:] == [{"role": "user", "content": "Say 4."}, {"role": "assistant", "content": "Said 4."}]
    bare = compacted(past, Plan(len(past.log)))
    assert told(bare) == [{"role": "user", "content": ASKED}, {"role": "assistant", "content": f"{SUMMARY}\n\nThey spoke."}]


def test_a_summary_of_what_is_not_there_is_borne() -> None:
    past = evolve(past_of((Said(),)), summary=Summary(upto=99, text="Odd.", pinned=(-1, 1, 77)))
    assert [each["role"] for each in told(past)] == ["user", "assistant"]
    past = evolve(past, summary=Summary(upto=-9, text="Odd."))
    assert len(told(past)) == 4


def test_what_is_kept_is_not_encoded_again_and_what_went_is_not_kept() -> None:
    past = past_of(tuple(Said() for _ in range(40)))
    kept = encoded_for(ChatState(past), ALL_TOOLS, CONFIG, profile_of(CONFIG))
    state = ChatState(past)
    short = compacted(past, Plan(76, (0,)))
    now = encoded_for(evolve(state, past=short, live=evolve(state.live, encoded=kept)), ALL_TOOLS, CONFIG, profile_of(CONFIG))
    assert [part is kept.told.parts[76 + index] for index, part in enumerate(now.told.parts)] == [True] * 4
    assert now.size_bytes < kept.size_bytes
    assert abs(now.size_bytes - len(request_body(now, short))) < 20
    undone = encoded_for(evolve(state, live=evolve(state.live, encoded=now)), ALL_TOOLS, CONFIG, profile_of(CONFIG))
    assert request_body(undone, past) == request_body(kept, past)
    earlier = compacted(past, Plan(10, (0,)))
    assert (
        len(
            encoded_for(evolve(state, past=earlier, live=evolve(state.live, encoded=now)), ALL_TOOLS, CONFIG, profile_of(CONFIG)).told.parts
        )
        == 70
    )


# what is asked

LONG: tuple[Message, ...] = (
    UserMessage("Read it.", context="Files: a.txt"),
    AssistantMessage(text="I do.", place="1.1", calls=(ToolCall("read", JsonObject.of(path="a.txt")),)),
    ToolMessage(call_id="1.1.0", tool="read", text="x" * 9_000, ok=True),
    AssistantMessage(text="w" * 9_000, place="1.2"),
    UserMessage("Thanks."),
)


def long_past(summary: Summary | None = None) -> Past:
    return evolve(Past(), log=Log.of(*LONG), summary=summary)


def test_the_text_names_who_said_what_and_shows_calls_and_results() -> None:
    text = transcript(long_past(), Plan(5), ToolFormat.NATIVE)
    assert text.startswith("# The user said\n\nFiles: a.txt\n\nRead it.\n\n# The agent wrote\n\nI do.\n\n```read --json\n")
    assert "# Output of read:\n```\nxxx" in text
    assert "```read --json" not in transcript(long_past(), Plan(5), ToolFormat.MARKDOWN)


def test_an_earlier_summary_is_taken_into_the_new_one() -> None:
    text = transcript(long_past(Summary(upto=3, text="It was read.")), Plan(5), ToolFormat.NATIVE)
    assert text.startswith("# Summary of what was before\n\nIt was read.\n\n# The agent wrote\n\nwww")


@given(st.integers(0, 30_000), st.integers(0, 5), st.none() | st.text(max_size=3_000))
def test_the_text_has_the_length_that_it_may_have(limit: int, upto: int, summary: str | None) -> None:
    past = long_past(None if summary is None else Summary(upto=1, text=summary))
    text = transcript(past, Plan(upto), ToolFormat.NATIVE, limit)
    assert len(text.encode()) <= max(limit, LEAST_BYTES) + 300  # and the lines that say what was cut


def test_outputs_are_clipped_first_and_then_the_oldest_messages_are_left_out() -> None:
    past = long_past()
    clipped = transcript(past, Plan(5), ToolFormat.NATIVE, 10_000)
    assert "[cut here:" in clipped
    assert "Read it." in clipped
    many = evolve(past, log=Log.of(*(UserMessage(f"Message {number}.") for number in range(400))))
    left = transcript(many, Plan(400), ToolFormat.NATIVE, 2_000)
    shown = left.count("# The user said")
    assert left.startswith(f"[{400 - shown} earlier messages left out here]")
    assert left.endswith("Message 399.")
    assert 1_900 < len(left) < 2_100
    huge = transcript(evolve(past, log=Log.of(*LONG, UserMessage("y" * 50_000))), Plan(6), ToolFormat.NATIVE, 2_000)
    assert huge.startswith("[5 earlier messages left out here]")
    assert huge.endswith("y")
    alone = transcript(evolve(past, log=Log.of(UserMessage("y" * 50_000))), Plan(1), ToolFormat.NATIVE, 2_000)
    assert alone.startswith("# The user said")
    assert alone.endswith("y")


def test_the_request_offers_no_tools_and_fits_the_model_that_sums_up() -> None:
    small = ModelProfile(pattern="scripted/small", window_tokens=1_000, max_tokens=100, temperature=0.2)
    cfg = windowed(100_000, keeping(1), small)
    asked = json.loads(summary_body(long_past(), Plan(5), Located(PROVIDER, "small"), evolve(cfg, parameters=JsonObject.of(top_p=0.5))))
    assert asked["model"] == "small"
    assert (asked["temperature"], asked["max_tokens"]) == (0.2, 100)
    assert "top_p" not in asked
    assert "tools" not in asked
    system, user = asked["messages"]
    assert system == {"role": "system", "content": SYSTEM}
    assert user["content"].endswith(ASK)
    assert len(user["content"]) < 4_000
    own = json.loads(summary_body(long_past(), Plan(5), MODEL, evolve(cfg, parameters=JsonObject.of(top_p=0.5))))
    assert own["top_p"] == 0.5
    assert len(own["messages"][1]["content"]) > 18_000
    unknown = json.loads(summary_body(long_past(), Plan(5), MODEL, windowed(None, keeping(1))))
    assert len(unknown["messages"][1]["content"]) > 18_000


def test_a_message_that_came_behind_the_plan_is_not_summed_up() -> None:
    past = apply(past_of((Said(), Said())), MessageAdded(UserMessage("Later.")))
    assert "Later." not in transcript(past, Plan(4), ToolFormat.NATIVE)

"""Limits end a turn with a reason that says which, what was reached, and how to go on; never by an exception."""

from __future__ import annotations

import math

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agent.compacting import saying
from tests.core.agent.scripted import YES, after, call, config, problems, reasons, reply, results, sim
from tests.laws.comparison import assert_balanced
from turnfold.core.agent.effects import Cancel
from turnfold.core.agent.events import Reason, TurnEnded, TurnInterrupted
from turnfold.core.agent.inputs import ChunkArrived, SettingsChanged, TimePassed, UserSaid
from turnfold.core.agent.limits import FAR_MS, next_deadline
from turnfold.core.agent.rounds import STOPPED_TEXT
from turnfold.core.agent.state import Past, open_requests
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.said import said
from turnfold.core.config.values import Limits, ModelProfile, Rule, Verdict
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import TICK_MS, Crash, Decide, Deliver, Finish, Interrupt, Late, Pass, Say, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, Stream, finished
from turnfold.testing.wire import chat_stream

PRICED = ModelProfile(pattern="scripted/model", input_usd=1000.0, output_usd=2000.0)
READ = call("read", path="a.txt")
RUN = call("shell", command="make")


def limited(limits: Limits, *rules: Rule, profile: ModelProfile = PRICED) -> ChatConfig:
    return evolve(config(*rules, limits=limits), models=(profile,))


def talk(cfg: ChatConfig, *replies: Stream) -> Sim:
    """A conversation with a reply a turn."""
    return Sim(tools=ALL_TOOLS, cfg=cfg, script=tuple((each,) for each in replies))


# counts and money


def test_the_turns_of_a_conversation() -> None:
    done = finished(after(talk(limited(Limits(turns=2))), Say("one"), Finish(), Say("two"), Finish(), Say("three")))
    assert reasons(done) == (Reason.COMPLETED, Reason.COMPLETED, Reason.LIMIT)
    (problem,) = problems(done)
    assert (problem.code, problem.path) == ("limit", "$.limits.turns")
    assert problem.message == (
        "The conversation has had 2 of 2 turns (limits.turns). Raise it with  /config limits.turns = NUMBER  or begin another conversation."
    )


def test_the_tokens_of_a_conversation_within_a_turn_too() -> None:
    tool = Stream(chat_stream("", (READ,), Usage(input_tokens=90, output_tokens=10)))
    done = finished(after(sim(tool, tool, cfg=limited(Limits(tokens=100))), Say("go")))
    assert reasons(done) == (Reason.LIMIT,)
    assert problems(done)[0].message.startswith("The conversation has used 100 tokens of 100 (limits.tokens).")
    assert "alpha" in results(done)[0]  # what was done is told


def test_the_money_of_a_conversation() -> None:
    begun = talk(limited(Limits(usd=0.1)), saying("Hi.", 100), saying("Hi.", 100))
    done = finished(after(begun, Say("one"), Finish(), Say("two")))
    assert reasons(done) == (Reason.COMPLETED, Reason.LIMIT)
    assert problems(done)[0].message.startswith("The conversation has cost $0.1020 of $0.1000 (limits.usd).")


def test_a_model_without_a_price_is_refused_where_money_is_limited() -> None:
    bare = ModelProfile(pattern="scripted/model", input_usd=1.0)
    done = finished(after(talk(limited(Limits(usd=1.0), profile=bare)), Say("one")))
    assert reasons(done) == (Reason.FAILED,)
    assert not done.performs
    (problem,) = problems(done)
    assert problem.code == "no-price"
    assert '[models."scripted/model"]' in problem.message


def test_a_model_that_costs_nothing_may_be_asked_for_no_money() -> None:
    free = ModelProfile(pattern="scripted/model", input_usd=0.0, output_usd=0.0)
    done = finished(after(talk(limited(Limits(usd=0.0), profile=free), saying("Hi.", 100)), Say("one"), Finish(), Say("two")))
    assert reasons(done) == (Reason.COMPLETED, Reason.COMPLETED)
    assert reasons(finished(after(talk(limited(Limits(usd=0.0))), Say("one")))) == (Reason.LIMIT,)


def test_a_limit_that_is_raised_lets_the_conversation_go_on() -> None:
    over = finished(after(talk(limited(Limits(turns=1))), Say("one"), Finish(), Say("two")))
    assert reasons(over)[-1] is Reason.LIMIT
    raised = after(over, Wild(SettingsChanged(Overrides(limits=said(Limits, turns=9)), over.now_ms)), Say("three"))
    assert reasons(finished(raised))[-1] is Reason.COMPLETED


def test_an_agent_has_limits_of_its_own() -> None:
    agents = (AgentSpec(name="short", limits=said(Limits, generations=1)),)
    cfg = evolve(CONFIG, agents=agents, agent="short")
    done = finished(after(sim(reply("", READ), cfg=cfg), Say("go")))
    assert reasons(done) == (Reason.LIMIT,)
    assert problems(done)[0].path == "$.limits.generations"


# seconds

MINUTE = limited(Limits(turn_s=60.0), YES)


def test_a_silent_model_is_cut_when_the_turn_has_taken_its_time() -> None:
    begun = after(sim(reply("Hello there."), cfg=MINUTE), Say("go"), Deliver(0, 250))
    done = after(begun, Pass(50_000), Pass(20_000))
    assert reasons(done) == (Reason.LIMIT,)
    (problem,) = problems(done)
    assert problem.path == "$.limits.turn_s"
    assert "seconds of 60.0 (limits.turn_s)" in problem.message
    assert Cancel(done.performs[0].request_id) in done.effects
    assert [each.limit for each in done.events if isinstance(each, TurnInterrupted)] == [problem]
    last = done.state.past.log[-1]
    assert isinstance(last, AssistantMessage)
    assert last.cut
    assert_balanced(done)


def test_a_chunk_that_comes_too_late_ends_the_turn_as_well() -> None:
    begun = after(sim(reply("Hello there."), cfg=MINUTE), Say("go"), Deliver(0, 100))
    chunk = ChunkArrived(begun.outstanding[0].perform.request_id, b"", begun.now_ms + 70_000)
    assert reasons(after(begun, Wild(evolve(chunk, at_ms=begun.now_ms)))) == ()
    assert reasons(after(begun, Wild(evolve(chunk, data=b": ping\n\n")))) == (Reason.LIMIT,)


def test_a_reply_that_is_whole_by_then_ends_the_turn_as_it_should() -> None:
    begun = after(sim(reply("Hello there."), cfg=MINUTE), Say("go"))
    late = evolve(begun, now_ms=begun.now_ms + 50_000)
    assert reasons(after(late, Finish())) == (Reason.COMPLETED,)


def test_a_command_that_runs_on_is_cancelled_and_its_end_waited_for() -> None:
    begun = after(sim(reply("", RUN, READ), cfg=MINUTE), Say("go"), Finish(), Pass(70_000))
    assert {each.request_id for each in begun.effects if isinstance(each, Cancel)} == {
        each.perform.request_id for each in begun.outstanding
    }
    assert not begun.state.idle
    done = finished(begun)
    assert reasons(done) == (Reason.LIMIT,)
    assert len(results(done)) == 2
    assert_balanced(done)


def test_no_further_model_call_opens_after_the_time() -> None:
    begun = after(sim(reply("", READ), cfg=MINUTE), Say("go"), Finish())
    late = evolve(begun, now_ms=begun.now_ms + 70_000)
    done = after(late, Finish())
    assert reasons(done) == (Reason.LIMIT,)
    assert "alpha" in results(done)[0]
    assert len(done.performs) == 2


def test_a_call_that_would_go_on_after_the_time_does_not() -> None:
    begun = after(sim(reply("", call("append", path="b.txt", content="more\n")), cfg=MINUTE), Say("go"), Finish())
    late = evolve(begun, now_ms=begun.now_ms + 70_000)
    done = finished(after(late, Finish()))
    assert reasons(done) == (Reason.LIMIT,)
    assert results(done)[0].startswith(f"{STOPPED_TEXT} The turn was ended after ")
    assert done.disk == begun.disk


def test_the_wait_for_a_person_does_not_count() -> None:
    asking = limited(Limits(turn_s=60.0))
    begun = after(sim(reply("", RUN), cfg=asking), Say("go"), Finish())
    assert begun.state.paused
    assert next_deadline(begun.state.past, asking) is None
    year = after(begun, Pass(365 * 86_400_000))
    assert reasons(year) == ()
    decided = after(year, Decide())
    assert reasons(decided) == ()
    turn = decided.state.past.turn
    assert turn is not None
    assert turn.waited_ms >= 365 * 86_400_000
    assert reasons(after(decided, Pass(70_000), Finish())) == (Reason.LIMIT,)
    assert reasons(finished(decided)) == (Reason.COMPLETED,)


def test_the_wait_counts_while_something_else_runs_beside_the_question() -> None:
    beside = limited(Limits(turn_s=60.0), Rule(Verdict.ASK, "run"))
    begun = after(sim(reply("", RUN, READ), cfg=beside), Say("go"), Finish())
    assert next_deadline(begun.state.past, beside) is not None
    assert reasons(finished(after(begun, Pass(70_000)))) == (Reason.LIMIT,)


def test_what_changes_nothing_says_nothing_of_the_time() -> None:
    begun = after(sim(reply("", READ), cfg=MINUTE), Say("go"), Finish())
    late = evolve(begun, now_ms=begun.now_ms + 70_000)
    assert after(late, Late()).state == begun.state
    assert reasons(finished(after(late, Wild(UserSaid("more", late.now_ms)))))[0] is Reason.LIMIT


def test_a_limit_that_is_lowered_holds_at_once_and_one_that_is_lifted_no_more() -> None:
    begun = after(sim(reply("Hello."), cfg=MINUTE), Say("go"), Deliver(0, 60))
    lowered = after(begun, Wild(SettingsChanged(Overrides(limits=said(Limits, turn_s=0.5)), begun.now_ms)))
    assert reasons(lowered) == (Reason.LIMIT,)
    lifted = after(begun, Wild(SettingsChanged(Overrides(limits=said(Limits, turn_s=None)), begun.now_ms)), Pass(70_000), Deliver(0, 30))
    assert reasons(finished(lifted)) == (Reason.COMPLETED,)


def test_a_turn_that_was_lost_for_longer_than_its_time_ends_with_the_limit() -> None:
    begun = after(sim(reply("Hello."), cfg=MINUTE), Say("go"))
    done = after(evolve(begun, now_ms=begun.now_ms + 70_000), Crash())
    assert reasons(done) == (Reason.LIMIT,)
    assert_balanced(done)


def test_another_turn_has_its_own_time() -> None:
    over = after(sim(reply("Hello."), cfg=MINUTE), Say("go"), Pass(70_000))
    assert reasons(finished(after(over, Say("on")))) == (Reason.LIMIT, Reason.COMPLETED)


def test_an_interrupt_stays_the_persons_whatever_the_time() -> None:
    done = finished(after(sim(reply("", RUN), cfg=MINUTE), Say("go"), Finish(), Interrupt(), Pass(70_000)))
    assert reasons(done) == (Reason.INTERRUPTED,)


# when a driver has to wake


def test_the_deadline_is_the_turns_then_the_grace_time_of_what_was_cancelled() -> None:
    begun = after(sim(reply("", RUN), cfg=MINUTE), Say("go"), Finish())
    assert next_deadline(begun.state.past, MINUTE) == 60_000
    over = after(begun, Pass(70_000))
    assert next_deadline(over.state.past, MINUTE) == over.now_ms - TICK_MS + 5_000
    assert next_deadline(after(over, Pass(5_000)).state.past, MINUTE) is None
    assert next_deadline(Past(), MINUTE) is None
    assert next_deadline(begun.state.past, config(YES)) is None


@given(st.floats() | st.sampled_from((1e308, math.inf, -math.inf, math.nan, 0.0, -1.0)), st.floats())
def test_every_number_of_seconds_is_borne(turn_s: float, grace_s: float) -> None:
    cfg = limited(Limits(turn_s=turn_s, grace_s=grace_s), YES)
    begun = after(sim(reply("", RUN), cfg=cfg), Say("go"), Finish(), Interrupt())
    deadline = next_deadline(begun.state.past, cfg)
    assert deadline is None or deadline <= FAR_MS + begun.now_ms
    assert isinstance(finished(after(begun, Pass())).events[-1], TurnEnded)


@given(st.lists(st.integers(0, 90_000), max_size=6), st.floats(0.5, 200))
def test_at_its_deadline_time_says_something_new(passes: list[int], turn_s: float) -> None:
    """What a driver relies on: it never wakes for nothing, and so never spins."""
    cfg = limited(Limits(turn_s=turn_s), YES)
    begun = after(sim(reply("", RUN), reply("Hello."), cfg=cfg), Say("go"), Finish(), *map(Pass, passes))
    for _ in range(4):
        deadline = next_deadline(begun.state.past, cfg)
        if deadline is None:
            break
        before = begun.state.past
        begun = after(begun, Wild(TimePassed(deadline - 1)))
        assert begun.state.past == before
        begun = after(begun, Wild(TimePassed(deadline)))
        assert begun.state.past != before


def test_an_agent_that_nobody_describes_ends_the_turn_before_a_call() -> None:
    done = after(sim(cfg=evolve(CONFIG, agent="nope")), Say("hi"))
    assert done.performs == ()
    assert reasons(done) == (Reason.FAILED,)
    assert [problem.code for problem in problems(done)] == ["unknown-agent"]


def test_a_child_is_waited_for_longer_since_it_waits_for_its_own_requests_first() -> None:
    cfg = limited(Limits(grace_s=2.0, child_depth=2), YES)
    for name, arguments, graces in (("shell", {"command": "make"}, 1), ("subagent", {"task": "count"}, 3)):
        stopped = after(sim(reply("", call(name, **arguments)), cfg=cfg), Say(), Finish(), Interrupt())
        (since,) = (each.since_ms for each in open_requests(stopped.state.past))
        assert next_deadline(stopped.state.past, cfg) == since + graces * 2000
        assert results(after(stopped, Wild(TimePassed(since + graces * 2000 - 1)))) == ()
        assert "Whether it took effect is unknown" in results(after(stopped, Wild(TimePassed(since + graces * 2000))))[0]

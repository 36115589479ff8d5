"""Retries: a call that failed for the moment is made again after a wait, under the next id, and nothing of the reply before is kept."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.compacting import keeping, windowed
from tests.core.agent.scripted import after, call, config, log, notices, problems, reasons, reply
from tests.laws.comparison import assert_balanced, assert_nothing_lost
from turnfold.core.agent.apply import apply
from turnfold.core.agent.effects import Cancel
from turnfold.core.agent.events import Compacted, Reason, RequestClosed, RequestOpened, TurnEnded, TurnInterrupted, Unanswered, Why
from turnfold.core.agent.inputs import Answered, Failed
from turnfold.core.agent.limits import next_deadline
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import step
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import Limits, Provider
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.journal import fold, recorded
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.world.answers import StreamEnded, Waited
from turnfold.core.world.requests import CallModel, Purpose, Wait
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Break, Command, Crash, Deliver, Finish, Interrupt, Late, Mismatch, Pass, Say, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, DONE, PROVIDER, SUMMARY, Sim, Stream, finished
from turnfold.testing.wire import chat_stream

BUSY = world_problem("overloaded", "It is busy.")
TRYING = evolve(PROVIDER, retries=2, retry_base_s=8.0, retry_most_s=60.0)


def trying(cfg: ChatConfig = CONFIG, provider: Provider = TRYING) -> ChatConfig:
    return evolve(cfg, providers=(provider,))


def failing(problem: Problem = BUSY, *then: Stream, said: str = "") -> Stream:
    """A reply that says something and fails, and what the tries after it get."""
    data = chat_stream(said).partition(b'data: {"choices":[{"index":0,"delta":{},"finish_reason"')[0] if said else b""
    return Stream(data, problem, then)


def asking(first: Stream, *more: Stream, cfg: ChatConfig | None = None) -> Sim:
    return after(Sim(tools=ALL_TOOLS, cfg=cfg or trying(), script=((first, *more),)), Say("go"))


def waits(sim: Sim) -> list[int]:
    return [perform.request.delay_ms for perform in sim.performs if isinstance(perform.request, Wait)]


def ids(sim: Sim) -> list[str]:
    return [str(perform.request_id) for perform in sim.performs]


def test_it_is_asked_again_after_a_wait_under_the_next_ids() -> None:
    failed = after(asking(failing(BUSY, DONE, said="I have be")), Finish())
    assert waits(failed) == [4000]
    assert failed.state.past.turn is not None
    again = after(failed, Finish())
    done = finished(again)
    assert ids(done) == ["1.1.m.0", "1.1.m.1", "1.1.m.2"]
    assert [each.text for each in log(done) if isinstance(each, AssistantMessage)] == ["Done."]
    assert notices(done) == ("(It is busy. Trying again in 4.0 s.)",)
    assert reasons(done) == (Reason.COMPLETED,)
    assert failed.performs[0].body == again.performs[2].body
    assert_balanced(done)
    assert_nothing_lost(done.events)


def test_the_chance_that_comes_with_the_failure_says_how_long() -> None:
    sim = asking(DONE)
    request_id = sim.outstanding[0].perform.request_id
    for chance, delay_ms in ((0.0, 0), (0.25, 2000), (1.0, 8000), (7.0, 8000)):
        assert waits(after(sim, Wild(Failed(request_id, BUSY, 9, chance)))) == [delay_ms]
        broken = after(asking(Stream(b"<html>")), Deliver(0, 99), Wild(Answered(request_id, StreamEnded(), 9, chance)))
        assert waits(broken) == [delay_ms]


def test_so_often_and_then_the_turn_fails_with_what_was_shown() -> None:
    done = finished(asking(failing(said="so far")))
    assert waits(done) == [4000, 8000]
    assert reasons(done) == (Reason.FAILED,)
    assert [each.text for each in log(done) if isinstance(each, AssistantMessage)] == ["so far"]
    assert [each.code for each in problems(done)] == ["overloaded"]
    assert_balanced(done)


@pytest.mark.parametrize(
    "broken",
    [
        Stream(b"<html>Bad gateway</html>"),
        Stream(b""),
        Stream(chat_stream("Hello there")[:200]),
        Stream(chat_stream("")),
        Stream(chat_stream("Hello")[:150] + b'data: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'),
        Stream(chat_stream("", (RawCall("read", '{"path": "a.txt"}'),))[:420]),
    ],
    ids=["html", "nothing", "cut", "empty", "error", "cut call"],
)
def test_a_reply_that_is_broken_is_asked_for_again(broken: Stream) -> None:
    done = finished(asking(evolve(broken, then=(DONE,))))
    assert (len(waits(done)), reasons(done)) == (1, (Reason.COMPLETED,))
    assert [each.text for each in log(done) if isinstance(each, AssistantMessage)] == ["Done."]
    assert_balanced(done)


def test_what_is_no_failure_of_the_moment_is_not_repeated() -> None:
    for problem in (world_problem("refused", "No."), world_problem("unauthorized", "No."), model_problem("withheld", "No.")):
        done = finished(asking(failing(problem)))
        assert (waits(done), reasons(done)) == ([], (Reason.FAILED,))


def test_a_time_that_the_provider_names_is_waited_for_and_a_long_one_ends_the_turn_and_says_when() -> None:
    short = finished(asking(failing(evolve(BUSY, retry_after_s=30.0), DONE)))
    assert waits(short) == [34_000]
    long = finished(asking(failing(evolve(BUSY, retry_after_s=7200.0), DONE)))
    assert (waits(long), reasons(long)) == ([], (Reason.FAILED,))
    assert problems(long)[0].message == "It is busy. (It asks to come back in 2 h.)"


def test_a_round_begins_with_all_tries() -> None:
    first = Stream(b"", BUSY, (failing(), reply("", call("read", path="a.txt"))))
    done = finished(asking(first, Stream(b"", BUSY, (failing(), DONE))))
    assert (len(waits(done)), reasons(done)) == (4, (Reason.COMPLETED,))
    assert ids(done)[-5:] == ["1.2.m.0", "1.2.m.1", "1.2.m.2", "1.2.m.3", "1.2.m.4"]


def test_an_interrupt_ends_the_wait_and_the_turn_at_once() -> None:
    done = after(asking(failing(BUSY, DONE)), Finish(), Interrupt())
    assert reasons(done) == (Reason.INTERRUPTED,)
    assert [str(each.request_id) for each in done.effects if isinstance(each, Cancel)] == ["1.1.m.1"]
    late = after(done, Finish(), Late(), Late(1))
    assert late.state == done.state
    assert_balanced(late)


def test_a_crash_does_not_wait_again() -> None:
    waiting = after(asking(failing(BUSY, DONE)), Finish())
    back = after(waiting, Crash())
    assert [str(each.perform.request_id) for each in back.outstanding] == ["1.1.m.2"]
    done = finished(back)
    assert reasons(done) == (Reason.COMPLETED,)
    assert fold(done.events) == done.state.past
    tried = finished(after(asking(failing()), Finish(), Finish(), Crash()))  # the second try was lost: it is no third one
    assert len(waits(tried)) == 2


def test_a_wait_that_ends_in_another_way_is_over_all_the_same() -> None:
    waiting = after(asking(failing(BUSY, DONE)), Finish())
    for odd in (Break(), Mismatch()):
        assert reasons(finished(after(waiting, odd))) == (Reason.COMPLETED,)
    again = after(waiting, Wild(Answered(waiting.outstanding[0].perform.request_id, Waited(), 5)))
    assert isinstance(again.outstanding[-1].perform.request, CallModel)


def test_limits_are_judged_before_the_next_try() -> None:
    cfg = trying(config(limits=Limits(turn_s=5.0)))
    done = after(asking(failing(BUSY, DONE), cfg=cfg), Finish(), Pass(60_000))
    assert reasons(done) == (Reason.LIMIT,)
    assert isinstance(done.events[-2], RequestClosed)


def test_a_summary_is_tried_again_too() -> None:
    wide, narrow = windowed(100_000, keeping(1)), windowed(2_000, keeping(1))
    cfg = trying(narrow)
    begun = finished(after(Sim(tools=ALL_TOOLS, cfg=wide, summary=failing(BUSY, SUMMARY)), Say("word " * 400), Finish(), Say("more")))
    done = finished(after(evolve(begun, cfg=cfg), Say("third")))
    assert (waits(done), [type(event) for event in done.events].count(Compacted)) == ([4000], 1)
    assert reasons(done)[-1] is Reason.COMPLETED
    given_up = finished(after(evolve(begun, cfg=cfg, summary=failing()), Say("third")))
    assert (len(waits(given_up)), reasons(given_up)[-1]) == (2, Reason.COMPLETED)
    commanded = finished(after(evolve(begun, cfg=cfg), Command("/compact")))
    assert (waits(commanded), reasons(commanded)[-1]) == ([4000], Reason.COMPLETED)
    hopeless = finished(after(evolve(begun, cfg=cfg, summary=failing()), Command("/compact")))
    assert (len(waits(hopeless)), reasons(hopeless)[-1]) == (2, Reason.FAILED)


TOO_LONG = world_problem("too-long", "The conversation is too long for the model.")


SHORT = Compaction(keep_turns=1, keep_first=False)


def told_it_is_too_long(then: Stream, compaction: Compaction = SHORT) -> Sim:
    """A conversation with a model of which nothing is known, at the moment that its provider says that it is too long."""
    script = ((DONE,), (Stream(b"", TOO_LONG, (then,)),))
    begun = finished(after(Sim(tools=ALL_TOOLS, cfg=evolve(trying(), compaction=compaction), script=script), Say("word " * 4000)))
    return after(begun, Say("more"), Finish())


def test_a_conversation_that_is_too_long_is_summed_up_once_and_the_call_made_again() -> None:
    done = finished(told_it_is_too_long(DONE))
    assert [type(event) for event in done.events].count(Compacted) == 1
    assert reasons(done)[-1] is Reason.COMPLETED
    before, summary, again = (each for each in done.performs[-3:])
    assert len(again.body) < len(before.body)
    assert len(summary.body) < len(before.body)  # nothing is known of the model's window but that this was too much
    assert_balanced(done)


def test_one_that_stays_too_long_ends_the_turn() -> None:
    done = finished(told_it_is_too_long(Stream(b"", TOO_LONG)))
    assert [type(event) for event in done.events].count(Compacted) == 1
    assert reasons(done)[-1] is Reason.FAILED
    off = finished(told_it_is_too_long(DONE, Compaction(auto=False)))
    assert (reasons(off)[-1], problems(off)[-1].code) == (Reason.FAILED, "too-long")
    alone = finished(asking(Stream(b"", TOO_LONG)))  # there is nothing to sum up
    assert reasons(alone) == (Reason.FAILED,)


@pytest.mark.parametrize("move", [Finish(), Crash()])
def test_such_a_summary_that_fails_for_the_moment_is_asked_for_again(move: Finish | Crash) -> None:
    begun = after(evolve(told_it_is_too_long(DONE), summary=failing(BUSY, SUMMARY)), move)
    done = finished(begun)
    assert [type(event) for event in done.events].count(Compacted) == 1
    assert reasons(done)[-1] is Reason.COMPLETED
    asked = [each.request.purpose for each in done.performs if isinstance(each.request, CallModel)]
    assert asked == [Purpose.REPLY, Purpose.REPLY, Purpose.SUMMARY, Purpose.SUMMARY, Purpose.REPLY]


def test_usage_that_was_told_before_the_reply_broke_counts() -> None:
    usage = Usage(input_tokens=100, output_tokens=7)
    said = chat_stream("Hello", usage=usage).replace(b"data: [DONE]\n\n", b"")
    broken = Stream(said.replace(b'"finish_reason":"stop"', b'"finish_reason":null'), BUSY, (DONE,))
    done = finished(asking(broken))
    assert (done.state.past.usage.input_tokens, done.state.past.usage.output_tokens) == (100, 7)
    assert fold(done.events).usage == done.state.past.usage
    interrupted = after(asking(broken), Deliver(0, 10_000), Interrupt())
    assert interrupted.state.past.usage.input_tokens == 100
    empty = finished(asking(Stream(chat_stream("", usage=usage), None, (DONE,))))
    assert empty.state.past.usage.input_tokens == 100


def timed(limits: Limits) -> ChatConfig:
    return trying(config(limits=limits))


def test_a_provider_that_never_answers_is_closed_at_the_deadline_and_asked_again() -> None:
    cfg = timed(Limits(request_s=30.0))
    sim = asking(DONE, cfg=cfg)
    assert next_deadline(sim.state.past, cfg) == 30_000
    early = after(sim, Pass(20_000))
    assert early.outstanding == sim.outstanding
    over = after(sim, Pass(60_000))
    closed = next(event for event in over.events if isinstance(event, RequestClosed))
    assert isinstance(closed.outcome, Problem)
    assert closed.outcome.code == "time-out"
    assert [str(each.request_id) for each in over.effects if isinstance(each, Cancel)] == ["1.1.m.0"]
    assert waits(over) == [4000]
    done = finished(over)
    assert reasons(done) == (Reason.COMPLETED,)
    assert_nothing_lost(done.events)


def test_a_reply_that_never_ends_is_closed_by_the_chunk_that_comes_too_late() -> None:
    sim = asking(Stream(chat_stream("word " * 50), None, (DONE,)), cfg=timed(Limits(request_s=30.0)))
    slow = after(sim, Deliver(0, 400), Deliver(0, 400))
    assert slow.state.live.reply is not None
    late = evolve(slow, now_ms=40_000)
    over = after(late, Deliver(0, 400))
    assert (over.state.live.reply, waits(over)) == (None, [4000])
    assert reasons(finished(over)) == (Reason.COMPLETED,)


def test_a_whole_reply_counts_however_late() -> None:
    sim = after(asking(DONE, cfg=timed(Limits(request_s=3.0))), Deliver(0, 10_000))
    done = after(evolve(sim, now_ms=90_000), Finish())
    assert reasons(done) == (Reason.COMPLETED,)


def test_the_turns_of_a_conversation_have_seconds_together() -> None:
    cfg = timed(Limits(conversation_s=10.0))
    first = after(asking(DONE, cfg=cfg), Finish())
    assert first.state.past.worked_ms == 2000
    idle = evolve(first, now_ms=900_000)  # between turns nothing is counted
    second = after(idle, Say("more"))
    assert next_deadline(second.state.past, cfg) == 900_000 + 8_000
    over = after(second, Pass(8_000))
    assert reasons(over) == (Reason.COMPLETED, Reason.LIMIT)
    ended = over.events[-1]
    assert isinstance(ended, TurnEnded)
    assert ended.problem is not None
    assert "conversation_s" in ended.problem.message
    assert fold(over.events).worked_ms == 11_000
    third = after(over, Say("and"))
    assert reasons(third)[-1] is Reason.LIMIT
    assert third.performs == over.performs
    shell = finished(after(third, Command("/shell ls")))
    assert reasons(shell)[-1] is Reason.COMPLETED  # a person's own command is no turn of the model


def test_a_wait_for_a_person_is_no_work() -> None:
    cfg = timed(Limits(conversation_s=100.0, turn_s=50.0))
    asked = after(asking(reply("", call("ask", question="Who?")), cfg=cfg), Finish())
    assert asked.state.paused
    assert next_deadline(asked.state.past, cfg) is None
    late = after(asked, Pass(900_000), Interrupt())
    assert late.state.past.worked_ms < 10_000
    assert reasons(late) == (Reason.INTERRUPTED,)


def test_a_wait_is_told_of_in_the_journal_and_no_model_is_called_meanwhile() -> None:
    sim = after(asking(failing(BUSY, DONE)), Finish(), Say("and then"))
    opened = [event.request for event in sim.events if isinstance(event, RequestOpened)]
    assert [type(each) for each in opened] == [CallModel, Wait]
    assert [type(each.perform.request) for each in sim.outstanding] == [Wait]
    closed = [event for event in after(sim, Interrupt()).events if isinstance(event, RequestClosed)]
    assert closed[-1].outcome == Unanswered(Why.INTERRUPTED)


def test_nothing_helps_a_turn_that_is_to_end() -> None:
    """No driver comes here: what interrupts a turn closes its call in the same step."""
    sim = asking(failing(BUSY, DONE))
    stopped = ChatState(apply(sim.state.past, TurnInterrupted(5)))
    done = step(stopped, Failed(sim.outstanding[0].perform.request_id, BUSY, 6), sim.tools, sim.cfg)
    assert [type(event) for event in recorded(done)] == [RequestClosed, TurnEnded]

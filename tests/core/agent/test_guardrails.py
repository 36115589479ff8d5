"""Guardrails: what was said, replies and calls are looked at, and what trips stops the turn, or is refused."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, call, log, notices, problems, reasons, reply, results
from tests.laws.comparison import assert_balanced, assert_nothing_lost
from turnfold.core.agent.effects import Cancel
from turnfold.core.agent.events import CallClosed, Check, Reason, RequestClosed, TurnEnded, Unanswered, Why
from turnfold.core.agent.guarding import LOOKED_CHARS, subject_of
from turnfold.core.agent.ids import GUARD
from turnfold.core.agent.inputs import Answered, ChunkArrived, Failed, SettingsChanged
from turnfold.core.agent.limits import next_deadline
from turnfold.core.agent.state import Past, Slot, Turn
from turnfold.core.agent.turn_events import GuardrailChecked, HandedOff
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.tables import Guarded, Guardrail, Then
from turnfold.core.config.values import Limits, ModelProfile, Rule, Verdict
from turnfold.core.conversation.messages import AssistantMessage, ToolCall
from turnfold.core.journal import fold, load
from turnfold.core.json import JsonObject
from turnfold.core.problem import world_problem
from turnfold.core.tools.extension import Extension, Guard, Situation
from turnfold.core.tools.spec import ToolSpec, extended
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel, Purpose, Wait
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Break, Command, Crash, Deliver, Finish, Interrupt, Late, Mismatch, Pass, Say, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, DONE, NO, PROVIDER, Sim, Stream, finished, moved
from turnfold.testing.wire import chat_stream

TRIPS = Stream(chat_stream("Yes, it is."))
READ = reply("", call("read", path="a.txt"))


def guarded(*rails: Guardrail, cfg: ChatConfig = CONFIG) -> ChatConfig:
    return evolve(cfg, guardrails=rails)


def asks(on: Guarded = Guarded.INPUT, *, blocking: bool = True, then: Then = Then.STOP, name: str = "asks") -> Guardrail:
    return Guardrail(name=name, on=on, question="Is it bad?", blocking=blocking, then=then)


def finds(on: Guarded, pattern: str = "bad", then: Then = Then.STOP) -> Guardrail:
    return Guardrail(name="finds", on=on, pattern=pattern, then=then)


def saying(
    cfg: ChatConfig,
    text: str = "go",
    *script: Stream,
    verdict: Stream = NO,
    tools: tuple[ToolSpec, ...] = ALL_TOOLS,
    more: tuple[Stream, ...] = (),
) -> Sim:
    return after(Sim(tools=tools, cfg=cfg, script=(script,), verdicts=(verdict, *more)), Say(text))


def verdicts(sim: Sim) -> list[tuple[str, bool]]:
    return [(event.name, event.tripped) for event in sim.events if isinstance(event, GuardrailChecked)]


def purposes(sim: Sim) -> list[Purpose]:
    return [each.perform.request.purpose for each in sim.outstanding if isinstance(each.perform.request, CallModel)]


def assert_sound(sim: Sim) -> None:
    assert_balanced(sim)
    assert_nothing_lost(sim.events)
    assert fold(sim.events) == sim.state.past


@pytest.mark.parametrize(
    ("on", "text", "script"),
    [
        (Guarded.INPUT, "a bad word", (DONE,)),
        (Guarded.OUTPUT, "go", (reply("Too bad."),)),
        (Guarded.CALL, "go", (reply("", call("read", path="bad.txt")), DONE)),
    ],
)
def test_a_pattern_that_is_found_stops_the_turn(on: Guarded, text: str, script: tuple[Stream, ...]) -> None:
    done = finished(saying(guarded(finds(on)), text, *script))
    assert (verdicts(done), reasons(done)) == ([("finds", True)], (Reason.GUARDRAIL,))
    assert problems(done)[-1].code == "guardrail"
    assert problems(done)[-1].message.startswith("The guardrail finds stopped the turn at ")
    assert len(done.performs) == (0 if on is Guarded.INPUT else 1)
    assert_sound(done)


def test_what_is_found_nowhere_passes_and_each_verdict_is_recorded() -> None:
    rails = tuple(evolve(finds(on, "never"), name=on.value) for on in Guarded)
    done = finished(saying(guarded(*rails), "go", READ, DONE))
    assert verdicts(done) == [("input", False), ("call", False), ("output", False)]
    assert reasons(done) == (Reason.COMPLETED,)
    assert_sound(done)


def test_a_call_that_is_refused_is_told_to_the_model_and_the_others_are_done() -> None:
    both = reply("", call("read", path="bad.txt"), call("read", path="a.txt"))
    done = finished(saying(guarded(finds(Guarded.CALL, then=Then.REFUSE)), "go", both, DONE))
    assert reasons(done) == (Reason.COMPLETED,)
    assert results(done)[0].startswith("Error: The guardrail finds refuses this call: its pattern was found.")
    assert "alpha" in results(done)[1]
    assert verdicts(done) == [("finds", True), ("finds", False)]
    assert_sound(done)


def test_arguments_are_looked_at_as_they_are_meant_not_as_json_writes_them() -> None:
    cfg = guarded(finds(Guarded.CALL, r"(?m)^rm -rf \"x\"$"))
    done = finished(saying(cfg, "go", reply("", call("shell", command='ls\nrm -rf "x"'))))
    assert reasons(done) == (Reason.GUARDRAIL,)


def test_a_blocking_question_is_asked_before_the_model_is() -> None:
    sim = saying(guarded(asks()), "Tell me.")
    assert purposes(sim) == [Purpose.GUARDRAIL]
    assert str(sim.outstanding[0].perform.request_id) == "1.1.g.0"
    body = json.loads(sim.outstanding[0].perform.body)
    assert "tools" not in body
    assert body["messages"][1]["content"].startswith("Question: Is it bad?\n\n# What the user said\n\nTell me.\n")
    passed = after(sim, Finish())
    assert (verdicts(passed), purposes(passed)) == ([("asks", False)], [Purpose.REPLY])
    done = finished(passed)
    assert reasons(done) == (Reason.COMPLETED,)
    assert not any(delta.request_id.slot == GUARD for delta in done.deltas)
    stopped = finished(saying(guarded(asks()), verdict=TRIPS))
    assert (reasons(stopped), len(stopped.performs)) == ((Reason.GUARDRAIL,), 1)
    assert "a model said: Yes, it is." in problems(stopped)[-1].message
    assert_sound(done)
    assert_sound(stopped)


def test_side_by_side_the_model_runs_and_is_stopped_by_the_verdict() -> None:
    sim = saying(guarded(asks(blocking=False)), "go", reply("A long story."), verdict=TRIPS)
    assert purposes(sim) == [Purpose.GUARDRAIL, Purpose.REPLY]
    stopped = after(sim, Deliver(1, 300), Finish())
    assert reasons(stopped) == (Reason.GUARDRAIL,)
    assert [str(each.request_id) for each in stopped.effects if isinstance(each, Cancel)] == ["1.1.m.0"]
    assert_sound(stopped)
    assert after(stopped, Late(), Late(1), Late(0, chunk=True)).state == stopped.state


def test_the_turn_does_not_end_before_all_verdicts_are_there() -> None:
    sim = after(saying(guarded(asks(blocking=False)), "go", DONE), Finish(1))
    assert (reasons(sim), sim.state.idle) == ((), False)
    assert reasons(after(sim, Finish())) == (Reason.COMPLETED,)
    assert reasons(after(evolve(sim, verdicts=(TRIPS,)), Finish())) == (Reason.GUARDRAIL,)


def test_tools_are_stopped_and_those_that_have_not_begun_closed() -> None:
    script = (reply("", call("shell", command="ls"), call("twice", path="a.txt"), call("count"), call("count")), DONE)
    cfg = guarded(asks(blocking=False), cfg=evolve(CONFIG, rules=(YES,)))
    sim = after(saying(cfg, "go", *script, verdict=TRIPS), Finish(1))
    running = [each.perform for each in sim.outstanding if not isinstance(each.perform.request, CallModel)]
    assert running
    tripped = after(sim, Finish())
    assert {each.request_id for each in tripped.effects if isinstance(each, Cancel)} == {each.request_id for each in running}
    done = finished(tripped)
    assert reasons(done) == (Reason.GUARDRAIL,)
    assert [event.slot for event in done.events if isinstance(event, CallClosed) and not event.ok]
    assert any("guardrail asks stopped the turn" in text for text in results(done))
    assert_sound(done)


def test_a_verdict_on_what_was_said_may_come_rounds_later() -> None:
    sim = after(saying(guarded(asks(blocking=False)), "go", READ, READ, DONE, verdict=TRIPS), Finish(1), Finish(1), Finish(1), Finish(1))
    assert sim.state.past.turn is not None
    assert sim.state.past.turn.generation == 3
    done = after(sim, Finish())
    assert reasons(done) == (Reason.GUARDRAIL,)
    assert_sound(done)


@pytest.mark.parametrize("then", list(Then))
def test_a_call_waits_for_its_verdict(then: Then) -> None:
    rail = asks(Guarded.CALL, then=then, blocking=then is Then.STOP)
    sim = after(saying(guarded(rail), "go", READ, DONE), Finish())
    assert [str(each.perform.request_id) for each in sim.outstanding] == ["1.1.g.0"]
    assert "# A tool that the agent calls\n\nread\npath: a.txt\n" in json.loads(sim.outstanding[0].perform.body)["messages"][1]["content"]
    assert reasons(finished(sim)) == (Reason.COMPLETED,)
    tripped = finished(evolve(sim, verdicts=(TRIPS,)))
    assert reasons(tripped) == ((Reason.GUARDRAIL,) if then is Then.STOP else (Reason.COMPLETED,))
    assert not any("alpha" in text for text in results(tripped))
    assert_sound(tripped)


def test_a_call_may_be_judged_while_it_is_done() -> None:
    sim = after(saying(guarded(asks(Guarded.CALL, blocking=False)), "go", READ, DONE), Finish())
    assert [each.perform.request_id.slot for each in sim.outstanding] == [GUARD, 0]
    over = after(sim, Finish(1))
    assert over.state.past.turn is not None
    assert over.state.past.turn.generation == 2
    tripped = finished(evolve(over, verdicts=(TRIPS,)))
    assert reasons(tripped) == (Reason.GUARDRAIL,)
    lost = finished(after(over, Crash()))
    assert (reasons(lost), verdicts(lost)) == ((Reason.COMPLETED,), [("asks", False)])
    assert_sound(tripped)
    assert_sound(lost)


def test_each_call_is_judged_once_and_a_broken_one_not_at_all() -> None:
    script = (reply("", call("read", path="a.txt"), call("count"), call("count")), DONE)
    done = finished(saying(guarded(asks(Guarded.CALL)), "go", *script))
    assert verdicts(done) == [("asks", False)] * 3
    broken = finished(saying(guarded(asks(Guarded.CALL)), "go", Stream(chat_stream("", (evolve(call("read"), text="{"),))), DONE))
    assert (verdicts(broken), reasons(broken)) == ([], (Reason.COMPLETED,))


def test_the_reply_is_judged_before_the_turn_ends() -> None:
    sim = after(saying(guarded(asks(Guarded.OUTPUT)), "go", reply("The answer.")), Finish())
    assert (reasons(sim), purposes(sim)) == ((), [Purpose.GUARDRAIL])
    assert "# What the agent answered\n\nThe answer.\n" in json.loads(sim.outstanding[0].perform.body)["messages"][1]["content"]
    assert reasons(after(sim, Finish())) == (Reason.COMPLETED,)
    tripped = after(evolve(sim, verdicts=(TRIPS,)), Finish())
    assert reasons(tripped) == (Reason.GUARDRAIL,)
    assert [each.text for each in log(tripped) if isinstance(each, AssistantMessage)] == ["The answer."]
    assert_sound(tripped)


def test_the_text_of_a_call_that_ends_the_turn_is_its_reply() -> None:
    done = finished(saying(guarded(finds(Guarded.OUTPUT, "All is done")), "go", reply("", call("complete", text="All is done."))))
    assert reasons(done) == (Reason.GUARDRAIL,)
    fine = finished(saying(guarded(finds(Guarded.OUTPUT, "never")), "go", reply("", call("complete", text="All is done."))))
    ended = fine.events[-1]
    assert isinstance(ended, TurnEnded)
    assert (ended.reason, ended.call) == (Reason.COMPLETED, "1.1.0")


@pytest.mark.parametrize("said", ["Perhaps.", "", "Yesterday", "I think yes"])
def test_an_answer_that_is_neither_yes_nor_no_trips(said: str) -> None:
    done = finished(saying(guarded(asks()), verdict=Stream(chat_stream(said or " "))))
    assert reasons(done) == (Reason.GUARDRAIL,)
    assert "neither yes nor no" in problems(done)[-1].message


@pytest.mark.parametrize("said", ["no", "NO!", "**No**, it is fine", "\n no"])
def test_a_no_in_any_dress_passes(said: str) -> None:
    assert reasons(finished(saying(guarded(asks()), verdict=Stream(chat_stream(said))))) == (Reason.COMPLETED,)


def test_a_model_that_fails_is_asked_again_and_trips_in_the_end() -> None:
    busy = Stream(b"", world_problem("overloaded", "Busy."))
    cfg = evolve(guarded(asks()), providers=(evolve(PROVIDER, retries=1),))
    done = finished(saying(cfg, "go", verdict=busy, more=(busy, NO)))
    assert [(str(each.request_id), type(each.request)) for each in done.performs[:3]] == [
        ("1.1.g.0", CallModel),
        ("1.1.g.1", Wait),
        ("1.1.g.2", CallModel),
    ]
    assert reasons(done) == (Reason.COMPLETED,)
    assert notices(done) == ("(Busy. Trying again in 0.5 s.)",)
    assert_sound(done)
    never = finished(saying(cfg, "go", verdict=busy))
    assert (reasons(never), len(never.performs)) == ((Reason.GUARDRAIL,), 3)
    assert "its model could not be asked: Busy." in problems(never)[-1].message
    for odd in (Break(), Mismatch()):
        waited = finished(after(saying(cfg, "go", verdict=busy, more=(busy, NO)), Finish(), odd))
        assert reasons(waited) == (Reason.COMPLETED,)
        assert reasons(finished(after(saying(cfg), odd))) == (Reason.GUARDRAIL,)
    refusing = evolve(cfg, guardrails=(asks(Guarded.CALL, then=Then.REFUSE),))
    assert "could not be asked" in results(finished(saying(refusing, "go", READ, DONE, verdict=busy)))[0]


def test_a_reply_to_a_guardrail_that_is_too_long_trips() -> None:
    cfg = evolve(guarded(asks()), limits=Limits(reply_bytes=300))
    done = after(saying(cfg, verdict=Stream(chat_stream("no " * 500))), Deliver(0, 1000))
    assert (reasons(done), [str(each.request_id) for each in done.effects if isinstance(each, Cancel)]) == (
        (Reason.GUARDRAIL,),
        ["1.1.g.0"],
    )


def test_a_guardrail_that_never_answers_fails_at_its_deadline() -> None:
    cfg = evolve(guarded(asks()), limits=Limits(request_s=30.0))
    sim = saying(cfg)
    assert next_deadline(sim.state.past, cfg) == 30_000
    over = after(sim, Pass(60_000))
    assert reasons(over) == (Reason.GUARDRAIL,)
    assert "limits.request_s" in problems(over)[-1].message
    turn = evolve(guarded(asks()), limits=Limits(turn_s=30.0))
    assert reasons(after(saying(turn), Pass(60_000))) == (Reason.LIMIT,)


def test_an_interrupt_closes_what_guardrails_ask() -> None:
    for moves in ((), (Finish(1),), (Finish(1), Finish(1))):
        sim = after(saying(guarded(asks(blocking=False)), "go", READ, DONE), *moves)
        done = finished(after(sim, Interrupt()))
        assert reasons(done) == (Reason.INTERRUPTED,)
        closed = [event.outcome for event in done.events if isinstance(event, RequestClosed) and event.request_id.slot == GUARD]
        assert closed == [Unanswered(Why.INTERRUPTED)]
        assert_sound(done)


def test_a_turn_that_fails_closes_what_guardrails_ask() -> None:
    failing = Stream(b"", world_problem("refused", "No."))
    done = after(saying(guarded(asks(blocking=False)), "go", failing), Finish(1))
    assert reasons(done) == (Reason.FAILED,)
    assert_sound(done)


def test_a_crash_asks_again_and_a_verdict_is_never_asked_for_twice() -> None:
    sim = saying(guarded(asks()))
    back = after(sim, Deliver(0, 100), Crash())
    assert [str(each.perform.request_id) for each in back.outstanding] == ["1.1.g.1"]
    done = finished(after(back, Finish(), Crash()))
    assert (verdicts(done), reasons(done)) == ([("asks", False)], (Reason.COMPLETED,))
    assert_sound(done)
    waiting = after(saying(guarded(asks(Guarded.OUTPUT)), "go", reply("Hm.")), Finish(), Crash())
    assert reasons(finished(waiting)) == (Reason.COMPLETED,)


def test_doubled_and_late_answers_change_nothing() -> None:
    sim = after(saying(guarded(asks())), Finish())
    guard = sim.performs[0].request_id
    for odd in (Answered(guard, StreamEnded(), 5), Failed(guard, world_problem("overloaded", "x"), 5), ChunkArrived(guard, b"data: x", 5)):
        assert after(sim, Wild(odd)).state == sim.state
    lost = after(saying(guarded(asks())), Wild(Answered(guard, StreamEnded(), 5)))
    assert reasons(lost) == (Reason.GUARDRAIL,)  # a reply of nothing is no verdict


def test_usage_of_guardrails_counts_and_their_limits_are_the_turn_s() -> None:
    verdict = Stream(chat_stream("No.", usage=Usage(input_tokens=100, output_tokens=1)))
    profile = ModelProfile(pattern="scripted/model", input_usd=10.0, output_usd=10.0)
    done = finished(saying(guarded(asks(), cfg=evolve(CONFIG, models=(profile,))), verdict=verdict))
    assert done.state.past.usage.input_tokens == 100
    assert done.state.past.usage.cost_usd == pytest.approx(0.00101)
    assert done.state.past.measured.tokens == 0
    cfg = evolve(guarded(asks(), asks(Guarded.OUTPUT, name="second")), limits=Limits(tokens=50))
    assert reasons(finished(saying(cfg, verdict=verdict))) == (Reason.LIMIT,)
    output = evolve(guarded(asks(Guarded.OUTPUT)), limits=Limits(tokens=50))
    spent = reply("Hm.")
    spent = evolve(spent, data=chat_stream("Hm.", usage=Usage(input_tokens=100)))
    assert reasons(finished(saying(output, "go", spent))) == (Reason.LIMIT,)


def test_another_model_is_asked_where_it_is_named_and_one_that_can_not_be_trips() -> None:
    named = evolve(asks(), model="scripted/small")
    sim = saying(guarded(named))
    assert json.loads(sim.outstanding[0].perform.body)["model"] == "small"
    unknown = finished(saying(guarded(evolve(asks(), model="no/such"))))
    assert (reasons(unknown), "its model can't be asked" in problems(unknown)[-1].message) == ((Reason.GUARDRAIL,), True)
    denied = evolve(guarded(named), rules=(Rule(Verdict.DENY, "model", "scripted/small"),))
    assert reasons(finished(saying(denied))) == (Reason.GUARDRAIL,)


def test_it_fails_closed() -> None:
    for rail in (Guardrail(name="empty"), Guardrail(name="odd", pattern="(")):
        assert reasons(finished(saying(guarded(rail)))) == (Reason.GUARDRAIL,)
    long = finished(saying(guarded(finds(Guarded.INPUT, "never")), "x" * (LOOKED_CHARS + 1)))
    assert "longer than the 1,000,000 characters" in problems(long)[-1].message


def test_a_pattern_trips_before_a_model_is_asked() -> None:
    both = Guardrail(name="both", pattern="bad", question="Is it bad?")
    assert len(finished(saying(guarded(asks(), both), "bad")).performs) == 0
    fine = saying(guarded(both), "fine")
    assert purposes(fine) == [Purpose.GUARDRAIL]


def test_an_agent_names_which_count() -> None:
    rails = (finds(Guarded.INPUT), evolve(finds(Guarded.INPUT, "go"), name="other"))
    agents = (AgentSpec(name="free", guardrails=("finds",)), AgentSpec(name="all"), AgentSpec(name="wrong", guardrails=("finsd",)))
    cfg = evolve(guarded(*rails), agents=agents)
    assert verdicts(finished(saying(cfg))) == [("finds", False), ("other", True)]
    assert verdicts(finished(saying(evolve(cfg, agent="all")))) == [("finds", False), ("other", True)]
    assert verdicts(finished(saying(evolve(cfg, agent="free")))) == [("finds", False)]
    wrong = finished(saying(evolve(cfg, agent="wrong")))
    assert (reasons(wrong), problems(wrong)[-1].code) == ((Reason.FAILED,), "unknown-guardrail")
    nobody = evolve(cfg, agents=(evolve(agents[2], guardrails=("zzzzzz",)),), agent="wrong")
    assert "[guardrails.NAME]" in problems(finished(saying(nobody)))[-1].message


def judging(on: Guarded, said: object, name: str = "mine") -> ToolSpec:
    """An extension whose guardrail says this of all that it sees, or raises it."""

    def trips(situation: Situation, subject: str | ToolCall, cfg: ChatConfig) -> str | None:
        if isinstance(said, Exception):
            raise said
        if callable(said):
            return said(situation, subject, cfg)  # type: ignore[no-any-return]  # whatever it is
        return said  # type: ignore[return-value]  # the same

    return extended("mine", Extension(guards=(Guard(name=name, on=on, trips=trips),)))


def test_a_function_of_an_extension_is_a_guardrail_too() -> None:
    seen: list[tuple[int, str, str | ToolCall]] = []

    def looks(situation: Situation, subject: str | ToolCall, cfg: ChatConfig) -> str | None:
        seen.append((situation.turn, situation.agent, subject))
        return "I do not like it" if isinstance(subject, ToolCall) else None

    tools = (*ALL_TOOLS, judging(Guarded.INPUT, looks), judging(Guarded.CALL, looks))
    done = finished(saying(CONFIG, "go", READ, DONE, tools=tools))
    assert reasons(done) == (Reason.GUARDRAIL,)
    assert [subject if isinstance(subject, str) else subject.name for _, _, subject in seen] == ["go", "read"]
    assert problems(done)[-1].message.startswith("The guardrail mine stopped the turn at a call: I do not like it.")
    assert_sound(done)


@pytest.mark.parametrize("said", [ValueError("x"), 7, ""])
def test_one_whose_code_is_broken_trips(said: object) -> None:
    done = finished(saying(CONFIG, tools=(*ALL_TOOLS, judging(Guarded.INPUT, said))))
    assert reasons(done) == (Reason.GUARDRAIL,)


def test_two_of_one_name_have_a_verdict_each() -> None:
    tools = (*ALL_TOOLS, judging(Guarded.INPUT, None, "finds"))
    done = finished(saying(guarded(finds(Guarded.INPUT)), tools=tools))
    assert verdicts(done) == [("finds", False), ("finds (2)", False)]


def test_what_a_person_commands_is_not_judged() -> None:
    cfg = guarded(finds(Guarded.CALL, "."), finds(Guarded.INPUT, "."))
    done = finished(moved(Sim(tools=ALL_TOOLS, cfg=evolve(cfg, rules=(YES,))), Command("/shell ls")))
    assert (verdicts(done), reasons(done)) == ([], (Reason.COMPLETED,))


def test_nor_is_the_text_of_a_command_that_ends_its_turn() -> None:
    done = finished(after(Sim(tools=ALL_TOOLS, cfg=guarded(finds(Guarded.OUTPUT))), Command("/complete bad")))
    assert (verdicts(done), reasons(done)) == ([], (Reason.COMPLETED,))


def test_one_that_was_asked_for_one_agent_is_asked_again_for_the_next() -> None:
    agents = (AgentSpec(name="first", handoffs=("second",), guardrails=("one",)), AgentSpec(name="second", guardrails=("two",)))
    rails = guarded(asks(name="one", blocking=False), asks(Guarded.OUTPUT, name="two"), cfg=evolve(CONFIG, agents=agents, agent="first"))
    over = after(saying(rails, "go", reply("", call("transfer_to_second", reason="It knows.")), DONE), Finish(1))
    assert any(isinstance(event, HandedOff) for event in over.events)
    done = finished(after(over, Crash()))
    assert (verdicts(done), reasons(done)) == ([("one", False), ("two", False)], (Reason.COMPLETED,))
    assert_sound(done)


def test_one_that_is_taken_away_while_it_is_asked_again_trips() -> None:
    begun = saying(guarded(asks(blocking=False)), "go", DONE)
    lost = finished(after(evolve(begun, cfg=CONFIG), Crash()))
    assert reasons(lost) == (Reason.GUARDRAIL,)
    assert "it is no more" in problems(lost)[-1].message
    assert_sound(lost)


def test_of_several_that_were_lost_the_first_that_trips_is_enough() -> None:
    cfg = guarded(asks(blocking=False), asks(blocking=False, name="second"))
    denying = Wild(SettingsChanged(Overrides(rules=(Rule(Verdict.DENY, "model", "*"),)), 5))
    lost = after(saying(cfg, "go", DONE), denying, Crash())
    assert (reasons(lost), verdicts(lost)) == ((Reason.GUARDRAIL,), [("asks", True)])
    assert_sound(lost)


def test_a_late_chunk_of_one_does_not_touch_another() -> None:
    cfg = guarded(asks(), asks(name="second"))
    first = after(saying(cfg, "go", DONE), Finish())
    assert len(first.state.live.checks) == 1
    late = after(first, Late(0, chunk=True))
    assert late.state.live.checks[0] is first.state.live.checks[0]
    assert reasons(finished(late)) == (Reason.COMPLETED,)


def test_an_answer_whose_reply_is_gone_is_asked_for_again() -> None:
    sim = after(saying(guarded(asks())), Deliver(0, 1000))
    without = evolve(sim, state=load(sim.events))
    again = after(without, Wild(Answered(sim.performs[0].request_id, StreamEnded(), 5)))
    assert [str(each.perform.request_id) for each in again.outstanding] == ["1.1.g.0", "1.1.g.1"]


@pytest.mark.parametrize("on", list(Guarded))
def test_what_is_not_there_is_an_empty_text(on: Guarded) -> None:
    check = Check(name="x", on=on, generation=1, slot=3)
    assert subject_of(Past(), Turn(number=1), check) == ""
    assert subject_of(Past(), Turn(number=1, slots=(Slot(invocation=ToolCall("a", JsonObject())),)), evolve(check, slot=None)) == ""


def test_where_two_are_over_at_once_the_one_that_stops_the_turn_is_the_last_word() -> None:
    cfg = evolve(guarded(asks(name="one"), asks(name="two")), limits=Limits(request_s=30.0))
    cfg = evolve(cfg, providers=(evolve(PROVIDER, retries=0), evolve(PROVIDER, name="patient", retries=5)))
    one, two = cfg.guardrails
    cfg = evolve(cfg, guardrails=(evolve(one, model="scripted/model"), evolve(two, model="patient/model")))
    over = after(saying(cfg), Pass(30_000))
    assert reasons(over) == (Reason.GUARDRAIL,)
    assert not any(isinstance(perform.request, Wait) for perform in over.performs)
    assert not any("Trying again" in each for each in notices(over))
    assert verdicts(over) == [("one", True)]
    assert_sound(finished(over))

"""Rounds: slots side by side, queues of serial tools, denials, interrupts, outcomes that nobody knows."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, call, closed, config, log, problems, reasons, reply, results, sim
from tests.laws.comparison import assert_balanced
from turnfold.core.agent.effects import Cancel
from turnfold.core.agent.events import Permitted, Reason, RequestClosed, TurnInterrupted, Unanswered, Why
from turnfold.core.agent.ids import MODEL
from turnfold.core.agent.inputs import Answered, Decided, Failed, TimePassed
from turnfold.core.agent.rounds import INTERRUPTED_TEXT, UNKNOWN_TEXT
from turnfold.core.agent.state import Status, memory_of, open_requests, questions
from turnfold.core.agent.step import step
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Limits, Rule, Verdict
from turnfold.core.conversation.messages import ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.problem import world_problem
from turnfold.core.tools.spec import Call, Done, Need, Next, ToolSpec, find_tool
from turnfold.core.world.answers import FileRead
from turnfold.core.world.requests import ReadFile, RunProcess
from turnfold.testing.moves import Break, Crash, Decide, Finish, Interrupt, Mismatch, Pass, Say, Wild
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Sim, finished


def asking(*calls: str, rules: tuple[Rule, ...] = ()) -> Sim:
    """A conversation whose model has just made these calls, with their default arguments."""
    made = tuple(call(*each.split(":", 1)[:1], **_arguments(each)) for each in calls)
    return after(sim(reply("", *made), cfg=config(*rules)), Say("go"), Finish())


def _arguments(each: str) -> dict[str, str]:
    name, _, value = each.partition(":")
    key = {"shell": "command", "python": "code"}.get(name, "path")
    return {key: value} if value else {}


def ran(done: Sim) -> tuple[str, ...]:
    return tuple(perform.request.script for perform in done.performs if isinstance(perform.request, RunProcess))


def test_calls_of_one_round_are_open_side_by_side() -> None:
    begun = asking("read:a.txt", "read:b.txt", "pair:a.txt")
    assert [str(each.perform.request_id) for each in begun.outstanding] == ["1.1.0.0", "1.1.1.0", "1.1.2.0", "1.1.2.1"]


def test_results_join_the_log_in_the_order_asked_whatever_comes_first() -> None:
    done = finished(after(asking("read:a.txt", "read:b.txt"), Finish(1)))
    assert [message.tool for message in log(done) if isinstance(message, ToolMessage)] == ["read", "read"]
    assert "alpha" in results(done)[0]
    assert "beta" in results(done)[1]


def test_serial_calls_queue_behind_their_own_tool_and_not_behind_others() -> None:
    begun = asking("shell:cd sub", "shell:make", "count", "read:a.txt", rules=(YES,))
    assert [str(each.perform.request_id) for each in begun.outstanding] == ["1.1.0.0", "1.1.2.0", "1.1.3.0"]
    then = after(begun, Finish(0))
    assert ran(then) == ("cd sub", "make")
    assert "ran make in /w/sub" in results(finished(then))[1]


def test_a_tool_that_is_gone_does_not_hold_up_what_queues_behind_it() -> None:
    begun = asking("count", "count")
    fewer = evolve(begun, tools=tuple(tool for tool in ALL_TOOLS if tool.name != "count"))
    assert [event.ok for event in closed(finished(fewer))] == [False, False]


def test_memories_do_not_depend_on_which_tool_is_quicker() -> None:
    begun = asking("count", "tally")
    one, other = after(begun, Finish(0), Finish(0)), after(begun, Finish(1), Finish(0))
    assert one.state.past.memories == other.state.past.memories
    assert memory_of(one.state.past, "count") == JsonObject.of(count=1)
    assert memory_of(one.state.past, "read") == JsonObject()


def test_a_question_is_performed_after_a_yes_and_not_before() -> None:
    begun = asking("shell:make")
    assert begun.state.paused
    assert not begun.outstanding
    assert ran(after(begun, Decide())) == ("make",)


def test_a_no_closes_the_call_with_what_the_person_said() -> None:
    done = after(asking("shell:make"), Decide(allowed=False))
    assert closed(done)[0].text == "Denied: this was not allowed, and nothing of it happened. They said: so I say"
    assert ran(done) == ()
    quiet = after(asking("shell:make"))
    silent = after(quiet, Wild(Decided(questions(quiet.state.past)[0].request_id, allowed=False)))
    assert closed(silent)[0].text == "Denied: this was not allowed, and nothing of it happened."


def test_a_no_to_one_of_two_answers_for_both() -> None:
    done = after(asking("careful:x"), Decide(pick=1, allowed=False))
    assert [event.outcome for event in done.events if isinstance(event, RequestClosed)][1:] == [
        Unanswered(Why.DENIED, "so I say"),
        Unanswered(Why.DENIED),
    ]
    assert "nothing of it happened" in closed(done)[0].text


def test_a_no_after_a_yes_to_the_other_tells_that_the_other_happened() -> None:
    begun = after(asking("careful:x"), Decide(pick=0), Decide(pick=0, allowed=False))
    assert not closed(begun)
    done = after(begun, Finish())
    assert "nothing of it happened" not in closed(done)[0].text
    assert "the rest of this call was done" in closed(done)[0].text
    failed = after(begun, Break())
    assert "nothing of it happened" in closed(failed)[0].text


def test_a_rule_that_denies_closes_the_call_at_once() -> None:
    done = asking("shell:make", rules=(Rule(Verdict.DENY, "run", "*"),))
    assert "They said" not in closed(done)[0].text
    assert closed(done)[0].text.startswith("Denied: this was not allowed, and nothing of it happened. A rule of the configuration")
    assert closed(done)[0].text.startswith("Denied: ")
    assert_balanced(done)


def test_a_rule_that_denies_a_part_of_a_call_keeps_the_rest_from_being_begun() -> None:
    done = asking("pair:a.txt", rules=(Rule(Verdict.DENY, "list"),))
    assert "nothing of it happened" in closed(done)[0].text
    assert [perform.request_id.slot for perform in done.performs if perform.request_id.generation == 1] == [MODEL]


def test_a_rule_given_with_a_yes_answers_the_other_questions_that_it_speaks_of() -> None:
    begun = asking("shell:make", "python:1", "careful:x")
    done = after(begun, Decide(pick=0, rule=Rule(Verdict.ALLOW, "write", "*")))
    assert [str(event.request_id) for event in done.events if isinstance(event, Permitted)] == ["1.1.0.0", "1.1.2.0", "1.1.2.1"]
    assert [str(each.request_id) for each in questions(done.state.past)] == ["1.1.1.0"]


def test_a_rule_given_with_a_no_answers_the_other_questions_that_it_speaks_of() -> None:
    begun = asking("careful:x", "careful:y", "shell:make")
    done = after(begun, Decide(pick=0, allowed=False, rule=Rule(Verdict.DENY, "write", "*")))
    assert [event.slot for event in closed(done)] == [0, 1]
    assert [str(each.request_id) for each in questions(done.state.past)] == ["1.1.2.0"]


def test_a_yes_to_everything_does_not_perform_the_rest_of_a_denied_call() -> None:
    done = after(asking("careful:x", "shell:make"), Decide(pick=0, allowed=False, rule=YES))
    assert [str(each.perform.request_id) for each in done.outstanding] == ["1.1.1.0"]


def test_an_interrupt_ends_what_was_not_begun_and_waits_for_what_was() -> None:
    begun = after(asking("shell:make", "shell:make all", "read:a.txt", "python:1"), Decide(), Interrupt())
    assert [each.status for each in open_requests(begun.state.past)] == [Status.CANCELLING, Status.CANCELLING]
    assert [effect.request_id.slot for effect in begun.effects if isinstance(effect, Cancel)] == [0, 2]
    done = after(begun, Finish(0), Finish(0))
    assert results(done) == ("ran make in /w", INTERRUPTED_TEXT, "a.txt (1 line):\n1\talpha\n", INTERRUPTED_TEXT)
    assert reasons(done) == (Reason.INTERRUPTED,)
    assert done.state.idle


def test_a_call_that_would_go_on_is_closed_when_it_was_interrupted() -> None:
    done = finished(after(asking("twice:a.txt"), Interrupt(), Interrupt()))
    assert results(done) == (INTERRUPTED_TEXT,)


def test_what_does_not_stop_is_given_up_after_the_grace_time_and_not_before() -> None:
    begun = after(asking("shell:sleep"), Decide(), Interrupt())
    early = after(begun, Pass(1_000))
    assert not early.state.idle
    late = after(begun, Pass(int(Limits().grace_s * 1000)))
    assert results(late) == (UNKNOWN_TEXT,)
    assert after(late, Finish()).state == late.state


@pytest.mark.parametrize(("waited_ms", "given_up"), [(4_999, False), (5_000, True)])
def test_the_grace_time_counts_from_the_interrupt(waited_ms: int, given_up: bool) -> None:
    begun = after(asking("shell:sleep", rules=(YES,)), Interrupt())
    (stopping,) = open_requests(begun.state.past)
    done = step(begun.state, TimePassed(stopping.since_ms + waited_ms), begun.tools, begun.cfg)
    assert done.state.idle is given_up


def test_a_crash_repeats_what_is_safe_and_tells_of_what_is_not() -> None:
    begun = after(asking("read:a.txt", "shell:make", "python:1"), Decide(pick=0), Crash())
    assert [str(each.perform.request_id) for each in begun.outstanding] == ["1.1.0.1"]
    assert [str(each.request_id) for each in questions(begun.state.past)] == ["1.1.2.0"]
    done = finished(begun)
    assert results(done)[1] == UNKNOWN_TEXT
    assert "alpha" in results(done)[0]


def test_a_lost_request_comes_back_in_its_place() -> None:
    begun = after(asking("pair:a.txt"), Finish(1), Crash())
    assert [str(each.perform.request_id) for each in begun.outstanding] == ["1.1.0.2"]
    twice_lost = after(asking("pair:a.txt"), Crash(), Crash())
    assert results(finished(begun)) == results(finished(twice_lost)) == results(finished(asking("pair:a.txt")))


def test_an_answer_of_another_kind_is_told_to_the_tool_as_a_problem() -> None:
    done = after(asking("read:a.txt"), Mismatch())
    assert "answered ReadFile with StreamEnded" in results(done)[0]


def test_a_question_is_not_answered_by_the_shell() -> None:
    begun = asking("shell:make")
    asked = questions(begun.state.past)[0].request_id
    assert after(begun, Wild(Answered(asked, FileRead(text="", digest="")))).state == begun.state


def test_a_question_is_not_answered_by_an_answer_of_its_kind_nor_by_a_failure() -> None:
    begun = asking("read:/etc/hosts")
    (asked,) = questions(begun.state.past)
    for wild in (Answered(asked.request_id, FileRead(text="never asked", digest="")), Failed(asked.request_id, world_problem("x", "No."))):
        assert after(begun, Wild(wild)).events == begun.events


def test_an_interrupt_is_recorded_once() -> None:
    done = after(asking("shell:make", rules=(YES,)), Interrupt(), Interrupt())
    assert sum(isinstance(event, TurnInterrupted) for event in done.events) == 1


def test_the_person_is_told_of_an_outcome_that_nobody_knows() -> None:
    begun = after(asking("shell:make", "read:a.txt", rules=(YES,)), Crash())
    assert [problem.code for problem in problems(begun)] == ["unknown-outcome"]
    assert "an act (run make)" in problems(begun)[0].message


def test_a_no_after_only_looking_tells_that_nothing_happened() -> None:
    done = after(asking("twice:a.txt"), Finish(), Decide(allowed=False))
    assert "nothing of it happened" in closed(done)[0].text


def test_a_call_of_which_a_part_was_never_allowed_is_not_asked_when_it_is_interrupted() -> None:
    done = finished(after(asking("careful:x"), Decide(pick=0), Interrupt()))
    assert results(done) == (INTERRUPTED_TEXT,)


def quick(call: Call, cfg: ChatConfig) -> Next:
    """Look at ``path``; done at once without one."""
    needs = "path" in call.arguments and not call.exchanges
    return Need((ReadFile(path="/w/a.txt", limit_bytes=9),)) if needs else Done("done", JsonObject.of(a=1))


def test_a_call_that_was_not_begun_is_not_done_by_an_interrupt_although_it_needs_nothing() -> None:
    tools = (ToolSpec(name="quick", description="", parameters=JsonObject.of(type="object"), advance=quick, serial=True),)
    begun = after(sim(reply("", call("quick", path="a"), call("quick")), tools=tools), Say("go"), Finish())
    assert results(finished(begun)) == ("done", "done")
    assert results(finished(after(begun, Interrupt()))) == ("done", INTERRUPTED_TEXT)


def test_only_a_serial_tool_remembers() -> None:
    for serial, memory in ((True, JsonObject.of(a=1)), (False, JsonObject())):
        spec = ToolSpec(name="quick", description="", parameters=JsonObject.of(type="object"), advance=quick, serial=serial)
        done = finished(after(sim(reply("", call("quick")), tools=(spec,)), Say("go")))
        assert memory_of(done.state.past, "quick") == memory


def test_what_the_person_says_during_a_turn_waits_for_its_end() -> None:
    begun = after(asking("read:a.txt"), Say("and then"), Say("and at last"))
    assert [message.text for message in begun.state.past.queue] == ["and then", "and at last"]
    done = finished(begun)
    assert [message.text for message in log(done) if isinstance(message, UserMessage)] == ["go", "and then", "and at last"]
    assert reasons(done) == (Reason.COMPLETED,) * 3


def test_broken_and_unknown_calls_are_answered_with_what_to_write() -> None:
    done = finished(asking("nope", "raises"))
    assert "nope" in results(done)[0]
    assert "raised ValueError: on purpose" in results(done)[1]
    assert find_tool(ALL_TOOLS, "nope") is None

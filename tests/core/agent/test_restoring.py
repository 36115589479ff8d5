"""Files go back and forth with the turns that wrote them: what is still as it was left is put back, all else is left and named."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, closed, config, log, notices, problems, reasons, results, sim
from turnfold.core.agent.events import Forgotten, Reason, Redone, RestoreAsked, Rewound
from turnfold.core.agent.inputs import Failed
from turnfold.core.agent.restoring import goals
from turnfold.core.agent.writes import Writes
from turnfold.core.config.values import Limits, Rule, Verdict
from turnfold.core.conversation.messages import UserMessage
from turnfold.core.journal import fold
from turnfold.core.problem import Problem
from turnfold.core.world.requests import ChangeFiles
from turnfold.testing.moves import Break, Command, Crash, Finish, Interrupt, Say
from turnfold.testing.simulated import Sim, finished, taken
from turnfold.testing.simulated_world import Disk

START = Disk((("/w/a.txt", "alpha\n"), ("/w/b.txt", "beta\n")))


def wrote(*lines: str, limits: Limits | None = None, rules: tuple[Rule, ...] = (YES,)) -> Sim:
    """A conversation with these commands, each done."""
    done = evolve(sim(cfg=config(*rules, limits=Limits() if limits is None else limits)), disk=START)
    for line in lines:
        done = finished(after(done, Command(line)))
    return done


def files(done: Sim) -> dict[str, str]:
    return {path.removeprefix("/w/"): text for path, text in done.disk.files}


def told(done: Sim) -> str:
    """All that a person is told in the end: the report of the files, and the notice."""
    return "\n".join((*(event.text for event in closed(done)[-1:]), *notices(done)[-1:]))


def test_undo_puts_back_what_a_turn_replaced_and_removes_what_it_made() -> None:
    done = wrote("/save a.txt new", "/save c.txt made")
    back = finished(after(done, Command("/undo 2")))
    assert files(back) == {"a.txt": "alpha\n", "b.txt": "beta\n"}
    assert log(back) == ()
    assert "Put back: a.txt, c.txt (removed)." in told(back)
    assert "Took back 2 turns; what commands did stays. /redo brings back what /undo 2 took." in told(back)
    again = finished(after(back, Command("/redo")))
    assert files(again) == files(done)
    assert log(again) == log(done)
    assert "Brought back 2 turns" in told(again)


def test_a_file_that_several_turns_wrote_goes_back_one_turn_at_a_time() -> None:
    done = wrote("/save a.txt one", "/append a.txt two", "/save a.txt three")
    seen = [files(done)["a.txt"]]
    for _ in range(3):
        done = finished(after(done, Command("/undo")))
        seen.append(files(done)["a.txt"])
    assert seen == ["three\n", "one\ntwo\n", "one\n", "alpha\n"]
    for _ in range(3):
        done = finished(after(done, Command("/redo")))
        seen.append(files(done)["a.txt"])
    assert seen[4:] == ["one\n", "one\ntwo\n", "three\n"]


def test_redo_of_several_rewinds_is_one_act() -> None:
    done = wrote("/save a.txt one", "/save c.txt two")
    back = finished(after(finished(after(done, Command("/undo"))), Command("/undo")))
    both = finished(after(back, Command("/redo 2")))
    assert files(both) == files(done)
    assert [type(event) for event in both.events[-2:]] == [Redone, Redone]
    assert both.state.past.writes == done.state.past.writes


def test_a_file_that_something_else_changed_is_left_and_named() -> None:
    done = wrote("/save a.txt new", "/save b.txt new")
    changed = evolve(done, disk=done.disk.with_file("/w/a.txt", "theirs"))
    back = finished(after(changed, Command("/undo 2")))
    assert files(back) == {"a.txt": "theirs", "b.txt": "beta\n"}
    assert "Left as they are, since something else has changed them: a.txt." in told(back)
    assert log(back) == ()
    removed = evolve(done, disk=Disk((("/w/b.txt", "new\n"),)))
    assert files(finished(after(removed, Command("/undo 2")))) == {"b.txt": "beta\n"}


def test_what_something_else_did_between_two_turns_stays() -> None:
    done = wrote("/save a.txt one")
    done = evolve(done, disk=done.disk.with_file("/w/a.txt", "between"))
    done = finished(after(done, Command("/save a.txt two")))
    back = finished(after(done, Command("/undo 2")))
    assert files(back)["a.txt"] == "between"
    assert "something else had changed them before that: a.txt" in told(back)
    assert files(finished(after(back, Command("/redo"))))["a.txt"] == "two\n"


def test_a_turn_that_wrote_nothing_is_taken_back_at_once() -> None:
    done = finished(after(wrote("/save a.txt new"), Say("hi")))
    back = after(done, Command("/undo"))
    assert back.events[-1] == Rewound(2, back.events[-1].at_ms, ())
    assert not back.outstanding
    assert files(finished(after(back, Command("/undo"))))["a.txt"] == "alpha\n"


def test_rewind_puts_files_back_and_edit_and_retry_leave_them_and_say_so() -> None:
    done = wrote("/save a.txt one", "/save a.txt two")
    assert files(finished(after(done, Command("/rewind 1"))))["a.txt"] == "one\n"
    assert files(finished(after(done, Command("/rewind 0"))))["a.txt"] == "alpha\n"
    for line in ("/edit 2 hello", "/retry"):
        left = finished(after(done, Command(line)))
        assert files(left)["a.txt"] == "two\n"
        assert any("write /undo first" in each for each in notices(left))
        assert files(finished(after(left, Command("/undo"))))["a.txt"] == "one\n"


def test_what_is_said_while_files_are_put_back_waits_and_is_not_lost() -> None:
    done = wrote("/save a.txt new")
    back = finished(after(done, Command("/undo"), Say("and now?")))
    assert files(back)["a.txt"] == "alpha\n"
    assert [message.text for message in log(back) if isinstance(message, UserMessage)] == ["and now?"]


def test_a_rule_that_denies_keeps_files_as_they_are() -> None:
    done = wrote("/save a.txt new")
    denying = evolve(done, cfg=evolve(done.cfg, rules=(Rule(Verdict.DENY, "write"),)))
    back = finished(after(denying, Command("/undo")))
    assert files(back)["a.txt"] == "new\n"
    assert log(back) == ()
    assert "Denied" in told(back)


def test_where_files_cant_be_put_back_the_reason_is_told_and_redo_finds_them_as_they_were() -> None:
    done = wrote("/save a.txt new")
    back = finished(after(done, Command("/undo"), Finish(), Break()))
    assert files(back)["a.txt"] == "new\n"
    assert "Not put back: a.txt." in told(back)
    assert "The reason: It broke." in told(back)
    again = finished(after(back, Command("/redo")))
    assert (files(again), log(again)) == (files(done), log(done))
    assert "Brought back 1 turn" in told(again)


def test_a_file_that_changes_between_the_look_and_the_act_is_looked_at_again() -> None:
    done = wrote("/save a.txt new", "/save b.txt new")
    looked = after(done, Command("/undo 2"), Finish(), Finish())
    (due,) = looked.outstanding
    assert isinstance(due.perform.request, ChangeFiles)
    changed = evolve(looked, disk=looked.disk.with_file("/w/a.txt", "theirs"))
    assert files(finished(changed)) == {"a.txt": "theirs", "b.txt": "beta\n"}
    never = looked
    while never.outstanding and isinstance(never.outstanding[0].perform.request, ChangeFiles):
        wrong = Problem(code="changed", message="It changed.", blame=problems(finished(after(done, Command("/undo 0"))))[0].blame)
        request_id = never.outstanding[0].perform.request_id
        never = taken(evolve(never, outstanding=()), Failed(request_id, wrong, never.now_ms))
        never = after(never, Finish(), Finish())
    assert "The reason: It changed." in told(never)


@pytest.mark.parametrize("moment", [0, 1])
def test_an_interrupt_or_a_crash_takes_nothing_back_and_it_can_be_done_again(moment: int) -> None:
    done = wrote("/save a.txt new")
    begun = after(done, Command("/undo"), *(Finish(),) * moment)
    stopped = finished(after(begun, Interrupt()))
    if moment == 0:
        assert log(stopped) == log(done)
        assert reasons(stopped)[-1] is Reason.INTERRUPTED
        assert problems(stopped)[-1].message == "Nothing was taken back, since putting the files back was stopped: write /undo again."
        assert files(stopped)["a.txt"] == "new\n"
        assert files(finished(after(stopped, Command("/undo"))))["a.txt"] == "alpha\n"
    else:
        assert log(stopped) == ()  # it was under way, and ended well
    crashed = finished(after(begun, Crash()))
    assert log(crashed) == (() if moment == 0 else log(done))
    again = finished(after(crashed, Command("/undo"))) if moment else crashed
    assert (files(again)["a.txt"], log(again)) == ("alpha\n", ())
    redoing = after(again, Command("/redo"), Finish(), Crash())
    assert "Nothing was brought back" in problems(finished(redoing))[-1].message


def test_the_oldest_texts_go_where_there_are_too_many_and_undo_says_so() -> None:
    done = wrote(*(f"/save {name}.txt {name * 400}" for name in "cdef"), limits=Limits(undo_bytes=2000))
    forgotten = [event for event in done.events if isinstance(event, Forgotten)]
    assert forgotten
    assert done.state.past.writes.size_bytes <= 2000
    back = finished(after(done, Command("/undo 4")))
    assert "is no longer kept (limits.undo_bytes)" in told(back)
    assert "c.txt" in files(back)
    assert "f.txt" not in files(back)
    assert fold(done.events) == done.state.past
    none = wrote("/save a.txt new", limits=Limits(undo_bytes=0))
    assert none.state.past.writes == Writes(forgotten=1)
    assert "no longer kept" in told(finished(after(none, Command("/undo"))))


def test_what_a_model_read_before_is_known_and_what_it_did_not_read_is_not() -> None:
    past = wrote("/save a.txt new").state.past
    (written,) = past.writes.log
    assert (written.before, written.after) == ("alpha\n", "new\n")
    unread = evolve(past, writes=Writes().plus((evolve(written, before=None),)))
    masked = evolve(past, writes=Writes().plus((evolve(written, before="[secret A_KEY]"),)))
    for unknown in (unread, masked):
        (goal,) = goals(unknown, RestoreAsked(line="/undo", to=1))
        assert not goal.known
    done = wrote("/save a.txt new")
    back = finished(after(evolve(done, state=evolve(done.state, past=unread)), Command("/undo")))
    assert "their text is not kept (not read, or it held a secret): a.txt" in told(back)
    assert files(back)["a.txt"] == "new\n"


def test_what_brings_back_more_than_there_is_brings_back_all() -> None:
    past = wrote("/save a.txt new").state.past
    assert goals(past, RestoreAsked(line="/redo", again=3)) == ()
    assert fold((RestoreAsked(line="/undo", to=1),), past).turn is not None
    assert results(finished(after(wrote("/save a.txt new"), Command("/undo")))) == ()

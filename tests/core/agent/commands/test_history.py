"""Going back and forth: undo, redo, rewind, edit, retry, fork, compact."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.core.agent.scripted import YES, after, config, log, notices, problems, reasons, results, sim
from turnfold.core.agent.effects import KeepFork, Recall
from turnfold.core.agent.events import CallCommanded, Impersonated, MessageAdded, Reason, Redone, Rewound, SummaryAsked
from turnfold.core.agent.inputs import UserSaid
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.agent.step import step
from turnfold.core.agent.summary import Summary
from turnfold.core.config.briefing import Briefing, Lesson
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.testing.moves import Command, Move, Say
from turnfold.testing.simulated import Sim, finished

SPOKEN = (Say("one"), Say("two"), Say("three"))


def spoken(*moves: Move) -> Sim:
    """A conversation of these moves (by default three turns), each played to its end."""
    done = sim()
    for move in moves or SPOKEN:
        done = finished(after(done, move))
    return done


def said(done: Sim) -> tuple[str, ...]:
    return tuple(message.text for message in log(done) if isinstance(message, UserMessage))


@pytest.mark.parametrize("count", ["0", "x", "-1", "1.5", "9999999"])
def test_undo_wants_a_count(count: str) -> None:
    done = finished(after(sim(), Say("hi")))
    assert problems(after(done, Command(f"/undo {count}")))[0].code == "bad-argument"


def test_undo_takes_back_log_memories_and_settings_and_nothing_else() -> None:
    one = finished(after(sim(cfg=config(YES)), Command("/shell export A=1")))
    two = finished(after(one, Command("/shell cd sub"), Command("/model scripted/other"), Say("hi")))
    back = after(two, Command("/undo 2"))
    assert log(back) == log(one)
    assert back.state.past.memories == one.state.past.memories
    assert back.state.past.overrides == ()
    assert (back.state.past.turns, back.state.past.usage) == (two.state.past.turns, two.state.past.usage)
    assert "Took back 2 turns" in notices(back)[-1]
    again = finished(after(back, Say("again")))
    assert {perform.request_id.turn for perform in again.performs} == {1, 2, 3, 4}
    assert problems(after(after(again, Command("/undo 5")), Command("/undo")))[0].code == "nothing-to-undo"


def test_undo_makes_the_next_request_as_if_the_turn_had_never_been() -> None:
    fresh = finished(after(sim(), Say("hi")))
    back = finished(after(sim(), Say("something else"), *()))
    again = finished(after(back, Command("/undo"), Say("hi")))
    assert again.performs[-1].body == fresh.performs[-1].body
    assert results(again) == ()


def test_redo_brings_back_log_memories_and_settings() -> None:
    done = finished(after(sim(cfg=config(YES)), Command("/shell export A=1")))
    done = finished(after(done, Command("/model scripted/other"), Say("hi")))
    back = after(done, Command("/undo"), Command("/undo"))
    assert said(back) == ()
    one = after(back, Command("/redo"))
    assert (said(one), one.state.past.memories) == (("/shell export A=1",), done.state.past.memories)
    two = after(one, Command("/redo"))
    assert evolve(two.state.past, events=0) == evolve(done.state.past, events=0)
    assert "Brought back 1 turn" in notices(two)[-1]
    both = after(back, Command("/redo 2"))
    assert [type(event) for event in both.events[-2:]] == [Redone, Redone]
    assert both.state.past.log == done.state.past.log
    assert problems(after(both, Command("/redo")))[0].code == "nothing-to-redo"


def test_summary_and_told_lessons_go_back_and_forth_too() -> None:
    message = UserMessage("two", "A lesson.", lessons=("/l.md",))
    one = finished(after(sim(), Say("one"))).state.past
    past = evolve(fold((MessageAdded(message),), evolve(one, summary=Summary(upto=1, text="So far."))), turn=None, queue=())
    assert past.told == ("/l.md",)
    later = evolve(past, summary=Summary(upto=2, text="More."))
    back = fold((Rewound(2),), later)
    assert (back.told, back.summary) == ((), Summary(upto=1, text="So far."))
    again = fold((Redone(),), back)
    assert (again.told, again.summary, again.log) == (later.told, later.summary, later.log)
    assert fold((Redone(),), again) == evolve(again, events=again.events + 1)


@pytest.mark.parametrize("line", ["/redo 0", "/redo x", "/log 0", "/log x"])
def test_a_count_is_a_number_from_one(line: str) -> None:
    assert problems(after(spoken(), Command(line)))[0].code == "bad-argument"


@pytest.mark.parametrize(("after_turn", "left"), [("0", ()), ("1", ("one",)), ("2", ("one", "two"))])
def test_rewind_goes_back_to_how_it_was_after_a_turn(after_turn: str, left: tuple[str, ...]) -> None:
    back = after(spoken(), Command(f"/rewind {after_turn}"))
    assert said(back) == left
    assert "/redo brings back" in notices(back)[-1]
    assert said(after(back, Command("/redo"))) == ("one", "two", "three")


def test_rewind_alone_lists_the_turns_and_their_numbers_are_kept() -> None:
    done = spoken()
    assert notices(after(done, Command("/rewind")))[-1] == "1  one\n2  two\n3  three"
    other = finished(after(done, Command("/undo 2"), Say("four")))
    assert notices(after(other, Command("/rewind")))[-1] == "1  one\n4  four"
    assert notices(after(sim(), Command("/rewind"))) == ("There is no turn yet.",)
    assert said(after(other, Command("/rewind 1"))) == ("one",)


@pytest.mark.parametrize(("line", "sentence"), [("/rewind 4", "no turn '4'"), ("/rewind x", "no turn 'x'"), ("/rewind 3", "after turn 3")])
def test_a_turn_that_is_not_there_or_the_last_is_refused(line: str, sentence: str) -> None:
    done = spoken()
    refused = after(done, Command(line))
    assert sentence in problems(refused)[0].message
    assert refused.state == done.state
    assert "after the beginning" in problems(after(sim(), Command("/rewind 0")))[0].message


def test_edit_says_something_else_in_place_of_the_last_turn_or_of_one_and_all_after_it() -> None:
    done = spoken()
    assert said(finished(after(done, Command("/edit drei")))) == ("one", "two", "drei")
    edited = finished(after(done, Command("/edit 2 zwei und\n  mehr")))
    assert said(edited) == ("one", "zwei und\n  mehr")
    assert [perform.request_id.turn for perform in edited.performs] == [1, 2, 3, 4]
    assert edited.journal[-2][:2] == (Rewound(2, edited.events[-1].at_ms - 2000), edited.journal[-2][1])


def test_what_went_with_a_text_goes_with_the_new_one() -> None:
    begun = finished(after(sim(), Say("one")))
    stepped = step(begun.state, UserSaid("look at a.txt", context="a.txt is there."), begun.tools, begun.cfg)
    done = finished(evolve(begun, state=ChatState(evolve(stepped.state.past, turn=None))))
    edited = after(done, Command("/edit look closer"))
    assert UserMessage("look closer", "a.txt is there.") in log(edited)
    command = finished(after(sim(cfg=config(YES)), Command("/shell ls")))
    assert log(after(command, Command("/edit hello")))[0] == UserMessage("hello")


@pytest.mark.parametrize("line", ["/edit", "/edit 2", "/edit 7 apples"])
def test_edit_says_what_is_missing(line: str) -> None:
    done = spoken()
    refused = after(done, Command(line))
    assert "/edit" in problems(refused)[0].message
    assert refused.state == done.state


def test_retry_says_the_same_again() -> None:
    done = spoken()
    again = after(done, Command("/retry"))
    assert [type(event) for event in again.journal[-1][:2]] == [Rewound, MessageAdded]
    assert log(finished(again))[-1] == AssistantMessage(text="Done.", place="4.1")
    assert said(finished(again)) == ("one", "two", "three")


def test_retry_does_again_what_a_command_did() -> None:
    shell = finished(after(sim(cfg=config(YES)), Command("/shell ls")))
    again = after(shell, Command("/retry"))
    assert again.journal[-1][1] == CallCommanded("/shell ls", ToolCall("shell", JsonObject.of(command="ls")), again.journal[-1][1].at_ms)
    replayed = finished(after(shell, Command("/replay")))
    assert [event.ask for event in after(replayed, Command("/retry")).events if isinstance(event, CallCommanded)] == [False, True, True]
    spoke = after(finished(after(sim(), Command("/impersonate Hm."))), Command("/retry"))
    assert [event.message.place for event in spoke.events if isinstance(event, Impersonated)] == ["1.0", "2.0"]
    asked = fold((SummaryAsked("/compact"),), spoken().state.past)
    idle = evolve(spoken(), state=ChatState(evolve(asked, turn=None)))
    assert any(isinstance(event, SummaryAsked) for event in after(idle, Command("/retry")).events)


@pytest.mark.parametrize("name", ["retry", "edit x", "fork", "compact"])
def test_where_nothing_was_said_there_is_nothing_to_work_on(name: str) -> None:
    refused = after(sim(), Command(f"/{name}"))
    assert problems(refused)[0].code == f"nothing-to-{name.split(' ', maxsplit=1)[0]}"
    assert refused.state == ChatState()


@pytest.mark.parametrize("line", ["/retry again", "/compact now"])
def test_what_takes_nothing_says_so(line: str) -> None:
    assert "takes nothing" in problems(after(spoken(), Command(line)))[0].message


def test_a_fork_is_the_journal_so_far_and_changes_nothing_here() -> None:
    done = spoken()
    forked = after(done, Command("/fork  another  way "))
    assert forked.history[-1].step.effects == (Recall(KeepFork(len(done.events), "another way")),)
    assert forked.state == done.state
    assert fold(done.events[: len(done.events)]) == done.state.past


def test_compact_begins_a_turn_of_its_own() -> None:
    compacted = after(spoken(), Command("/compact"))
    assert [event.line for event in compacted.events if isinstance(event, SummaryAsked)] == ["/compact"]
    assert compacted.state.past.turns == 4


def test_a_turn_that_failed_can_be_taken_back_and_had_again() -> None:
    done = finished(after(sim(cfg=config(model="no/such")), Say("one")))
    assert reasons(done) == (Reason.FAILED,)
    back = after(done, Command("/undo"))
    assert (back.state.past.log, back.state.past.marks) == (Past().log, Past().marks)
    assert said(after(back, Command("/redo"))) == ("one",)


def test_lessons_fit_the_new_text_under_the_settings_of_then() -> None:
    lessons = tuple(Lesson(path=f"{word}.md", title=word, text=f"About {word}.", keywords=(word,)) for word in ("rebase", "squash"))
    cfg = evolve(config(), briefing=Briefing(lessons=lessons))
    done = finished(after(sim(cfg=cfg), Command("/model scripted/other"), Say("rebase it"), Command("/model scripted/third")))
    assert done.state.past.told == ("rebase.md",)
    edited = after(done, Command("/edit squash it"))
    message = log(edited)[0]
    assert isinstance(message, UserMessage)
    assert (message.lessons, "About rebase" in message.context) == (("squash.md",), False)
    assert edited.state.past.told == ("squash.md",)
    assert b'"model":"other"' in edited.performs[-1].body

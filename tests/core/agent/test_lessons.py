"""Lessons in the conversation: told with the message that they fit, once, and taken back with it."""

from __future__ import annotations

from attrs import evolve

from tests.core.agent.scripted import after, log, reply, sim
from turnfold.core.agent.inputs import UserSaid
from turnfold.core.agent.lessons import said_instead, user_message
from turnfold.core.agent.state import Past
from turnfold.core.agent.step import step
from turnfold.core.config.briefing import Briefing, Lesson
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.said import said
from turnfold.core.config.tables import Skills
from turnfold.core.config.values import ModelProfile
from turnfold.core.conversation.messages import UserMessage
from turnfold.testing.moves import Command, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, finished

GIT = Lesson(path="git.md", title="Rebase", text="Fetch first.\n````\ngit fetch\n````", keywords=("rebase",))
TEST = Lesson(path="test.md", title="Tests", text="Run them all.", keywords=("test", "rebase"))
SHELL = Lesson(path="shell.md", title="Shell", text="Quote.", keywords=("command",), tools=("shell",))
CFG = evolve(CONFIG, briefing=Briefing(lessons=(GIT, TEST, SHELL)))


def said_lessons(done: Sim) -> list[tuple[str, ...]]:
    """The lessons of each of the person's messages."""
    return [message.lessons for message in log(done) if isinstance(message, UserMessage)]


def lessons_of(text: str, cfg: ChatConfig = CFG, past: Past | None = None) -> tuple[str, ...]:
    return user_message(text, "", ALL_TOOLS, cfg, Past() if past is None else past).lessons


def test_what_fits_stands_behind_the_context_in_fences_of_its_own() -> None:
    message = user_message("Rebase it.", "a.txt is there.", ALL_TOOLS, CFG, Past())
    assert message.text == "Rebase it."
    assert message.lessons == ("git.md", "test.md")
    assert message.context == (
        "a.txt is there.\n\nLessons from earlier work that fit what the user says; mind them where they apply.\n\n"
        "Rebase (git.md):\n`````\nFetch first.\n````\ngit fetch\n````\n`````\n\nTests (test.md):\n````\nRun them all.\n````"
    )


def test_a_lesson_comes_once_and_comes_again_when_it_was_taken_back() -> None:
    begun = finished(after(sim(reply("Done."), cfg=CFG), Say("rebase")))
    again = finished(after(begun, Say("rebase the test")))
    assert said_lessons(again) == [("git.md", "test.md"), ()]
    assert again.state.past.told == ("git.md", "test.md")
    undone = after(again, Command("/undo"), Command("/undo"))
    assert undone.state.past.told == ()
    assert said_lessons(finished(after(undone, Say("test")))) == [("test.md",)]


def test_what_is_said_instead_has_the_lessons_of_its_own() -> None:
    begun = finished(after(sim(reply("Done."), cfg=CFG), Say("rebase")))
    edited = finished(after(begun, Command("/edit run a command in the test")))
    (message,) = (message for message in log(edited) if isinstance(message, UserMessage))
    assert message == user_message("run a command in the test", "", ALL_TOOLS, CFG, Past())
    assert edited.state.past.told == message.lessons == ("shell.md", "test.md")
    again = finished(after(edited, Command("/retry")))
    assert [each for each in log(again) if isinstance(each, UserMessage)] == [message]
    assert again.state.past.told == message.lessons


def test_what_is_said_instead_keeps_what_it_was_said_with() -> None:
    said = user_message("rebase", "a.txt is there.", ALL_TOOLS, CFG, Past())
    assert said_instead(said, "hello", ALL_TOOLS, CFG, Past()) == UserMessage("hello", "a.txt is there.")
    pinned = UserMessage("hello", "a.txt is there.", pinned=True)
    assert said_instead(pinned, "bye", ALL_TOOLS, CFG, Past()) == UserMessage("bye", "a.txt is there.", pinned=True)


def test_queued_messages_count_as_told() -> None:
    state = step(
        step(step(sim().state, UserSaid("go"), ALL_TOOLS, CFG).state, UserSaid("test"), ALL_TOOLS, CFG).state,
        UserSaid("rebase a test"),
        ALL_TOOLS,
        CFG,
    ).state
    assert [message.lessons for message in state.past.queue] == [("test.md",), ("git.md",)]


def test_the_settings_count_as_they_are_now() -> None:
    assert lessons_of("rebase", evolve(CFG, skills=said(Skills, lessons_at_once=1))) == ("git.md",)
    changed = Past(overrides=(Overrides(skills=said(Skills, lessons_at_once=0)),))
    assert lessons_of("rebase", CFG, changed) == ()
    assert lessons_of("a command") == ("shell.md",)
    assert lessons_of("a command", evolve(CFG, tools=("read",))) == ()


def test_a_model_with_instructions_of_its_own_is_told_none() -> None:
    small = evolve(CFG, models=(ModelProfile(pattern="*", instructions="You are small."),))
    assert user_message("rebase", "c", ALL_TOOLS, small, Past()) == UserMessage("rebase", "c")


def test_text_that_no_utf8_holds_is_mended() -> None:
    assert user_message("a\ud800", "b\ud800", (), CONFIG, Past()) == UserMessage("a\ufffd", "b\ufffd")

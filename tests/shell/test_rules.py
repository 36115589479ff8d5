"""Rules of a run: pure functions of the state, asked when nothing is under way; by every driver."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.shell.test_run import ASKING, CFG, READ, SAVE, Driver, driver
from turnfold import ChatConfig, CommandGiven, Decided, Input, Overrides, SettingsChanged, UserSaid, load
from turnfold.core.agent.events import MessageAdded
from turnfold.core.agent.state import ChatState, questions
from turnfold.core.conversation.messages import UserMessage
from turnfold.shell import desk
from turnfold.testing.fake_world import FakeHuman, fake_world
from turnfold.testing.wire import chat_stream

__all__ = ["driver"]  # the fixture of all drivers


def said(log: object) -> list[str]:
    return [message.text for message in log if isinstance(message, UserMessage)]  # type: ignore[attr-defined]  # a log is a sequence


def nudge(state: ChatState, cfg: ChatConfig) -> tuple[Input, ...]:
    """Up to three turns."""
    return (UserSaid(f"Go on ({cfg.model})."),) if state.idle and state.past.turns < 3 else ()


def test_what_a_rule_gives_is_taken_before_the_run_would_end_and_journaled_like_any_input(driver: Driver) -> None:
    world = fake_world(tuple(chat_stream(f"{n}.") for n in range(3)))
    result = driver("one", CFG, world, rules=(nudge,))
    assert result.reply == "2."
    assert said(result.state.past.log) == ["one", *2 * ["Go on (scripted/model)."]]
    events = world.journal.load(result.cfg.conversation)
    assert load(events).past.log == result.state.past.log
    times = [event.at_ms for event in events if isinstance(event, MessageAdded)]
    assert times == sorted(times)
    assert times[0] > 0


def test_a_rule_answers_before_a_person_is_asked(driver: Driver) -> None:
    def allow(state: ChatState, cfg: ChatConfig) -> tuple[Input, ...]:
        return tuple(Decided(opened.request_id, allowed=True) for opened in questions(state.past))

    human = FakeHuman(False)
    world = fake_world((chat_stream("", (SAVE,)), chat_stream("Saved.")), human=human)
    result = driver("save it", ASKING, world, rules=(allow,))
    assert result.reply == "Saved."
    assert human.asked == ()


def test_a_rule_is_not_asked_while_something_is_under_way_nor_twice_of_one_state(driver: Driver) -> None:
    asked: list[tuple[bool, int]] = []

    def listen(state: ChatState, cfg: ChatConfig) -> tuple[Input, ...]:
        asked.append((state.idle, state.past.events))
        return (CommandGiven("/help"),)  # which changes nothing

    world = fake_world((chat_stream("", (READ,)), chat_stream("Done.")), {"/w/a.txt": "alpha"})
    result = driver("read it", CFG, world, rules=(listen,))
    assert result.reply == "Done."
    assert asked == [(True, result.state.past.events)]


def test_rules_that_never_have_enough_end_the_run_with_a_problem(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(state: ChatState, cfg: ChatConfig) -> tuple[Input, ...]:
        return (SettingsChanged(Overrides(temperature=0.5)),)

    monkeypatch.setattr(desk, "RULED", 20)
    world = fake_world((chat_stream("Hi."),))
    result = driver("hi", CFG, world, rules=(endless,))
    assert result.problem is not None
    assert result.problem.code == "endless-rules"
    assert result.state.idle
    assert result.reply == "Hi."


def test_what_a_rule_raises_comes_out(driver: Driver) -> None:
    def broken(state: ChatState, cfg: ChatConfig) -> tuple[Input, ...]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        driver("hi", CFG, fake_world((chat_stream("Hi."),)), rules=(broken,))


def test_a_rule_may_speak_after_a_command_for_which_no_model_was_needed(driver: Driver) -> None:
    world = fake_world((chat_stream("Hi."),))
    result = driver(CommandGiven("/tools"), CFG, world, rules=(lambda state, cfg: (UserSaid("hi"),) if state.past.turns == 0 else (),))
    assert result.reply == "Hi."


def test_rules_say_nothing_where_the_turn_goes_on_later(driver: Driver) -> None:
    """A paused run asks its rules once, and ends paused where they have nothing to say."""
    asked: list[int] = []

    def silent(state: ChatState, cfg: ChatConfig) -> tuple[Input, ...]:
        asked.append(state.past.events)
        return ()

    result = driver("save it", ASKING, evolve(fake_world((chat_stream("", (SAVE,)),))), rules=(silent,))
    assert len(result.questions) == 1
    assert asked == [result.state.past.events]

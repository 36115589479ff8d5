"""Every command is a pure operation: total, refused without a trace, recorded as events; and what going back and forth means."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.laws.comparison import comparable
from tests.laws.examples import examples
from turnfold.core.agent.commands.command import Command
from turnfold.core.agent.commands.table import COMMANDS
from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Perform, Publish, Recall
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import UserSaid
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.agent.step import execute_command, step
from turnfold.core.codec.codec import EVENT, decode_untrusted, encode
from turnfold.core.journal import fold, recorded
from turnfold.core.problem import Blame, Problem
from turnfold.testing import lives as l
from turnfold.testing import moves
from turnfold.testing import simulated as s
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.strategies import events, texts

# What commands take, and what none takes; every command is tried with the arguments of all.
RESTS = st.one_of(
    st.sampled_from(tuple(command.partition(" ")[2] for command in l.COMMANDS)),
    st.integers(-1, 12).map(str),
    st.builds(
        " ".join, st.lists(st.sampled_from(("1", "all", "json", "run", "a.md", "limits.usd", "=", "tools", "none")) | texts(), max_size=3)
    ),
    texts(),
)
TELLING = "help tools log trace tokens cost export fork exit".split()


def given_to(state: ChatState, line: str, sim: s.Sim) -> Step:
    """What the command comes to, with all that holds for every command."""
    done = execute_command(line, sim.tools, sim.cfg, state)
    events = recorded(done)
    assert done == execute_command(line, sim.tools, sim.cfg, state)
    assert fold(events, state.past) == done.state.past
    assert [decode_untrusted(EVENT, encode(EVENT, event)).unwrap() for event in events] == list(events)
    if not events:
        assert done.state is state
        assert all(isinstance(effect, (Publish, Recall)) for effect in done.effects)
        assert len(done.effects) == 1
    return done


def problem_of(done: Step) -> Problem | None:
    """Why the command was refused; None where it was not."""
    (first, *_) = done.effects
    return first.what if isinstance(first, Publish) and isinstance(first.what, Problem) else None


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
@given(l.sims(), l.lives(), RESTS)
@examples(12)
def test_a_command_does_what_it_records_or_says_why_not(command: Command, sim: s.Sim, life: tuple[moves.Move, ...], rest: str) -> None:
    reached = s.walked(sim, life)
    for state in (reached.state, s.finished(reached).state, ChatState()):
        done = given_to(state, f"/{command.name} {rest}", sim)
        refused = problem_of(done)
        if refused is not None:
            assert refused.blame is Blame.CALLER
            assert refused.message[0].isupper() or refused.message[0] == "/"
        if command.name in TELLING:
            assert recorded(done) == ()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
@given(st.lists(events(), max_size=8), l.sims(), RESTS)
@examples(6)
def test_a_command_returns_for_the_state_of_any_journal(command: Command, journal: list[Event], sim: s.Sim, rest: str) -> None:
    past = fold(journal)
    done = execute_command(f"/{command.name} {rest}", sim.tools, sim.cfg, ChatState(past))
    assert fold(recorded(done), past) == done.state.past


def idle(sim: s.Sim, life: tuple[moves.Move, ...]) -> s.Sim:
    """The conversation after a life, with a turn that can be taken back."""
    done = s.finished(s.walked(sim, life))
    assume(len(done.state.past.marks))
    return done


def told(past: Past) -> Past:
    """What a conversation holds, whatever became undone or counted on the way."""
    return evolve(comparable(past), undone=(), turns=0, usage=Past().usage)


@given(l.sims(), l.lives(), st.integers(1, 4))
@examples(60)
def test_what_was_undone_is_there_again_after_redo(sim: s.Sim, life: tuple[moves.Move, ...], count: int) -> None:
    done = idle(sim, life)
    back = finished(done, f"/undo {count}")
    assert len(back.state.past.marks) == max(len(done.state.past.marks) - count, 0)
    assert told(finished(back, "/redo").state.past) == told(done.state.past)
    single = min(count, len(done.state.past.marks))
    several = finished(done, *("/undo",) * single)
    assert told(several.state.past) == told(back.state.past)
    assert told(finished(several, f"/redo {single}").state.past) == told(done.state.past)


def finished(sim: s.Sim, *commands: str) -> s.Sim:
    """The conversation after the commands, and after the turns that put files back."""
    for command in commands:
        sim = s.finished(s.moved(sim, moves.Command(command)))
    return sim


@given(l.sims(), l.lives(), texts())
@examples(40)
def test_nothing_can_be_redone_after_something_new(sim: s.Sim, life: tuple[moves.Move, ...], text: str) -> None:
    back = s.moved(idle(sim, life), moves.Command("/undo"))
    for move in (moves.Say(text), moves.Command("/impersonate Hm."), moves.Command("/model scripted/other")):
        new = s.finished(s.moved(back, move))
        refused = s.moved(new, moves.Command("/redo"))
        assert refused.state == new.state
        assert problem_of(refused.history[-1].step) is not None


@given(l.sims(), l.lives(), st.integers(0, 5))
@examples(60)
def test_rewinding_is_undoing_what_came_later(sim: s.Sim, life: tuple[moves.Move, ...], pick: int) -> None:
    done = idle(sim, life)
    turns = (0, *(mark.turn for mark in done.state.past.marks))
    after = turns[pick % len(turns)]
    later = sum(turn > after for turn in turns)
    rewound = s.moved(done, moves.Command(f"/rewind {after}"))
    undone = s.moved(done, moves.Command(f"/undo {later}"))  # nothing later: both are refused
    assert rewound.state == undone.state
    assert rewound.state.past.turns == done.state.past.turns


@given(l.sims(), l.lives(), texts())
@examples(60)
def test_editing_is_undoing_and_saying_something_else(sim: s.Sim, life: tuple[moves.Move, ...], text: str) -> None:
    done = idle(sim, life)
    assume(text.strip() and not text.strip()[0].isdigit())
    edited = given_to(done.state, f"/edit {text}", done)
    back = execute_command("/undo", done.tools, done.cfg, done.state)
    assume(back.state.past.turn is None)  # files that the turn wrote are put back by /undo first, and stay with /edit
    said = step(back.state, UserSaid(text.strip()), done.tools, done.cfg)
    assert [type(event) for event in recorded(edited)] == [type(event) for event in (*recorded(back), *recorded(said))]
    assert edited.state.past.log.take(len(back.state.past.log)) == back.state.past.log
    assert told(fold((), edited.state.past)).overrides == told(said.state.past).overrides


@given(l.sims(), l.lives())
@examples(60)
def test_retrying_does_the_same_again_under_new_ids(sim: s.Sim, life: tuple[moves.Move, ...]) -> None:
    done = idle(sim, life)
    again = given_to(done.state, "/retry", done)
    start = done.state.past.marks[-1].log_length
    assert again.state.past.marks[-1].log_length == start
    first, before = (next((message.text for message in tuple(past.log)[start:]), "") for past in (again.state.past, done.state.past))
    assert first == before
    old = {perform.request_id for perform in done.performs}
    assert all(effect.request_id not in old for effect in again.effects if isinstance(effect, Perform))


def test_every_command_is_tried_in_lives() -> None:
    tried = {command.split(" ")[0].removeprefix("/") for command in l.COMMANDS}
    assert {name for known in COMMANDS for name in (known.name, *known.aliases)} <= tried
    assert all(known.help.endswith(".") and known.run is not None for known in COMMANDS)
    assert not {tool.name for tool in ALL_TOOLS} & {known.name for known in COMMANDS}

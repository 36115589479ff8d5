"""Undo and redo of files: taking turns back and bringing them again is the identity on files, log and memories, whatever the turns did."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.examples import examples
from turnfold.core.agent.state import Past
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.journal import fold
from turnfold.testing import moves as m
from turnfold.testing import simulated as s
from turnfold.testing.sample_tools import ALL_TOOLS

NAMES = ("a.txt", "b.txt", "c.txt", "d/e.txt")
TEXTS = st.sampled_from(("one", "two", "three\nlines\n", "é"))
WRITES = st.builds("/{} {} {}".format, st.sampled_from(("save", "append")), st.sampled_from(NAMES), TEXTS).map(m.Command)
OTHERS = st.sampled_from((m.Say("hi"), m.Command("/shell ls"), m.Command("/read a.txt")))
STRANGERS = st.tuples(st.sampled_from(NAMES), TEXTS)
BEGUN = s.Sim(tools=ALL_TOOLS, cfg=evolve(s.CONFIG, rules=(Rule(Verdict.ALLOW),)))


def done(sim: s.Sim, *moves: m.Move) -> s.Sim:
    """``sim`` after these moves, each played to its end."""
    for move in moves:
        sim = s.finished(s.moved(sim, move))
    return sim


def remembered(past: Past) -> Past:
    """The past but for what only grows."""
    return evolve(past, events=0, turns=0, worked_ms=0)


@given(st.lists(WRITES | OTHERS, min_size=1, max_size=6), st.integers(1, 7))
@examples(150)
def test_undo_gives_the_files_of_before_and_redo_those_of_after(moves: list[m.Move], count: int) -> None:
    states = [BEGUN]
    for move in moves:
        states.append(done(states[-1], move))
    after, before = states[-1], states[max(len(moves) - count, 0)]
    back = done(after, m.Command(f"/undo {count}"))
    assert back.disk == before.disk
    for name in ("log", "memories", "overrides", "marks", "writes", "told"):
        assert getattr(back.state.past, name) == getattr(before.state.past, name)
    again = done(back, m.Command("/redo"))
    assert again.disk == after.disk
    assert remembered(again.state.past) == remembered(after.state.past)
    assert fold(again.events) == again.state.past


@given(st.lists(WRITES | OTHERS | STRANGERS, min_size=1, max_size=8), st.integers(1, 7), STRANGERS)
@examples(150)
def test_what_something_else_wrote_is_never_lost(moves: list[m.Move | tuple[str, str]], count: int, last: tuple[str, str]) -> None:
    sim = BEGUN
    for move in moves:
        sim = evolve(sim, disk=sim.disk.with_file(f"/w/{move[0]}", move[1])) if isinstance(move, tuple) else done(sim, move)
    path, text = f"/w/{last[0]}", f"{last[1]} of somebody else"
    sim = evolve(sim, disk=sim.disk.with_file(path, text))
    back = done(sim, m.Command(f"/undo {count}"))
    assert back.disk.text_at(path) == text
    again = done(back, m.Command("/redo"))
    assert again.disk == sim.disk
    assert remembered(again.state.past) == remembered(sim.state.past)


@given(
    st.lists(WRITES, min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(0, 6),
    st.sampled_from((m.Crash(), m.Interrupt(), m.Break(), m.Mismatch())),
)
@examples(150)
def test_an_undo_that_is_stopped_can_be_done_again_and_then_is_whole(moves: list[m.Move], count: int, moment: int, stop: m.Move) -> None:
    states = [BEGUN]
    for move in moves:
        states.append(done(states[-1], move))
    left = max(len(moves) - count, 0)
    stopped = done(s.walked(states[-1], (m.Command(f"/undo {count}"), *(m.Finish(),) * moment)), stop)
    whole = len(stopped.state.past.marks) == left
    if not whole:
        assert stopped.state.past.log == states[-1].state.past.log
        stopped = done(stopped, m.Command(f"/undo {count}"))
    assert len(stopped.state.past.marks) == left
    assert stopped.state.past.log == states[left].state.past.log
    if not isinstance(stop, (m.Break, m.Mismatch)):
        assert stopped.disk == states[left].disk

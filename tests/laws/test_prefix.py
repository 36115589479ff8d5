"""Law 4: every prefix of a journal folds to a state from which ``Resumed`` goes on to the end."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.comparison import assert_acceptable, assert_balanced, assert_nothing_lost, sent_bodies
from tests.laws.examples import examples
from turnfold.core.agent.events import CallClosed, RequestClosed, Unanswered, Why
from turnfold.core.agent.requests import repeatable
from turnfold.core.agent.rounds import UNKNOWN_TEXT
from turnfold.core.agent.state import Status, open_requests
from turnfold.core.config.values import ToolFormat
from turnfold.core.journal import load
from turnfold.testing.lives import lives, moves, sims
from turnfold.testing.moves import Crash, Move
from turnfold.testing.simulated import Sim, finished, moved, resumed, walked


def cut_after(sim: Sim, count: int) -> Sim:
    """``sim`` as it was after its first ``count`` steps, in a process that has just begun."""
    history = sim.history[:count]
    disk = history[-1].disk if history else sim.disk
    ghosts = evolve(sim, history=history).performs
    kept = evolve(sim, history=history, outstanding=(), ghosts=ghosts, disk=disk)
    return evolve(kept, state=load(kept.events))


@given(sims(), lives())
@examples(25)
def test_every_prefix_goes_on_to_an_end(sim: Sim, life: tuple[Move, ...]) -> None:
    whole = walked(sim, life)
    for count in range(len(whole.history) + 1):
        cut = cut_after(whole, count)
        ended = finished(resumed(cut))
        assert ended.state.idle
        assert ended.events[: len(cut.events)] == cut.events
        assert_balanced(ended) if not cut_short(cut) else None
        assert_nothing_lost(ended.events)


def cut_short(sim: Sim) -> bool:
    """Whether text was published of a reply that died with its process."""
    return bool(sim.deltas)


@given(sims(), lives())
@examples(40)
def test_what_was_under_way_is_repeated_or_told_to_be_unknown(sim: Sim, life: tuple[Move, ...]) -> None:
    cut = cut_after(walked(sim, life), 10**6)
    doubtful = [each for each in open_requests(cut.state.past) if each.status is not Status.ASKED and not repeatable(each.request)]
    back = resumed(cut)
    closed = [event for event in back.events if isinstance(event, RequestClosed) and event.outcome == Unanswered(Why.UNKNOWN)]
    assert {each.request_id for each in doubtful} <= {event.request_id for event in closed}
    texts = [event.text for event in finished(back).events if isinstance(event, CallClosed)]
    assert texts.count(UNKNOWN_TEXT) >= len({each.request_id.slot for each in doubtful})


@given(sims(), lives(), st.lists(st.just(Crash()) | moves(wild=False), max_size=20).map(tuple))
@examples(60)
def test_crashes_at_any_moment_lose_nothing(sim: Sim, life: tuple[Move, ...], more: tuple[Move, ...]) -> None:
    ended = finished(moved(walked(sim, life + more), Crash()))
    assert ended.state.idle
    assert_nothing_lost(ended.events)
    if ended.cfg.tool_format is ToolFormat.NATIVE:
        for body in sent_bodies(ended):
            assert_acceptable(body)

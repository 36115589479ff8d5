"""Law 11: every started thing ends exactly once, and deltas join to the text; and law 12 on values that live."""

from __future__ import annotations

from hypothesis import given

from tests.laws.comparison import assert_balanced, mutable_parts
from tests.laws.examples import examples
from turnfold.core.agent.events import RequestClosed, RequestOpened
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Crash, Move
from turnfold.testing.simulated import Sim, finished, walked


@given(sims(), lives())
@examples(120)
def test_what_begins_ends_once(sim: Sim, life: tuple[Move, ...]) -> None:
    done = finished(walked(sim, tuple(move for move in life if not isinstance(move, Crash))))
    assert done.state.idle
    assert_balanced(done)
    opened = [event.request_id for event in done.events if isinstance(event, RequestOpened)]
    closed = [event.request_id for event in done.events if isinstance(event, RequestClosed)]
    assert sorted(map(str, opened)) == sorted(map(str, closed))


@given(sims(), lives(wild=True))
@examples(60)
def test_nothing_that_can_change_is_reachable_from_a_state_or_an_effect(sim: Sim, life: tuple[Move, ...]) -> None:
    done = walked(sim, life)
    for taken in done.history:
        assert list(mutable_parts(taken.step)) == []

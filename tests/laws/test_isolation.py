"""Law 7: conversations interleaved in any way are what they are one after another, whatever fails in one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.examples import examples
from turnfold.testing.lives import moves, sims
from turnfold.testing.simulated import Move, Sim, finished, moved, walked

CROWDS = st.lists(sims(), min_size=2, max_size=3).map(tuple)
ORDERS = st.lists(st.tuples(st.integers(0, 2), moves(wild=True)), max_size=30).map(tuple)


@given(CROWDS, ORDERS)
@examples(40)
def test_side_by_side_is_one_after_another(crowd: tuple[Sim, ...], order: tuple[tuple[int, Move], ...]) -> None:
    mixed = list(crowd)
    for number, move in order:
        at = number % len(crowd)
        mixed[at] = moved(mixed[at], move)
    for number, sim in enumerate(crowd):
        alone = walked(sim, tuple(move for at, move in order if at % len(crowd) == number))
        assert finished(mixed[number]).events == finished(alone).events
        assert mixed[number].effects == alone.effects

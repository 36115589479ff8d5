"""Law 2: ``step`` and ``apply`` read and change nothing but their arguments, and give the same for the same."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from hypothesis import given

from tests.laws.examples import examples
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import step
from turnfold.core.journal import fold
from turnfold.core.json import scalar_text
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Move
from turnfold.testing.simulated import Sim, walked


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """The garbage collector waits: hypothesis has it call back, and the callback reads a clock."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@given(sim=sims(), life=lives(wild=True))
@examples(80)
def test_step_and_apply_have_no_effect(no_effects: Callable[[], AbstractContextManager[None]], sim: Sim, life: tuple[Move, ...]) -> None:
    scalar_text("é")  # Python loads a codec at its first use
    with collecting_nothing(), no_effects():
        after = walked(sim, life)
        fold(after.events)


@given(sims(), lives(wild=True))
@examples(80)
def test_the_same_input_gives_the_same_and_leaves_its_arguments_as_they_were(sim: Sim, life: tuple[Move, ...]) -> None:
    for taken in walked(sim, life).history:
        before = repr((taken.before, taken.input, sim.tools, sim.cfg))
        live = taken.before.live.encoded, taken.before.live.reply
        again = step(taken.before, taken.input, sim.tools, sim.cfg)
        assert again == taken.step
        assert repr((taken.before, taken.input, sim.tools, sim.cfg)) == before
        assert (taken.before.live.encoded, taken.before.live.reply) == live


@given(sims(), lives())
@examples(40)
def test_steps_are_values(sim: Sim, life: tuple[Move, ...]) -> None:
    for taken in walked(sim, life).history:
        assert hash(taken.step) == hash(step(taken.before, taken.input, sim.tools, sim.cfg))
        assert isinstance(taken.step.state, ChatState)

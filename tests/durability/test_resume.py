"""Resuming (SCENARIOS F2, F4, O16, O17): decisions are recorded, so they are never made again."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given

from tests.core.agent.scripted import YES, after, call, config, reply, results, sim
from tests.laws.comparison import assert_acceptable, sent_bodies
from tests.laws.examples import examples
from turnfold.core.agent.events import RequestOpened, Started
from turnfold.core.agent.inputs import Decided, Resumed
from turnfold.core.agent.state import ChatState, questions
from turnfold.core.agent.step import step
from turnfold.core.config.values import ToolFormat
from turnfold.core.journal import fold, fork, load
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Crash, Decide, Finish, Move, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, finished, resumed, walked

PAUSED = after(sim(reply("", call("read", path="a.txt"), call("shell", command="make"))), Say("go"), Finish(), Finish())


def test_resuming_many_times_from_one_value_gives_equal_results_and_leaves_it_as_it_was() -> None:
    """O16."""
    before = repr(PAUSED.state)
    asked = questions(PAUSED.state.past)[0].request_id
    first = step(PAUSED.state, Decided(asked, allowed=True), ALL_TOOLS, CONFIG)
    assert all(step(PAUSED.state, Decided(asked, allowed=True), ALL_TOOLS, CONFIG) == first for _ in range(3))
    assert repr(PAUSED.state) == before
    assert step(PAUSED.state, Resumed(), ALL_TOOLS, CONFIG).effects == ()


def test_a_fork_is_the_same_value_and_shares_its_memory() -> None:
    """O17."""
    begun = finished(after(sim(cfg=config(YES)), Say("one")))
    journal = begun.events
    made = fork(journal, "other", "mine", CONFIG, 7)
    forked = fold(made.events)
    assert evolve(forked, conversation="c", cfg_digest=begun.state.past.cfg_digest, events=forked.events - 1) == begun.state.past
    left, right = (after(begun, Say(text)) for text in ("left", "right"))
    assert left.state.past.log[0] is right.state.past.log[0] is begun.state.past.log[0]
    assert left.state.past.log != right.state.past.log
    tools_digest = begun.state.past.tools_digest
    assert made.events[-1] == Started(conversation="other", cfg_digest=made.digest, tools_digest=tools_digest, at_ms=7)
    assert made.cfg == evolve(CONFIG, conversation="other", name="mine")


def test_what_was_decided_before_a_pause_is_not_decided_again_after_it() -> None:
    """F2: resuming performs what was opened; no tool is asked anew for what it asked already."""
    back = resumed(evolve(PAUSED, state=load(PAUSED.events)))
    done = finished(after(back, Decide()))
    opened = [event for event in done.events if isinstance(event, RequestOpened)]
    assert len({event.request_id for event in opened}) == len(opened) == 4
    assert "ran make in /w" in results(done)[1]
    assert len(done.state.past.log) == 5


@given(sims(), lives())
@examples(40)
def test_every_prefix_encodes_to_a_history_that_a_provider_accepts(begun: Sim, life: tuple[Move, ...]) -> None:
    """F4: each call is followed by exactly its results, in order, before any other message."""
    sim = walked(evolve(begun, cfg=evolve(begun.cfg, tool_format=ToolFormat.NATIVE, model="scripted/model")), life)
    for count in range(0, len(sim.history) + 1, 3):
        cut = evolve(sim, history=sim.history[:count], outstanding=())
        back = walked(evolve(cut, state=ChatState(fold(cut.events))), (Crash(),))
        for body in sent_bodies(finished(walked(finished(back), (Say("and?"),)))):
            assert_acceptable(body)

"""Law 5: answers of one round, in any order, give the same state at the round's end (event numbers and times apart)."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.comparison import comparable
from tests.laws.examples import examples
from turnfold.core.agent.events import RoundEnded
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import ModelProfile, Rule, Verdict
from turnfold.core.llm.reply import RawCall
from turnfold.testing.lives import raw_calls
from turnfold.testing.moves import Decide, Finish, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, DONE, Sim, Stream, moved, walked
from turnfold.testing.simulated_world import Disk
from turnfold.testing.wire import chat_stream

ROUNDS = st.lists(raw_calls(), min_size=2, max_size=5).map(tuple)
PICKS = st.lists(st.integers(0, 50), max_size=60)
RULES = st.sampled_from(((), (Rule(Verdict.ALLOW),), (Rule(Verdict.DENY, "run"), Rule(Verdict.ALLOW, "write"))))


WINDOWS = st.sampled_from((None, 1_900, 2_000, 2_100, 2_400))  # a summary before the round, or because of it, or none


def round_of(calls: tuple[RawCall, ...], rules: tuple[Rule, ...], window: int | None, picks: list[int]) -> Sim:
    """A round played to its end in the order that ``picks`` choose, in a world that answers the same at all times."""
    stream = Stream(chat_stream("Let me.", calls))
    narrow = (ModelProfile(pattern="scripted/*", window_tokens=window),)
    cfg = evolve(CONFIG, rules=rules, models=narrow, compaction=Compaction(keep_turns=1))
    sim = walked(Sim(tools=ALL_TOOLS, cfg=cfg, script=((DONE,), (stream,))), (Say("before"), Finish(), Say("go"), Finish()))
    left = iter(picks)
    while not any(isinstance(event, RoundEnded) for event in sim.events):
        pick = next(left, 0)
        still = evolve(sim, disk=Disk())
        sim = moved(still, Finish(pick)) if sim.outstanding and (pick % 3 or sim.state.paused) else moved(still, Decide(pick))
        if sim is still:
            sim = moved(still, Finish(pick)) if sim.outstanding else moved(still, Decide(pick))
        if sim is still:
            break
    return sim


@given(ROUNDS, RULES, WINDOWS, PICKS)
@examples(150)
def test_the_order_of_answers_leaves_no_trace_at_the_end_of_the_round(
    calls: tuple[RawCall, ...], rules: tuple[Rule, ...], window: int | None, picks: list[int]
) -> None:
    usual, other = round_of(calls, rules, window, []), round_of(calls, rules, window, picks)
    assert comparable(usual.state.past) == comparable(other.state.past)
    assert usual.performs[-1].body == other.performs[-1].body

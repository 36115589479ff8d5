"""Law 11 for traces: what begins ends at most once, and what a journal's beginning tells is a beginning of what all of it tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.examples import examples
from turnfold.core.agent.events import CallClosed, RequestClosed, RequestOpened, TurnEnded
from turnfold.core.journal import fork
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.spans import CallFacts, ChildFacts, ModelFacts, RequestFacts, Span, Status, Trace, TurnFacts
from turnfold.core.trace.text import trace_text
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Crash, Move
from turnfold.testing.simulated import Sim, finished, moved, walked


def spans(within: tuple[Span, ...]) -> Iterator[Span]:
    """All spans, each before what was done for it."""
    for each in within:
        yield each
        yield from spans(each.children)


def assert_sound(span: Span) -> None:
    """An end where the status says so, and nothing inside of it before its beginning or after its end."""
    assert (span.ended_ms is None) == (span.status is Status.UNFINISHED)
    assert span.ended_ms is None or span.began_ms <= span.ended_ms
    for child in span.children:
        assert child.began_ms >= span.began_ms
        assert span.ended_ms is None or (child.ended_ms is not None and child.ended_ms <= span.ended_ms)
        assert_sound(child)


def assert_begins(early: tuple[Span, ...], late: tuple[Span, ...]) -> None:
    """``late`` has all of ``early``, in place; what had ended is as it was."""
    assert len(early) <= len(late)
    for before, after in zip(early, late, strict=False):
        assert (before.id, before.began_ms) == (after.id, after.began_ms)
        if before.ended_ms is not None:
            assert before == after
        assert_begins(before.children, after.children)


@given(sims(), lives(wild=True))
@examples(60)
def test_each_event_is_in_its_span_and_no_id_is_there_twice(sim: Sim, life: tuple[Move, ...]) -> None:
    done = walked(sim, tuple(life))
    trace = trace_of(done.events)
    found = tuple(spans(trace.turns))
    assert max(Counter(each.id for each in found).values(), default=1) == 1
    assert [each.id for each in trace.turns] == [str(number) for number in range(1, done.state.past.turns + 1)]
    asked = {each.id: each for each in found if isinstance(each.facts, (ModelFacts, RequestFacts, ChildFacts))}
    assert set(asked) == {str(event.request_id) for event in done.events if isinstance(event, RequestOpened)}
    over = {each.id for each in asked.values() if each.ended_ms is not None}
    assert over == {str(event.request_id) for event in done.events if isinstance(event, RequestClosed)}
    ended = [each for each in found if isinstance(each.facts, CallFacts) and each.ended_ms is not None]
    assert len(ended) == sum(isinstance(event, CallClosed) for event in done.events)
    ends = [event.reason for event in done.events if isinstance(event, TurnEnded)]
    assert [each.facts.reason for each in trace.turns if isinstance(each.facts, TurnFacts) and each.facts.reason is not None] == ends
    assert (trace.conversation, trace.usage) == (done.state.past.conversation, done.state.past.usage)


@given(sims(), lives())
@examples(60)
def test_spans_end_once_within_each_other_and_a_life_that_went_to_its_end_leaves_none_open(sim: Sim, life: tuple[Move, ...]) -> None:
    whole = walked(sim, life)
    for each in trace_of(whole.events).turns:
        assert_sound(each)
    ended = finished(moved(whole, Crash()))
    trace = trace_of(ended.events)
    assert all(each.ended_ms is not None for each in spans(trace.turns))
    assert len(trace_text(trace).splitlines()) == 1 + len(tuple(spans(trace.turns)))


@given(sims(), lives(), st.data())
@examples(60)
def test_a_prefix_tells_a_prefix_and_a_fork_tells_what_it_came_from(sim: Sim, life: tuple[Move, ...], data: st.DataObject) -> None:
    whole = walked(sim, life)
    trace = trace_of(whole.events)
    cut = evolve(whole, history=whole.history[: data.draw(st.integers(0, len(whole.history)))])
    assert_begins(trace_of(cut.events).turns, trace.turns)
    forked: Trace = trace_of(fork(cut.events, "other", "", sim.cfg, 5).events)
    assert forked == evolve(trace_of(cut.events), conversation="other", began_ms=forked.began_ms, last_ms=forked.last_ms)

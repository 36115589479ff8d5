"""``trace_of``: a journal to its trace, event by event, beside the fold that makes the past.

What began ends at most once, and nothing that has ended changes: the trace of a journal's beginning is a beginning of its trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import final

from attrs import evolve, field, frozen

from turnfold.core.agent.apply import apply
from turnfold.core.agent.events import (
    CallClosed,
    CallCommanded,
    Event,
    Impersonated,
    MessageAdded,
    ModelReplied,
    Outcome,
    Permitted,
    Reason,
    RequestClosed,
    RequestOpened,
    RestoreAsked,
    Rewound,
    RoundEnded,
    Started,
    SummaryAsked,
    TurnEnded,
    Unanswered,
    Why,
)
from turnfold.core.agent.ids import MODEL, RequestId, place
from turnfold.core.agent.state import Past, Slot, Turn, find_open
from turnfold.core.agent.state import Status as Open
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, Invocation, UserMessage
from turnfold.core.problem import Problem
from turnfold.core.tools.textlines import clipped
from turnfold.core.trace.spans import CallFacts, ModelFacts, RequestFacts, RoundFacts, Span, Status, Trace, TurnFacts
from turnfold.core.world.came import came_of
from turnfold.core.world.described import described
from turnfold.core.world.requests import CallModel

SAID_CHARS = 200  # of what was said, a subject, a problem: a trace is no second copy of the journal


@final
@frozen
class _Told:
    """The trace so far, with no turn but the last, the turns ``before`` it, and the past that it belongs to."""

    trace: Trace
    past: Past
    before: Log[Span] = field(factory=Log)


@final
@frozen
class _End:
    """How a span ends."""

    status: Status
    problem: str = ""


def trace_of(events: Iterable[Event]) -> Trace:
    """The trace of a journal, or of the beginning of one; linear in the events, but for a turn's width.

    >>> trace_of((Started(conversation="c", cfg_digest="", tools_digest="", at_ms=7), MessageAdded(UserMessage("hi"), 8))).turns[0].began_ms
    8
    """
    told = reduce(_next, events, _Told(Trace(), Past()))
    return evolve(told.trace, turns=(*told.before, *told.trace.turns))


def _next(told: _Told, event: Event) -> _Told:
    after = apply(told.past, event)
    trace, before = _traced(told.trace, told.past, event, after), told.before
    for turn in trace.turns[:-1]:  # only the last one begun can still change
        before = before.append(turn)
    return _Told(evolve(trace, usage=after.usage, turns=trace.turns[-1:]), after, before)


def _traced(trace: Trace, past: Past, event: Event, after: Past) -> Trace:
    match event:
        case Started(conversation=conversation, at_ms=at_ms):
            return evolve(trace, conversation=conversation, began_ms=trace.began_ms if past.started else at_ms)
        case MessageAdded(UserMessage(text=text), at_ms):
            return _turn_begun(trace, after, text, at_ms)
        case CallCommanded(line=line, call=call, more=more, at_ms=at_ms):
            return _round_begun(_turn_begun(trace, after, line, at_ms), after, (call, *more), at_ms)
        case Impersonated(message, at_ms):
            return _round_begun(_turn_begun(trace, after, message.text, at_ms), after, message.calls, at_ms)
        case RestoreAsked(line=line, at_ms=at_ms):
            calls = () if after.turn is None else tuple(slot.invocation for slot in after.turn.slots)
            return _round_begun(_turn_begun(trace, after, line, at_ms), after, calls, at_ms)
        case SummaryAsked(line, at_ms):
            return _turn_begun(trace, after, line, at_ms)
        case _:
            return trace if past.turn is None else evolve(trace, turns=_in_turn(trace.turns, past.turn, past, event))


def _turn_begun(trace: Trace, after: Past, said: str, at_ms: int) -> Trace:
    return evolve(trace, turns=(*trace.turns, Span(id=str(after.turns), facts=TurnFacts(_brief(said)), began_ms=at_ms)))


def _round_begun(trace: Trace, after: Past, calls: tuple[Invocation, ...], at_ms: int) -> Trace:
    return trace if after.turn is None else evolve(trace, turns=_with_round(trace.turns, after.turn, calls, at_ms))


def _with_round(turns: tuple[Span, ...], turn: Turn, calls: tuple[Invocation, ...], at_ms: int) -> tuple[Span, ...]:
    if not calls:
        return turns
    here = place(turn.number, turn.generation)
    children = tuple(Span(id=f"{here}.{slot}", facts=CallFacts(call.name), began_ms=at_ms) for slot, call in enumerate(calls))
    return _with_child(turns, (str(turn.number),), Span(id=here, facts=RoundFacts(len(calls)), began_ms=at_ms, children=children))


def _in_turn(turns: tuple[Span, ...], turn: Turn, past: Past, event: Event) -> tuple[Span, ...]:
    """The turns with what ``event`` says of the running one."""
    number, here = str(turn.number), place(turn.number, turn.generation)
    match event:
        case MessageAdded(AssistantMessage(calls=calls), at_ms):
            return _with_round(turns, turn, calls, at_ms)
        case RequestOpened():
            return _with_child(turns, _path(event.request_id)[:-1], _opened(event))
        case Permitted(request_id, at_ms):
            return _changed(turns, _path(request_id), lambda span: _permitted(span, at_ms))
        case RequestClosed(request_id, outcome, at_ms):
            return _changed(turns, _path(request_id), lambda span: _closed(span, _outcome_end(outcome, past, request_id), outcome, at_ms))
        case CallClosed(slot=slot, at_ms=at_ms):
            end = _call_end(event, turn, turn.slots[slot]) if 0 <= slot < len(turn.slots) else _End(Status.OK)
            return _changed(turns, (number, here, f"{here}.{slot}"), lambda span: _ended(span, end, at_ms))
        case RoundEnded(at_ms):
            end = _End(Status.INTERRUPTED if turn.interrupted else Status.OK)
            return _changed(turns, (number, here), lambda span: _ended(span, end, at_ms))
        case TurnEnded():
            return _changed(turns, (number,), lambda span: _turn_ended(span, event))
        case Rewound(at_ms=at_ms):
            return _changed(turns, (number,), lambda span: _broken_off(span, at_ms))
        case _:
            return turns


def _path(request_id: RequestId) -> tuple[str, ...]:
    """The ids that lead to a request's span."""
    here = place(request_id.turn, request_id.generation)
    between = () if request_id.slot == MODEL else (here, f"{here}.{request_id.slot}")
    return (str(request_id.turn), *between, str(request_id))


def _changed(spans: tuple[Span, ...], path: tuple[str, ...], change: Callable[[Span], Span]) -> tuple[Span, ...]:
    """``spans`` with the one at ``path`` changed, as long as it has not ended; what is begun last is looked at first."""
    for index in range(len(spans) - 1, -1, -1):
        span = spans[index]
        if span.id == path[0] and span.ended_ms is None:
            new = change(span) if len(path) == 1 else evolve(span, children=_changed(span.children, path[1:], change))
            return (*spans[:index], new, *spans[index + 1 :])
    return spans


def _with_child(spans: tuple[Span, ...], path: tuple[str, ...], child: Span) -> tuple[Span, ...]:
    return _changed(spans, path, lambda span: evolve(span, children=(*span.children, child)))


def _ended(span: Span, end: _End, at_ms: int) -> Span:
    return evolve(span, ended_ms=at_ms, status=end.status, problem=end.problem)


def _broken_off(span: Span, at_ms: int) -> Span:
    """``span`` and all in it that has not ended, ended: the turn was taken back in its midst."""
    if span.ended_ms is not None:
        return span
    return evolve(_ended(span, _End(Status.INTERRUPTED), at_ms), children=tuple(_broken_off(child, at_ms) for child in span.children))


def _turn_ended(span: Span, event: TurnEnded) -> Span:
    status = {Reason.COMPLETED: Status.OK, Reason.INTERRUPTED: Status.INTERRUPTED}.get(event.reason, Status.FAILED)
    problem = "" if event.problem is None else _brief(event.problem.message)
    said = span.facts.said if isinstance(span.facts, TurnFacts) else ""
    return evolve(_ended(span, _End(status, problem), event.at_ms), facts=TurnFacts(said, event.reason))


def _call_end(event: CallClosed, turn: Turn, slot: Slot) -> _End:
    if event.ok:
        return _End(Status.OK)
    why = _brief(event.text.rstrip().rpartition("\n")[2])  # of an output or a traceback, the last line says what went wrong
    if slot.unanswered(Why.UNKNOWN) is not None:
        return _End(Status.UNKNOWN, why)
    if slot.unanswered(Why.DENIED) is not None:
        return _End(Status.DENIED, why)
    return _End(Status.INTERRUPTED if turn.interrupted else Status.FAILED, why)


def _opened(event: RequestOpened) -> Span:
    request = event.request
    if isinstance(request, CallModel):
        facts: ModelFacts | RequestFacts = ModelFacts(model=f"{request.provider.name}/{request.model}", purpose=request.purpose)
    else:
        about = described(request)
        facts = RequestFacts(kind=about.kind, subject=_brief(about.subject), asked=event.asked)
    return Span(id=str(event.request_id), facts=facts, began_ms=event.at_ms)


def _permitted(span: Span, at_ms: int) -> Span:
    return evolve(span, facts=evolve(span.facts, permitted_ms=at_ms)) if isinstance(span.facts, RequestFacts) else span


def _closed(span: Span, end: _End, outcome: Outcome, at_ms: int) -> Span:
    facts = span.facts
    if isinstance(facts, ModelFacts) and isinstance(outcome, ModelReplied):
        facts = evolve(facts, usage=outcome.usage, stop=outcome.stop)
    if isinstance(facts, RequestFacts) and not isinstance(outcome, (Problem, Unanswered, ModelReplied)):
        facts = evolve(facts, outcome=came_of(outcome))
    return evolve(_ended(span, end, at_ms), facts=facts)


def _outcome_end(outcome: Outcome, past: Past, request_id: RequestId) -> _End:
    if isinstance(outcome, Problem):
        opened = find_open(past, request_id)
        stopped = opened is not None and opened.status is Open.CANCELLING
        return _End(Status.INTERRUPTED if stopped else Status.FAILED, _brief(outcome.message))
    if isinstance(outcome, Unanswered):
        return _End(Status(outcome.why.value), _brief(outcome.note))
    return _End(Status.OK)


def _brief(text: str) -> str:
    """The beginning of ``text``, in one line."""
    return clipped(" ".join(text[: 2 * SAID_CHARS].split()), SAID_CHARS)

"""A span ready to be exported: where it belongs, and what is said of it. All formats are written from this one value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from attrs import evolve, frozen

from turnfold.core.trace.attributes import Told, is_error, told
from turnfold.core.trace.spans import ChildFacts, Span, Trace
from turnfold.core.trace.w3c import Context, context_of, span_id


@final
@frozen(kw_only=True)
class Exported:
    """A span with its ids (hexadecimal) and attributes. ``ended_ms`` is its end, or, of one that has none, when it was heard of last.

    ``parent_id`` is empty where it is part of nothing.
    """

    trace_id: str
    span_id: str
    parent_id: str
    told: Told
    began_ms: int
    ended_ms: int
    finished: bool
    error: bool
    problem: str = ""


def exported(span: Span, context: Context, *, content: bool, last_ms: int = 0) -> Exported:
    """``span`` of the conversation of ``context``; ``last_ms`` is when that was heard of last, for a span that has not ended.

    Equal arguments give equal values, in any process, however often and however late it is asked.
    """
    ended_ms = max(span.began_ms, last_ms) if span.ended_ms is None else span.ended_ms
    return Exported(
        trace_id=context.trace_id,
        span_id=span_id(context.conversation, span.id),
        parent_id=span_id(context.conversation, span.parent) if span.parent else context.parent_id,
        told=told(span, context.conversation, content=content),
        began_ms=span.began_ms,
        ended_ms=max(ended_ms, span.began_ms),
        finished=span.ended_ms is not None,
        error=is_error(span),
        problem=span.problem if content else "",
    )


def exported_all(trace: Trace, traceparent: str = "", *, content: bool) -> Iterator[Exported]:
    """All spans of ``trace`` and of the conversations within it, the inner before those that they are part of, as they end."""
    context = context_of(trace.conversation, traceparent)
    for turn in trace.turns:
        yield from _within(turn, trace, context, traceparent, content=content)


def _within(span: Span, trace: Trace, context: Context, traceparent: str, *, content: bool) -> Iterator[Exported]:
    for child in span.children:
        yield from _within(child, trace, context, traceparent, content=content)
    if span.child is not None:
        yield from exported_all(_named(span.child, span), traceparent, content=content)
    yield exported(evolve(span, children=(), child=None), context, content=content, last_ms=trace.last_ms)


def _named(trace: Trace, span: Span) -> Trace:
    """``trace`` of a child under the id that its parent knows it by."""
    return evolve(trace, conversation=span.facts.conversation) if isinstance(span.facts, ChildFacts) else trace

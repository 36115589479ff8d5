"""Which spans an exporter gets: a pure rule of the trace's id, and of how a turn ended. A child conversation follows its parent."""

from __future__ import annotations

from turnfold.core.config.tables import Exporter, Kept
from turnfold.core.trace.spans import Span, Status, TurnFacts
from turnfold.core.trace.w3c import Context, chance_of


def takes(exporter: Exporter, context: Context) -> bool:
    """Whether ``exporter`` takes anything of the trace: of ``sample`` of all traces, and of those that who began them keeps.

    All conversations of a trace share its id, so they share the answer.
    """
    return exporter.sample > 0 and context.sampled is not False and chance_of(context.trace_id) < exporter.sample


def waits(exporter: Exporter) -> bool:
    """Whether a turn's spans are kept back until it has ended: only turns that failed are wanted."""
    return exporter.keep is Kept.FAILED


def failed(span: Span) -> bool:
    """Whether ``span`` is a turn that came to no good end.

    >>> failed(Span(id="1", facts=TurnFacts(""), began_ms=0, ended_ms=1, status=Status.FAILED))
    True
    """
    return isinstance(span.facts, TurnFacts) and span.status is not Status.OK

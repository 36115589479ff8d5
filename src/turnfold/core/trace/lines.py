"""Spans as JSON Lines: one object a line, members in one order, the same bytes for the same span."""

from __future__ import annotations

from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.trace.exported import Exported


def span_line(each: Exported) -> str:
    """``each`` as a line; ``end_ms`` is null where it has not ended."""
    return (
        dumps(
            JsonObject.of(
                trace_id=each.trace_id,
                span_id=each.span_id,
                parent_id=each.parent_id or None,
                kind=each.told.kind,
                name=each.told.name,
                start_ms=each.began_ms,
                end_ms=each.ended_ms if each.finished else None,
                error=each.error,
                attributes=JsonObject(tuple((name, _value(value)) for name, value in each.told.attributes)),
            )
        )
        + "\n"
    )


def _value(value: object) -> JsonValue:
    return value if isinstance(value, (str, int, float, bool, tuple)) else None


def dropped_line(spans: int) -> str:
    """The line that says how many spans are missing here.

    >>> dropped_line(3)
    '{"dropped_spans":3}\\n'
    """
    return dumps(JsonObject.of(dropped_spans=spans)) + "\n"

"""OTLP: spans as the body of an ``ExportTraceServiceRequest``, as JSON or as protobuf, without any library.

https://opentelemetry.io/docs/specs/otlp/: of JSON, ids are hexadecimal, 64-bit integers are texts and enums numbers. Times are
nanoseconds; ours are milliseconds of the journal.
"""

from __future__ import annotations

from turnfold.core.json import JsonObject, JsonValue, dumps, loads_untrusted
from turnfold.core.trace.attributes import Attribute, Scalar
from turnfold.core.trace.exported import Exported
from turnfold.core.trace.protobuf import double, fixed32, fixed64, message, number, rejected_field, text

SCOPE = "turnfold"
INTERNAL, CLIENT = 1, 3  # SpanKind
OK, ERROR = 1, 2  # StatusCode
SAMPLED = 1  # of the flags
NS = 1_000_000  # in a millisecond


def otlp_json(spans: tuple[Exported, ...], resource: tuple[Attribute, ...]) -> bytes:
    """The request with ``spans``, of what ``resource`` says, as JSON: the same bytes for the same spans.

    >>> otlp_json((), (("service.name", "a"),))[:80]
    b'{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"str'
    """
    scope = JsonObject.of(scope=JsonObject.of(name=SCOPE), spans=tuple(_span_json(each) for each in spans))
    about = JsonObject.of(attributes=tuple(_attribute_json(each) for each in resource))
    whole = JsonObject.of(resourceSpans=(JsonObject.of(resource=about, scopeSpans=(scope,)),))
    return dumps(whole).encode(errors="replace")


def _span_json(each: Exported) -> JsonObject:
    parent = JsonObject.of(parentSpanId=each.parent_id) if each.parent_id else JsonObject()
    status = _status(each)
    said = JsonObject.of(message=each.problem) if each.problem and status == ERROR else JsonObject()
    return JsonObject(
        (
            ("traceId", each.trace_id),
            ("spanId", each.span_id),
            *parent.members,
            ("flags", SAMPLED),
            ("name", each.told.name),
            ("kind", CLIENT if each.told.client else INTERNAL),
            ("startTimeUnixNano", str(each.began_ms * NS)),
            ("endTimeUnixNano", str(each.ended_ms * NS)),
            ("attributes", tuple(_attribute_json(attribute) for attribute in each.told.attributes)),
            ("status", JsonObject((("code", status), *said.members))),
        )
    )


def _attribute_json(attribute: Attribute) -> JsonObject:
    return JsonObject.of(key=attribute[0], value=_value_json(attribute[1]))


def _value_json(value: Scalar) -> JsonValue:
    match value:
        case bool():
            return JsonObject.of(boolValue=value)
        case int():
            return JsonObject.of(intValue=str(value))
        case float():
            return JsonObject.of(doubleValue=value)
        case str():
            return JsonObject.of(stringValue=value)
        case _:
            return JsonObject.of(arrayValue=JsonObject.of(values=tuple(_value_json(each) for each in value)))


def otlp_protobuf(spans: tuple[Exported, ...], resource: tuple[Attribute, ...]) -> bytes:
    """The same request as protobuf.

    >>> otlp_protobuf((), (("a", 1),)).hex()
    '0a190a090a070a016112021801120c0a0a0a087475726e666f6c64'
    """
    about = b"".join(message(1, _attribute(each)) for each in resource)
    scope = message(1, text(1, SCOPE)) + b"".join(message(2, _span(each)) for each in spans)
    return message(1, message(1, about) + message(2, scope))


def _span(each: Exported) -> bytes:
    status = _status(each)
    said = text(2, each.problem) if each.problem and status == ERROR else b""
    return b"".join(
        (
            message(1, bytes.fromhex(each.trace_id)),
            message(2, bytes.fromhex(each.span_id)),
            message(4, bytes.fromhex(each.parent_id)) if each.parent_id else b"",
            text(5, each.told.name),
            number(6, CLIENT if each.told.client else INTERNAL),
            fixed64(7, each.began_ms * NS),
            fixed64(8, each.ended_ms * NS),
            *(message(9, _attribute(attribute)) for attribute in each.told.attributes),
            message(15, said + number(3, status)),
            fixed32(16, SAMPLED),
        )
    )


def _attribute(attribute: Attribute) -> bytes:
    return text(1, attribute[0]) + message(2, _value(attribute[1]))


def _value(value: Scalar) -> bytes:
    match value:
        case bool():
            return number(2, int(value))
        case int():
            return number(3, value)
        case float():
            return double(4, value)
        case str():
            return text(1, value)
        case _:
            return message(5, b"".join(message(1, _value(each)) for each in value))


def _status(each: Exported) -> int:
    return ERROR if each.error else OK


def rejected_untrusted(reply: bytes) -> int:
    """How many spans a receiver says that it has not kept (``partial_success.rejected_spans``), in either encoding; 0 where it says nothing.

    >>> (
    ...     rejected_untrusted(b'{"partialSuccess": {"rejectedSpans": "3"}}'),
    ...     rejected_untrusted(bytes.fromhex("0a020803")),
    ...     rejected_untrusted(b"?"),
    ... )
    (3, 3, 0)
    """
    if reply.lstrip()[:1] == b"{":
        parsed = loads_untrusted(reply).value_or(None)
        partial = parsed.get("partialSuccess") if isinstance(parsed, JsonObject) else None
        said = partial.get("rejectedSpans") if isinstance(partial, JsonObject) else None
        return int(str(said)) if isinstance(said, (int, str)) and str(said).isascii() and str(said).isdigit() and len(str(said)) < 10 else 0
    return rejected_field(reply)

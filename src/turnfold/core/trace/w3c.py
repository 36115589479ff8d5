"""Ids as W3C Trace Context has them, derived from a conversation's id and the places in it: the same in any process, at any time.

A conversation is one trace; a child conversation is in its parent's, below the request that started it. Where the conversation is a
part of something larger, ``traceparent`` says of which trace and span.
"""

from __future__ import annotations

import hashlib
import re
from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success
from typing_extensions import override

from turnfold.core.agent.ids import BELOW, parent_of
from turnfold.core.problem import Problem, caller_problem

# https://www.w3.org/TR/trace-context/#traceparent-header: version, trace-id, parent-id, trace-flags; "ff" is no version
_WRITTEN = re.compile(r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?")
_CHANCE_BYTES = 7  # of a trace id, its last: those that are made by chance, by which it is sampled (Trace Context Level 2)
SAMPLED = 1


@final
@frozen
class Traceparent:
    """A place in a trace: 16 and 8 bytes in hexadecimal, and whether whoever was there keeps the trace.

    >>> str(Traceparent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"))
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    """

    trace_id: str
    span_id: str
    sampled: bool = True

    @override
    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


def traceparent_untrusted(text: str) -> Result[Traceparent, Problem]:
    """What the ``traceparent`` that somebody sent says, or a Problem.

    >>> traceparent_untrusted("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap().sampled
    False
    """
    found = _WRITTEN.fullmatch(text.strip()) if len(text) < 1000 else None
    later = found is not None and found["rest"] is not None
    if found is None or (later and found["version"] == "00") or not found["trace"].strip("0") or not found["span"].strip("0"):
        message = f"{text[:80]!r} is no traceparent: leave it out, or write one as W3C Trace Context does (00-<32 hex>-<16 hex>-<2 hex>)."
        return Failure(caller_problem("bad-traceparent", message, "$.traceparent"))
    return Success(Traceparent(found["trace"], found["span"], bool(int(found["flags"], 16) & SAMPLED)))


@final
@frozen(kw_only=True)
class Context:
    """Where the spans of a conversation belong: its trace, the span that it is a part of (empty for none), and, for a trace that began
    elsewhere, whether it is kept there.
    """

    conversation: str
    trace_id: str
    parent_id: str = ""
    sampled: bool | None = None


def context_of(conversation: str, traceparent: str = "") -> Context:
    """The context of a conversation; a ``traceparent`` that is none counts for nothing.

    >>> context_of("c").trace_id, context_of("c~1.2.0.3").trace_id == context_of("c").trace_id
    ('084e727e0f48ac394aa151039a6ea0f7', True)
    >>> context_of("c~1.2.0.3").parent_id == span_id("c", "1.2.0.3")
    True
    """
    parent = parent_of(conversation)
    given = traceparent_untrusted(traceparent).value_or(None) if traceparent else None
    below = span_id(parent, conversation[len(parent) + len(BELOW) :]) if parent else ""
    if given is None:
        root = conversation
        while parent:
            root, parent = parent, parent_of(parent)
        return Context(conversation=conversation, trace_id=_digest("trace", root, 16), parent_id=below)
    return Context(conversation=conversation, trace_id=given.trace_id, parent_id=below or given.span_id, sampled=given.sampled)


def span_id(conversation: str, place: str) -> str:
    """The id of the span at ``place`` (8 bytes, hexadecimal).

    >>> span_id("c", "1"), span_id("c", "2") == span_id("c", "1")
    ('b7d6440350ad0d28', False)
    """
    return _digest("span", f"{conversation} {place}", 8)


def _digest(kind: str, of: str, size: int) -> str:
    return hashlib.sha256(f"turnfold {kind} {of}".encode(errors="surrogatepass")).digest()[:size].hex()


def chance_of(trace_id: str) -> float:
    """A number from 0 (inclusive) to 1 that a trace id stands for, the same wherever it is asked.

    >>> chance_of("00" * 16), 0.99 < chance_of("ff" * 16) < 1
    (0.0, True)
    """
    bits = int(trace_id[-2 * _CHANCE_BYTES :], 16)
    return (bits >> 4) / (1 << (8 * _CHANCE_BYTES - 4))

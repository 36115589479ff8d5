"""A trace to read: one line a span, indented, with how long it took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from turnfold.core.tools.output import counted
from turnfold.core.tools.textlines import clipped
from turnfold.core.trace.spans import (
    AgentFacts,
    CallFacts,
    ChildFacts,
    GuardrailFacts,
    HandoffFacts,
    ModelFacts,
    PermissionFacts,
    RequestFacts,
    RoundFacts,
    Span,
    Status,
    Trace,
    TurnFacts,
)
from turnfold.core.world.requests import Purpose
from turnfold.core.world.usage import Usage

SHOWN_CHARS = 80
SAID_CHARS = 200  # of a problem: what went wrong is read most


def trace_text(trace: Trace, turn: int = 0) -> str:
    """The tree of ``trace`` in lines, or of one turn of it alone; nothing below the first line where there is no such turn.

    >>> print(trace_text(Trace(conversation="c", turns=(Span(id="1", facts=TurnFacts("hi"), began_ms=0),))), end="")
    conversation c · 1 turn
      turn 1 · unfinished · hi
    """
    head = " · ".join(("conversation " + trace.conversation, counted(len(trace.turns), "turn"), *spent(trace.usage)))
    told = (line for each in trace.turns if not turn or each.id == str(turn) for line in lines_of(each, 1))
    return "".join(f"{line}\n" for line in (head, *told))


def lines_of(span: Span, depth: int = 0) -> Iterator[str]:
    """``span`` and all within it, a line each."""
    said = (" ".join(part.split()) for part in _parts(span))  # names are a model's words: none may begin a line of its own
    yield f"{'  ' * depth}{' · '.join(part for part in said if part)}"
    for child in span.children:
        yield from lines_of(child, depth + 1)
    for turn in () if span.child is None else span.child.turns:
        yield from lines_of(turn, depth + 1)


def label_of(span: Span) -> str:
    """What ``span`` is, in a few words: the beginning of its line."""
    return _parts(span)[0]


def _parts(span: Span) -> tuple[str, ...]:
    facts = span.facts
    match facts:
        case TurnFacts(said, reason):
            ended = "" if reason is None else reason.value
            return (f"turn {span.id}", _took(span), ended, clipped(said, SHOWN_CHARS), clipped(span.problem, SAID_CHARS))
        case ModelFacts(model=model, purpose=purpose, usage=usage, stop=stop):
            what = f"model {model}" if purpose is Purpose.REPLY else f"model {model} for a {purpose.value}"
            stopped = "" if stop is None else f"stop: {stop.value}"
            return (what, _took(span), *spent(usage), stopped, *_how(span))
        case RoundFacts(calls):
            return (f"round of {counted(calls, 'call')}", _took(span), *_how(span))
        case CallFacts(tool):
            return (f"tool {tool}", _took(span), *_how(span))
        case RequestFacts(kind=kind, subject=subject, outcome=outcome):
            return (f"{kind} {clipped(subject, SHOWN_CHARS)}", _took(span), outcome, *_how(span))
        case _:
            return _rarer(facts, span)


def _rarer(facts: AgentFacts | PermissionFacts | GuardrailFacts | HandoffFacts | ChildFacts, span: Span) -> tuple[str, ...]:
    match facts:
        case AgentFacts(agent):
            return (f"agent {agent}", _took(span), *_how(span))
        case PermissionFacts(asked=asked):
            given = "permitted" if span.status is Status.OK else ""
            return ("permission", _took(span), given, f"asked: {clipped(asked, SHOWN_CHARS)}", *_how(span))
        case GuardrailFacts(name=name, on=on, tripped=tripped):
            return (f"guardrail {name}", _took(span), "" if on is None else f"on {on.value}", "tripped" if tripped else "", *_how(span))
        case HandoffFacts(agent):
            return (f"handoff to {agent}", *_how(span))
        case ChildFacts(conversation=conversation, agent=agent, task=task, usage=usage):
            led = f"led by {agent}" if agent else ""
            return (f"child {conversation}", _took(span), led, *spent(usage), clipped(task, SHOWN_CHARS), *_how(span))
        case _:
            assert_never(facts)


def _how(span: Span) -> tuple[str, ...]:
    """How a span ended, where not well; that it has not ended stands in the place of how long it took."""
    return () if span.status in {Status.OK, Status.UNFINISHED} else (span.status.value, clipped(span.problem, SAID_CHARS))


def _took(span: Span) -> str:
    return "unfinished" if span.ended_ms is None else _seconds(span.ended_ms - span.began_ms)


def _seconds(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:,.1f} s"


def spent(usage: Usage) -> tuple[str, ...]:
    """What model calls used, in words: tokens, and money where a price was known.

    >>> spent(Usage(input_tokens=1200, output_tokens=7, cost_usd=0.004)), spent(Usage())
    (('1,200 tokens in, 7 out', '$0.0040'), ())
    """
    tokens = (f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out",) if usage.input_tokens or usage.output_tokens else ()
    cost = (f"${usage.cost_usd:.4f}{' and more' if usage.unpriced_tokens else ''}",) if usage.cost_usd else ()
    return (*tokens, *cost)

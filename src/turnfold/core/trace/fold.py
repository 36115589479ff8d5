"""``advanced``: a trace one event further; ``trace_of``: a journal, or the beginning of one, as the tree of its spans.

What began ends at most once, and nothing that has ended changes: the trace of a journal's beginning is a beginning of its trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from attrs import evolve

from turnfold.core.agent.events import (
    CallCommanded,
    Event,
    Impersonated,
    MessageAdded,
    Reconfigured,
    Redone,
    RestoreAsked,
    Rewound,
    Started,
    SummaryAsked,
)
from turnfold.core.conversation.messages import AssistantMessage, Invocation, ToolCall, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.trace.in_turn import begin_agent, begin_round, in_turn
from turnfold.core.trace.leading import Leading
from turnfold.core.trace.progress import BROKEN_OFF, Advanced, Now, Progress, end_inner
from turnfold.core.trace.spans import ChildFacts, Span, Trace, TurnFacts

Resolve: TypeAlias = Callable[[str], Iterable[Event] | None]


def unresolved(conversation: str) -> Iterable[Event] | None:
    """No conversation is known."""
    return None


def begun(agent: str = "") -> Progress:
    """The trace of a conversation before its first event; ``agent`` leads it by its config."""
    return Progress(leading=Leading(agent))


def advanced(progress: Progress, event: Event) -> Advanced:
    """``progress`` after ``event``, and what that began and ended; cost by what is open, not by what was.

    >>> said = MessageAdded(UserMessage("hi"), 8)
    >>> [span.id for span in advanced(begun(), said).begun]
    ['1']
    """
    match event:
        case Started(conversation=conversation, at_ms=at_ms):
            return Advanced(evolve(progress, conversation=conversation, began_ms=progress.began_ms or at_ms))
        case MessageAdded(UserMessage(text=text), at_ms):
            return begin_agent(_turn_begun(progress, text, at_ms), at_ms)
        case CallCommanded(line=line, call=call, more=more, at_ms=at_ms):
            return _commanded(progress, line, (call, *more), at_ms)
        case Impersonated(AssistantMessage(text=text, calls=calls), at_ms):
            return _commanded(progress, text, calls, at_ms)
        case SummaryAsked(line, at_ms):
            return _turn_begun(progress, line, at_ms)
        case RestoreAsked(line=line, again=again, at_ms=at_ms):
            marked = progress.leading
            restored = _commanded(progress, line, (ToolCall("redo" if again else "undo", JsonObject()),), at_ms)
            return Advanced(evolve(restored.progress, leading=marked), restored.begun, restored.ended)  # such a turn leaves no mark
        case Reconfigured(change):
            return Advanced(evolve(progress, leading=progress.leading.by(change)))
        case Rewound(to, at_ms=at_ms):
            back = _turn_over(Advanced(progress), at_ms)
            return Advanced(evolve(back.progress, leading=progress.leading.back(to)), (), back.ended)
        case Redone():
            return Advanced(evolve(progress, leading=progress.leading.forth()))
        case _:
            return in_turn(Advanced(progress), event) if progress.now.open else Advanced(progress)


def _turn_begun(progress: Progress, said: str, at_ms: int) -> Advanced:
    number = progress.turns + 1
    leading = progress.leading
    facts = TurnFacts(said, agent=leading.agent)
    return Advanced(evolve(progress, turns=number, leading=leading.begun(number), now=Now())).begin(str(number), facts, at_ms, "")


def _commanded(progress: Progress, said: str, calls: tuple[Invocation, ...], at_ms: int) -> Advanced:
    """A turn of one round, without a model."""
    begun = _turn_begun(progress, said, at_ms)
    return begin_round(begun, f"{begun.now.turn}.0", calls, "", at_ms)


def _turn_over(done: Advanced, at_ms: int) -> Advanced:
    """The turn taken back in its midst, with all that is open in it; nothing where none runs."""
    over = end_inner(done.released(), at_ms)
    return over.end(over.now.turn, BROKEN_OFF, at_ms).with_now(Now()) if over.now.open else over


def trace_of(events: Iterable[Event], resolve: Resolve = unresolved, agent: str = "") -> Trace:
    """The trace of a journal, or of the beginning of one; linear in the events, but for a round's width.

    ``resolve`` gives the events of a child conversation, whose trace then lies within; ``agent`` leads the conversation by its config.

    >>> trace_of((Started(conversation="c", cfg_digest="", tools_digest="", at_ms=7), MessageAdded(UserMessage("hi"), 8))).turns[0].began_ms
    8
    """
    progress, last_ms = begun(agent), 0
    order: list[str] = []
    spans: dict[str, Span] = {}
    for event in events:
        done = advanced(progress, event)
        progress, last_ms = done.progress, max(last_ms, event.at_ms)
        order.extend(span.id for span in done.begun)
        spans.update((span.id, span) for span in (*done.begun, *done.ended))
    held = progress.now.held
    spans.update((span.id, span) for span in (*progress.now.open, *(() if held is None else (held,))))
    told = tree(tuple(spans[place] for place in order), resolve)
    return Trace(conversation=progress.conversation, began_ms=progress.began_ms, last_ms=last_ms, usage=progress.usage, turns=told)


def tree(spans: tuple[Span, ...], resolve: Resolve = unresolved) -> tuple[Span, ...]:
    """``spans``, each before what was begun within it, as trees: those whose parent is not among them, with their children.

    >>> turn, model = (Span(id="1", facts=TurnFacts("hi"), began_ms=0), Span(id="1.1.m.0", parent="1", facts=TurnFacts(""), began_ms=1))
    >>> [each.id for each in tree((turn, model))[0].children]
    ['1.1.m.0']
    """
    known = {span.id for span in spans}
    within: dict[str, list[Span]] = {}
    for span in reversed(spans):
        children = tuple(reversed(within.pop(span.id, ())))
        child = _child(span, resolve) if isinstance(span.facts, ChildFacts) else None
        whole = evolve(span, children=children, child=child) if children or child is not None else span
        within.setdefault(span.parent if span.parent in known else "", []).append(whole)
    return tuple(reversed(within.get("", ())))


def _child(span: Span, resolve: Resolve) -> Trace | None:
    events = resolve(span.facts.conversation) if isinstance(span.facts, ChildFacts) else None
    return None if events is None else trace_of(events, resolve, span.facts.agent if isinstance(span.facts, ChildFacts) else "")

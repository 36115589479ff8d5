"""A trace in the making: what is open now, and, event by event, which spans begin and which are over.

What is over never changes again, so it can be given away at once: an exporter of a run, and a fold of the whole journal years later, see
the same spans. What this remembers is bounded by what is open, whatever the length of the conversation (``marks`` apart: one a turn).
"""

from __future__ import annotations

from typing import final

from attrs import evolve, field, frozen

from turnfold.core.agent.events import Why
from turnfold.core.trace.leading import Leading
from turnfold.core.trace.spans import AgentFacts, Facts, ModelFacts, RoundFacts, Span, Status
from turnfold.core.world.usage import Usage


@final
@frozen
class End:
    """How a span ends: its status, and where that is a bad one the code and the sentence of what was wrong."""

    status: Status
    error: str = ""
    problem: str = ""


GOOD = End(Status.OK)
BROKEN_OFF = End(Status.INTERRUPTED)


@final
@frozen(kw_only=True)
class Now:
    """The running turn: its spans that are open, in the order begun, and what is known of them besides.

    ``held``: a model call that is over, of which the next event may say what was replied. ``unanswered``: the calls of the round that had
    a request denied, or of unknown outcome; ``cancelling``: the requests that shall stop. ``replied``: the last that the model said.
    ``marks`` counts the spans that are no place of their own. ``next``: who leads when the round is over, where that changes.
    """

    open: tuple[Span, ...] = ()
    held: Span | None = None
    unanswered: tuple[tuple[str, Why], ...] = ()
    cancelling: tuple[str, ...] = ()
    interrupted: bool = False
    replied: str = ""
    marks: int = 0
    next: str | None = None

    @property
    def turn(self) -> str:
        """The id of the turn; empty where none runs."""
        return self.open[0].id if self.open else ""

    @property
    def lead(self) -> str:
        """The id of the span that model calls and rounds belong to: the agent that leads, else the turn."""
        return self.open[1].id if len(self.open) > 1 and isinstance(self.open[1].facts, AgentFacts) else self.turn

    def having(self, spans: tuple[Span, ...]) -> Now:
        """The same with these spans open."""
        return Now(
            open=spans,
            held=self.held,
            unanswered=self.unanswered,
            cancelling=self.cancelling,
            interrupted=self.interrupted,
            replied=self.replied,
            marks=self.marks,
            next=self.next,
        )

    def find(self, place: str) -> Span | None:
        """The open span of this id."""
        return next((each for each in reversed(self.open) if each.id == place), None)

    def round(self) -> Span | None:
        """The open round."""
        return next((each for each in self.open if isinstance(each.facts, RoundFacts)), None)


@final
@frozen(kw_only=True)
class Progress:
    """A trace as far as it has come. ``leading`` is who leads the conversation when it begins; ``turns`` counts those begun."""

    conversation: str = ""
    began_ms: int = 0
    turns: int = 0
    usage: Usage = Usage()
    leading: Leading = field(factory=Leading)
    now: Now = field(factory=Now)

    def at(self, now: Now) -> Progress:
        """The same with the running turn ``now``; without ``evolve``, which would be most of the cost of a trace."""
        return Progress(
            conversation=self.conversation, began_ms=self.began_ms, turns=self.turns, usage=self.usage, leading=self.leading, now=now
        )


@final
@frozen
class Advanced:
    """What an event came to: the progress after it, and the spans that it began and that it ended, in order; children end first."""

    progress: Progress
    begun: tuple[Span, ...] = ()
    ended: tuple[Span, ...] = ()

    @property
    def now(self) -> Now:
        """The running turn after it."""
        return self.progress.now

    def with_now(self, now: Now) -> Advanced:
        """The same with the running turn ``now``."""
        return Advanced(self.progress.at(now), self.begun, self.ended)

    def begin(self, place: str, facts: Facts, at_ms: int, parent: str) -> Advanced:
        """The same with a span begun."""
        span = Span(id=place, facts=facts, began_ms=at_ms, parent=parent)
        now = self.now.having((*self.now.open, span))
        return Advanced(self.progress.at(now), (*self.begun, span), self.ended)

    def change(self, place: str, facts: Facts) -> Advanced:
        """The same with other facts of the open span ``place``."""
        spans = tuple(evolve(each, facts=facts) if each.id == place else each for each in self.now.open)
        return self.with_now(self.now.having(spans))

    def end(self, place: str, end: End, at_ms: int, facts: Facts | None = None) -> Advanced:
        """The same with the open span ``place`` ended; as it was, where there is none."""
        span = self.now.find(place)
        if span is None:
            return self
        over = ended(span, end, at_ms, facts)
        now = self.now.having(tuple(each for each in self.now.open if each is not span))
        return Advanced(self.progress.at(now), self.begun, (*self.ended, over))

    def released(self, reply: str = "", calls: tuple[str, ...] = ()) -> Advanced:
        """The same with the model call given away that was held until its reply is known."""
        held = self.now.held
        if held is None:
            return self
        over = evolve(held, facts=evolve(held.facts, reply=reply, calls=calls)) if isinstance(held.facts, ModelFacts) else held
        return Advanced(self.progress.at(evolve(self.now, held=None)), self.begun, (*self.ended, over))


def ended(span: Span, end: End, at_ms: int, facts: Facts | None = None) -> Span:
    """``span`` ended."""
    return evolve(
        span,
        ended_ms=at_ms,
        status=end.status,
        error=end.error,
        problem=end.problem,
        facts=span.facts if facts is None else facts,
    )


def end_inner(done: Advanced, at_ms: int) -> Advanced:
    """All that is open within the turn ended as broken off, the inner first."""
    for span in reversed(done.now.open[1:]):
        done = done.end(span.id, BROKEN_OFF, at_ms)
    return done

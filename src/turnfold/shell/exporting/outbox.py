"""The spans that one exporter of one run has still to get, and the thread that sends them.

The run only puts spans in, which never waits. What does not fit any more is counted, and told: nothing is lost in silence, and the journal
still has it. A receiver that hangs holds its own thread alone, and the run's end only for as long as the settings say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Thread
from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.core.agent.events import Event
from turnfold.core.problem import world_problem
from turnfold.core.trace.exported import Exported, exported, exported_all
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.sampling import failed, waits
from turnfold.core.trace.spans import ChildFacts, Span, TurnFacts
from turnfold.core.trace.w3c import Context
from turnfold.shell.ports import Batch, NotSent, Tap
from turnfold.shell.scope import Scope

LINGER_S = 0.5  # until what is there is sent, where it is less than a batch
TRIES = 4  # of a batch, in all
AGAIN_S = 0.2  # until the second try; each further one waits twice as long

Resolve: TypeAlias = Callable[[str], tuple[Event, ...] | None]


@final
@frozen(kw_only=True)
class Tally:
    """What became of a run's spans: how many there was no room for, how many could not be delivered, and why."""

    dropped: int = 0
    failed: int = 0
    cause: str = ""


@final
@frozen(kw_only=True)
class Route:
    """Whose spans an outbox has: their context, the traceparent that it was made of, and what loads a child conversation."""

    context: Context
    traceparent: str
    resolve: Resolve


@final
class Outbox:
    """One exporter's spans. The run calls ``put`` from one thread at a time, and ``close`` once; the rest is the outbox's own thread."""

    __slots__ = (
        "_closed",
        "_finishing",
        "_held",
        "_lock",
        "_reported",
        "_route",
        "_scope",
        "_sending",
        "_tally",
        "_tap",
        "_thread",
        "_waiting",
    )

    def __init__(self, tap: Tap, route: Route) -> None:
        self._tap = tap
        self._route = route
        self._lock = Condition()
        self._waiting: deque[Span] = deque()
        self._held: list[Span] = []  # of the turn that runs, where only turns that failed are wanted
        self._sending = 0  # spans of the batch that is on its way
        self._tally = Tally()
        self._reported = 0  # of those dropped, how many the receiver has heard of
        self._finishing = False  # nothing more comes
        self._closed = False  # nothing more is sent
        self._scope = Scope()
        self._thread: Thread | None = None

    @property
    def name(self) -> str:
        """The exporter's name in the settings."""
        return self._tap.settings.name

    def put(self, spans: tuple[Span, ...]) -> None:
        """Have ``spans``, which have ended, delivered; never waits."""
        if not waits(self._tap.settings):
            self._put(spans)
            return
        for span in spans:
            self._held.append(span)
            if isinstance(span.facts, TurnFacts):
                wanted, self._held = (tuple(self._held) if failed(span) else ()), []
                self._put(wanted)

    def _put(self, spans: tuple[Span, ...]) -> None:
        with self._lock:
            room = max(self._tap.settings.buffer - len(self._waiting), 0)
            self._waiting.extend(spans[:room])
            if len(spans) > room:
                self._tally = evolve(self._tally, dropped=self._tally.dropped + len(spans) - room)
            if self._thread is None and self._waiting:
                self._thread = self._started()
            elif len(self._waiting) >= self._tap.settings.batch:
                self._lock.notify_all()

    def _started(self) -> Thread | None:
        """The thread that delivers; None where the machine has none to give now: the next spans try again, and the run goes on."""
        thread = Thread(target=self._deliver, name=f"turnfold-export-{self.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return None
        return thread

    def finish(self) -> None:
        """Have what is there sent now: nothing more comes."""
        with self._lock:
            self._finishing = True
            self._lock.notify_all()

    def close(self) -> Tally:
        """What became of it all, after the time that the settings give a receiver; what it has not taken by then counts as not delivered."""
        self.finish()
        if self._thread is not None:
            self._thread.join(self._tap.settings.timeout_s)
        with self._lock:
            self._closed = True
            self._lock.notify_all()
            self._count_failed(len(self._waiting) + self._sending, f"it did not take them within {self._tap.settings.timeout_s:g} s")
            self._waiting.clear()
        self._scope.cancel()
        return self._tally

    def _count_failed(self, spans: int, cause: str) -> None:
        self._sending = 0
        if spans:
            self._tally = evolve(self._tally, failed=self._tally.failed + spans, cause=self._tally.cause or cause)

    def _deliver(self) -> None:
        """The thread's work: batch after batch, until nothing more comes."""
        try:
            while (batch := self._next()) is not None:
                refused = self._sent(batch)
                with self._lock:
                    if self._closed:
                        return
                    if refused is None:
                        self._sending = 0
                    else:
                        self._count_failed(self._sending if refused.spans is None else refused.spans, refused.problem.message)
        finally:
            self._tap.sink.close()

    def _next(self) -> Batch | None:
        """The next batch, as soon as there is a full one, or some have waited for long enough; None where nothing more comes."""
        size = self._tap.settings.batch
        with self._lock:
            self._lock.wait_for(lambda: self._waiting or self._finishing)
            self._lock.wait_for(lambda: len(self._waiting) >= size or self._finishing, LINGER_S)
            if self._closed or not self._waiting:
                return None
            spans = tuple(self._waiting.popleft() for _ in range(min(size, len(self._waiting))))
            self._sending = len(spans)
            dropped, self._reported = self._tally.dropped - self._reported, self._tally.dropped
        return Batch(spans=tuple(each for span in spans for each in self._exported(span)), dropped=dropped)

    def _exported(self, span: Span) -> Iterator[Exported]:
        content, route = self._tap.settings.content, self._route
        if waits(self._tap.settings) and isinstance(span.facts, ChildFacts):  # the child could not know that its parent would fail
            events = route.resolve(span.facts.conversation)
            if events is not None:
                inner = evolve(trace_of(events, route.resolve, span.facts.agent), conversation=span.facts.conversation)
                yield from exported_all(inner, route.traceparent, content=content)
        yield exported(span, route.context, content=content)

    def _sent(self, batch: Batch) -> NotSent | None:
        """``batch`` delivered, tried again a few times where that may help; why not, where it could not be."""
        refused, wait_s = self._tried(batch), AGAIN_S
        for _ in range(TRIES - 1):
            if refused is None or not refused.again:
                break
            with self._lock:
                if self._lock.wait_for(lambda: self._closed, wait_s):
                    break
            refused, wait_s = self._tried(batch), 2 * wait_s
        return refused

    def _tried(self, batch: Batch) -> NotSent | None:
        try:
            return self._tap.sink.send(batch, self._scope)
        except Exception as error:  # noqa: BLE001 - whatever a receiver's code does, the run goes on, and says that spans are missing
            return NotSent(world_problem("exporter-raised", f"it raised {type(error).__name__}: {error}"), again=True)

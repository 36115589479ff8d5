"""A receiver of spans for tests: it keeps what it gets, and can be told to refuse, to raise, or to wait."""

from __future__ import annotations

from collections import deque
from threading import Event, Lock
from typing import final

from typing_extensions import override

from turnfold.core.trace.exported import Exported
from turnfold.shell.ports import Batch, NotSent, Sink
from turnfold.shell.scope import Scope


@final
class FakeSink(Sink):
    """Keeps all spans; the n-th batch is met with the n-th of ``refusals``: not taken, an exception raised, or (None) taken.

    Each batch takes ``pause_s``, and waits until ``gate`` is set, where there is one, whatever becomes of the run.

    >>> sink = FakeSink()
    >>> sink.send(Batch(spans=(), dropped=2), Scope()), sink.dropped, sink.spans
    (None, 2, ())
    """

    __slots__ = ("_batches", "_gate", "_lock", "_pause_s", "_refusals", "_tries", "began")

    def __init__(self, *refusals: NotSent | Exception | None, gate: Event | None = None, pause_s: float = 0.0) -> None:
        self._pause_s = pause_s
        self._refusals = deque(refusals)
        self._gate = gate
        self._lock = Lock()
        self._batches: tuple[Batch, ...] = ()
        self._tries = 0
        self.began = Event()

    @override
    def send(self, batch: Batch, scope: Scope) -> NotSent | None:
        self.began.set()
        if self._gate is not None:
            self._gate.wait()
        Event().wait(self._pause_s)
        with self._lock:
            self._tries += 1
            refusal = self._refusals.popleft() if self._refusals else None
            if refusal is None:
                self._batches += (batch,)
        if isinstance(refusal, Exception):
            raise refusal
        return refusal

    @override
    def close(self) -> None:
        """Nothing is open."""

    @property
    def tries(self) -> int:
        """How often something was to be taken."""
        return self._tries

    @property
    def batches(self) -> tuple[Batch, ...]:
        """What was taken."""
        return self._batches

    @property
    def spans(self) -> tuple[Exported, ...]:
        """All spans that were taken, in their order."""
        return tuple(each for batch in self._batches for each in batch.spans)

    @property
    def dropped(self) -> int:
        """How many it heard that it lacks."""
        return sum(batch.dropped for batch in self._batches)

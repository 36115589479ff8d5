"""What a run has come to by now, as one value that the run replaces and readers look at; and what of it is shown and not kept."""

from __future__ import annotations

from typing import final

from attrs import evolve, field, frozen

from turnfold.core.agent.effects import Notice
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.live import LiveReply
from turnfold.core.agent.state import ChatState
from turnfold.core.conversation.log import Log
from turnfold.core.problem import Problem
from turnfold.shell.desk import RunResult

KEPT_CHARS = 16_000  # of what a request has printed, for readers that come late
KEPT_NOTICES = 100


@final
@frozen
class Printed:
    """What a request that is under way has printed: how many characters, and the last of them."""

    request_id: RequestId
    total: int = 0
    tail: str = ""

    def more(self, text: str) -> Printed:
        """The same with ``text`` behind it."""
        return Printed(self.request_id, self.total + len(text), (self.tail + text)[-KEPT_CHARS:])

    def beyond(self, given: int) -> str:
        """What was printed beyond the first ``given`` characters, as far as it is kept.

        >>> Printed(RequestId(1, 1, 0, 0), 5, "cde").beyond(3), Printed(RequestId(1, 1, 0, 0), 5, "cde").beyond(0)
        ('de', 'cde')
        """
        new = self.total - given
        return self.tail[-new:] if new > 0 else ""


@final
@frozen(kw_only=True)
class Notices:
    """What was shown besides: the last of ``total``."""

    total: int = 0
    kept: tuple[Notice | Problem, ...] = ()

    def more(self, what: Notice | Problem) -> Notices:
        """The same with ``what`` behind them."""
        return Notices(total=self.total + 1, kept=(*self.kept, what)[-KEPT_NOTICES:])

    def beyond(self, given: int) -> tuple[Notice | Problem, ...]:
        """What was shown after the first ``given``, as far as it is kept."""
        new = self.total - given
        return self.kept[-new:] if new > 0 else ()


@final
@frozen(kw_only=True, eq=False)
class Page:
    """A run by now: its events, the newest state, and the reply that was streamed last, also when it is over.

    ``result`` and ``error``: how it ended, where it has.
    """

    state: ChatState
    events: Log[Event] = field(factory=Log)
    last: LiveReply | None = None
    printed: tuple[Printed, ...] = ()
    notices: Notices = Notices()
    result: RunResult | None = None
    error: BaseException | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.result is not None or self.error is not None

    def streaming(self, state: ChatState) -> Page:
        """The page after a step of which nothing is recorded, as nearly all are."""
        live = state.live.reply
        last = self.last if live is None or live.plan is not None else live
        return Page(state=state, events=self.events, last=last, printed=self.printed, notices=self.notices)

    def after_step(self, state: ChatState, events: tuple[Event, ...], notices: tuple[Notice | Problem, ...]) -> Page:
        """The page after a step."""
        log, shown = self.events, self.notices
        for event in events:
            log = log.append(event)
        for notice in notices:
            shown = shown.more(notice)
        return evolve(self.streaming(state), events=log, notices=shown)

    def printing(self, request_id: RequestId, text: str) -> Page:
        """The page after a request under way has printed something."""
        found = next((each for each in self.printed if each.request_id == request_id), Printed(request_id))
        rest = tuple(each for each in self.printed if each.request_id != request_id)
        return evolve(self, printed=(*rest, found.more(text)))

    def without(self, closed: frozenset[RequestId]) -> Page:
        """The page without what requests printed that are over: their answers hold it."""
        return evolve(self, printed=tuple(each for each in self.printed if each.request_id not in closed))

"""A reader: a cursor over a ledger. What it is told follows from the page that it looks at, and costs what is new in that."""

from __future__ import annotations

from collections import deque
from functools import reduce
from threading import Lock
from typing import final

from turnfold.core.agent.apply import apply
from turnfold.core.agent.effects import Notice
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem
from turnfold.core.stream.cursor import Cursor, Forward, advanced, caught_up, cursor_at
from turnfold.core.stream.items import Item, RunEnded, RunStarted, Shown, ToolProgress
from turnfold.core.stream.moment import call_of
from turnfold.core.stream.position import START, Position
from turnfold.shell.streaming.ledger import Ledger
from turnfold.shell.streaming.page import Page


@final
class Reader:
    """One reader's place in a run. ``earlier``: the conversation's events before the run, where it begins within them."""

    __slots__ = ("_at", "_begun", "_cfg", "_cursor", "_earlier", "_given", "_ledger", "_lock", "_notices", "_over", "_printed")

    def __init__(self, ledger: Ledger, cfg: ChatConfig, position: Position | None, earlier: tuple[Event, ...] = ()) -> None:
        page = ledger.page
        self._ledger = ledger
        self._cfg = cfg
        self._earlier = earlier
        self._lock = Lock()  # several threads may share a reader: each item is given once
        self._given: deque[Item] = deque()  # told by one page, and not taken yet
        self._begun = position is not None  # whether it was told of the run's start
        self._over = False
        self._printed: dict[RequestId, int] = {}
        self._notices = 0 if position is None else page.notices.total
        start = Past() if earlier else ledger.base
        if position is None:
            self._cursor = Cursor(start)
        else:
            events = (self._event(page, number) for number in range(start.events, min(position.event, page.state.past.events)))
            past = reduce(apply, (event for event in events if event is not None), start)
            self._cursor = cursor_at(past, position) if past.events == position.event else Cursor(past)
        self._at = self._cursor.at if position is not None else START

    @property
    def at(self) -> Position:
        """The place of the last item that was taken: who joins there is told what comes next here."""
        return self._at

    def take(self, page: Page) -> Item | None:
        """The next item that ``page`` has for it; None where there is none yet, or no more."""
        with self._lock:
            while not self._given:
                if not self._look(page):
                    return None
            item = self._given.popleft()
            self._at = item.at
            return item

    def _look(self, page: Page) -> bool:
        """Whether ``page`` has more: at least one event is passed, or one item is there."""
        if not self._begun:
            return self._begin(page)
        number = self._cursor.past.events
        if number < page.state.past.events:
            return self._pass(page, number)
        items = self._under_way(page)
        if not items and page.over and not self._over:
            self._over = True
            items = () if page.result is None else (self._ended(page),)
        self._given.extend(items)
        return bool(items)

    def _begin(self, page: Page) -> bool:
        if not page.state.past.started and not page.over:
            return False
        self._begun = True
        self._given.append(RunStarted(at=self._cursor.at, conversation=page.state.past.conversation))
        return True

    def _pass(self, page: Page, number: int) -> bool:
        live = caught_up(self._cursor, page.last)  # what is left of a reply that is over by now, as it was streamed
        event = self._event(page, number)
        if event is None:
            return False
        forward = advanced(live.cursor, event, self._event(page, number + 1), self._cfg)
        self._move(live)
        self._move(forward)
        return True

    def _move(self, forward: Forward) -> None:
        self._cursor = forward.cursor
        self._given.extend(forward.items)

    def _event(self, page: Page, number: int) -> Event | None:
        if number < len(self._earlier):
            return self._earlier[number]
        index = number - self._ledger.base.events
        return page.events[index] if 0 <= index < len(page.events) else None

    def _under_way(self, page: Page) -> tuple[Item, ...]:
        forward = caught_up(self._cursor, page.state.live.reply)
        self._cursor = forward.cursor
        return (*forward.items, *self._progress(page), *self._shown(page))

    def _progress(self, page: Page) -> tuple[Item, ...]:
        if not page.printed:
            return ()
        given = self._printed
        self._printed = {each.request_id: each.total for each in page.printed}
        texts = ((each.request_id, each.beyond(given.get(each.request_id, 0))) for each in page.printed)
        at = self._cursor.at
        return tuple(ToolProgress(at=at, request=str(each), call=call_of(each), text=text) for each, text in texts if text)

    def _shown(self, page: Page) -> tuple[Item, ...]:
        if page.notices.total == self._notices:
            return ()
        new = page.notices.beyond(self._notices)
        self._notices = page.notices.total
        return tuple(_shown(each, self._cursor.at) for each in new)

    def _ended(self, page: Page) -> RunEnded:
        result = page.result
        assert result is not None
        reason = None if result.ended is None else result.ended.reason
        return RunEnded(at=self._cursor.at, reason=reason, paused=result.state.paused, problem=result.problem)


def _shown(what: Notice | Problem, at: Position) -> Shown:
    if isinstance(what, Problem):
        return Shown(at=at, text=what.message, problem=what)
    return Shown(at=at, text=what.text)

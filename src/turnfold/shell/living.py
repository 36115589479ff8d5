"""What lives for conversations, one thing each (a Python, a browser), and whose turn it is to use it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from threading import Condition
from typing import Generic, TypeVar, final

from turnfold.shell.child import Waker

T = TypeVar("T")


@final
class Living(Generic[T]):
    """Things by conversation, each used by one thread at a time; ``end`` gives one back."""

    __slots__ = ("_changed", "_end", "_running", "_things")

    def __init__(self, end: Callable[[T], None]) -> None:
        self._end = end
        self._changed = Condition()
        self._things: dict[str, T] = {}
        self._running: dict[str, Waker] = {}

    def get(self, conversation: str) -> T | None:
        """The conversation's thing, where there is one."""
        with self._changed:
            return self._things.get(conversation)

    def put(self, conversation: str, thing: T) -> None:
        """Keep ``thing``; the conversation is ours, and has none."""
        with self._changed:
            self._things[conversation] = thing

    def end(self, conversation: str) -> None:
        """Forget the conversation's thing, and end it; the conversation is ours."""
        with self._changed:
            thing = self._things.pop(conversation, None)
        if thing is not None:
            self._end(thing)

    @contextlib.contextmanager
    def turn(self, conversation: str, waker: Waker, wait_s: float = 0.0) -> Iterator[bool]:
        """Whether the conversation is ours while the block runs; not, when ``waker`` is woken or the wait for others is over."""
        with self._changed:
            self._changed.wait_for(lambda: waker.woken or conversation not in self._running, wait_s)
            mine = conversation not in self._running and not waker.woken
            if mine:
                self._running[conversation] = waker
        try:
            yield mine
        finally:
            if mine:
                with self._changed:
                    del self._running[conversation]
                    self._changed.notify_all()

    def look_again(self) -> None:
        """Have those that wait for their turn see whether they are woken."""
        with self._changed:
            self._changed.notify_all()

    def close(self, conversation: str) -> None:
        """Wake who uses the conversation's thing, wait until it is free, and end it."""
        with self._changed:
            if (waker := self._running.get(conversation)) is not None:
                waker.wake()
            self._changed.wait_for(lambda: conversation not in self._running)
            thing = self._things.pop(conversation, None)  # before anybody's turn begins
        if thing is not None:
            self._end(thing)

    def close_all(self) -> None:
        """Close all conversations."""
        with self._changed:
            conversations = (*self._things, *self._running)
        for conversation in conversations:
            self.close(conversation)

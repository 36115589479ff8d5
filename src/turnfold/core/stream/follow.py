"""A journal as a stream, from any place: what a reader would have been told who was there, and what one is told who joins now or comes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from turnfold.core.agent.apply import apply
from turnfold.core.agent.events import Event
from turnfold.core.agent.live import LiveReply
from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.stream.cursor import advanced, caught_up, cursor_at
from turnfold.core.stream.items import Item
from turnfold.core.stream.position import START, Position


def follow(events: Iterable[Event], cfg: ChatConfig, position: Position = START, live: LiveReply | None = None) -> Iterator[Item]:
    """What is told from ``position`` on of a journal, and of the reply that is streamed behind it; nothing where it does not reach so far.

    The events are a journal from its beginning, up to the end of a step; ``cfg`` is what the conversation was started with.

    >>> from turnfold.core.agent.events import MessageAdded, Started
    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.conversation.messages import UserMessage
    >>> journal = (Started(conversation="c", cfg_digest="", tools_digest=""), MessageAdded(UserMessage("hi")))
    >>> [item.said for item in follow(journal, ChatConfig(ProjectConfig(Config())))]
    ['hi']
    """
    past, rest = Past(), iter(events)
    while past.events < position.event:
        event = next(rest, None)
        if event is None:
            return
        past = apply(past, event)
    cursor = cursor_at(past, position)
    for event, following in pairwise(chain[Event | None](rest, (None,))):
        assert event is not None
        forward = advanced(cursor, event, following, cfg)
        cursor = forward.cursor
        yield from forward.items
    yield from caught_up(cursor, live).items

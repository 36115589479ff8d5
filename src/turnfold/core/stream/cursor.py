"""A reader's place as a value, and what brings it forward: the next event, or what is under way after the last one.

What is told of an event follows from the past before it, the event, and, where a reply comes to a bad end, the event after it, which is
of the same step: whether anything of the reply is kept. So the same is told of it while it happens and years later.
"""

from __future__ import annotations

from typing import final

from attrs import field, frozen

from turnfold.core.agent.apply import apply
from turnfold.core.agent.events import Event, MessageAdded, RequestClosed, RoundEnded, TurnEnded
from turnfold.core.agent.ids import MODEL, RequestId, place
from turnfold.core.agent.live import LiveReply
from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import AssistantMessage
from turnfold.core.stream.given import NOTHING, Given, given_at
from turnfold.core.stream.items import Item
from turnfold.core.stream.live import Place, Told, told_calls, told_live, told_message
from turnfold.core.stream.moment import Moment, keeps_reply, told_of
from turnfold.core.stream.position import Position


@final
@frozen
class Cursor:
    """Whoever is here was told all of the events that make ``past``, and ``given`` of what is under way after them."""

    past: Past = field(factory=Past)
    given: Given = NOTHING

    @property
    def at(self) -> Position:
        """The place in words."""
        return self.given.at(self.past.events)


@final
@frozen
class Forward:
    """The cursor after what was told, and that."""

    cursor: Cursor
    items: tuple[Item, ...] = ()


def cursor_at(past: Past, position: Position) -> Cursor:
    """The cursor at ``position``, with the ``past`` that the events before it make."""
    return Cursor(past, given_at(position))


def advanced(cursor: Cursor, event: Event, following: Event | None, cfg: ChatConfig) -> Forward:
    """The cursor after ``event``, before ``following``, and what is to be told of it; ``cfg`` is what the conversation was started with."""
    owed = caught_up(cursor, None)
    told = _message_told(owed.cursor, event)
    past, after = cursor.past, apply(cursor.past, event)
    given = NOTHING if _over(event, following) else told.given
    item = told_of(Moment(at=given.at(after.events), past=past, event=event, following=following, after=after), cfg)
    return Forward(Cursor(after, given), (*owed.items, *told.items, *(() if item is None else (item,))))


def caught_up(cursor: Cursor, live: LiveReply | None) -> Forward:
    """The cursor after all that is under way: the reply that is streamed, or the calls that a person commanded."""
    turn = cursor.past.turn
    if turn is None:
        return Forward(cursor)
    model, at = turn.model, cursor.past.events
    if turn.commanded and turn.slots:
        calls = tuple(slot.invocation for slot in turn.slots)
        told = told_calls(calls, cursor.given, Place(event=at, reply="", round=place(turn.number, turn.generation)))
    elif live is not None and live.plan is None and model is not None and model.outcome is None and model.request_id == live.request_id:
        told = told_live(live, cursor.given, _place(at, live.request_id))
    else:
        return Forward(cursor)
    return Forward(Cursor(cursor.past, told.given), told.items) if told.items else Forward(cursor)


def _place(event: int, request_id: RequestId) -> Place:
    return Place(event=event, reply=str(request_id), round=place(request_id.turn, request_id.generation))


def _message_told(cursor: Cursor, event: Event) -> Told:
    """What is told of the reply that ``event`` puts into the log, beyond what was given while it was streamed."""
    model = None if cursor.past.turn is None else cursor.past.turn.model
    if model is None or not isinstance(event, MessageAdded) or not isinstance(event.message, AssistantMessage):
        return Told(cursor.given)
    return told_message(event.message, cursor.given, _place(cursor.past.events, model.request_id))


def _over(event: Event, following: Event | None) -> bool:
    """Whether nothing of what was given of a reply, or of commanded calls, counts after ``event``."""
    if isinstance(event, RequestClosed):
        return event.request_id.slot == MODEL and not keeps_reply(following)
    return keeps_reply(event) or isinstance(event, (RoundEnded, TurnEnded))

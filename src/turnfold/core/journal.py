"""The journal: a conversation is a fold of its events, and loading, forking and auditing are that fold."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from attrs import evolve

from turnfold.core.agent.apply import apply
from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import Event, Started
from turnfold.core.agent.state import ChatState, Past


def fold(events: Iterable[Event], past: Past | None = None) -> Past:
    """The past that ``events`` tell, from the start or on top of ``past``; linear in the events.

    >>> from turnfold.core.agent.events import MessageAdded
    >>> from turnfold.core.conversation.messages import UserMessage
    >>> fold((Started(conversation="c", cfg_digest="", tools_digest=""), MessageAdded(UserMessage("hi")))).log
    Log.of(UserMessage(text='hi', context=''))
    """
    return reduce(apply, events, Past() if past is None else past)


def load(events: Iterable[Event]) -> ChatState:
    """The conversation of a journal. Go on with the input ``Resumed``."""
    return ChatState(fold(events))


def recorded(step: Step) -> tuple[Event, ...]:
    """What a step appends to the journal, in order; one atomic append."""
    return tuple(effect.event for effect in step.effects if isinstance(effect, Record))


def fork(events: Iterable[Event], conversation: str, started: Started) -> tuple[Event, ...]:
    """The journal of a new conversation that begins as this one did, up to and with the last of ``events``."""
    return (*events, evolve(started, conversation=conversation))

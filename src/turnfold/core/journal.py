"""The journal: a conversation is a fold of its events, and loading, forking and auditing are that fold."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import final

from attrs import evolve, frozen

from turnfold.core.agent.apply import apply
from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import Event, Started
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.agent.step import digest_of
from turnfold.core.config.layers import ChatConfig


def fold(events: Iterable[Event], past: Past | None = None) -> Past:
    """The past that ``events`` tell, from the start or on top of ``past``; linear in the events.

    >>> from turnfold.core.agent.events import MessageAdded
    >>> from turnfold.core.conversation.messages import UserMessage
    >>> fold((Started(conversation="c", cfg_digest="", tools_digest=""), MessageAdded(UserMessage("hi")))).log
    Log.of(UserMessage(text='hi', context='', lessons=(), pinned=False, urged=False))
    """
    return reduce(apply, events, Past() if past is None else past)


def load(events: Iterable[Event]) -> ChatState:
    """The conversation of a journal. Go on with the input ``Resumed``."""
    return ChatState(fold(events))


def recorded(step: Step) -> tuple[Event, ...]:
    """What a step appends to the journal, in order; one atomic append."""
    return tuple(effect.event for effect in step.effects if isinstance(effect, Record))


@final
@frozen
class Fork:
    """A new conversation that begins as another did: its journal, and the config that it is started with."""

    events: tuple[Event, ...]
    cfg: ChatConfig

    @property
    def digest(self) -> str:
        """What the config is kept under."""
        return digest_of(self.cfg)


def fork(prefix: tuple[Event, ...], conversation: str, name: str, cfg: ChatConfig, at_ms: int = 0) -> Fork:
    """The new ``conversation`` called ``name`` that begins with ``prefix``, which ends at a step, and goes on under ``cfg``.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> begun = (Started(conversation="c", cfg_digest="", tools_digest=""),)
    >>> forked = fork(begun, "d", "mine", ChatConfig(ProjectConfig(Config()), conversation="c"))
    >>> fold(forked.events).conversation, forked.cfg.conversation, forked.cfg.name
    ('d', 'd', 'mine')
    """
    own = evolve(cfg, conversation=conversation, name=name)
    tools_digest = fold(prefix).tools_digest
    started = Started(conversation=conversation, cfg_digest=digest_of(own), tools_digest=tools_digest, at_ms=at_ms)
    return Fork((*prefix, started), own)

"""A journal in memory that passes the same laws as the SQLite one."""

from __future__ import annotations

from typing import final

from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import CallCommanded, Event, MessageAdded, Started
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import UserMessage
from turnfold.core.journal import fold
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.shell.ports import JournalError, Kept


@final
class MemoryJournal:
    """Conversations in a dict; ``broken`` makes every append fail with that Problem."""

    __slots__ = ("_configs", "_events", "broken")

    def __init__(self) -> None:
        self._events: dict[str, tuple[Event, ...]] = {}
        self._configs: dict[str, ChatConfig] = {}
        self.broken: Problem | None = None

    def append(self, conversation: str, records: tuple[Record, ...]) -> None:
        """All of ``records``, or none."""
        kept = self._events.get(conversation, ())
        if self.broken is not None:
            raise JournalError(self.broken)
        if [record.number for record in records] != list(range(len(kept), len(kept) + len(records))):
            raise JournalError(caller_problem("conversation-taken", "Another process has gone on with this conversation."))
        self._events[conversation] = (*kept, *(record.event for record in records))

    def load(self, conversation: str) -> tuple[Event, ...]:
        """The journal of a conversation."""
        if conversation not in self._events:
            raise JournalError(caller_problem("unknown-conversation", f"There is no conversation {conversation}."))
        return self._events[conversation]

    def keep(self, digest: str, cfg: ChatConfig) -> None:
        """A config by its digest."""
        self._configs[digest] = cfg

    def config(self, digest: str) -> ChatConfig:
        """The config of that digest."""
        if digest not in self._configs:
            raise JournalError(world_problem("config-lost", f"The config {digest[:12]} is not here."))
        return self._configs[digest]

    def find(self) -> tuple[Kept, ...]:
        """All conversations, the one changed last first."""
        found = (self._kept(conversation, events) for conversation, events in self._events.items())
        return tuple(sorted(found, key=lambda kept: (kept.changed_ms, kept.conversation), reverse=True))

    def _kept(self, conversation: str, events: tuple[Event, ...]) -> Kept:
        past = fold(events)
        cfg = self._configs[past.cfg_digest]
        return Kept(
            conversation=conversation,
            name=past.name or cfg.name,
            workspace=cfg.workspace,
            started_ms=next(event.at_ms for event in reversed(events) if isinstance(event, Started)),
            changed_ms=events[-1].at_ms,
            events=len(events),
            title=_title(events),
        )


def _title(events: tuple[Event, ...]) -> str:
    for event in events:
        if isinstance(event, CallCommanded):
            return event.line
        if isinstance(event, MessageAdded) and isinstance(event.message, UserMessage):
            return event.message.text
    return ""

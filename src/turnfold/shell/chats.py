"""The person's past conversations, searched for words: a scan of what was said, in order of the journal, a few thousand events at a time.

No index is kept: an append costs nothing for it, and a thousand conversations are scanned in well under a second
(tests/shell/test_chats.py). Whoever writes to the journal meanwhile waits for one piece of the scan, never for all of it.
"""

from __future__ import annotations

import math
import re
from typing import final

from attrs import field, frozen
from typing_extensions import override

from turnfold.core.agent.events import CallCommanded, MessageAdded
from turnfold.core.agent.ids import parent_of
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import UserMessage
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.output import limit_text
from turnfold.core.world.answers import ChatFound, ChatsFound
from turnfold.core.world.requests import SearchChats
from turnfold.shell.journal import SqliteJournal, Titled
from turnfold.shell.ports import JournalError, Port
from turnfold.shell.scope import Scope

PIECE_ROWS = 5_000
MOST_TERMS = 20
SNIPPET_CHARS = 300
IN_TITLE = 3  # a word in the title counts like so many in what was said

WORD = re.compile(r"\w+")


def terms_of(query: str) -> tuple[str, ...]:
    """The words of ``query`` that are looked for, whatever their case.

    >>> terms_of("SQLite, or sqlite?")
    ('sqlite', 'or')
    """
    return tuple(dict.fromkeys(word.casefold() for word in WORD.findall(query)))[:MOST_TERMS]


def snippet(text: str, terms: tuple[str, ...]) -> str:
    """The piece of ``text`` around the first of ``terms`` in it, on one line.

    >>> snippet("We took SQLite.", ("sqlite",))
    'We took SQLite.'
    """
    line = " ".join(text.split())
    folded = line.casefold()
    places = tuple(place for place in (folded.find(term) for term in terms) if place >= 0)
    start = max(min(places, default=0) - SNIPPET_CHARS // 3, 0)
    piece = line[start : start + SNIPPET_CHARS]
    return f"{'…' if start else ''}{piece}{'…' if start + SNIPPET_CHARS < len(line) else ''}"


@final
class _Tally:
    """How often each term was found in one conversation, and its best text so far."""

    __slots__ = ("best", "counts", "text")

    def __init__(self, terms: int) -> None:
        self.counts = [0] * terms
        self.best = 0
        self.text = ""

    def add(self, text: str, terms: tuple[str, ...], weight: int = 1) -> None:
        folded = text.casefold()
        found = [folded.count(term) for term in terms]
        self.counts = [have + weight * more for have, more in zip(self.counts, found, strict=True)]
        distinct = sum(map(bool, found))
        if distinct > self.best:
            self.best, self.text = distinct, text

    def score(self, rarities: tuple[float, ...]) -> float:
        return sum(rarity * (1 + math.log(count)) for count, rarity in zip(self.counts, rarities, strict=True) if count)


@final
@frozen
class LocalChats(Port[SearchChats]):
    """Searches the journal on this machine's disk; it only reads."""

    journal: SqliteJournal = field(repr=False)

    @override
    def act(self, request: SearchChats, cfg: ChatConfig, scope: Scope) -> ChatsFound | Problem:
        own = _root(cfg.conversation)
        try:
            others = tuple(each for each in self.journal.titles() if each.conversation != own and not parent_of(each.conversation))
            if request.conversation:
                return self._read(request.conversation, others, cfg)
            terms = terms_of(request.query)
            if not terms:
                return model_problem("no-words", "Say in query which words to look for.", "$.query")
            return self._found(terms, others, request.limit, scope)
        except JournalError as error:
            return error.problem

    def _found(self, terms: tuple[str, ...], others: tuple[Titled, ...], limit: int, scope: Scope) -> ChatsFound | Problem:
        tallies = {each.conversation: _Tally(len(terms)) for each in others}
        row: int | None = 0
        while row is not None:
            if scope.cancelled:
                return world_problem("cancelled", "The search was interrupted: ask for it again if it is still wanted.")
            piece = self.journal.said(row, PIECE_ROWS)
            for said in piece.texts:
                if said.conversation in tallies:
                    tallies[said.conversation].add(said.text, terms)
            row = piece.rest
        for each in others:
            tallies[each.conversation].add(each.title, terms, IN_TITLE)
        having = [sum(tally.counts[index] > 0 for tally in tallies.values()) for index in range(len(terms))]
        rarities = tuple(math.log(1 + len(others) / (1 + count)) for count in having)
        scores = {name: tally.score(rarities) for name, tally in tallies.items()}
        best = sorted(
            (each for each in others if scores[each.conversation] > 0), key=lambda each: -scores[each.conversation]
        )  # stable: newest first
        return ChatsFound(tuple(_chat(each, snippet(tallies[each.conversation].text, terms)) for each in best[: max(limit, 0)]))

    def _read(self, wanted: str, others: tuple[Titled, ...], cfg: ChatConfig) -> ChatsFound | Problem:
        found = next((each for each in others if each.conversation == wanted), None)
        if found is None:
            return model_problem(
                "unknown-conversation", f"There is no other conversation {wanted[:60]!r}: search for it first.", "$.conversation"
            )
        return ChatsFound((_chat(found, limit_text(self._transcript(wanted), cfg.limits.output_bytes)),))

    def _transcript(self, conversation: str) -> str:
        """What was said in it, in order; what tools gave back is left out."""
        lines: list[str] = []
        for event in self.journal.load(conversation):
            if isinstance(event, CallCommanded):
                lines.append(f"User: {event.line}")
            elif isinstance(event, MessageAdded):
                message = event.message
                calls = () if isinstance(message, UserMessage) else tuple(call.name for call in message.calls)
                text = "\n".join(part for part in (message.text, f"(calls {', '.join(calls)})" if calls else "") if part)
                lines.append(f"{'User' if isinstance(message, UserMessage) else 'Assistant'}: {text}")
        return "\n\n".join(lines)

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""


def _chat(each: Titled, text: str) -> ChatFound:
    return ChatFound(conversation=each.conversation, title=each.title, changed_ms=each.changed_ms, text=text)


def _root(conversation: str) -> str:
    parent = parent_of(conversation)
    return _root(parent) if parent else conversation

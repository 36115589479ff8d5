"""Searching past conversations in a real journal."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import CallCommanded, Event, MessageAdded, Renamed, Started
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.world.answers import ChatsFound
from turnfold.core.world.requests import SearchChats
from turnfold.shell.chats import PIECE_ROWS, SNIPPET_CHARS, LocalChats, snippet, terms_of
from turnfold.shell.clock import monotonic_s
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.scope import Scope

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", conversation="now")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "journal.sqlite3")
    opened.keep("d", CFG)
    yield opened
    opened.close()


def talk(journal: SqliteJournal, conversation: str, *texts: str, at_ms: int = 0, more: tuple[Event, ...] = ()) -> None:
    """A conversation in which these were said, by the person and the model in turns."""
    messages = tuple(
        MessageAdded(AssistantMessage(text=text, place="1.1") if index % 2 else UserMessage(text), at_ms)
        for index, text in enumerate(texts)
    )
    events: tuple[Event, ...] = (Started(conversation=conversation, cfg_digest="d", tools_digest="", at_ms=at_ms), *messages, *more)
    journal.append(conversation, tuple(Record(number, event) for number, event in enumerate(events)))


def found(journal: SqliteJournal, query: str, limit: int = 5, cfg: ChatConfig = CFG) -> ChatsFound:
    answer = LocalChats(journal).act(SearchChats(query=query, limit=limit), cfg, Scope())
    assert isinstance(answer, ChatsFound)
    return answer


def names(answer: ChatsFound) -> list[str]:
    return [chat.conversation for chat in answer.chats]


def test_the_best_comes_first_with_a_piece_that_fits(journal: SqliteJournal) -> None:
    talk(journal, "a", "Which database?", "x " * 500 + "We took SQLite for the database." + " y" * 500, at_ms=1_000)
    talk(journal, "b", "What is a database?", "Tables.", at_ms=2_000)
    talk(journal, "c", "Hello", "Hi.", at_ms=3_000)
    answer = found(journal, "SQLITE database")
    assert names(answer) == ["a", "b"]
    first = answer.chats[0]
    assert (first.title, first.changed_ms) == ("Which database?", 1_000)
    assert "We took SQLite for the database." in first.text
    assert first.text.startswith("…")
    assert len(first.text) <= SNIPPET_CHARS + 2
    assert names(found(journal, "sqlite database", 1)) == ["a"]
    assert names(found(journal, "nowhere")) == []


def test_what_fits_alike_comes_newest_first_and_names_count(journal: SqliteJournal) -> None:
    for name, at_ms in (("a", 1), ("b", 3), ("c", 2)):
        talk(journal, name, "the moon", at_ms=at_ms)
    talk(journal, "d", "stars", more=(Renamed("moon"),))
    assert names(found(journal, "moon")) == ["b", "c", "a", "d"]  # what was said and is the title counts twice


def test_neither_the_one_that_asks_nor_a_child_is_found(journal: SqliteJournal) -> None:
    for name in ("now", "now~1.1.0.0", "other", "other~1.1.0.0"):
        talk(journal, name, "the moon")
    assert names(found(journal, "moon")) == ["other"]
    assert names(found(journal, "moon", cfg=ChatConfig(CFG.project, conversation="other~1.1.0.0~1.1.0.0"))) == ["now"]


def test_one_is_read(journal: SqliteJournal) -> None:
    call = ToolCall("shell", JsonObject.of(command="ls"))
    said = MessageAdded(AssistantMessage(text="", place="1.2", calls=(call,)))
    talk(journal, "a", "Hello", "Hi.", more=(said, CallCommanded("/shell ls", call)))
    answer = LocalChats(journal).act(SearchChats(query="", limit=5, conversation="a"), CFG, Scope())
    assert isinstance(answer, ChatsFound)
    assert answer.chats[0].text == "User: Hello\n\nAssistant: Hi.\n\nAssistant: (calls shell)\n\nUser: /shell ls"
    for wanted in ("b", "now"):
        unknown = LocalChats(journal).act(SearchChats(query="", limit=5, conversation=wanted), CFG, Scope())
        assert isinstance(unknown, Problem)
        assert unknown.code == "unknown-conversation"


def test_an_event_that_is_damaged_hides_no_other(tmp_path: Path, journal: SqliteJournal) -> None:
    talk(journal, "a", "the moon")
    talk(journal, "b", "the moon")
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as other, other:
        other.execute("UPDATE events SET body = substr(body, 1, 60) WHERE conversation = 'a' AND number = 1")
        other.execute("UPDATE conversations SET title = ''")
    assert names(found(journal, "moon")) == ["b"]


def test_no_words_a_cancel_and_a_closed_journal_are_problems(tmp_path: Path, journal: SqliteJournal) -> None:
    talk(journal, "a", "Hello")
    none = LocalChats(journal).act(SearchChats(query="?!", limit=5), CFG, Scope())
    cancelled = Scope()
    cancelled.cancel()
    stopped = LocalChats(journal).act(SearchChats(query="hello", limit=5), CFG, cancelled)
    closed = SqliteJournal(tmp_path / "other.sqlite3")
    closed.close()
    gone = LocalChats(closed).act(SearchChats(query="hello", limit=5), CFG, Scope())
    assert [each.code for each in (none, stopped, gone) if isinstance(each, Problem)] == ["no-words", "cancelled", "journal-closed"]


def test_a_thousand_conversations_are_scanned_at_once(journal: SqliteJournal) -> None:
    """1,000 conversations of 20 messages of some 500 characters; with room for a slow machine under load."""
    texts = tuple(f"{'lorem ipsum dolor ' * 28}{number}" for number in range(20))
    for number in range(1_000):
        talk(journal, f"c{number:04d}", *texts, *(("the needle is here",) if number == 777 else ()))
    began = monotonic_s()
    answer = found(journal, "needle here")
    took_s = monotonic_s() - began
    assert names(answer) == ["c0777"]
    assert PIECE_ROWS < 1_000 * 21  # in several pieces
    assert took_s < 5, took_s


@given(text=st.text(max_size=2000), query=st.text(max_size=20))
def test_a_snippet_is_one_line_of_the_text(text: str, query: str) -> None:
    piece = snippet(text, terms_of(query))
    assert piece.strip("…") in " ".join(text.split()) or "…" in text
    assert len(piece) <= SNIPPET_CHARS + 2
    assert "\n" not in piece

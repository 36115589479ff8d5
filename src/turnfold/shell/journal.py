"""The SQLite journal: one file for all conversations of a person, one atomic append a step.

Write-ahead log with ``synchronous=NORMAL``: what is appended survives the death of the process at any moment; a power
cut may take the last appends, never the middle. SQLite before 3.51.3 can corrupt a write-ahead log when two connections
write or checkpoint at once, so every connection to a file takes turns by a lock file beside it; within a process one
connection serves all threads.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar, final

from attrs import evolve, frozen
from returns.result import Failure

from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import CallCommanded, Event, MessageAdded, Renamed, Started
from turnfold.core.codec.codec import BRIEFING, CONFIG, EVENT, PROJECT, Codec, decode_untrusted, encode
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import UserMessage
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.shell.parts import parted, says_workspace
from turnfold.shell.ports import JournalError, Kept

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS configs (
  digest TEXT PRIMARY KEY, body TEXT NOT NULL, project TEXT NOT NULL DEFAULT '', briefing TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conversations (
  conversation TEXT PRIMARY KEY, digest TEXT NOT NULL, started_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,
  events INTEGER NOT NULL, title TEXT NOT NULL DEFAULT '', name TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
  conversation TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (conversation, number)
);
"""

STARTED = """
INSERT INTO conversations (conversation, digest, started_ms, changed_ms, events) VALUES (?, ?, ?, ?, 0)
ON CONFLICT (conversation) DO UPDATE SET digest = excluded.digest, started_ms = excluded.started_ms, name = ''
"""  # a fork's journal holds the start of the conversation that it came from, too: the last one counts

ADDED = (("conversations", "name"), ("configs", "project"), ("configs", "briefing"))  # columns that a file of turnfold 0.1 lacks
NOTED = (Started, Renamed, CallCommanded, MessageAdded)  # what the list of conversations shows something of
TITLE_CHARS = 80
SPOKEN = '{"type":"MessageAdded",%'  # as the codec writes it


@final
@frozen
class Titled:
    """A conversation as lists show it."""

    conversation: str
    title: str
    changed_ms: int


@final
@frozen
class SaidText:
    """Something that was said in a conversation."""

    conversation: str
    text: str


@final
@frozen
class SaidRows:
    """What was said in some rows of the journal, and the row behind which it goes on; None at the end."""

    texts: tuple[SaidText, ...]
    rest: int | None


@final
class SqliteJournal:
    """Conversations in one SQLite file; usable from any thread. Close it when done."""

    __slots__ = ("_connection", "_gate", "_lock", "_opened", "path")

    def __init__(self, path: Path) -> None:
        """Open or make the file at ``path``; raises ``JournalError`` when that can't be done."""
        self.path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with ExitStack() as opened:
                self._gate = opened.enter_context(path.with_name(path.name + ".lock").open("ab"))
                self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
                opened.callback(self._connection.close)
                self._run(self._prepare)
                self._opened = opened.pop_all()
        except (OSError, sqlite3.Error) as error:
            raise JournalError(_unusable(path, error)) from error

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)
        for table, column in ADDED:
            if not any(row[1] == column for row in self._connection.execute(f"PRAGMA table_info({table})")):
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")

    def close(self) -> None:
        """Release the file."""
        self._run(self._connection.close)
        self._opened.close()

    def append(self, conversation: str, records: tuple[Record, ...]) -> None:
        """All of ``records``, or none: a number that is taken means that another process went on with the conversation."""
        rows = [(conversation, record.number, encode(EVENT, record.event)) for record in records]
        noted = [record for record in records if isinstance(record.event, NOTED)]
        last = records[-1]
        changed = (last.event.at_ms, last.number + 1, conversation)

        def write() -> None:
            with self._transaction():
                self._connection.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
                for record in noted:
                    self._note(conversation, record)
                self._connection.execute("UPDATE conversations SET changed_ms = ?, events = ? WHERE conversation = ?", changed)

        self._run(write)

    def _note(self, conversation: str, record: Record) -> None:
        """What the list of conversations shows of ``record``."""
        event = record.event
        if isinstance(event, Started):
            row = (conversation, event.cfg_digest, event.at_ms, event.at_ms)
            self._connection.execute(STARTED, row)
        if isinstance(event, Renamed):
            self._connection.execute("UPDATE conversations SET name = ? WHERE conversation = ?", (event.name, conversation))
        said = event.line if isinstance(event, CallCommanded) else ""
        if isinstance(event, MessageAdded) and isinstance(event.message, UserMessage):
            said = event.message.text
        if said:
            title = " ".join(said.split())[:TITLE_CHARS]
            self._connection.execute("UPDATE conversations SET title = ? WHERE conversation = ? AND title = ''", (title, conversation))

    def load(self, conversation: str) -> tuple[Event, ...]:
        """The journal of a conversation, from its first event."""
        query = "SELECT number, body FROM events WHERE conversation = ? ORDER BY number"
        rows: list[tuple[int, str]] = self._run(lambda: self._connection.execute(query, (conversation,)).fetchall())
        if not rows:
            raise JournalError(
                caller_problem("unknown-conversation", f"There is no conversation {conversation}. `turnfold list` shows them all.")
            )
        return tuple(self._read(EVENT, body, f"event {number} of {conversation}") for number, body in rows)

    def keep(self, digest: str, cfg: ChatConfig) -> None:
        """A config, for whoever resumes a conversation that was started with it; what others hold, too, is kept once."""
        parts = parted(cfg)
        shared = [(part.digest, part.body) for part in (parts.project, parts.briefing)]
        row = (digest, parts.body, parts.project.digest, parts.briefing.digest)

        def write() -> None:
            with self._transaction():
                self._connection.executemany("INSERT OR IGNORE INTO parts VALUES (?, ?)", shared)
                self._connection.execute("INSERT OR IGNORE INTO configs (digest, body, project, briefing) VALUES (?, ?, ?, ?)", row)

        self._run(write)

    def config(self, digest: str) -> ChatConfig:
        """The config of that digest."""
        query = "SELECT body, project, briefing FROM configs WHERE digest = ?"
        row: tuple[str, str, str] | None = self._run(lambda: self._connection.execute(query, (digest,)).fetchone())
        if row is None:
            raise JournalError(world_problem("config-lost", f"The config of this conversation ({digest[:12]}) is not in {self.path}."))
        cfg = self._read(CONFIG, row[0], f"config {digest[:12]}")
        if not row[1]:
            return cfg  # of turnfold 0.1: in one piece
        return evolve(cfg, project=self._part(PROJECT, row[1]), briefing=self._part(BRIEFING, row[2]))

    def _part(self, codec: Codec[T], digest: str) -> T:
        query = "SELECT body FROM parts WHERE digest = ?"
        row: tuple[str] | None = self._run(lambda: self._connection.execute(query, (digest,)).fetchone())
        if row is None:
            raise JournalError(world_problem("config-lost", f"A part of a config ({digest[:12]}) is not in {self.path}."))
        return self._read(codec, row[0], f"part {digest[:12]} of a config")

    def titles(self) -> tuple[Titled, ...]:
        """All conversations by what they are called, without reading any; the one changed last first."""
        query = "SELECT conversation, name, title, changed_ms FROM conversations ORDER BY changed_ms DESC, conversation DESC"
        rows: list[tuple[str, str, str, int]] = self._run(lambda: self._connection.execute(query).fetchall())
        return tuple(Titled(conversation, name or title, changed_ms) for conversation, name, title, changed_ms in rows)

    def said(self, after: int, rows: int) -> SaidRows:
        """What people and models said, of the next ``rows`` events behind row ``after`` of all conversations; an event that is damaged is
        passed over. Nobody has to wait for longer than these rows take.
        """
        spoken = "SELECT conversation, CASE WHEN json_valid(body) THEN json_extract(body, '$.message.text') END FROM events WHERE rowid > ? AND rowid <= ? AND body LIKE ?"
        found: list[tuple[str, object]] = self._run(lambda: self._connection.execute(spoken, (after, after + rows, SPOKEN)).fetchall())
        last: tuple[int | None] = self._run(lambda: self._connection.execute("SELECT max(rowid) FROM events").fetchone())
        texts = tuple(SaidText(conversation, text) for conversation, text in found if isinstance(text, str))
        return SaidRows(texts, None if after + rows >= (last[0] or 0) else after + rows)

    def find(self) -> tuple[Kept, ...]:
        """All conversations, the one changed last first."""
        query = (
            "SELECT conversation, name, started_ms, changed_ms, events, title, body, project FROM conversations JOIN configs USING (digest)"
            " ORDER BY changed_ms DESC, conversation DESC"
        )
        rows: list[tuple[str, str, int, int, int, str, str, str]] = self._run(lambda: self._connection.execute(query).fetchall())
        return tuple(self._kept(*row) for row in rows)

    def _kept(
        self, conversation: str, name: str, started_ms: int, changed_ms: int, events: int, title: str, body: str, project: str
    ) -> Kept:
        try:
            cfg = self._read(CONFIG, body, f"config of {conversation}")
            if project and not says_workspace(cfg):
                cfg = evolve(cfg, project=self._part(PROJECT, project))
            workspace, named = cfg.workspace, name or cfg.name
        except JournalError:  # one that can't be read, such as another version's, hides none of the others
            workspace, named = "", name
        return Kept(
            conversation=conversation,
            name=named,
            workspace=workspace,
            started_ms=started_ms,
            changed_ms=changed_ms,
            events=events,
            title=title,
        )

    def _read(self, codec: Codec[T], body: str, what: str) -> T:
        read = decode_untrusted(codec, body)
        if isinstance(read, Failure):
            message = (
                f"{self.path}, {what}: {read.failure().message} It is damaged, or of another version of turnfold; others are not touched."
            )
            raise JournalError(world_problem("journal-damaged", message))
        return read.unwrap()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _run(self, work: Callable[[], T]) -> T:
        """``work`` done while nobody else uses the file; what SQLite says of it as a ``JournalError``."""
        with self._lock:
            if self._gate.closed:
                raise JournalError(
                    caller_problem("journal-closed", f"The journal {self.path} was closed: use a world inside its `with` block.")
                )
            try:
                fcntl.flock(self._gate, fcntl.LOCK_EX)
                try:
                    return work()
                finally:
                    fcntl.flock(self._gate, fcntl.LOCK_UN)
            except sqlite3.IntegrityError as error:
                message = "Another process has gone on with this conversation; nothing was added here. Resume it again to see what it did."
                raise JournalError(caller_problem("conversation-taken", message)) from error
            except (OSError, sqlite3.Error) as error:
                raise JournalError(_unusable(self.path, error)) from error


def _unusable(path: Path, error: Exception) -> Problem:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    message = f"The journal {path} can't be used: {why}. Free some space or mend the permissions; nothing is done that can't be recorded."
    return world_problem("journal-unusable", message, str(path))

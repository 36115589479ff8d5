"""An index of the texts below a folder, so that passages are found by their words: one SQLite file a root, in turnfold's cache.

It is brought up to date before every search: a file is read again where its size or its time has changed, and cut anew where its digest
has. A time that is nearly now proves nothing, so it is not kept. The index may hold more than a conversation may read; what is told is
only of files that the finder finds for it, so rules, .gitignore and links count as in a search. Whoever else uses the same index waits.
An index that is damaged is made again; one that is gone, too.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import posixpath
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import final

from attrs import evolve, field, frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.world.answers import FilesSearched, IndexSearched, Passage
from turnfold.core.world.requests import SearchFiles, SearchIndex
from turnfold.shell.beneath import real_path, walked
from turnfold.shell.chats import terms_of
from turnfold.shell.clock import SystemClock
from turnfold.shell.passages import passages
from turnfold.shell.ports import Port
from turnfold.shell.scope import Scope

MOST_FILES = 20_000
MOST_BYTES = 1_000_000  # of a file; what is larger is no text that somebody wrote
FRESH_MS = 2_000  # how old a file's time must be to prove that it has not changed since
WAIT_S = 0.05

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL, size INTEGER NOT NULL, digest TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5 (text, path UNINDEXED, first UNINDEXED, last UNINDEXED);
"""


class _CancelledError(Exception):
    """The request was cancelled; raised within this port only."""


@final
@frozen(kw_only=True)
class _Known:
    """What the index holds of a file: its passages are the rows from ``low`` up to, not including, ``high``."""

    mtime_ns: int
    size: int
    digest: str
    low: int = 0
    high: int = 0


@final
@frozen
class LocalIndex(Port[SearchIndex]):
    """Indexes below ``folder``, one a root, of the files that ``finder`` finds. Nothing lives on between two searches."""

    folder: Path
    finder: Port[SearchFiles] = field(repr=False)

    @override
    def act(self, request: SearchIndex, cfg: ChatConfig, scope: Scope) -> IndexSearched | Problem:
        terms = terms_of(request.query)
        if not terms:
            return model_problem("no-words", "Say in query which words to look for.", "$.query")
        there = self._listed(request, (), cfg, scope)
        if isinstance(there, Problem):
            return there
        meant = self._listed(request, request.names, cfg, scope) if request.names else there
        if isinstance(meant, Problem):
            return meant
        try:
            return self._searched(request, terms, there, frozenset(meant), scope)
        except _CancelledError:
            return world_problem("cancelled", "The search was interrupted: ask for it again if it is still wanted.")
        except (OSError, sqlite3.Error) as error:
            message = f"The index in {self.folder} can't be used ({error}): use grep, or make room and mend its permissions."
            return world_problem("index-unusable", message)

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""

    def _listed(self, request: SearchIndex, names: tuple[str, ...], cfg: ChatConfig, scope: Scope) -> tuple[str, ...] | Problem:
        found = self.finder.act(SearchFiles(root=request.root, names=names, limit=MOST_FILES), cfg, scope)
        if isinstance(found, Problem):
            return found
        assert isinstance(found, FilesSearched)
        return tuple(match.path for match in found.found)

    def _searched(
        self, request: SearchIndex, terms: tuple[str, ...], there: tuple[str, ...], meant: frozenset[str], scope: Scope
    ) -> IndexSearched:
        root = real_path(request.root)
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{name}.sqlite3"
        with _turn(path.with_suffix(".lock"), scope):
            try:
                return _found(path, root, terms, there, meant, request.limit, scope)
            except sqlite3.Error:
                path.unlink(missing_ok=True)  # it is damaged, and holds nothing that can't be read again
                return _found(path, root, terms, there, meant, request.limit, scope)


def _found(
    path: Path, root: str, terms: tuple[str, ...], there: tuple[str, ...], meant: frozenset[str], limit: int, scope: Scope
) -> IndexSearched:
    with contextlib.closing(_opened(path)) as index:
        _update(index, root, there, scope)
        return IndexSearched(passages=_best(index, terms, meant, limit), files=len(_known(index).keys() & meant))


@contextlib.contextmanager
def _turn(lock: Path, scope: Scope) -> Iterator[None]:
    """Nobody else uses the index until the block ends."""
    woken = Event()
    with lock.open("ab") as gate, scope.stopping(woken.set):
        while True:
            try:
                fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if woken.wait(WAIT_S):
                    raise _CancelledError from None
        yield


def _opened(path: Path) -> sqlite3.Connection:
    index = sqlite3.connect(path, isolation_level=None)
    try:
        index.execute("PRAGMA synchronous=OFF")  # what a power cut damages is made again
        index.executescript(SCHEMA)
    except BaseException:
        index.close()
        raise
    return index


def _known(index: sqlite3.Connection) -> dict[str, _Known]:
    rows = index.execute("SELECT path, mtime_ns, size, digest, low, high FROM files")
    return {row[0]: _Known(mtime_ns=row[1], size=row[2], digest=row[3], low=row[4], high=row[5]) for row in rows}


def _update(index: sqlite3.Connection, root: str, there: tuple[str, ...], scope: Scope) -> None:
    """The index as the files are now; what was done before a cancel stays done."""
    known = _known(index)
    index.execute("BEGIN IMMEDIATE")
    for path in there:
        if scope.cancelled:
            index.execute("COMMIT")
            raise _CancelledError
        _update_file(index, root, path, known.get(path))
    for path in known.keys() - frozenset(there):
        if not os.path.lexists(posixpath.join(root, path)):
            _forget(index, path, known[path])
    index.execute("COMMIT")


def _update_file(index: sqlite3.Connection, root: str, path: str, known: _Known | None) -> None:
    """The index with one file as it is now: untouched where nothing speaks for a change; gone where it can't be read."""
    whole = root if path == "." else posixpath.join(root, path)
    try:
        seen = os.lstat(whole)
        if known is not None and (known.mtime_ns, known.size) == (seen.st_mtime_ns, seen.st_size):
            return
        data = _read(whole)
    except OSError:
        data = None  # gone meanwhile, or not to be read
        seen = None
    if data is None or seen is None:
        if known is not None:
            _forget(index, path, known)
        return
    settled = seen.st_mtime_ns if SystemClock().now_ms() - seen.st_mtime_ns // 1_000_000 > FRESH_MS else -1
    digest = hashlib.sha256(data).hexdigest()
    now = _Known(mtime_ns=settled, size=seen.st_size, digest=digest)
    if known is not None and known.digest == digest:
        now = evolve(now, low=known.low, high=known.high)
    else:
        if known is not None:
            _forget(index, path, known)
        now = _added(index, path, data, now)
    row = (path, now.mtime_ns, now.size, now.digest, now.low, now.high)
    index.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", row)


def _read(path: str) -> bytes | None:
    """What the file holds; None for what is no file of its own name, or too large."""
    with walked(path) as place:
        if place.path != path:
            return None  # it leads elsewhere
        with os.fdopen(place.open(os.O_RDONLY), "rb") as file:
            status = os.fstat(file.fileno())
            return file.read(MOST_BYTES) if stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES else None


def _added(index: sqlite3.Connection, path: str, data: bytes, known: _Known) -> _Known:
    """The file's passages in the index; none of what is no text."""
    try:
        text = "" if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        text = ""
    low = 1 + (index.execute("SELECT max(rowid) FROM passages").fetchone()[0] or 0)
    rows = [(low + place, each.text, path, each.first, each.last) for place, each in enumerate(passages(path, text))]
    index.executemany("INSERT INTO passages (rowid, text, path, first, last) VALUES (?, ?, ?, ?, ?)", rows)
    return evolve(known, low=low, high=low + len(rows))


def _forget(index: sqlite3.Connection, path: str, known: _Known) -> None:
    index.execute("DELETE FROM passages WHERE rowid >= ? AND rowid < ?", (known.low, known.high))
    index.execute("DELETE FROM files WHERE path = ?", (path,))


def _best(index: sqlite3.Connection, terms: tuple[str, ...], meant: frozenset[str], limit: int) -> tuple[Passage, ...]:
    """The passages of the files that are meant, those with the rarest words most often first."""
    wanted = " OR ".join(f'"{term}"' for term in terms)  # a term is a word: it holds no quote
    rows = index.execute("SELECT path, first, last, text FROM passages WHERE passages MATCH ? ORDER BY rank, rowid", (wanted,))
    found: list[Passage] = []
    for path, first, last, text in rows:
        if len(found) >= limit:
            break
        if path in meant:
            found.append(Passage(path=path, first=first, last=last, text=text))
    return tuple(found)

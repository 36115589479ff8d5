"""Looking for files below a folder, through the port of files: bounded, in a fixed order, and never round in a circle."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import final

from attrs import frozen

from turnfold.core.world.answers import Entry, EntryKind, FilesListed
from turnfold.core.world.requests import ListFiles
from turnfold.shell.ports import Files

LISTINGS = 2_000  # of one tree: a bound for **, and for folders that some program fills
ENTRIES = 10_000  # of one folder
DEPTH = 64  # of a folder below the root: deeper ones are empty
WILD = frozenset("*?[")


@final
@frozen
class Below:
    """The files that were found; ``more``: there are others."""

    found: tuple[str, ...]
    more: bool = False


@final
class Tree:
    """The folders of a file system. What can't be listed is empty; hidden names are meant only by patterns that begin with a dot."""

    __slots__ = ("_files", "_left")

    def __init__(self, files: Files) -> None:
        self._files = files
        self._left = LISTINGS

    def folders(self, folder: str) -> tuple[str, ...]:
        """The names in ``folder`` that are folders, or links to what may be one."""
        return tuple(each.name for each in self._entries(folder) if each.kind in {EntryKind.FOLDER, EntryKind.LINK})

    def below(self, folder: str, endings: tuple[str, ...], limit: int) -> Below:
        """At most ``limit`` files below ``folder`` whose names have one of ``endings``; folders behind links are not entered."""
        found: list[str] = []
        for path in self._walk(folder, endings):
            if len(found) == limit:
                return Below(tuple(found), more=True)
            found.append(path)
        return Below(tuple(found), more=self._left <= 0)

    def expanded(self, base: str, pattern: str) -> tuple[str, ...]:
        """What the glob ``pattern`` (from ``base``, or absolute) stands for, sorted; without a wildcard it is one path, there or not.

        ``**`` stands for any folders, those behind links apart. A glob of more than ``DEPTH`` names stands for nothing.
        """
        whole = posixpath.normpath(posixpath.join(base, pattern))
        if WILD.isdisjoint(pattern):
            return (whole,)
        segments = tuple(posixpath.normpath(pattern).strip("/").split("/"))
        if len(segments) > DEPTH:
            return ()
        start = "/" if pattern.startswith("/") else base
        return tuple(sorted(dict.fromkeys(self._expanded(start, segments))))

    def _expanded(self, folder: str, segments: tuple[str, ...]) -> Iterator[str]:
        if not segments:
            yield folder
            return
        head, *rest = segments
        if head == "**":
            yield from self._expanded(folder, tuple(rest) or ("*",))
            for each in self._entries(folder):
                if each.kind is EntryKind.FOLDER and not each.name.startswith("."):
                    yield from self._expanded(posixpath.join(folder, each.name), segments)
        elif WILD.isdisjoint(head):
            yield from self._expanded(posixpath.normpath(posixpath.join(folder, head)), tuple(rest))
        else:
            for each in self._entries(folder):
                enters = not rest or each.kind in {EntryKind.FOLDER, EntryKind.LINK}
                if enters and fnmatchcase(each.name, head) and (head.startswith(".") or not each.name.startswith(".")):
                    yield from self._expanded(posixpath.join(folder, each.name), tuple(rest))

    def _walk(self, folder: str, endings: tuple[str, ...]) -> Iterator[str]:
        folders: tuple[str, ...] = ()
        for each in self._entries(folder):
            path = posixpath.join(folder, each.name)
            if each.name.startswith("."):
                continue
            if each.kind is EntryKind.FOLDER:
                folders = (*folders, path)
            elif each.kind is not EntryKind.OTHER and each.name.endswith(endings):
                yield path
        for path in folders:
            yield from self._walk(path, endings)

    def _entries(self, folder: str) -> tuple[Entry, ...]:
        self._left -= 1
        if self._left < 0 or folder.count("/") > DEPTH:
            return ()
        listed = self._files.list(ListFiles(path=folder, limit=ENTRIES))
        return listed.entries if isinstance(listed, FilesListed) else ()

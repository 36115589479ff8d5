"""Paths walked by descriptor: from ``/``, one name after another, so that what was judged is what is opened.

A path that is checked by its name and then opened by its name can be another one in between: a folder becomes a link. Here every
folder on the way is opened from the one above it, and never through a link; a link is read, and what it says is walked by the same
rule. So the walk knows where it is, without links, and ends at a ``Place``: a descriptor of the lowest folder, and the name in it.
Who was shown ``Place.path`` and opens the name by the descriptor opens no other file, whatever happens to the names above; and where
the name itself has become a link meanwhile, opening fails.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from attrs import frozen

MOST_LINKS = 40  # as Linux has it
MOST_FOLDERS = 20_000  # opened in one walk: links may lead up and down
FOLDER = (getattr(os, "O_PATH", 0) or getattr(os, "O_SEARCH", os.O_RDONLY)) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
HERE = "."


@final
@frozen(kw_only=True)
class Place:
    """Where a path leads: ``name`` in the folder of the descriptor ``folder``, below folders that are ``missing`` so far.

    ``path`` is the same as text, without links. The descriptor is the walk's, and closed with it.
    """

    folder: int
    missing: tuple[str, ...] = ()
    name: str
    path: str

    def status(self) -> os.stat_result:
        """What the name stands for; raises ``FileNotFoundError`` where there is nothing."""
        if self.missing:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)

    def open(self, flags: int) -> int:
        """A descriptor of what the name stands for; waits for nobody. A name that has become a link meanwhile is an ``OSError``."""
        if self.missing:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        try:
            return os.open(self.name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=self.folder)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise OSError(errno.ESTALE, "it became a link meanwhile", self.path) from error


@contextmanager
def walked(path: str) -> Iterator[Place]:
    """The place that the absolute ``path`` leads to, links followed, until the block ends. Raises ``OSError``."""
    walk = _Walk()
    try:
        yield walk.to(path)
    finally:
        walk.close()


def real_path(path: str) -> str:
    """Where the absolute ``path`` leads, as text without links; what can't be walked is taken as it is written."""
    try:
        with walked(path) as place:
            return place.path
    except (OSError, ValueError):
        return posixpath.normpath(path)


@final
class _Walk:
    """One walk: the folder that it is in, by descriptor and by name, and what it may still do."""

    __slots__ = ("_at", "_folder", "_folders", "_links")

    def __init__(self) -> None:
        self._at: tuple[str, ...] = ()
        self._links = MOST_LINKS
        self._folders = MOST_FOLDERS
        self._folder = os.open("/", FOLDER)

    def close(self) -> None:
        os.close(self._folder)

    def to(self, path: str) -> Place:
        todo = _names(posixpath.normpath(path))  # as permission saw it: by text alone
        while todo:
            name, *rest = todo
            if name == "..":
                todo = [*self._at[:-1], *rest]
                self._restart()
            elif (target := self._link(name)) is not None:
                todo = [*_names(target), *rest]
                if target.startswith("/"):
                    self._restart()
            elif not rest:
                return self._place((), name)
            else:
                entered = self._entered(name)
                if entered is None and ".." in rest:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
                if entered is None:
                    return self._place((name, *rest[:-1]), rest[-1])
                todo = rest if entered else todo
        return Place(folder=self._folder, name=HERE, path="/" + "/".join(self._at))

    def _place(self, missing: tuple[str, ...], name: str) -> Place:
        return Place(folder=self._folder, missing=missing, name=name, path="/" + "/".join((*self._at, *missing, name)))

    def _link(self, name: str) -> str | None:
        """What the link of that name says; None for what is no link, or not there."""
        try:
            target = os.readlink(name, dir_fd=self._folder)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOENT}:
                return None
            raise
        self._links -= 1
        if self._links < 0:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
        return target

    def _entered(self, name: str) -> bool | None:
        """Whether the folder of that name is where the walk is now; None where there is none, False where it became a link meanwhile."""
        try:
            below = os.open(name, FOLDER, dir_fd=self._folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR} and self._is_link(name):
                return False
            raise
        self._go(below)
        self._at = (*self._at, name)
        return True

    def _is_link(self, name: str) -> bool:
        return stat.S_ISLNK(os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mode)

    def _restart(self) -> None:
        self._go(os.open("/", FOLDER))
        self._at = ()

    def _go(self, folder: int) -> None:
        os.close(self._folder)
        self._folder = folder
        self._folders -= 1
        if self._folders < 0:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in {"", HERE}]

"""What a script was read as: commands, redirections and assignments in the order of the text, and what could not be read."""

from __future__ import annotations

import re
from enum import Enum
from typing import TypeAlias, final

from attrs import field, frozen

Words: TypeAlias = tuple[str | None, ...]
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./^-]+|[A-Za-z0-9_@%+,./^-][A-Za-z0-9_@%+,./^~-]*")


@final
@frozen(kw_only=True)
class Assignment:
    """``name=value``; the value is None where bash has to compute it. An array's words are in no value."""

    name: str
    value: str | None = None
    source: str = ""


@final
@frozen(kw_only=True)
class Command:
    """One simple command: its words, None for each that bash has to compute (and which may become several, or none).

    ``passes``: it is there only to run another command, which follows as one of its own, and does nothing besides. ``unread``:
    why what it runs can't be told; empty where it can. ``environment``: the assignments in front of it.
    """

    words: Words
    source: str
    environment: tuple[Assignment, ...] = ()
    passes: bool = False
    unread: str = ""

    @property
    def name(self) -> str:
        """The command's first word; empty where it is computed."""
        return self.words[0] or ""

    @property
    def known(self) -> bool:
        """Whether all of it is there to be read."""
        return None not in self.words and all(each.value is not None for each in self.environment)

    @property
    def text(self) -> str:
        """The command in one spelling, whatever quotes its author chose; what is computed as it was written.

        >>> Command(words=("git", "commit", "-m", "a b"), source="git  commit -m 'a b'").text
        "git commit -m 'a b'"
        """
        if not self.known:
            return self.source
        variables = tuple(f"{each.name}={quoted(each.value or '')}" for each in self.environment)
        return " ".join((*variables, *(quoted(word or "") for word in self.words)))


class Way(Enum):
    """What a redirection does with its file."""

    READ = "read"
    WRITE = "write"


@final
@frozen
class Redirection:
    """A file that is opened; ``target`` is None where bash has to compute its name."""

    way: Way
    target: str | None
    source: str = ""


@final
@frozen
class Unread:
    """A part that can't be read, and why."""

    why: str


Piece: TypeAlias = Command | Redirection | Assignment | Unread


@final
@frozen
class Script:
    """All pieces of a script, in the order of its text; a command behind another follows it."""

    pieces: tuple[Piece, ...] = field()

    @property
    def commands(self) -> tuple[Command, ...]:
        """Every command that may run, those behind others included."""
        return tuple(each for each in self.pieces if isinstance(each, Command))

    @property
    def redirections(self) -> tuple[Redirection, ...]:
        """Every file that is redirected."""
        return tuple(each for each in self.pieces if isinstance(each, Redirection))

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """Every variable that is set, but for one command alone."""
        return tuple(each for each in self.pieces if isinstance(each, Assignment))

    @property
    def unread(self) -> str:
        """Why the script can't be read, as far as the first such place says; empty where all of it can."""
        return next((each.why for each in self.pieces if isinstance(each, Unread)), "")


def quoted(word: str) -> str:
    r"""``word`` as bash reads it back, in quotes only where it needs them.

    >>> print(quoted("a.txt"), quoted("it's"), quoted(""))
    a.txt 'it'\''s' ''
    """
    return word if PLAIN.fullmatch(word) else "'" + word.replace("'", "'\\''") + "'"

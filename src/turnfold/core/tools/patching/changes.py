"""What a patch says, whatever its form: files to be changed, made or removed, and the parts of each change."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

MAX_PARTS = 100  # blocks and sections of one patch


@final
@frozen
class Block:
    """A search/replace block: its lines, and which of them may be the divider (at least one, in order)."""

    lines: tuple[str, ...]
    dividers: tuple[int, ...]


class Mark(Enum):
    """What a line of a diff says of its text."""

    KEPT = " "
    REMOVED = "-"
    ADDED = "+"


@final
@frozen
class Line:
    """One line of a diff, without its mark."""

    mark: Mark
    text: str


@final
@frozen(kw_only=True)
class Section:
    """Lines of a diff that belong together: what is there, what goes and what comes, in order; at least one goes or comes.

    The rest are hints of the place: ``anchors``, lines above it (from outside inwards; an empty one says nothing), ``line``, its first
    (from 1; 0: not said), and ``at_end``, that it ends with the file. ``ended``: whether the new text's last line ends with a newline,
    if this section holds it and says so.
    """

    lines: tuple[Line, ...]
    anchors: tuple[str, ...] = ()
    line: int = 0
    at_end: bool = False
    ended: bool | None = None


Part: TypeAlias = Block | Section


@final
@frozen(kw_only=True)
class Update:
    """The file at ``path`` (empty: the patch names none) changes by these parts, and moves to ``moved_to`` if that is said.

    ``line_end`` is how the patch's own lines end: for a text that has no lines yet.
    """

    path: str
    parts: tuple[Part, ...]
    moved_to: str = ""
    line_end: str = "\n"


@final
@frozen
class Add:
    """A new file at ``path`` with ``text``."""

    path: str
    text: str


@final
@frozen
class Remove:
    """The file at ``path`` goes; ``parts``, if there are any, must make it empty."""

    path: str
    parts: tuple[Part, ...] = ()


FileChange: TypeAlias = Update | Add | Remove


@final
@frozen
class Patch:
    """The changes of a patch in the order written; at least one."""

    files: tuple[FileChange, ...]

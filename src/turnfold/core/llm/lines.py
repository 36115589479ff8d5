"""A reply's text cut into lines while it comes: what both text formats are read by."""

from __future__ import annotations

import re
from typing import final

from attrs import field, frozen

from turnfold.core.conversation.log import Log

_NEWLINE = re.compile(r"\r\n?|\n")


@final
@frozen(eq=False, repr=False)
class Lines:
    """How far a text was cut: the pieces of the line that has not ended, and the characters fed."""

    pending: Log[str] = field(factory=Log)
    size: int = 0
    after_cr: bool = False

    @property
    def last(self) -> str:
        """The line that has not ended."""
        return "".join(self.pending)


@final
@frozen
class Line:
    """A line without its newline, and the offset in the text where it ends."""

    text: str
    end: int


@final
@frozen(eq=False, repr=False)
class CutLines:
    """The lines that have ended, and what is left of the text."""

    lines: tuple[Line, ...]
    rest: Lines


def within_line(before: Lines, text: str) -> Lines | None:
    r"""The fast path of :func:`cut_lines`: ``text`` behind ``before`` where it ends no line, as nearly all chunks do; None for others.

    >>> within_line(Lines(), "ab").last, within_line(Lines(), "a\n")
    ('ab', None)
    """
    if "\n" in text or "\r" in text or not text:
        return None
    return Lines(before.pending.append(text), before.size + len(text))


def cut_lines(before: Lines, text: str) -> CutLines:
    r"""``text`` behind ``before`` cut at LF, CRLF and CR; linear in the text, however it is cut into chunks.

    >>> cut = cut_lines(cut_lines(Lines(), "a\r").rest, "\nb\nc")
    >>> cut.lines, cut.rest.last
    ((Line(text='b', end=4),), 'c')
    """
    start = 1 if before.after_cr and text.startswith("\n") else 0
    pending = before.pending
    lines: list[Line] = []
    for newline in _NEWLINE.finditer(text, start):
        piece = text[start : newline.start()]
        lines.append(Line("".join((*pending, piece)) if pending else piece, before.size + newline.start()))
        pending, start = Log(), newline.end()
    rest = text[start:]
    return CutLines(
        tuple(lines),
        Lines(pending.append(rest) if rest else pending, before.size + len(text), text.endswith("\r") if text else before.after_cr),
    )

r"""Sections of a diff, read: what unified diffs and ``apply_patch`` envelopes have in common.

    sections := section*
    section  := header* (line | "\" note | "*** End of File" | blank)+
    header   := "@@ -" LINE ["," COUNT] " +" LINE ["," COUNT] " @@" [anchor]  |  "@@" [anchor]
    line     := (" " | "-" | "+") text

Models count badly, so counts are not read. A blank line stands for an empty line that is kept; at the end of a section it says nothing.
"""

from __future__ import annotations

import itertools
import re
from typing import final

from attrs import frozen

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.patching.blocks import bad_line
from turnfold.core.tools.patching.changes import Line, Mark, Section

HEADER = re.compile(r"@@ -(\d{1,9})(?:,\d+)? \+\d+(?:,\d+)? @@(.*)\Z")
END_OF_FILE = "*** End of File"
NOTE = "\\"  # "\ No newline at end of file"
HOW = "Write ` ` before each line that stays, `-` before each that goes, `+` before each new one, and a line `@@` before each place."


@final
@frozen
class SectionRead:
    """A section, and the line after it."""

    section: Section
    stop: int


def in_section(line: str) -> bool:
    """Whether ``line`` may belong to a section.

    >>> in_section("@@ def f():"), in_section("+x"), in_section("x")
    (True, True, False)
    """
    return not line or line[0] in " -+" or line.startswith(("@@", NOTE)) or line.rstrip() == END_OF_FILE


def read_section(lines: tuple[str, ...], place: int, stop: int) -> SectionRead | Problem:
    """The section that begins at ``place``, of the lines before ``stop``; linear in its lines.

    >>> section = read_section(("@@ def f():", "-a", "+b"), 0, 3).section
    >>> section.anchors, tuple(line.text for line in section.lines)
    (('def f():',), ('a', 'b'))
    """
    first = place
    headers: tuple[tuple[int, str], ...] = ()
    while place < stop and lines[place].startswith("@@"):
        headers += (_header(lines[place]),)
        place += 1
    end = next((index for index in range(place, stop) if lines[index].startswith("@@")), stop)
    wrong = next((index for index in range(place, end) if not in_section(lines[index])), -1)
    if wrong >= 0:
        return bad_line(wrong, lines[wrong], "begins with none of ` `, `-` and `+`", HOW)
    body = _without_last_blanks(lines[place:end])
    said = tuple(Line(Mark(line[0]) if line else Mark.KEPT, line[1:]) for line in body if not _is_note(line))
    if all(line.mark is Mark.KEPT for line in said):
        return bad_line(first, lines[first], "begins a section that changes nothing", HOW)
    anchors = tuple(anchor for _, anchor in headers)
    section = Section(
        lines=said,
        anchors=anchors if any(anchors) else (),
        line=next((number for number, _ in headers if number), 0),
        at_end=any(line.rstrip() == END_OF_FILE for line in body),
        ended=_ended(body),
    )
    return SectionRead(section, end)


def _header(line: str) -> tuple[int, str]:
    """The line number and the anchor of a header; 0 and empty where it has none."""
    found = HEADER.match(line)
    if found is not None:
        return int(found.group(1)), found.group(2).strip()
    return 0, line.removeprefix("@@").strip().removesuffix("@@").strip()


def _is_note(line: str) -> bool:
    return line.startswith(NOTE) or line.rstrip() == END_OF_FILE


def _without_last_blanks(lines: tuple[str, ...]) -> tuple[str, ...]:
    stop = next((index + 1 for index in range(len(lines) - 1, -1, -1) if lines[index]), 0)
    return lines[:stop]


def _ended(body: tuple[str, ...]) -> bool | None:
    """What the notes say of the new text's end: one behind an old line alone means that the new one ends."""
    ended = None
    for before, line in itertools.pairwise(body):
        if line.startswith(NOTE):
            ended = before.startswith("-")
    return ended


def added_text(lines: tuple[Line, ...], line_end: str) -> str | None:
    r"""The text of a new file, whose lines are all added; None where some are not.

    >>> added_text((Line(Mark.ADDED, "a"), Line(Mark.ADDED, "b")), "\n")
    'a\nb\n'
    """
    if any(line.mark is not Mark.ADDED for line in lines):
        return None
    return "".join(line.text + line_end for line in lines)


def not_all_added(path: str) -> Problem:
    """The Problem of a new file with lines that are not marked as new.

    >>> not_all_added("a.txt").code
    'bad-patch'
    """
    return model_problem("bad-patch", f"{path} is to be a new file, but not all its lines begin with `+`. Write `+` before each of them.")

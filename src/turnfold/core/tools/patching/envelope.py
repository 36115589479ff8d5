"""``apply_patch`` envelopes, read: one patch for several files.

    envelope := ["*** Begin Patch"] file+ ["*** End Patch"]
    file     := "*** Update File: " PATH ["*** Move to: " PATH] (section | block)*
              | "*** Add File: " PATH ("+" text)*
              | "*** Delete File: " PATH

Beside the sections of the original form, search/replace blocks may stand below a heading.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.patching.blocks import bad_line, begins_block, is_gap, is_junk, read_block, too_many
from turnfold.core.tools.patching.changes import MAX_PARTS, Add, FileChange, Part, Remove, Update
from turnfold.core.tools.patching.sections import END_OF_FILE, read_section

BEGIN, END = "*** Begin Patch", "*** End Patch"
UPDATE, ADD, DELETE, MOVE = "*** Update File:", "*** Add File:", "*** Delete File:", "*** Move to:"
HOW = f"Begin each file with a line `{UPDATE} PATH`, `{ADD} PATH` or `{DELETE} PATH`."


@final
@frozen
class _PartsRead:
    """The parts below a heading, and the line after them."""

    parts: tuple[Part, ...]
    stop: int


def begins_envelope(line: str) -> bool:
    """Whether ``line`` is the first of an envelope.

    >>> begins_envelope("*** Add File: a.txt"), begins_envelope("*** a.txt")
    (True, False)
    """
    return line.rstrip() == BEGIN or line.startswith((UPDATE, ADD, DELETE))


def read_envelope(lines: tuple[str, ...], line_end: str) -> tuple[FileChange, ...] | Problem:
    r"""The changes that an envelope holds, or a Problem that says what to write instead; linear.

    >>> read_envelope(("*** Delete File: a.txt",), "\n")
    (Remove(path='a.txt', parts=()),)
    """
    files: tuple[FileChange, ...] = ()
    place = count = 0
    while place < len(lines):
        line = lines[place]
        if is_junk(line) or line.rstrip() in (BEGIN, END):
            place += 1
            continue
        path = _path(line)
        if not line.startswith((UPDATE, ADD, DELETE)) or not path:
            return bad_line(place, line, "is no heading of a file" if path else "names no file", HOW)
        if line.startswith(DELETE):
            files, place = (*files, Remove(path)), place + 1
        elif line.startswith(ADD):
            stop = _next_heading(lines, place + 1)
            text = _added(lines, place + 1, stop, line_end)
            if isinstance(text, Problem):
                return text
            files, place = (*files, Add(path, text)), stop
        else:
            moved_to = _path(lines[place + 1]) if place + 1 < len(lines) and lines[place + 1].startswith(MOVE) else ""
            read = _read_parts(lines, place + (2 if moved_to else 1), MAX_PARTS - count)
            if isinstance(read, Problem):
                return read
            if not read.parts and not moved_to:
                return bad_line(place, line, "is the heading of a file that is not changed", "Write the changes below it.")
            files, place = (*files, Update(path=path, parts=read.parts, moved_to=moved_to, line_end=line_end)), read.stop
            count += len(read.parts)
    return files or model_problem("bad-patch", f"The patch names no file. {HOW}")


def _path(line: str) -> str:
    return line.partition(":")[2].strip().strip("`")


def _next_heading(lines: tuple[str, ...], place: int) -> int:
    """The line, at or after ``place``, that ends what is below a heading."""
    return next((at for at in range(place, len(lines)) if _is_heading(lines[at])), len(lines))


def _is_heading(line: str) -> bool:
    return line.startswith("*** ") and line.rstrip() != END_OF_FILE


def _added(lines: tuple[str, ...], first: int, stop: int, line_end: str) -> str | Problem:
    """The text of a new file; blank lines at its end that are not marked say nothing."""
    last = next((at for at in range(stop - 1, first - 1, -1) if not is_junk(lines[at])), first - 1)
    for at in range(first, last + 1):
        if lines[at] and not lines[at].startswith("+"):
            return bad_line(at, lines[at], "is a line of a new file and has no `+` before it", "Write `+` before each of its lines.")
    return "".join(line[1:] + line_end for line in lines[first : last + 1])


def _read_parts(lines: tuple[str, ...], place: int, most: int) -> _PartsRead | Problem:
    """The sections and blocks below a heading, at most ``most``."""
    parts: tuple[Part, ...] = ()
    while place < len(lines) and not _is_heading(lines[place]):
        if is_gap(lines[place]):
            place += 1
            continue
        if len(parts) >= most:
            return too_many()
        if begins_block(lines[place]):
            block = read_block(lines, place, len(parts) + 1)
            if isinstance(block, Problem):
                return block
            parts, place = (*parts, block.block), block.stop
            continue
        stop = next((at for at in range(place, len(lines)) if _is_heading(lines[at]) or begins_block(lines[at])), len(lines))
        section = read_section(lines, place, _without_gap(lines, place, stop))
        if isinstance(section, Problem):
            return section
        parts, place = (*parts, section.section), section.stop
    return _PartsRead(parts, place)


def _without_gap(lines: tuple[str, ...], place: int, stop: int) -> int:
    """``stop``, or the first of the blank lines and fences before it: what closes a code block is no line of a diff."""
    while stop > place and is_gap(lines[stop - 1]):
        stop -= 1
    return stop

r"""Unified diffs, read, as ``diff -u`` and ``git diff`` write them, and as models do.

    diff   := (file | section | junk)+
    file   := git* ["--- " PATH "+++ " PATH] section*
    git    := "diff --git a/PATH b/PATH" | "rename from " PATH | "rename to " PATH | "index …" | "new file mode …" | …

A line that begins with ``---`` is a heading where one with ``+++`` and then a section follow; else it is a line that goes. Sections
without a heading are for the file that the patch was written for. ``/dev/null`` stands for no file.
"""

from __future__ import annotations

import re
from typing import final

from attrs import frozen

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.patching.blocks import bad_line, too_many
from turnfold.core.tools.patching.changes import MAX_PARTS, Add, FileChange, Remove, Section, Update
from turnfold.core.tools.patching.sections import HOW, added_text, in_section, not_all_added, read_section

NOWHERE = "/dev/null"
GIT = re.compile(r'diff --git "?a/(?P<old>.+?)"? "?b/(?P<new>.+?)"?\Z')
EXTENDED = (
    "index ",
    "old mode ",
    "new mode ",
    "new file mode ",
    "deleted file mode ",
    "similarity index ",
    "dissimilarity index ",
    "rename from ",
    "rename to ",
    "copy from ",
    "copy to ",
)
BINARY = ("GIT binary patch", "Binary files ")


@final
@frozen(kw_only=True)
class _Heading:
    """What the headings of a file say: its path before (empty: there was none) and after (empty: there is none), and the line after."""

    old: str = ""
    new: str = ""
    stop: int


def begins_unified(line: str) -> bool:
    """Whether ``line`` may be the first of a unified diff.

    >>> begins_unified("--- a.txt"), begins_unified("diff --git a/x b/x"), begins_unified("Index: x")
    (True, True, False)
    """
    return in_section(line) or line.startswith("diff --git ")


def read_unified(lines: tuple[str, ...], line_end: str) -> tuple[FileChange, ...] | Problem:
    r"""The changes that a unified diff holds, or a Problem that says what to write instead; linear.

    >>> read_unified(("--- /dev/null", "+++ b/a.txt", "@@ -0,0 +1 @@", "+x"), "\n")
    (Add(path='a.txt', text='x\n'),)
    """
    files: tuple[FileChange, ...] = ()
    place = count = 0
    while place < len(lines):
        heading = _read_heading(lines, place)
        if isinstance(heading, Problem):
            return heading
        sections: tuple[Section, ...] = ()
        place = heading.stop
        stop = next((at for at in range(place, len(lines)) if _begins_file(lines, at)), len(lines))
        while place < stop:
            if count + len(sections) == MAX_PARTS:
                return too_many()
            read = read_section(lines, place, stop)
            if isinstance(read, Problem):
                return read
            sections, place = (*sections, read.section), read.stop
        change = _change(heading, sections, line_end)
        if isinstance(change, Problem):
            return change
        files += () if change is None else (change,)
        count += len(sections)
    return files or model_problem("bad-patch", f"The patch changes nothing. {HOW}")


def _begins_file(lines: tuple[str, ...], place: int) -> bool:
    return lines[place].startswith("diff --git ") or _has_names(lines, place)


def _has_names(lines: tuple[str, ...], place: int) -> bool:
    """Whether the names of a file stand here: two lines, and then a section, another file or the end."""
    if not lines[place].startswith("--- ") or place + 1 >= len(lines) or not lines[place + 1].startswith("+++ "):
        return False
    after = lines[place + 2] if place + 2 < len(lines) else "@@"
    return after.startswith(("@@", "diff --git ")) or not after


def _read_heading(lines: tuple[str, ...], place: int) -> _Heading | Problem:
    """What stands before a file's sections; nothing of it may be there."""
    old = new = ""
    first = place
    while place < len(lines) and not _has_names(lines, place):
        line = lines[place]
        if line.startswith("diff --git ") and place == first:
            found = GIT.match(line)
            old, new = (found["old"], found["new"]) if found is not None else ("", "")
        elif line.startswith(BINARY):
            return bad_line(place, line, "is about a file that is no text", "Change it with shell.")
        elif line.startswith(EXTENDED):
            old = line.removeprefix("rename from ") if line.startswith("rename from ") else old
            new = line.removeprefix("rename to ") if line.startswith("rename to ") else new
            old = "" if line.startswith("new file mode ") else old
            new = "" if line.startswith("deleted file mode ") else new
        elif line:
            break
        place += 1
    if place < len(lines) and _has_names(lines, place):
        return _named(_name(lines[place]), _name(lines[place + 1]), place + 2)
    return _Heading(old=old, new=new, stop=place)


def _name(line: str) -> str:
    """The path that a line with ``---`` or ``+++`` names; a time may stand behind a tab."""
    return line[4:].partition("\t")[0].strip().strip('"')


def _named(old: str, new: str, stop: int) -> _Heading | Problem:
    """The heading of these names, without the letters with which git begins them."""
    if old == new == NOWHERE:
        return bad_line(stop - 2, f"--- {old}", "names no file", "Write its path.")
    if old.startswith(("a/", NOWHERE)) and new.startswith(("b/", NOWHERE)):
        old = old.removeprefix("a/") if old != NOWHERE else ""
        new = new.removeprefix("b/") if new != NOWHERE else ""
    return _Heading(old="" if old == NOWHERE else old, new="" if new == NOWHERE else new, stop=stop)


def _change(heading: _Heading, sections: tuple[Section, ...], line_end: str) -> FileChange | Problem | None:
    """What the heading and its sections say together; None where that is nothing (a mode, which is not ours)."""
    old, new = heading.old, heading.new
    if not old and new:
        text = added_text(tuple(line for section in sections for line in section.lines), line_end)
        bare = bool(sections) and sections[-1].ended is False
        return not_all_added(new) if text is None else Add(new, text.removesuffix(line_end) if bare else text)
    if old and not new:
        return Remove(old, sections)
    if not sections and old == new:
        return None
    return Update(path=old, parts=sections, moved_to="" if new == old else new, line_end=line_end)

"""Search/replace patches: what a model writes, as values, and what they make of a text.

    patch  := junk* (block junk*)+
    block  := START line* DIVIDER line* END
    START  := "<<<<<<< ORIGINAL" | "<<<<<<< SEARCH"
    DIVIDER:= "======="
    END    := ">>>>>>> UPDATED" (of ORIGINAL) | ">>>>>>> REPLACE" (of SEARCH)
    junk   := a blank line, or a line that opens or closes a code block

A text may hold lines that look like dividers (headings in reST and Markdown, merge conflicts). Then a block can be read
in several ways, and the reading with the longest original that is really in the text is meant.

An original is found where its lines equal whole lines of the text, white space at their ends apart, and it must be there
once. Two weaker readings are tried when there is none: without the blank lines that original and update both begin or
end with, and split at the placeholder lines (``# ...``) that both have in equal number, each part on its own.
"""

from __future__ import annotations

import re
from typing import TypeAlias, assert_never, final

from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.nearest import nearest_place
from turnfold.core.tools.textlines import BYTE_ORDER_MARK, bare, clipped, line_end, split_lines

MAX_HUNKS = 100
MAX_DIVIDERS = 8
MAX_PLACES = 5  # that are named when an original is found more than once

PAIRS: tuple[tuple[str, str], ...] = (("<<<<<<< ORIGINAL", ">>>>>>> UPDATED"), ("<<<<<<< SEARCH", ">>>>>>> REPLACE"))
DIVIDER = "======="
HOW = (
    f"Write for each change: a line `{PAIRS[0][0]}`, the lines as they are now, a line `{DIVIDER}`, the new lines, a line `{PAIRS[0][1]}`."
)
FENCE = re.compile(r"\s*(`{3,}|~{3,})[\w.+/ -]*\Z")
PLACEHOLDER = re.compile(r'\s*(?:#|//|--|;|""")\s?(?:\.\.\.|…)')  # "# ... rest of the code", what lazy models write


@final
@frozen
class Hunk:
    """One block: its lines, and which of them may be the divider (at least one, in order)."""

    lines: tuple[str, ...]
    dividers: tuple[int, ...]


@final
@frozen
class Patch:
    """The blocks of a patch in the order written; at least one."""

    hunks: tuple[Hunk, ...]


@final
@frozen
class Replacement:
    """Lines to be found, and the lines to stand in their place."""

    original: tuple[str, ...]
    updated: tuple[str, ...]


@final
@frozen(kw_only=True)
class Patched:
    """The new text, and for each hunk the line (from 1) where it was applied, as counted when it was its turn."""

    text: str
    lines: tuple[int, ...]


@final
@frozen
class _Text:
    """A text as its lines, and in its bare form, where originals are looked for: both are kept from hunk to hunk."""

    lines: tuple[str, ...]
    plain: str


@final
@frozen
class _At:
    """An original begins at this line (from 0), and is nowhere else; ``offset`` is the newline before it in the bare form."""

    line: int
    offset: int


@final
@frozen
class _Many:
    """An original is found at all of these lines (from 0), and perhaps at more."""

    lines: tuple[int, ...]


@final
@frozen
class _Nowhere:
    """An original is not found."""


_Found: TypeAlias = _At | _Many | _Nowhere


@final
@frozen
class _Edited:
    """A text after one hunk, and the line (from 0) where it was applied."""

    text: _Text
    line: int


def is_placeholder(line: str) -> bool:
    """Whether ``line`` stands for text that was left out.

    >>> is_placeholder("    # ... rest of the code"), is_placeholder("x = ...")
    (True, False)
    """
    return PLACEHOLDER.match(line) is not None


def parse_patch_untrusted(text: str) -> Result[Patch, Problem]:
    r"""The blocks that ``text`` holds, or a Problem that says what to write instead; linear.

    >>> parse_patch_untrusted("<<<<<<< ORIGINAL\na\n=======\nb\n>>>>>>> UPDATED").unwrap()
    Patch(hunks=(Hunk(lines=('a', '=======', 'b'), dividers=(1,)),))
    """
    lines = tuple(line.rstrip("\r") for line in text.split("\n"))
    hunks: tuple[Hunk, ...] = ()
    place = 0
    while place < len(lines):
        start = lines[place].rstrip()
        end = next((closing for opening, closing in PAIRS if start == opening), "")
        if not end:
            if start and FENCE.match(start) is None:
                return Failure(_bad(place, lines[place], "stands outside of a block"))
            place += 1
            continue
        if len(hunks) == MAX_HUNKS:
            return Failure(model_problem("bad-patch", f"The patch has more than {MAX_HUNKS} blocks; save the whole file instead."))
        close = _closing_line(lines, place + 1, start, end)
        if close == len(lines) or lines[close].rstrip() != end:
            return Failure(_bad(place, lines[place], f"begins block {len(hunks) + 1}, which is not closed by a line `{end}`"))
        body = lines[place + 1 : close]
        dividers = tuple(index for index, line in enumerate(body) if line.rstrip() == DIVIDER)
        if not 0 < len(dividers) <= MAX_DIVIDERS:
            said = f"has {len(dividers)} dividers" if dividers else f"has no line `{DIVIDER}` between original and update"
            return Failure(_bad(place, lines[place], f"begins block {len(hunks) + 1}, which {said}"))
        hunks += (Hunk(body, dividers),)
        place = close + 1
    if not hunks:
        return Failure(model_problem("bad-patch", f"The patch holds no block. {HOW}"))
    return Success(Patch(hunks))


def _closing_line(lines: tuple[str, ...], first: int, start: str, end: str) -> int:
    """The line where the block that began before ``first`` ends, or where it turns out that it doesn't."""
    for index in range(first, len(lines)):
        if lines[index].rstrip() in (start, end):
            return index
    return len(lines)


def _bad(index: int, line: str, what: str) -> Problem:
    return model_problem("bad-patch", f"Line {index + 1} of the patch, `{clipped(line)}`, {what}. {HOW}")


def apply_patch(patch: Patch, text: str) -> Result[Patched, Problem]:
    r"""``text`` with every hunk applied in order, or the first Problem and nothing applied; linear in text × hunks.

    Line endings and a missing newline at the end stay as they are.

    >>> patch = parse_patch_untrusted("<<<<<<< SEARCH\nb\n=======\nB\nB\n>>>>>>> REPLACE").unwrap()
    >>> apply_patch(patch, "a\r\nb\r\n").unwrap()
    Patched(text='a\r\nB\r\nB\r\n', lines=(2,))
    >>> apply_patch(patch, "a\nb \nb\n").failure().message
    'Block 1 fits at 2 places (lines 2, 3); write more lines around the change, so that it fits at one.'
    """
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""  # which no model sees, and nobody means to remove
    now = _text_of(text.removeprefix(mark))
    places: tuple[int, ...] = ()
    for number, hunk in enumerate(patch.hunks, start=1):
        edited = _apply_hunk(hunk, now, f"Block {number}" + (f" of {len(patch.hunks)}" if len(patch.hunks) > 1 else ""))
        if isinstance(edited, Problem):
            return Failure(edited)
        now = edited.text
        places += (edited.line + 1,)
    return Success(Patched(text=mark + "".join(now.lines), lines=places))


def _text_of(text: str) -> _Text:
    return _Text(split_lines(text), bare(text))


def _apply_hunk(hunk: Hunk, text: _Text, name: str) -> _Edited | Problem:
    readings = tuple(Replacement(hunk.lines[:at], hunk.lines[at + 1 :]) for at in reversed(hunk.dividers))
    named = tuple(reading for reading in readings if any(line.strip() for line in reading.original))
    if not named:
        return _fill_empty(readings[-1], text, name)
    found: _Found = _Nowhere()
    for reading in (*named, *map(_without_outer_blanks, named)):
        found = _find(reading.original, text.plain)
        match found:
            case _At():
                left_out = next((each for each in reading.updated if is_placeholder(each) and each not in reading.original), None)
                return _lazy(left_out, name) if left_out is not None else _Edited(_replaced(text, found, reading), found.line)
            case _Many(lines=lines):
                return _ambiguous(lines, name)
            case _Nowhere():
                continue
            case _:
                assert_never(found)
    for reading in named:
        parted = _apply_parts(reading, text)
        if parted is not None:
            return parted
    return _not_found(named[-1], "".join(text.lines), name)


def _fill_empty(reading: Replacement, text: _Text, name: str) -> _Edited | Problem:
    """An original without text fits an empty file only: anywhere else it would say nothing of the place."""
    if text.plain.strip():
        message = f"{name} has an empty original; write the lines that are to be replaced, or use `append` or `save`."
        return model_problem("empty-original", message)
    return _Edited(_text_of("\n".join((*reading.updated, "")) if any(reading.updated) else ""), 0)


def _without_outer_blanks(reading: Replacement) -> Replacement:
    """``reading`` without the blank lines that both its halves begin or end with: context that says nothing."""
    original, updated = reading.original, reading.updated
    while original and updated and not original[0].strip() and not updated[0].strip():
        original, updated = original[1:], updated[1:]
    while original and updated and not original[-1].strip() and not updated[-1].strip():
        original, updated = original[:-1], updated[:-1]
    return Replacement(original, updated)


def _find(original: tuple[str, ...], plain: str) -> _Found:
    """Where ``original`` is in the text whose bare form is ``plain``; linear, for `str.find` is."""
    needle = "\n" + _bare_lines(original)
    found: tuple[int, ...] = ()
    place = first = plain.find(needle)
    while place >= 0 and len(found) <= MAX_PLACES:
        found += (plain.count("\n", 0, place),)
        place = plain.find(needle, place + 1)
    if not found:
        return _Nowhere()
    return _At(found[0], first) if len(found) == 1 else _Many(found)


def _bare_lines(lines: tuple[str, ...]) -> str:
    return "".join(line.rstrip() + "\n" for line in lines)


def _replaced(text: _Text, at: _At, reading: Replacement) -> _Text:
    """``text`` with the original that was found replaced.

    The lines that the halves begin and end with in common stay as the text has them, with the white space at their ends.
    """
    lines, before, after = text.lines, reading.original, reading.updated
    shorter = min(len(before), len(after))
    head = next((index for index in range(shorter) if before[index] != after[index]), shorter)
    tail = next((index for index in range(shorter - head) if before[-1 - index] != after[-1 - index]), shorter - head)
    start, stop = at.line + head, at.line + len(before) - tail
    eol = line_end(lines[at.line]) or line_end(lines[0]) or "\n"
    new = tuple(line + eol for line in after[head : len(after) - tail])
    if new and stop == len(lines) and not line_end(lines[-1]):
        gap = eol if start == stop else ""  # after a last line without an end
        return _text_of("".join((*lines[:start], gap, *new)).removesuffix(eol))
    plain = text.plain[: at.offset + 1] + _bare_lines(after) + text.plain[at.offset + 1 + len(_bare_lines(before)) :]
    return _Text((*lines[:start], *new, *lines[stop:]), plain)


def _apply_parts(reading: Replacement, text: _Text) -> _Edited | None:
    """``text`` with the parts between placeholder lines replaced one by one, or None where that can't be meant."""
    originals, updates = _parts(reading.original), _parts(reading.updated)
    if len(originals) == 1 or len(originals) != len(updates):
        return None
    line = last = -1
    for original, updated in zip(originals, updates, strict=True):
        if not any(each.strip() for each in (*original, *updated)):
            continue
        found = _find(original, text.plain) if any(each.strip() for each in original) else _Nowhere()
        if not isinstance(found, _At) or found.line < last:
            return None
        text = _replaced(text, found, Replacement(original, updated))
        line, last = found.line if line < 0 else line, found.line
    return _Edited(text, max(line, 0))


def _parts(lines: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    marks = tuple(index for index, line in enumerate(lines) if is_placeholder(line))
    starts, stops = (0, *(mark + 1 for mark in marks)), (*marks, len(lines))
    return tuple(lines[start:stop] for start, stop in zip(starts, stops, strict=True))


def _lazy(line: str, name: str) -> Problem:
    message = f"{name} has the placeholder line `{clipped(line.strip())}` in its update only; write the lines that it stands for."
    return model_problem("placeholder", message)


def _ambiguous(lines: tuple[int, ...], name: str) -> Problem:
    places = ", ".join(str(line + 1) for line in lines[:MAX_PLACES])
    count = f"{len(lines)} places" if len(lines) <= MAX_PLACES else f"more than {MAX_PLACES} places"
    more = "" if len(lines) <= MAX_PLACES else " …"
    message = f"{name} fits at {count} (lines {places}{more}); write more lines around the change, so that it fits at one."
    return model_problem("ambiguous", message)


def _not_found(reading: Replacement, text: str, name: str) -> Problem:
    place = nearest_place(reading.original, text)
    near = f"The nearest is {place}\n" if place else ""
    message = f"{name} is not in the file: its original must equal whole lines of it.\n{near}Write the lines exactly as they are."
    return model_problem("not-in-file", message)

"""Search/replace blocks, applied.

An original is found where its lines equal whole lines of the text, white space at their ends apart, and it must be there
once. Where a block can be read in several ways (lines that look like dividers), the reading with the longest original that is really
in the text is meant. Two weaker readings are tried when there is none: without the blank lines that original and update both begin or
end with, and split at the placeholder lines (``# ...``) that both have in equal number, each part on its own.
"""

from __future__ import annotations

import re
from typing import TypeAlias, assert_never, final

from attrs import frozen

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.patching.changes import Block
from turnfold.core.tools.patching.refusals import MAX_TOLD, ambiguous, lazy, not_found
from turnfold.core.tools.textlines import bare, line_end, split_lines

PLACEHOLDER = re.compile(r'\s*(?:#|//|--|;|""")\s?(?:\.\.\.|…)')  # "# ... rest of the code", what lazy models write


@final
@frozen
class Replacement:
    """Lines to be found, and the lines to stand in their place."""

    original: tuple[str, ...]
    updated: tuple[str, ...]


@final
@frozen
class Plain:
    """A text as its lines, and in its bare form, where originals are looked for: both are kept from block to block."""

    lines: tuple[str, ...]
    plain: str


@final
@frozen
class Replaced:
    """A text after one block, and the line (from 0) where it was applied."""

    text: Plain
    line: int


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


def is_placeholder(line: str) -> bool:
    """Whether ``line`` stands for text that was left out.

    >>> is_placeholder("    # ... rest of the code"), is_placeholder("x = ...")
    (True, False)
    """
    return PLACEHOLDER.match(line) is not None


def plain_text(text: str) -> Plain:
    r"""``text`` ready for blocks.

    >>> plain_text("a \n")
    Plain(lines=('a \n',), plain='\na\n')
    """
    return Plain(split_lines(text), bare(text))


def replaced_block(block: Block, text: Plain, name: str, eol: str) -> Replaced | Problem:
    r"""``text`` with the original of a block replaced, or why it can't be; ``eol`` ends the lines of a text that has none.

    >>> replaced_block(Block(("a", "=======", "b"), (1,)), plain_text("a\n"), "Block 1", "\n").text.lines
    ('b\n',)
    """
    readings = tuple(Replacement(block.lines[:at], block.lines[at + 1 :]) for at in reversed(block.dividers))
    named = tuple(reading for reading in readings if any(line.strip() for line in reading.original))
    if not named:
        return _fill_empty(readings[-1], text, name, eol)
    found: _Found = _Nowhere()
    for reading in (*named, *map(_without_outer_blanks, named)):
        found = _find(reading.original, text.plain)
        match found:
            case _At():
                left_out = next((each for each in reading.updated if is_placeholder(each) and each not in reading.original), None)
                return lazy(left_out, name) if left_out is not None else Replaced(_replaced(text, found, reading), found.line)
            case _Many(lines=lines):
                return ambiguous(lines, name)
            case _Nowhere():
                continue
            case _:
                assert_never(found)
    for reading in named:
        parted = _apply_parts(reading, text)
        if parted is not None:
            return parted
    return not_found(named[-1].original, "".join(text.lines), name, "its original")


def _fill_empty(reading: Replacement, text: Plain, name: str, eol: str) -> Replaced | Problem:
    """An original without text fits an empty file only: anywhere else it would say nothing of the place."""
    if text.plain.strip():
        message = f"{name} has an empty original; write the lines that are to be replaced, or use `append` or `save`."
        return model_problem("empty-original", message)
    return Replaced(plain_text(eol.join((*reading.updated, "")) if any(reading.updated) else ""), 0)


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
    while place >= 0 and len(found) <= MAX_TOLD:
        found += (plain.count("\n", 0, place),)
        place = plain.find(needle, place + 1)
    if not found:
        return _Nowhere()
    return _At(found[0], first) if len(found) == 1 else _Many(found)


def _bare_lines(lines: tuple[str, ...]) -> str:
    return "".join(line.rstrip() + "\n" for line in lines)


def _replaced(text: Plain, at: _At, reading: Replacement) -> Plain:
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
        return plain_text("".join((*lines[:start], gap, *new)).removesuffix(eol))
    plain = text.plain[: at.offset + 1] + _bare_lines(after) + text.plain[at.offset + 1 + len(_bare_lines(before)) :]
    return Plain((*lines[:start], *new, *lines[stop:]), plain)


def _apply_parts(reading: Replacement, text: Plain) -> Replaced | None:
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
    return Replaced(text, max(line, 0))


def _parts(lines: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    marks = tuple(index for index, line in enumerate(lines) if is_placeholder(line))
    starts, stops = (0, *(mark + 1 for mark in marks)), (*marks, len(lines))
    return tuple(lines[start:stop] for start, stop in zip(starts, stops, strict=True))

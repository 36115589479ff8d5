"""Search/replace blocks, read.

    blocks := junk* (block junk*)+
    block  := START line* DIVIDER line* END
    START  := "<<<<<<< ORIGINAL" | "<<<<<<< SEARCH"
    DIVIDER:= "======="
    END    := ">>>>>>> UPDATED" (of ORIGINAL) | ">>>>>>> REPLACE" (of SEARCH)
    junk   := a blank line, or a line that opens or closes a code block

A text may hold lines that look like dividers (headings in reST and Markdown, merge conflicts): then a block can be read in several
ways, and only the text that it is for can tell which is meant.
"""

from __future__ import annotations

import re
from typing import final

from attrs import frozen

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.patching.changes import MAX_PARTS, Block
from turnfold.core.tools.textlines import clipped

MAX_DIVIDERS = 8

PAIRS: tuple[tuple[str, str], ...] = (("<<<<<<< ORIGINAL", ">>>>>>> UPDATED"), ("<<<<<<< SEARCH", ">>>>>>> REPLACE"))
DIVIDER = "======="
HOW = (
    f"Write for each change: a line `{PAIRS[0][0]}`, the lines as they are now, a line `{DIVIDER}`, the new lines, a line `{PAIRS[0][1]}`."
)
FENCE = re.compile(r"\s*(`{3,}|~{3,})[\w.+/ -]*\Z")


@final
@frozen
class BlockRead:
    """A block, and the line after it."""

    block: Block
    stop: int


def is_junk(line: str) -> bool:
    """Whether ``line`` says nothing between two blocks.

    >>> is_junk("```diff"), is_junk(" "), is_junk("text")
    (True, True, False)
    """
    return not line.strip() or FENCE.match(line) is not None


def is_gap(line: str) -> bool:
    """Whether ``line`` says nothing between the parts of a diff, whose own lines may be empty, or fences, behind a mark.

    >>> is_gap("```"), is_gap(""), is_gap(" ```"), is_gap(" ")
    (True, True, False, False)
    """
    return not line or (FENCE.match(line) is not None and not line[0].isspace())


def begins_block(line: str) -> bool:
    """Whether ``line`` is the first of a block.

    >>> begins_block("<<<<<<< SEARCH "), begins_block("<<<<<<< HEAD")
    (True, False)
    """
    return any(line.rstrip() == opening for opening, _ in PAIRS)


def read_blocks(lines: tuple[str, ...]) -> tuple[Block, ...] | Problem:
    """The blocks that ``lines`` hold, or a Problem that says what to write instead; linear.

    >>> read_blocks(("<<<<<<< ORIGINAL", "a", "=======", "b", ">>>>>>> UPDATED"))
    (Block(lines=('a', '=======', 'b'), dividers=(1,)),)
    """
    blocks: tuple[Block, ...] = ()
    place = 0
    while place < len(lines):
        if is_junk(lines[place]):
            place += 1
            continue
        if not begins_block(lines[place]):
            return bad_line(place, lines[place], "stands outside of a block", HOW)
        if len(blocks) == MAX_PARTS:
            return too_many()
        read = read_block(lines, place, len(blocks) + 1)
        if isinstance(read, Problem):
            return read
        blocks += (read.block,)
        place = read.stop
    return blocks or model_problem("bad-patch", f"The patch holds no block. {HOW}")


def read_block(lines: tuple[str, ...], place: int, number: int) -> BlockRead | Problem:
    """The block that begins at ``place``, the ``number``-th of its patch.

    >>> read_block(("<<<<<<< ORIGINAL", "a"), 0, 1).code
    'bad-patch'
    """
    start = lines[place].rstrip()
    end = dict(PAIRS)[start]
    close = next((index for index in range(place + 1, len(lines)) if lines[index].rstrip() in (start, end)), len(lines))
    if close == len(lines) or lines[close].rstrip() != end:
        return bad_line(place, lines[place], f"begins block {number}, which is not closed by a line `{end}`", HOW)
    body = lines[place + 1 : close]
    dividers = tuple(index for index, line in enumerate(body) if line.rstrip() == DIVIDER)
    if not 0 < len(dividers) <= MAX_DIVIDERS:
        said = f"has {len(dividers)} dividers" if dividers else f"has no line `{DIVIDER}` between original and update"
        return bad_line(place, lines[place], f"begins block {number}, which {said}", HOW)
    return BlockRead(Block(body, dividers), close + 1)


def too_many() -> Problem:
    """The Problem of a patch with too many parts.

    >>> too_many().code
    'bad-patch'
    """
    return model_problem("bad-patch", f"The patch has more than {MAX_PARTS} blocks; save the whole file instead.")


def bad_line(index: int, line: str, what: str, how: str) -> Problem:
    """The Problem of a line (from 0) that can't be read: what is wrong with it, and how to write it.

    >>> bad_line(0, "x", "is odd", "Write y.").message
    'Line 1 of the patch, `x`, is odd. Write y.'
    """
    return model_problem("bad-patch", f"Line {index + 1} of the patch, `{clipped(line)}`, {what}. {how}")

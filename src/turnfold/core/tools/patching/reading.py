"""A patch, read: whichever of the three forms it has."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from turnfold.core.problem import Problem
from turnfold.core.tools.patching.blocks import begins_block, is_gap, is_junk, read_blocks
from turnfold.core.tools.patching.changes import FileChange, Patch, Update
from turnfold.core.tools.patching.envelope import begins_envelope, read_envelope
from turnfold.core.tools.patching.unified import begins_unified, read_unified
from turnfold.core.tools.textlines import line_ends


def parse_patch_untrusted(text: str) -> Result[Patch, Problem]:
    r"""The changes that ``text`` asks for, or a Problem that says what to write instead; linear.

    Its first line that says something tells the form: search/replace blocks, an ``apply_patch`` envelope, or a unified diff.

    >>> parse_patch_untrusted("<<<<<<< ORIGINAL\na\n=======\nb\n>>>>>>> UPDATED").unwrap().files[0].parts
    (Block(lines=('a', '=======', 'b'), dividers=(1,)),)
    >>> parse_patch_untrusted("*** Delete File: a.txt").unwrap()
    Patch(files=(Remove(path='a.txt', parts=()),))
    """
    files = _files(tuple(line.rstrip("\r") for line in text.split("\n")), line_ends(text))
    return Failure(files) if isinstance(files, Problem) else Success(Patch(files))


def _files(lines: tuple[str, ...], line_end: str) -> tuple[FileChange, ...] | Problem:
    first = next((line for line in lines if not is_junk(line)), "")
    if begins_envelope(first):
        return read_envelope(lines, line_end)
    if first and not begins_block(first) and begins_unified(first):
        return read_unified(_within_fence(lines), line_end)
    blocks = read_blocks(lines)
    return blocks if isinstance(blocks, Problem) else (Update(path="", parts=blocks, line_end=line_end),)


def _within_fence(lines: tuple[str, ...]) -> tuple[str, ...]:
    """``lines`` without the fences around them: within a section, a fence would be a line of it."""
    said = tuple(index for index, line in enumerate(lines) if not is_gap(line))
    return lines[said[0] : said[-1] + 1]

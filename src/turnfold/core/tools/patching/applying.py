"""A patch's parts, applied to a text: all of them, or none."""

from __future__ import annotations

from itertools import groupby
from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.core.problem import Problem
from turnfold.core.tools.patching.changes import Block, Part, Section, Update
from turnfold.core.tools.patching.replacing import plain_text, replaced_block
from turnfold.core.tools.patching.splicing import spliced
from turnfold.core.tools.textlines import BYTE_ORDER_MARK


@final
@frozen(kw_only=True)
class Patched:
    """The new text, and for each part the line (from 1) where it was applied, as counted when it was its turn."""

    text: str
    lines: tuple[int, ...] = ()


def apply_update(update: Update, text: str) -> Result[Patched, Problem]:
    r"""``text`` with every part applied, or the first Problem and nothing applied; linear in text × parts.

    Blocks see what the parts before them made; sections that follow each other see the text before all of them, as diffs count.
    Line endings and a missing newline at the end stay as they are, unless a section speaks of it.

    >>> update = Update(path="", parts=(Block(("b", "=======", "B", "B"), (1,)),))
    >>> apply_update(update, "a\r\nb\r\n").unwrap()
    Patched(text='a\r\nB\r\nB\r\n', lines=(2,))
    >>> apply_update(update, "a\nb \nb\n").failure().message
    'Block 1 fits at 2 places (lines 2, 3); write more lines around the change, so that it fits at one.'
    """
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""  # which no model sees, and nobody means to remove
    now = Patched(text=text.removeprefix(mark))
    for kind, group in groupby(update.parts, type):
        parts = tuple(group)
        names = tuple(_name(kind, len(now.lines) + 1 + index, len(update.parts)) for index in range(len(parts)))
        after = _applied(parts, now, names, update.line_end)
        if isinstance(after, Problem):
            return Failure(after)
        now = after
    return Success(Patched(text=mark + now.text, lines=now.lines))


def _name(kind: type[Part], number: int, count: int) -> str:
    return f"{kind.__name__} {number}" + (f" of {count}" if count > 1 else "")


def _applied(parts: tuple[Part, ...], before: Patched, names: tuple[str, ...], eol: str) -> Patched | Problem:
    """``before`` with ``parts``, all of one kind, applied."""
    sections = tuple(part for part in parts if isinstance(part, Section))
    if sections:
        after = spliced(sections, before.text, names, eol)
        if isinstance(after, Problem):
            return after
        return Patched(text=after.text, lines=before.lines + tuple(line + 1 for line in after.lines))
    now = plain_text(before.text)
    lines = before.lines
    for block, name in zip((part for part in parts if isinstance(part, Block)), names, strict=True):
        replaced = replaced_block(block, now, name, eol)
        if isinstance(replaced, Problem):
            return replaced
        now = replaced.text
        lines += (replaced.line + 1,)
    return Patched(text="".join(now.lines), lines=lines)

"""A text cut into passages that can be found and shown: some 40 lines each, ended at an empty line where there is one."""

from __future__ import annotations

from collections.abc import Iterator

from turnfold.core.tools.textlines import split_lines
from turnfold.core.world.answers import Passage

MOST_LINES = 40
FEWEST_LINES = 25  # before an empty line is an end
MOST_CHARS = 8_000  # lines may be long: a passage has no more than this of them


def passages(path: str, text: str) -> Iterator[Passage]:
    r"""The passages of ``text``, in order; each line is in exactly one, though of a very long passage only the beginning is kept.

    >>> [(each.first, each.last) for each in passages("a.py", "x\n" * 50)]
    [(1, 40), (41, 50)]
    """
    lines = split_lines(text)
    first = 0
    while first < len(lines):
        last = min(first + MOST_LINES, len(lines))
        if last < len(lines):
            empty = (at + 1 for at in range(last - 1, first + FEWEST_LINES - 1, -1) if not lines[at].strip())
            last = next(empty, last)
        piece = "".join(lines[first:last])[:MOST_CHARS]
        if piece.strip():
            yield Passage(path=path, first=first + 1, last=last, text=piece.rstrip("\n"))
        first = last

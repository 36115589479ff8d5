"""What differs between two texts, as a unified diff, of bounded cost."""

from __future__ import annotations

from difflib import unified_diff
from itertools import islice

from turnfold.core.tools.textlines import split_lines

CONTEXT = 3
MAX_CELLS = 250_000  # lines × lines that are compared; beyond it the changed region is shown as replaced whole


def diff_lines(old: str, new: str) -> tuple[str, ...]:
    r"""The lines of a unified diff without file names; empty where the texts are equal.

    >>> print("\n".join(diff_lines("1\n2\n3\n", "1\n0\n3\n")))
    @@ -1,3 +1,3 @@
     1
    -2
    +0
     3
    """
    before, after = split_lines(old), split_lines(new)
    if before == after:
        return ()
    head, tail = _common(before, after)
    if (len(before) - head - tail) * (len(after) - head - tail) > MAX_CELLS:
        return tuple(map(_marked, _whole_region(before, after, head, tail)))
    start = max(head - CONTEXT, 0)  # difflib sees the changed region and its context only
    stop = max(tail - CONTEXT, 0)
    found = unified_diff(before[start : len(before) - stop], after[start : len(after) - stop], n=CONTEXT)
    lines = tuple(islice(found, 2, None))
    return tuple(_moved(line, start) if line.startswith("@@") else _marked(line) for line in lines)


def _common(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[int, int]:
    """How many lines both begin with, and how many both end with after those."""
    shorter = min(len(before), len(after))
    head = next((index for index in range(shorter) if before[index] != after[index]), shorter)
    rest = shorter - head
    return head, next((index for index in range(rest) if before[-1 - index] != after[-1 - index]), rest)


def _whole_region(before: tuple[str, ...], after: tuple[str, ...], head: int, tail: int) -> tuple[str, ...]:
    start = max(head - CONTEXT, 0)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    closing = before[len(before) - tail :][:CONTEXT]
    around = head - start + len(closing)
    header = f"@@ -{start + 1},{len(old) + around} +{start + 1},{len(new) + around} @@"
    context = tuple(" " + line for line in before[start:head])
    return (header, *context, *("-" + line for line in old), *("+" + line for line in new), *(" " + line for line in closing))


def _marked(line: str) -> str:
    """A line of the diff without its newline; one that the file does not end says so."""
    return line[:-1] if line.endswith("\n") else line if line.startswith("@@") else line + "\\ no newline at the end"


def _moved(header: str, by: int) -> str:
    """The header of a hunk with its places counted from ``by`` lines above."""
    old, new = header.split()[1:3]
    return f"@@ -{_place(old[1:], by)} +{_place(new[1:], by)} @@"


def _place(span: str, by: int) -> str:
    line, comma, count = span.partition(",")
    return f"{int(line) + by}{comma}{count}"

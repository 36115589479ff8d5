"""The place in a text that lines which are not there come nearest to.

Of bounded cost: linear in the text for lines that are there in another order or with other indentation; letters are
compared only for a bounded number of bounded lines.
"""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import accumulate, islice

from turnfold.core.tools.textlines import clipped, split_lines

MAX_SHOWN = 12  # lines of the place
MAX_DIFFERING = 3  # lines whose difference is told
MAX_COMPARED = 2000  # lines whose letters are counted
MAX_LETTERS = 120
FINALISTS = 5
ALIKE = 0.5


def nearest_place(original: tuple[str, ...], text: str) -> str:
    r"""``lines 4-5:``, the text there with line numbers and what differs, or empty where nothing is like it.

    >>> nearest_place(("def f():", "return 1"), "import x\n\ndef f():\n    return 1\n")
    'lines 3-4, where only the indentation differs:\n3\tdef f():\n4\t    return 1'
    """
    lines = [line.rstrip("\r\n") for line in split_lines(text)]
    if not lines:
        return ""
    first = _most_equal_lines(original, lines)
    if first < 0:
        first = _most_alike(original, lines)
    if first < 0:
        return ""
    there = lines[first : first + len(original)]
    shown = "\n".join(f"{first + index + 1}\t{clipped(line)}" for index, line in enumerate(there[:MAX_SHOWN]))
    more = "\n…" if len(there) > MAX_SHOWN else ""
    span = f"lines {first + 1}-{first + len(there)}" if len(there) > 1 else f"line {first + 1}"
    same = [line.strip() for line in there] == [line.strip() for line in original]
    return f"{span}{', where only the indentation differs' if same else ''}:\n{shown}{more}{'' if same else _differing(original, there, first)}"


def _differing(original: tuple[str, ...], there: list[str], first: int) -> str:
    """What the place has otherwise than the original, its first lines that differ: a model sees no difference that it is not shown."""
    pairs = enumerate(zip(original, there, strict=False), start=first + 1)
    told = tuple(
        islice(
            (f"\nLine {at} differs: you wrote `{clipped(mine)}`." for at, (mine, its) in pairs if mine.rstrip() != its.rstrip()),
            MAX_DIFFERING,
        )
    )
    missing = len(original) - len(there)
    return "".join(told) + (f"\nThe file ends there, {missing} lines earlier than what you wrote." if missing > 0 else "")


def _most_equal_lines(original: tuple[str, ...], lines: list[str]) -> int:
    """Where the original would begin if its rarest line were that of the place with most of its lines; -1 where none is there."""
    wanted = [line.strip() for line in original]
    stripped = [line.strip() for line in lines]
    counts = Counter(line for line in stripped if line)
    known = set(wanted)
    weights = [1 / counts[line] if line and line in known else 0.0 for line in stripped]
    sums = list(accumulate(weights, initial=0.0))
    size = len(original)
    starts = range(max(1, len(lines) - size + 1))
    window = max(starts, key=lambda start: sums[min(start + size, len(lines))] - sums[start])
    rarest = max(range(window, min(window + size, len(lines))), key=lambda index: weights[index])
    return max(rarest - wanted.index(stripped[rarest]), 0) if weights[rarest] else -1


def _most_alike(original: tuple[str, ...], lines: list[str]) -> int:
    """Where the original would begin if its first line with text were the line most like it; -1 where none is."""
    lead = next((index for index, line in enumerate(original) if line.strip()), 0)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(original[lead].strip()[:MAX_LETTERS])

    def likeness(index: int, exact: bool) -> float:
        matcher.set_seq1(lines[index].strip()[:MAX_LETTERS])
        return matcher.ratio() if exact else matcher.quick_ratio()

    finalists = nlargest(FINALISTS, range(min(len(lines), MAX_COMPARED)), key=lambda index: likeness(index, exact=False))
    best = max(finalists, key=lambda index: likeness(index, exact=True))
    return max(best - lead, 0) if likeness(best, exact=True) >= ALIKE else -1

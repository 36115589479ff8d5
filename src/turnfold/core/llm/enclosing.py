"""Texts of others inside of a prompt: each under its name, in a fence that nothing in it closes."""

from __future__ import annotations

import re

TICKS = 4  # more than most texts have in them

_RUN = re.compile("`+")


def enclosed(name: str, text: str) -> str:
    r"""``text`` below its name (on one line), between two runs of backticks longer than any in it.

    >>> print(enclosed("a.md", "hi\n`````"))
    a.md:
    ``````
    hi
    `````
    ``````
    """
    longest = max((len(run) for run in _RUN.findall(text)), default=0)
    fence = "`" * max(TICKS, longest + 1)
    end = "" if text.endswith("\n") or not text else "\n"
    return f"{' '.join(name.split())}:\n{fence}\n{text}{end}{fence}"

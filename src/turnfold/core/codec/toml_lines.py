"""Where a setting stands in its TOML file, found by its path: cheap, and near enough for an error."""

from __future__ import annotations

import re
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_.-]|\s(?=[\s.]*[.=])|"[^"]*"|'[^']*')+?)\s*=""")
_WORD = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, path: Path) -> int:
    r"""The line of ``text`` (from 1) where the setting at ``path`` stands, or what it is part of; 0 where that can't be said.

    Text in many lines that looks like TOML can lead it astray: it is for errors only.

    >>> line_of('model = "a"\n[providers.x]\ntimeout_s = "1"\n', ("providers", "x", "timeout_s"))
    3
    """
    table: Path = ()
    counts: tuple[str, ...] = ()  # the names of [[tables]] so far, one a time each was opened
    best, depth = 0, 0
    for number, line in enumerate(text.split("\n"), start=1):
        header = _HEADER.match(line)
        key = None if header else _KEY.match(line)
        if header is not None:
            names = _names(header[2])
            table = (*names, counts.count(header[2])) if header[1] == "[[" else names
            counts = (*counts, header[2]) if header[1] == "[[" else counts
        here = table if key is None else (*table, *_names(key[1]))
        if (header or key) and depth < len(here) and here == path[: len(here)]:
            best, depth = number, len(here)
    return best


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in _WORD.findall(dotted))

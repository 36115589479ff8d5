"""Where the settings of a TOML text stand: one pass over the text, for errors and for ``explain``."""

from __future__ import annotations

import re
from typing import TypeAlias, final

from attrs import frozen

Path: TypeAlias = tuple[str | int, ...]

_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEYS = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_STATEMENT = re.compile(rf"[ \t]*(?:(\[\[?)[ \t]*({_KEYS})[ \t]*\]\]?|({_KEYS})[ \t]*=)?")
_WORD = re.compile(_NAME)
_FILLING = re.compile(  # what neither opens nor closes a bracket, nor ends a line: plain text, a comment, a string of one of the four kinds
    r"""(?:[^"'\[\]{}\#\n]+|\#[^\n]*|"{3}(?:\\.|[^\\"]|"{1,2}(?!"))*+"{3,5}|'{3}(?:[^']|'{1,2}(?!'))*+'{3,5}"""
    r"""|"(?:\\.|[^"\\\n])*+"|'[^'\n]*+')*+""",
    re.DOTALL,
)


@final
@frozen
class Place:
    """A setting's path, and the line (from 1) where it is set."""

    path: Path
    line: int


def lines_of(text: str) -> tuple[Place, ...]:
    r"""Where each table and each key of the TOML ``text`` stands, in its order; what it says of text that is no TOML is worth nothing.

    >>> lines_of('model = "a"\n[[rules]]\nkind = "run"\n')
    (Place(path=('model',), line=1), Place(path=('rules', 0), line=2), Place(path=('rules', 0, 'kind'), line=3))
    """
    found: list[Place] = []
    opened: dict[Path, int] = {}  # the [[tables]] so far, and how many there are
    table: Path = ()
    at, line = 0, 1
    while at < len(text):
        said = _STATEMENT.match(text, at)
        if said is not None and said[2]:
            table = _opened(_names(said[2]), opened, again=said[1] == "[[")
            found.append(Place(table, line))
        elif said is not None and said[3]:
            found.append(Place((*table, *_names(said[3])), line))
        after = _after(text, at if said is None else said.end())
        line += text.count("\n", at, after)
        at = after
    return tuple(found)


def _opened(names: tuple[str, ...], opened: dict[Path, int], *, again: bool) -> Path:
    """The table that a header names: of several with one name, the last."""
    path: Path = ()
    for depth, name in enumerate(names, start=1):
        path = (*path, name)
        if again and depth == len(names):
            opened[path] = opened.get(path, 0) + 1
        if path in opened:
            path = (*path, opened[path] - 1)
    return path


def _after(text: str, at: int) -> int:
    """Where the next statement begins: after the first end of a line that is in no bracket and no string."""
    depth = 0
    while True:
        filling = _FILLING.match(text, at)
        at = at if filling is None else filling.end()
        if at >= len(text):
            return at
        depth += (text[at] in "[{") - (text[at] in "]}")
        at += 1
        if text[at - 1] == "\n" and depth <= 0:
            return at


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in _WORD.findall(dotted))

r"""What a program printed, as a person reads it: no escapes of terminals, and what a line's last state was.

Taken out are the escape sequences of ECMA-48 (CSI; OSC, DCS, SOS, PM and APC with their texts, whether they end with BEL or with ST)
and control characters. A carriage return writes over its line, a backspace over the character before it, and an erased line is empty:
so a progress bar is its last state. Cursor movements between lines are only taken out. Linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

# What ends a string (ST) may be missing: then its text is left, and only the beginning taken out.
_SEQUENCE: Final = re.compile(
    "(?:\x1b\\[|\x9b)(?P<parameters>[0-?]*+)[ -/]*+(?P<final>[@-~]?)"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])(?:[^\x07\x1b\x9c\x9d\x90\x98\x9e\x9f]*+(?:\x07|\x1b\\\\|\x9c))?"
    "|\x1b[ -/]*+[0-~]?"
    "|\x9c"
)
_CONTROLS: Final = re.compile("[\x00-\x07\x0b-\x0c\x0e-\x1a\x1c-\x1f\x7f]")  # all but BS, TAB, LF, CR, and ESC as a sign of ours
_ODD: Final = bytes((*range(9), *range(11, 32), 127))
_ODD_WIDE: Final = "\x90\x98\x9b\x9c\x9d\x9e\x9f"
_MOVES: Final = re.compile("(\r|\x08|\x1b[KL])")
_UNFINISHED: Final = re.compile("\x1b(?:\\[[0-?]*[ -/]*|[\\]PX^_][^\x07\x1b]*|[ -/]*)")
_TO_END, _WHOLE = "\x1bK", "\x1bL"  # ours: the line is erased from here, or as a whole


def plain_text(text: str, before: Callable[[str], str] = str) -> str:
    r"""``text`` without escapes, each line as a terminal would show it in the end.

    ``before``: what happens to the text when it is without escapes, and before anything in it is written over.

    >>> plain_text("\x1b[31mred\x1b[0m \x1b]0;title\x07\r\n 10 %\r 20 %\rdone\x1b[K\n")
    'red \ndone\n'
    """
    data = text.encode("utf-8", "surrogatepass")
    if len(data.translate(None, _ODD)) == len(data) and not any(each in text for each in _ODD_WIDE):
        return before(text)  # nearly all texts; found at the speed of a copy
    bare = before(_CONTROLS.sub("", _SEQUENCE.sub(_erasure, text)))
    if not ("\r" in bare or "\x08" in bare or "\x1b" in bare):
        return bare
    return "\n".join(map(_last_state, bare.replace("\r\n", "\n").split("\n")))


def _erasure(sequence: re.Match[str]) -> str:
    """What is left of an escape sequence: a sign, for one that erases in a line."""
    if sequence["final"] != "K":
        return ""
    return _TO_END if sequence["parameters"] in ("", "0") else _WHOLE


def _last_state(line: str) -> str:
    """A line after all that was written over it; of the moves, those are left out that nothing follows."""
    cells: list[str] = []
    place = 0
    for piece in _MOVES.split(line):
        match piece:
            case "\r":
                place = 0
            case "\x08":
                place = max(place - 1, 0)
            case "\x1bK":
                del cells[place:]
            case "\x1bL":
                cells, place = [], 0
            case _:
                cells[place : place + len(piece)] = piece
                place += len(piece)
    return "".join(cells)


def unfinished_chars(text: str, most: int = 200) -> int:
    r"""How many characters at the end of ``text`` are an escape sequence whose rest has not come; 0 where that would be more than ``most``.

    >>> unfinished_chars("red \x1b[3"), unfinished_chars("red \x1b[31m"), unfinished_chars("red")
    (3, 0, 0)
    """
    start = text.rfind("\x1b")
    size = len(text) - start
    return size if start >= 0 and size <= most and _UNFINISHED.fullmatch(text, start) else 0

"""What is shown, as values: pieces of text with a style, and how a terminal is told."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import frozen


class Style(Enum):
    """How a piece looks where there is colour; the value is the SGR code."""

    PLAIN = ""
    DIM = "2"
    ACT = "1;36"
    SAID = "1"
    ADDED = "32"
    REMOVED = "31"
    BAD = "1;31"


@final
@frozen
class Piece:
    """A text, and how it looks."""

    text: str
    style: Style = Style.PLAIN


def painted(piece: Piece, *, colour: bool) -> str:
    r"""``piece`` as a terminal takes it; every line is painted by itself, so that none is left open.

    >>> painted(Piece("a\nb\n", Style.DIM), colour=True)
    '\x1b[2ma\x1b[0m\n\x1b[2mb\x1b[0m\n'
    """
    if not colour or piece.style is Style.PLAIN:
        return piece.text
    lines = piece.text.split("\n")
    return "\n".join(f"\x1b[{piece.style.value}m{line}\x1b[0m" if line else "" for line in lines)

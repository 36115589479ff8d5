"""Parsers of argv that raise what is wrong as one sentence, and leave printing to others. Of the standard library alone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from typing_extensions import override

WIDTH = 100


class UsageError(Exception):
    """The arguments are wrong."""


class Parser(argparse.ArgumentParser):
    """A parser that raises in place of printing and leaving."""

    def __init__(self, prog: str, usage: str, epilog: str = "") -> None:
        super().__init__(prog=prog, usage=usage, epilog=epilog, add_help=False, allow_abbrev=False, formatter_class=_wide)
        self.color = False  # Python 3.14 colours the help by the environment
        self.add_argument("-h", "--help", action="store_true", help="show this and exit")

    @override
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _wide(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=WIDTH)


def parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """What ``argv`` says; raises ``UsageError`` for what ``parser`` does not know."""
    found, rest = parser.parse_known_intermixed_args(list(argv))
    if rest:
        known = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - argparse has no other list
        if not rest[0].startswith("-"):
            raise UsageError(f"there is nothing to do with {rest[0][:60]}")
        near = get_close_matches(rest[0].partition("=")[0], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; a prompt that starts with - goes after --"
        raise UsageError(f"there is no option {rest[0][:60]}{hint}")
    return found

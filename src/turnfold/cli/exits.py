"""Exit codes of the command, for scripts; the help lists them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How the command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2  # arguments, files named on the command line, config
    PAUSED = 3  # a question waits for a person
    LIMIT = 4  # model calls, turns, tokens, seconds, money, or the length of a reply
    INTERRUPTED = 130

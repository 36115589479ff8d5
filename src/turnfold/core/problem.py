"""A failure as data: code, place, one sentence, whose fault; and what somebody may have meant who wrote a name that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from itertools import islice
from typing import final

from attrs import frozen
from typing_extensions import override

MAX_NAME = 100  # a longer one is no slip of the pen, and comparing costs the square of the length
MAX_NAMES = 200

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


class Blame(Enum):
    """Who can mend it."""

    CALLER = "caller"  # the person or program that gave the input
    MODEL = "model"  # what the model wrote
    TOOL = "tool"  # a tool's own code
    WORLD = "world"  # disk, network, provider, another process


@final
@frozen(kw_only=True)
class Problem:
    """What went wrong, as a value: ``code`` for programs, ``message`` one sentence for whoever is to blame, ``path`` where.

    ``retry_after_s``: how long to wait before it is tried again, where who failed said so.

    >>> str(Problem(code="not-found", message="There is no file a.txt.", path="$.path", blame=Blame.MODEL))
    'There is no file a.txt. @ $.path'
    """

    code: str
    message: str
    blame: Blame
    path: str = ""
    retry_after_s: float | None = None

    @override
    def __str__(self) -> str:
        return f"{self.message} @ {self.path}" if self.path else self.message


def caller_problem(code: str, message: str, path: str = "") -> Problem:
    """A Problem that the person or the calling program can mend."""
    return Problem(code=code, message=message, path=path, blame=Blame.CALLER)


def model_problem(code: str, message: str, path: str = "") -> Problem:
    """A Problem in what the model wrote; its message says what to write instead."""
    return Problem(code=code, message=message, path=path, blame=Blame.MODEL)


def world_problem(code: str, message: str, path: str = "") -> Problem:
    """A Problem of disk, network, provider or process."""
    return Problem(code=code, message=message, path=path, blame=Blame.WORLD)


def path_text(path: tuple[str | int, ...]) -> str:
    """``path`` as errors write it.

    >>> path_text(("rules", 1, "kind"))
    '$.rules[1].kind'
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" if _PLAIN.fullmatch(step) else f"[{step[:60]!r}]" for step in path)
    return "$" + "".join(steps)


def near_misses(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """At most three of ``names`` that look like ``name``, the likeliest first; of bounded cost.

    >>> near_misses("strat_line", ("path", "start_line", "end_line"))
    ('start_line',)
    """
    if len(name) > MAX_NAME:
        return ()
    known = {each.lower(): each for each in islice(names, MAX_NAMES) if len(each) <= MAX_NAME}
    return tuple(known[match] for match in get_close_matches(name.lower(), known, n=3, cutoff=0.6))


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """``; did you mean …?`` where there is a near miss, else empty.

    >>> did_you_mean("pth", ("path", "content"))
    '; did you mean path?'
    """
    found = near_misses(name, names)
    return f"; did you mean {' or '.join(found)}?" if found else ""

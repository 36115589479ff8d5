"""Near misses: what somebody may have meant who wrote a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

MAX_NAME = 100  # a longer one is no slip of the pen, and comparing costs the square of the length
MAX_NAMES = 200


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

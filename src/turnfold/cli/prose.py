"""The prose of a reply as it streams, without the block that is a call: what the call does is shown by itself.

A line that begins with a fence is held back until its first word is known. If that is a tool's name, the rest of the
reply is a call (a text format's reply ends with its first call) and nothing more of it is shown but, where it is long,
its first line, so that a person sees what they wait for. So it is with a line that begins with the tag that calls are wrapped in. When the reply turns out to hold no call, the rest is shown then.
"""

from __future__ import annotations

import re
from typing import final

from attrs import evolve, frozen

MAX_HELD = 1000
LONG_CHARS = 300  # of a call, from which on its opening line is told

_FENCE = re.compile(r"`{3,}([^\s`]*)(\s?)")


@final
@frozen(kw_only=True)
class Prose:
    """How far a reply is: ``seen`` characters have come, ``told`` are shown; ``held`` is a line's beginning that may open a call.

    ``opening`` is the opening line of the call that has begun, until it is told.
    """

    seen: int = 0
    told: int = 0
    held: str = ""
    fresh: bool = True  # what comes next is at the start of a line
    calling: bool = False
    opening: str = ""


@final
@frozen
class Fed:
    """The prose so far, and what of it is new; ``opening`` is the opening line of a call that is getting long."""

    prose: Prose
    text: str
    opening: str = ""


def feed(prose: Prose, text: str, names: tuple[str, ...]) -> Fed:
    r"""``prose`` with more of the reply; ``names``: the tools', or the tags that open calls (none where calls are no text). Linear.

    >>> fed = feed(Prose(), "I write it.\n``", ("save",))
    >>> fed.text, feed(fed.prose, "`save a.txt\nhi\n```", ("save",)).text
    ('I write it.\n', '')
    """
    prose = evolve(prose, seen=prose.seen + len(text))
    if prose.calling:
        return _patient(prose, "")
    if not names:
        return Fed(evolve(prose, told=prose.told + len(text)), text)
    lines = (prose.held + text).split("\n")
    shown: list[str] = []
    for index, line in enumerate(lines):
        whole = index < len(lines) - 1
        fresh = prose.fresh if index == 0 else True
        verdict = _verdict(line, names, whole=whole) if fresh else False
        if verdict is None:
            return _fed(prose, shown, Prose(held=line))
        if verdict:
            return _fed(prose, shown, Prose(calling=True, opening=line.lstrip("`")))
        shown.append(line + "\n" if whole else line)
    fresh = not lines[-1] and (len(lines) > 1 or prose.fresh)
    return _fed(prose, shown, Prose(fresh=fresh))


def _fed(before: Prose, shown: list[str], after: Prose) -> Fed:
    text = "".join(shown)
    return _patient(evolve(after, seen=before.seen, told=before.told + len(text)), text)


def _patient(prose: Prose, text: str) -> Fed:
    if prose.opening and prose.seen - prose.told > LONG_CHARS:
        return Fed(evolve(prose, opening=""), text, prose.opening)
    return Fed(prose, text)


def _verdict(line: str, names: tuple[str, ...], *, whole: bool) -> bool | None:
    """Whether ``line`` opens a call; None where more of it must be seen."""
    if line.startswith("<"):
        opens = any(line.startswith(name) for name in names)
        return None if not opens and not whole and any(name.startswith(line) for name in names) else opens
    if not line.startswith("`"):
        return False
    found = _FENCE.match(line)
    if found is None:
        return None if not whole and line in ("`", "``") else False
    if whole or len(line) > MAX_HELD:
        return found[1] in names
    if found[2] or found.end() < len(line):
        return None if found[1] in names else False
    return None if any(name.startswith(found[1]) for name in names) else False

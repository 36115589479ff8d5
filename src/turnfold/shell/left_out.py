"""What a briefing leaves out, told to the person: one Problem a cause, however many files it is about."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.textlines import clipped

SHOWN = 5  # names in one sentence

CAUSES = (
    ("no-room", "there is no room left for it in prompt.limit_bytes: raise that, or name less"),
    ("too-large", "it is too large: make it shorter"),
    ("not-text", "it is no file of UTF-8 text: save it as such, or name something else"),
    ("is-directory", "it is a folder: name the files in it"),
    ("not-allowed", "it may not be read by this user: mend its permissions"),
    ("not-found", "it is not there: mend the name, or take it out"),
    ("denied", "a rule of the config denies that it is read: that rule wins"),
    (
        "asks",
        "it lies outside of the workspace, or a rule asks before it is read: name it in your own config, or say: turnfold config trust",
    ),
    ("astray", "its SKILL.md leads out of its folder by a link: link the whole folder"),
)


@final
@frozen
class LeftOut:
    """A file or command that the model is not told, and the code of why."""

    name: str
    code: str


def told(left_out: tuple[LeftOut, ...]) -> tuple[Problem, ...]:
    """One Problem a cause, in the order in which the causes came up.

    >>> str(told((LeftOut("a.png", "not-text"), LeftOut("b.png", "not-text")))[0])
    'The model is not told a.png (and 1 more: b.png): it is no file of UTF-8 text: save it as such, or name something else.'
    """
    causes = dict.fromkeys(each.code for each in left_out)
    return tuple(_told(code, tuple(each.name for each in left_out if each.code == code)) for code in causes)


def _told(code: str, names: tuple[str, ...]) -> Problem:
    first, *others = (clipped(name) for name in names[: 1 + SHOWN])
    listed = ", ".join(others) + (" …" if len(names) > 1 + SHOWN else "")
    more = f" (and {len(names) - 1:,} more: {listed})" if others else ""
    why = next((why for known, why in CAUSES if known == code), "it can't be read: look whether it is there, and whether the disk is")
    return caller_problem("bad-briefing", f"The model is not told {first}{more}: {why}.")

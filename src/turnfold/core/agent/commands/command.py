"""A command as a value, and how commands answer: with a notice, or with a Problem that says what to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Notice, Publish
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, caller_problem, did_you_mean
from turnfold.core.tools.spec import ToolSpec

Operation: TypeAlias = Callable[[Draft, str, tuple[ToolSpec, ...], ChatConfig], Draft]

SPACE = re.compile(r"\s")
MAX_DIGITS = 6


@final
@frozen(kw_only=True)
class Command:
    """A command as data. ``help``: a line, then more where there is more to know.

    ``run`` takes the draft, the text after the name, the tools that can be used, and the settings that are in force. It is
    total. It refuses by publishing one Problem and changing nothing, and changes the past only by recording events.
    ``asks_model``: what it begins may ask a model, so that one is chosen before.
    """

    name: str
    arguments: str
    help: str
    run: Operation
    aliases: tuple[str, ...] = ()
    asks_model: bool = False

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"/{self.name} {self.arguments}".rstrip()


def refuse(draft: Draft, problem: Problem) -> Draft:
    """The draft as it was, with the Problem published."""
    return draft.act(Publish(problem))


def wrong(draft: Draft, message: str, code: str = "bad-argument") -> Draft:
    """The draft as it was; ``message`` says what to write instead."""
    return refuse(draft, caller_problem(code, message))


def busy(draft: Draft, name: str) -> Draft:
    """The draft as it was: a turn is running, and the command ``name`` has to wait."""
    return wrong(draft, f"A turn is running, so /{name[:40]} can't be done now. Wait for its end, or interrupt it.", "busy")


def tell(draft: Draft, text: str) -> Draft:
    """The draft, with ``text`` shown to the person."""
    return draft.act(Publish(Notice(text)))


def parted(text: str) -> tuple[str, str]:
    """The first word of ``text``, and what follows the one space or newline behind it.

    >>> parted("save a.txt  hi"), parted("undo")
    (('save', 'a.txt  hi'), ('undo', ''))
    """
    match SPACE.split(text, maxsplit=1):
        case [word, rest]:
            return word, rest
        case _:
            return text, ""


def number_untrusted(text: str) -> int | None:
    """The number that ``text`` spells, from 0; None for anything else.

    >>> number_untrusted("12"), number_untrusted("-1"), number_untrusted("1.5"), number_untrusted("9999999")
    (12, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def or_near(name: str, names: Iterable[str]) -> str:
    """The end of a sentence that says that ``name`` is not there: what may have been meant.

    >>> or_near("raeder", ("reader", "writer")), or_near("x", ("reader",))
    ('; did you mean reader?', '.')
    """
    return did_you_mean(name, names) or "."


def columns(rows: tuple[tuple[str, str], ...]) -> str:
    r"""Rows of two columns as lines.

    >>> columns((("/undo", "Take back."), ("/redo", "Bring back.")))
    '/undo  Take back.\n/redo  Bring back.'
    """
    width = max((len(first) for first, _ in rows), default=0)
    return "\n".join(f"{first:{width}}  {second}".rstrip() for first, second in rows)

"""A failure as data: code, place, one sentence, whose fault."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import frozen
from typing_extensions import override


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

    >>> str(Problem(code="not-found", message="There is no file a.txt.", path="$.path", blame=Blame.MODEL))
    'There is no file a.txt. @ $.path'
    """

    code: str
    message: str
    blame: Blame
    path: str = ""

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

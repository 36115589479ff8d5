"""A call that is certain, and where in its reply it ends: what the scans of all text formats give."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Invocation


@final
@frozen
class Found:
    """A call, and the offset in the reply's text where it ends: behind its last fence or tag, whose newline is not counted.

    Calls that end together were written together, and are one round.
    """

    call: Invocation
    end: int


def first_round(found: Log[Found]) -> tuple[Invocation, ...]:
    """The calls that end where the first one ends; what a reply says behind them was said without their outcome.

    >>> from turnfold.core.conversation.messages import ToolCall
    >>> from turnfold.core.json import JsonObject
    >>> ls, pwd = ToolCall("ls", JsonObject()), ToolCall("pwd", JsonObject())
    >>> first_round(Log.of(Found(ls, 9), Found(pwd, 9), Found(ls, 20))) == (ls, pwd)
    True
    """
    return tuple(each.call for each in found if each.end == found[0].end)

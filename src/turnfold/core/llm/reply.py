"""A model's reply as a value, whatever wire format it came in."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import frozen

from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Verbatim
from turnfold.core.problem import Problem
from turnfold.core.world.usage import Usage


class Stop(Enum):
    """Why the model stopped."""

    END = "end"  # it was done
    CALLS = "calls"  # it wants tools to be run
    LENGTH = "length"  # the token limit
    REFUSED = "refused"  # the model declined; the text is its words
    FILTER = "filter"  # the provider withheld the rest
    CUT = "cut"  # the stream ended without a reason


@final
@frozen
class RawCall:
    """A native call as the wire had it: the tool's name and the arguments as JSON text, neither checked."""

    name: str
    text: str


@final
@frozen(eq=False, repr=False, kw_only=True)
class CallSoFar:
    """A native call as far as it has come: the pieces of its arguments' text, and whether no more of them will come.

    A piece may end in the first half of a surrogate pair, so it is the joined text that is to be read (``scalar_text``).
    """

    name: str
    pieces: Log[str]
    complete: bool = False


@final
@frozen(kw_only=True)
class Reply:
    """A whole reply. ``problem``: the stream said or was something wrong; what came before it is still here.

    ``verbatim``: what the same wire format must get back with this reply, where there is such.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[RawCall, ...] = ()
    usage: Usage = Usage()
    stop: Stop = Stop.CUT
    problem: Problem | None = None
    verbatim: Verbatim | None = None

"""A model's reply as a value, whatever wire format it came in."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import frozen

from turnfold.core.problem import Problem


@final
@frozen(kw_only=True)
class Usage:
    """Tokens as the provider counted them; ``cached_tokens`` are part of ``input_tokens``. ``cost_usd``: by the model's prices; 0 where
    they are not known, and ``unpriced_tokens`` counts the tokens of such calls.

    >>> Usage(input_tokens=1).plus(Usage(input_tokens=2, output_tokens=3)).output_tokens
    3
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_tokens: int = 0

    def plus(self, other: Usage) -> Usage:
        """The sum, field by field."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            unpriced_tokens=self.unpriced_tokens + other.unpriced_tokens,
        )


class Stop(Enum):
    """Why the model stopped."""

    END = "end"  # it was done
    CALLS = "calls"  # it wants tools to be run
    LENGTH = "length"  # the token limit
    FILTER = "filter"  # the provider withheld the rest
    CUT = "cut"  # the stream ended without a reason


@final
@frozen
class RawCall:
    """A native call as the wire had it: the tool's name and the arguments as JSON text, neither checked."""

    name: str
    text: str


@final
@frozen(kw_only=True)
class Reply:
    """A whole reply. ``problem``: the stream said or was something wrong; what came before it is still here."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[RawCall, ...] = ()
    usage: Usage = Usage()
    stop: Stop = Stop.CUT
    problem: Problem | None = None

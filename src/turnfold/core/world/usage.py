"""What a model call has cost, in tokens and money."""

from __future__ import annotations

from typing import final

from attrs import frozen


@final
@frozen(kw_only=True)
class Usage:
    """Tokens as the provider counted them; ``cached_tokens`` (read from its cache) and ``cache_write_tokens`` (written to it) are part of
    ``input_tokens``, ``reasoning_tokens`` of ``output_tokens``. ``cost_usd``: by the model's prices; 0 where
    they are not known, and ``unpriced_tokens`` counts the tokens of such calls.

    >>> Usage(input_tokens=1).plus(Usage(input_tokens=2, output_tokens=3)).output_tokens
    3
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    def plus(self, other: Usage) -> Usage:
        """The sum, field by field."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            unpriced_tokens=self.unpriced_tokens + other.unpriced_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )

"""What a reply cost, by the prices of the model that gave it."""

from __future__ import annotations

from attrs import evolve

from turnfold.core.config.values import ModelProfile
from turnfold.core.world.usage import Usage

MILLION = 1_000_000


def priced(usage: Usage, profile: ModelProfile) -> Usage:
    """``usage`` with its cost; where a price that it needs is not known, with its tokens counted as unpriced.

    Tokens from the cache and into it are part of those read, and cost what the profile says of them, else as much as any read.

    >>> priced(Usage(input_tokens=1000, output_tokens=100), ModelProfile(pattern="*", input_usd=2.0, output_usd=10.0)).cost_usd
    0.003
    """
    read, written = profile.input_usd, profile.output_usd
    cached = read if profile.cached_usd is None else profile.cached_usd
    kept = read if profile.cache_write_usd is None else profile.cache_write_usd
    hits = min(usage.cached_tokens, usage.input_tokens)
    puts = min(usage.cache_write_tokens, usage.input_tokens - hits)
    parts = ((usage.input_tokens - hits - puts, read), (hits, cached), (puts, kept), (usage.output_tokens, written))
    cost = sum(tokens * price for tokens, price in parts if price is not None) / MILLION
    unpriced = sum(tokens for tokens, price in parts if price is None)
    return evolve(usage, cost_usd=cost, unpriced_tokens=unpriced)

"""What replies cost: laws of prices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.config.values import ModelProfile
from turnfold.core.llm.prices import priced
from turnfold.core.world.usage import Usage

PRICES = st.one_of(st.none(), st.floats(0, 1000))
PROFILES = st.builds(
    lambda read, written, cached, kept: ModelProfile(
        pattern="*", input_usd=read, output_usd=written, cached_usd=cached, cache_write_usd=kept
    ),
    PRICES,
    PRICES,
    PRICES,
    PRICES,
)
TOKENS = st.integers(0, 10_000_000)
USAGES = st.builds(
    lambda read, cached, kept, written: Usage(
        input_tokens=read + cached + kept, cached_tokens=cached, cache_write_tokens=kept, output_tokens=written
    ),
    TOKENS,
    TOKENS,
    TOKENS,
    TOKENS,
)


@given(USAGES, USAGES, PROFILES)
def test_cost_is_additive(one: Usage, other: Usage, profile: ModelProfile) -> None:
    together, apart = priced(one.plus(other), profile), priced(one, profile).plus(priced(other, profile))
    assert together.cost_usd == pytest.approx(apart.cost_usd)
    assert together.unpriced_tokens == apart.unpriced_tokens


@given(USAGES, PROFILES)
def test_cost_is_never_negative_and_every_token_is_priced_or_counted(usage: Usage, profile: ModelProfile) -> None:
    told = priced(usage, profile)
    assert told.cost_usd >= 0
    assert 0 <= told.unpriced_tokens <= usage.input_tokens + usage.output_tokens
    assert (told.input_tokens, told.output_tokens, told.cached_tokens) == (usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    known = None not in (profile.input_usd, profile.output_usd)
    assert not known or told.unpriced_tokens == 0


@given(USAGES, st.floats(0, 1000))
def test_a_cache_without_a_price_costs_what_reading_does(usage: Usage, usd: float) -> None:
    plain = ModelProfile(pattern="*", input_usd=usd, output_usd=0)
    assert priced(usage, plain).cost_usd == pytest.approx(usage.input_tokens * usd / 1e6)


def test_what_is_written_to_the_cache_costs_what_the_profile_says() -> None:
    usage = Usage(input_tokens=10, cached_tokens=3, cache_write_tokens=4)
    dear = ModelProfile(pattern="*", input_usd=1_000_000, output_usd=0, cached_usd=0, cache_write_usd=1_250_000)
    assert priced(usage, dear).cost_usd == 3 + 5
    assert priced(Usage(input_tokens=2, cached_tokens=1, cache_write_tokens=9), dear).cost_usd == 1.25


def test_an_unknown_price_leaves_its_tokens_unpriced() -> None:
    told = priced(Usage(input_tokens=10, cached_tokens=4, output_tokens=3), ModelProfile(pattern="*", output_usd=1_000_000, cached_usd=0))
    assert (told.cost_usd, told.unpriced_tokens) == (3.0, 6)


def test_more_tokens_of_the_cache_than_were_read_are_a_provider_s_slip() -> None:
    told = priced(Usage(input_tokens=2, cached_tokens=5), ModelProfile(pattern="*", input_usd=1_000_000, output_usd=0, cached_usd=0))
    assert (told.cost_usd, told.unpriced_tokens) == (0.0, 0)

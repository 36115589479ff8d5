"""What helps after a failure, and how long to wait: laws of the table."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.agent.failing import FEW, FEW_RETRIES, KINDS, Failing, kind_of, wait_ms
from turnfold.core.config.values import Provider
from turnfold.core.problem import world_problem

BUSY = world_problem("overloaded", "Later.")
PROVIDER = Provider(name="a", retries=5, retry_base_s=1.0, retry_most_s=6.0)
CHANCES = st.floats(0, 1)
MOMENTS = st.sampled_from([code for code, kind in KINDS if kind is Failing.MOMENT])


def test_each_code_is_of_one_kind_and_an_unknown_one_is_not_repeated() -> None:
    codes = [code for code, _ in KINDS]
    assert len(codes) == len(set(codes))
    assert set(FEW) <= set(codes)
    assert kind_of(world_problem("never-heard-of", "Oh.")) is Failing.REQUEST


@given(MOMENTS, st.integers(1, 50), CHANCES)
def test_a_wait_is_a_part_of_what_doubles_up_to_the_most(code: str, failed: int, chance: float) -> None:
    found = wait_ms(world_problem(code, "Later."), failed, chance, PROVIDER)
    retries = FEW_RETRIES if code in FEW else PROVIDER.retries
    assert (found is None) == (failed > retries)
    assert found is None or 0 <= found <= 1000 * min(6.0, 2.0 ** (failed - 1)) + 1


@given(CHANCES, CHANCES, st.integers(1, 5))
def test_more_chance_is_a_longer_wait(one: float, other: float, failed: int) -> None:
    less, more = (wait_ms(BUSY, failed, chance, PROVIDER) for chance in sorted((one, other)))
    assert less is not None
    assert more is not None
    assert less <= more


@given(st.floats(0, 100), CHANCES)
def test_what_the_provider_asks_for_is_never_cut_short(asked_s: float, chance: float) -> None:
    found = wait_ms(evolve(BUSY, retry_after_s=asked_s), 1, chance, PROVIDER)
    assert (found is None) == (asked_s > 6.0)
    assert found is None or 1000 * asked_s <= found <= 1000 * (asked_s + 1.0) + 1


@given(st.floats(), st.integers(-9, 10**9), st.floats(0, 1e300))
def test_any_numbers_give_a_wait_or_none(chance: float, failed: int, seconds: float) -> None:
    odd = Provider(name="a", retries=10**9, retry_base_s=seconds, retry_most_s=60.0)
    found = wait_ms(BUSY, failed, chance, odd)
    assert found is None or 0 <= found <= 60_001


def test_no_other_failure_is_waited_for() -> None:
    for code, kind in KINDS:
        assert (wait_ms(world_problem(code, "Oh."), 1, 0.5, PROVIDER) is None) == (kind is not Failing.MOMENT)

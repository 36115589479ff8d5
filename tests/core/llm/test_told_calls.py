"""Ids, names and arguments of calls as providers want them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.llm.told_calls import short_id, told_id

PLACES = st.tuples(st.integers(0, 40_000), st.integers(0, 1_200), st.integers(0, 1_200))


def name(place: tuple[int, int, int]) -> str:
    return ".".join(map(str, place))


@given(PLACES, PLACES)
def test_a_place_is_nine_letters_and_digits_and_two_places_are_two_ids(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    assert re.fullmatch("[a-z0-9]{9}", short_id(name(one)))
    assert (short_id(name(one)) == short_id(name(other))) == (one == other)


@pytest.mark.parametrize("odd", ["46656.0.0", "1.1296.0", "1.1.1296", "1.1", "", "1.1.0.0", "a.b.c", "9999999.1.1"])
def test_what_is_no_place_or_a_late_one_keeps_its_own_words(odd: str) -> None:
    assert short_id(odd) == told_id(odd)

"""The log is a tuple in all but cost."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from turnfold.core.conversation.log import WIDTH, Log

SIZES = st.integers(0, 3 * WIDTH) | st.integers(WIDTH**2 - 2, WIDTH**2 + 2 * WIDTH)


def log_of(size: int) -> Log[int]:
    return reduce(lambda log, item: log.append(item), range(size), Log[int]())


@given(size=SIZES)
@example(size=WIDTH**2 + WIDTH * 2 + 1)
def test_it_holds_what_was_appended(size: int) -> None:
    log = log_of(size)
    assert len(log) == size
    assert tuple(log) == tuple(range(size))
    assert tuple(log[index] for index in range(size)) == tuple(range(size))


def test_it_holds_what_was_appended_at_four_levels() -> None:
    size = WIDTH**3 + WIDTH**2 + 1
    log = log_of(size)
    assert tuple(log) == tuple(range(size))
    assert all(log[index] == index for index in range(0, size, 1_000))


@given(size=SIZES, more=st.integers(0, 40))
def test_an_older_log_stays_as_it_was(size: int, more: int) -> None:
    old = log_of(size)
    before = tuple(old)
    reduce(lambda log, item: log.append(item), range(more), old)
    assert tuple(old) == before


@given(size=st.integers(0, 80), count=st.integers(-3, 90))
def test_take_is_a_slice(size: int, count: int) -> None:
    assert tuple(log_of(size).take(count)) == tuple(range(size))[: max(count, 0)]


@given(one=st.lists(st.integers(0, 1), max_size=4), two=st.lists(st.integers(0, 1), max_size=4))
def test_equal_items_are_an_equal_log(one: list[int], two: list[int]) -> None:
    assert (Log.of(*one) == Log.of(*two)) is (one == two)
    assert one != two or hash(Log.of(*one)) == hash(Log.of(*two))
    assert Log.of(*one) != tuple(one)


@pytest.mark.parametrize("index", [-4, 3])
def test_an_item_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError, match="has 3 items"):
        log_of(3)[index]
    assert log_of(3)[-1] == 2

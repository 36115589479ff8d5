"""Places: they are ordered, and written as text that a client may send back."""

from __future__ import annotations

import pytest
from hypothesis import given

from turnfold.core.stream.position import Position, parse_position_untrusted
from turnfold.testing.strategies import positions, texts


@given(positions())
def test_a_place_is_read_as_it_was_written(position: Position) -> None:
    assert parse_position_untrusted(str(position)) == position


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1.2", "1:2", "1:1.2.3.4", "1:1.2.3.4.5.6", "1:1.2.3.4.x", "١", "1" * 13, "17:", ":1.1.1.1.1"]
)
def test_what_is_no_place_is_none(text: str) -> None:
    assert parse_position_untrusted(text) is None


@given(texts())
def test_any_text_is_a_place_or_none(text: str) -> None:
    found = parse_position_untrusted(text)
    assert found is None or parse_position_untrusted(str(found)) == found

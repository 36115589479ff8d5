"""How much of a text was given: in characters, whatever its pieces are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.conversation.log import Log
from turnfold.core.stream.given import NONE, Extent, Given, given_at, more_of
from turnfold.core.stream.position import Position
from turnfold.testing.strategies import positions

PIECES = st.lists(st.text(max_size=3), max_size=8)


@given(PIECES, st.lists(st.integers(0, 8), max_size=4), st.integers(0, 30))
def test_what_is_new_is_given_once(pieces: list[str], looks: list[int], chars: int) -> None:
    whole = "".join(pieces)
    joined = min(chars, len(whole))
    for begun, start in ((NONE, 0), (Extent(chars=joined, part=joined), joined)):
        told, extent = "", begun
        for look in (*sorted(looks), len(pieces)):
            more = more_of(Log.of(*pieces[:look]), extent)
            told, extent = told + more.text, more.extent
        assert told == whole[start:]
        assert extent.chars == len(whole)


def test_the_first_half_of_a_character_waits_for_the_second() -> None:
    first = more_of(Log.of('{"a":"', "\ud83d"), NONE)
    assert first.text == '{"a":"'
    assert more_of(Log.of('{"a":"', "\ud83d"), first.extent).text == ""
    second = more_of(Log.of('{"a":"', "\ud83d", '\ude00"}'), first.extent)
    assert second.text == '😀"}'
    assert more_of(Log.of('{"a":"', "\ud83d", '\ude00"}', "!"), second.extent).text == "!"


@given(positions())
def test_what_was_given_at_a_place_is_at_that_place(position: Position) -> None:
    found = given_at(position)
    assert isinstance(found, Given)
    assert found.at(position.event).thought == position.thought
    assert found.at(position.event).shown == position.shown
    if 0 < position.begun < 1000:
        assert found.at(position.event) == position

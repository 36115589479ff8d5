"""Bytes of a reply taken in, by the rules that the formats share."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnfold.core.llm.intake import arguments_text, begun, frozen_or_none, parsed, rest, scalars, take
from turnfold.testing.wire import chunked

LINES = st.lists(
    st.sampled_from(
        (
            b"data: {}\n\n",
            b"event: x\ndata: {}\n\n",
            b"data: {}\r\n\r\n",
            b"event: x\r\ndata: 1\r\n\r\n",
            b": c\n\n",
            b"event: x\n\n",
            b"x",
            b"\r\n",
        )
    ),
    max_size=6,
)


@settings(deadline=None)  # the machine may be busy
@given(LINES, st.lists(st.integers(0, 12), max_size=20))
def test_the_same_events_come_however_the_bytes_are_cut(lines: list[bytes], sizes: list[int]) -> None:
    def told(chunks: tuple[bytes, ...]) -> tuple[tuple[str, ...], bool, object]:
        texts: tuple[str, ...] = ()
        intake = begun()
        for chunk in chunks:
            taken = take(intake, chunk)
            intake, texts = taken.intake, (*texts, *taken.texts)
        left = rest(intake)
        return (*texts, *left.texts), intake.seen, (left.body, left.problem)

    stream = b"".join(lines)
    assert told(chunked(stream, sizes)) == told((stream,)) == told(tuple(lines))


def test_what_is_no_json_is_nothing() -> None:
    assert [parsed(text) for text in ("", "nope", "[" * 100_000, "1" * 5000)] == [None] * 4
    assert frozen_or_none(float("nan")) is None


@pytest.mark.parametrize(
    ("given_value", "text"),
    [
        ("", ""),
        ("\ud800", "\ufffd"),
        (None, ""),
        ({}, ""),
        ([], "[]"),
        (0, "0"),
        ({"a": float("nan")}, '{"a":NaN}'),
        ({"a": "\ud800"}, '{"a":"\ufffd"}'),
    ],
)
def test_arguments_are_text(given_value: object, text: str) -> None:
    assert arguments_text(given_value) == text


def test_arguments_that_are_nested_without_end_are_nothing() -> None:
    deep: object = []
    for _ in range(100_000):
        deep = [deep]
    assert arguments_text(deep) == ""


def test_halves_of_characters_wait_for_their_other_half() -> None:
    assert scalars("", "a\ud83d").held == "\ud83d"
    assert scalars("\ud83d", "a").whole == "\ufffda"
    assert scalars("\ud83d", None).held == "\ud83d"

"""What a request prints, on its way to whoever watches: in pieces of any size, masked, without escapes, and not too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from turnfold.shell.masking import NOTHING, Secret, mask_of
from turnfold.shell.telling import BURST_BYTES, Telling
from turnfold.testing.wire import chunked

MASK = mask_of([Secret("KEY", "s3cret-value-of-mine")])
TEXT = "é😀 plain, \x1b[31mred\x1b[0m, s3cret-value-of-mine, \x1b]0;title\x07and more.\n"


@given(st.lists(st.integers(1, 9), max_size=40))
def test_however_it_is_cut_the_same_is_told(sizes: list[int]) -> None:
    told: list[bytes] = []
    telling = Telling(told.append, MASK)
    for piece in chunked(TEXT.encode(), sizes):
        telling.received(piece)
    assert b"".join(told).decode() == "é😀 plain, red, [secret KEY], and more.\n"


def test_a_flood_is_cut_and_nothing_is_told_after_the_end() -> None:
    told: list[bytes] = []
    telling = Telling(told.append, NOTHING)
    for _ in range(1_000):
        telling.received(b"x" * 1_000)
    assert BURST_BYTES - 1_000 <= len(b"".join(told)) < 1_000_000
    telling.end()
    count = len(told)
    telling.received(b"late")
    assert len(told) == count

"""The output limit, lines of text, near misses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.worlds import TEXTS
from turnfold.core.problem import near_misses
from turnfold.core.tools.output import limit_text, split_to_limit
from turnfold.core.tools.textlines import bare, ended, line_count, line_ends, split_lines, with_line_ends_of


@given(TEXTS, st.integers(min_value=-1, max_value=300))
def test_head_and_tail_are_the_texts_own_and_the_cut_is_counted(text: str, limit: int) -> None:
    shown = split_to_limit(text, limit)
    assert text.startswith(shown.head)
    assert text.endswith(shown.tail)
    size = len(text.encode())
    kept = len(shown.head.encode()) + len(shown.tail.encode())
    assert kept + shown.cut_bytes == size
    assert kept <= max(limit, 0)
    assert (shown.cut_bytes == 0) is (size <= max(limit, 0))


@given(TEXTS, st.integers(min_value=0, max_value=300))
def test_a_limited_text_is_the_text_or_says_what_was_cut(text: str, limit: int) -> None:
    shown = limit_text(text, limit)
    assert shown == text if len(text.encode()) <= limit else "[cut here: " in shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcdef", 4, "ab\n[cut here: 2 bytes]\nef"),
        ("äöüß", 5, "ä\n[cut here: 4 bytes]\nß"),
        ("a\ud800", 9, "a\ufffd"),
        ("abcdef", 0, "[cut here: 6 bytes]\n"),
        ("a\nbcdefghi\nj\n", 8, "a\nbc\n[cut here: 7 bytes, 1 line]\nj\n"),
        ("aaa\nbbb\nccc\nddd\n", 10, "aaa\n[cut here: 8 bytes, 2 lines]\nddd\n"),
        ("abc\ndef\nghi", 6, "abc\n[cut here: 5 bytes, 2 lines]\nghi"),
    ],
)
def test_ends_stop_at_lines_where_that_costs_little(text: str, limit: int, shown: str) -> None:
    assert limit_text(text, limit) == shown


@given(TEXTS)
def test_lines_join_to_the_text(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert len(lines) == line_count(text) == bare(text).count("\n") - 1
    assert all(lines)
    assert ended(text).endswith("\n") or not text


@given(TEXTS, TEXTS)
def test_line_ends_are_taken_over(old: str, new: str) -> None:
    assert with_line_ends_of(old, new).replace("\r\n", "\n") == new.replace("\r\n", "\n")
    if "\n" in new and "\r\n" not in new:
        assert line_ends(with_line_ends_of(old, new)) == line_ends(old)


def test_near_misses_look_alike_whatever_their_case() -> None:
    assert near_misses("READme.MD", ("README.md", "x" * 500, "main.py")) == ("README.md",)
    assert near_misses("x" * 101, ("x" * 100,)) == ()
    assert near_misses("q", ("path",)) == ()

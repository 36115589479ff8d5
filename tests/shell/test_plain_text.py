"""What a program printed, without the escapes of terminals."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.shell.plain_text import plain_text


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("plain\n\ttext ü → 漢 🎉\n", "plain\n\ttext ü → 漢 🎉\n"),
        ("\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mx\x1b[m\x9b0m", "red x"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b\x9d0;t\x9c", "alinkb"),
        ("a\x1bPq#0;1\x1b\\b\x1b_hidden\x1b\\c\x1b^x\x1b\\d\x1bXy\x07e", "abcde"),
        ("\x1b7\x1b(B\x1b=\x1bcx\x1b8\x1b", "x"),
        ("a\x1b[", "a"),
        ("a\x1b[12;\nb", "a\nb"),
        ("a\x1b]0;never ended\nb", "a0;never ended\nb"),
        ("bell\x07 nul\0 del\x7f vt\x0b", "bell nul del vt"),
        ("a\r\nb\r\n", "a\nb\n"),
        (" 10 %\r 20 %\r100 %\ndone", "100 %\ndone"),
        ("downloading\rdone\n", "doneloading\n"),
        ("downloading\rdone\x1b[K\n", "done\n"),
        ("downloading\r\x1b[0Kdone\n", "done\n"),
        ("downloading\x1b[2K\rdone\n", "done\n"),
        ("downloading\x1b[1Gx", "downloadingx"),
        ("10 %\r", "10 %"),
        ("N\bNA\bAM\bME\bE", "NAME"),
        ("\b\b_\bx", "x"),
        ("one\x1b[1A\x1b[2Ktwo", "two"),
        ("a\rb\n\nc\rd\n", "b\n\nd\n"),
    ],
)
def test_is_what_a_person_reads(printed: str, text: str) -> None:
    assert plain_text(printed) == text


@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.text("a\x1b[]0;\x07\\\r\n\b\x9c\x9dPK2m ", max_size=40))
def test_nothing_of_a_terminal_is_left_and_it_is_done_at_once(printed: str) -> None:
    text = plain_text(printed)
    assert not any(character in text for character in "\x1b\r\b\x07\0\x9b\x9c\x9d")
    assert plain_text(text) == text
    assert text.count("\n") <= printed.count("\n")


def seconds(printed: str) -> float:
    begin = time.process_time()
    plain_text(printed)
    return time.process_time() - begin


@pytest.mark.parametrize(
    "unit",
    [
        "\x1b[",
        "\x1b]",
        "\x1b]0;x",
        "\x9d",
        "\x1bP",
        "\x1b[0",
        "10 %\r",
        "\b",
        "x\b",
        "\x1b[K",
        "x\x1b[2K",
        "\x1b",
        "a" * 9,
        "\r\n",
        "\n",
        "0;",
    ],
)
def test_time_is_linear(unit: str) -> None:
    assert seconds(unit * 40_000) < 40 * seconds(unit * 2_000) + 0.05
    assert seconds("\x1b]" + unit * 40_000) < 40 * seconds("\x1b]" + unit * 2_000) + 0.05

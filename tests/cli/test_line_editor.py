"""What a person types, as texts; names that are completed; the file that remembers."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.cli.line_editor import HISTORY, Editor, completions, remember_in, remembered


def texts_of(*lines: str) -> tuple[str, ...]:
    """The texts that these lines are, up to the end of input; each is remembered, but for the empty ones."""
    waiting: Iterator[str] = iter(lines)
    kept: list[str] = []

    def line(sign: str) -> str:
        for each in waiting:
            return each
        raise EOFError

    editor = Editor(line, kept.append)
    texts: tuple[str, ...] = ()
    while (text := editor.text()) is not None:
        texts = (*texts, text)
    assert kept == [text for text in texts if text.strip()]
    return texts


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        ((), ()),
        (("a", "", "b"), ("a", "", "b")),
        (("a\\", "b\\", "c", "d"), ("a\nb\nc", "d")),
        (("a\\",), ("a",)),
        (('"""', "a", "", "b\\", '"""', "c"), ("a\n\nb\\", "c")),
        ((' """ ', "a"), ("a",)),
        (('"""a"""',), ('"""a"""',)),
        (("pasted\nlines",), ("pasted\nlines",)),
    ],
)
def test_lines_make_texts(lines: tuple[str, ...], texts: tuple[str, ...]) -> None:
    assert texts_of(*lines) == texts


@given(st.lists(st.text(st.characters(blacklist_characters='\n\\"', codec="utf-8"))))
def test_plain_lines_are_texts(lines: list[str]) -> None:
    assert texts_of(*lines) == tuple(lines)


@given(st.text(max_size=4), st.text(max_size=3))
def test_only_what_fits_is_offered_and_only_at_the_beginning(word: str, before: str) -> None:
    names = ("exit", "export", "edit", "todo")
    for found in completions(word, before, names):
        assert not before.strip()
        assert found.startswith(word)
        assert found.strip("/ ") in names


def test_the_history_is_read_by_its_person_alone_and_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "data" / "history"
    assert remembered(path) == ()
    for number in range(2 * HISTORY + 5):
        remember_in(path, f"é {number}\nmore")
    kept = remembered(path)
    assert (len(kept), kept[-1]) == (HISTORY, f"é {2 * HISTORY + 4}\nmore")
    assert path.read_text(encoding="utf-8").count("\n") == HISTORY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("ab") as file:
        file.write(b"no json\n5\n\xff\n")
    assert remembered(path)[-1] == f"é {2 * HISTORY + 4}\nmore"
    assert [entry.name for entry in path.parent.iterdir()] == ["history"]


def test_a_history_that_cannot_be_kept_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    remember_in(tmp_path / "file" / "history", "hi")
    assert remembered(tmp_path) == ()

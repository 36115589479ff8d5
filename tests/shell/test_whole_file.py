"""A file is written as a whole, with its mode, by one writer at a time."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from turnfold.shell.whole_file import locked, replace_whole


def test_a_new_file_has_the_mode_asked_for_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    replace_whole(path, b"1", 0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    replace_whole(path, b"2", 0o600)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"2", 0o644)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_what_cant_be_written_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_whole(path, b"1", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("0")

    def count(_: int) -> None:
        with locked(tmp_path / "sub" / "lock"):
            replace_whole(path, str(int(path.read_text()) + 1).encode(), 0o600)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(80)))
    assert path.read_text() == "80"

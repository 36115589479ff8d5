"""Folders that the person trusts: kept whole, by one process at a time, under the names that they really have."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from turnfold.core.problem import Problem
from turnfold.shell.folders import Folders
from turnfold.shell.trust import FILE, distrust, read_trusted, trust, trusted


def folders(tmp_path: Path) -> Folders:
    return Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")


def test_a_folder_is_trusted_until_it_is_not(tmp_path: Path) -> None:
    found = folders(tmp_path)
    assert not trusted(found, tmp_path)
    assert not found.data.exists()
    assert trust(found, tmp_path) is None
    assert trust(found, tmp_path) is None
    assert trusted(found, tmp_path)
    assert not trusted(found, tmp_path / "sub")
    assert not trusted(found, tmp_path.parent)
    assert read_trusted(found).folders == (str(tmp_path.resolve()),)
    assert distrust(found, tmp_path) is None
    assert not trusted(found, tmp_path)


def test_links_and_dots_lead_to_the_folder_that_is_kept(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert trust(folders(tmp_path), tmp_path / "link" / "sub" / "..") is None
    assert trusted(folders(tmp_path), tmp_path / "real")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"folders": "/"}', '{"folders": [1]}', "\0", '{"folders": ["/"'])
def test_a_damaged_file_trusts_nothing_is_told_and_is_not_written_over(tmp_path: Path, text: str) -> None:
    found = folders(tmp_path)
    found.data.mkdir()
    (found.data / FILE).write_text(text, encoding="utf-8")
    read = read_trusted(found)
    assert read.folders == ()
    assert read.problem is not None
    assert "it is damaged" in read.problem.message
    assert trust(found, tmp_path) == read.problem
    assert (found.data / FILE).read_text(encoding="utf-8") == text


def test_a_folder_or_a_file_in_its_way_is_a_problem(tmp_path: Path) -> None:
    found = folders(tmp_path)
    (found.data / FILE).mkdir(parents=True)
    assert read_trusted(found).problem is not None
    assert isinstance(trust(found, tmp_path), Problem)
    other = Folders(config=tmp_path, data=tmp_path / "file", cache=tmp_path)
    other.data.touch()
    assert not trusted(other, tmp_path)
    assert isinstance(trust(other, tmp_path), Problem)


def test_where_nothing_can_be_written_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*args: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "fsync", denied)
    problem = trust(folders(tmp_path), tmp_path)
    assert problem is not None
    assert "(Read-only file system)" in problem.message
    assert not trusted(folders(tmp_path), tmp_path)


def _trust_one(work: tuple[Path, int]) -> bool:
    tmp_path, index = work
    return trust(folders(tmp_path), tmp_path / str(index)) is None


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert all(pool.map(_trust_one, [(tmp_path, index) for index in range(30)]))
    kept = json.loads((tmp_path / "data" / FILE).read_text(encoding="utf-8"))["folders"]
    assert sorted(kept) == sorted(str(tmp_path.resolve() / str(index)) for index in range(30))

"""Paths walked by descriptor: where they lead is where the system's own walk leads, and no link is followed that was not judged."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.shell.support import nothing_left, other_program
from turnfold import ChatConfig, Config, ProjectConfig, Rule, Verdict
from turnfold.core.problem import Problem
from turnfold.core.world.answers import FileRead
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ListFiles, ReadFile, ReadImage, WriteFile
from turnfold.shell import beneath
from turnfold.shell.beneath import real_path, walked
from turnfold.shell.bounds import Bounds
from turnfold.shell.files import LocalFiles

FILES = LocalFiles()


def test_a_path_leads_where_the_system_says(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    for name, target in {"up": "..", "b": "a/b", "abs": f"{tmp_path}/a", "chain": "b/../up2", "a/up2": "../b/..", "here": "."}.items():
        (tmp_path / name).symlink_to(target)
    names = ("a", "b", "up", "abs", "chain", "here", "file", "none", "up2")

    @given(parts=st.lists(st.sampled_from(names), min_size=1, max_size=5))
    def leads_there(parts: list[str]) -> None:
        path = "/".join((str(tmp_path), *parts))
        assert real_path(path) == os.path.realpath(path)

    leads_there()
    assert (real_path("/"), real_path("//tmp/../"), real_path("/no/such")) == ("/", "/", "/no/such")


def test_a_walk_has_an_end_and_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "up").symlink_to("../" * 30 + str(tmp_path).lstrip("/") + "/none/..")
    (tmp_path / "file").touch()
    long = "x" * 300
    with nothing_left():
        for name, number in (
            ("loop", errno.ELOOP),
            ("loop/a", errno.ELOOP),
            ("up", errno.ENOENT),
            ("file/a", errno.ENOTDIR),
            (long, errno.ENAMETOOLONG),
            (f"{long}/a", errno.ENAMETOOLONG),
        ):
            with pytest.raises(OSError, match=os.strerror(number)) as told, walked(f"{tmp_path}/{name}"):
                pass
            assert told.value.errno == number, name
        monkeypatch.setattr(beneath, "MOST_FOLDERS", 3)
        with pytest.raises(OSError, match="symbolic links"), walked(f"{tmp_path}/a/b"):
            pass


def test_a_name_that_becomes_a_link_after_it_was_judged_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "secret").write_text("s3cret")
    with walked(str(tmp_path / "file")) as place:
        (tmp_path / "file").unlink()
        (tmp_path / "file").symlink_to("secret")
        with pytest.raises(OSError, match="meanwhile"):
            place.open(os.O_RDONLY)


def test_a_folder_that_becomes_a_link_after_it_was_judged_is_still_the_folder(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with walked(str(tmp_path / "in" / "file")) as place:
        (tmp_path / "in").rename(tmp_path / "moved")
        (tmp_path / "in").symlink_to("out")
        descriptor = place.open(os.O_RDONLY)
        try:
            assert os.read(descriptor, 9) == b"in"
        finally:
            os.close(descriptor)


SWAPS = """
import os, pathlib, sys
from turnfold.shell.renaming import exchanged
folder = pathlib.Path(sys.argv[1])
here = os.open(folder, os.O_RDONLY)
(folder / "ready").touch()
while not (folder / "stop").exists():
    for _ in range(50):
        assert exchanged(here, "d", "other")  # d is a folder, or a link that leads outside
"""


def test_a_folder_that_is_exchanged_with_a_link_all_the_time_never_leads_outside(tmp_path: Path) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    for folder, text in ((work / "d", "mine"), (outside, "s3cret")):
        folder.mkdir(parents=True)
        (folder / "file").write_text(text)
    (work / "other").symlink_to(outside)
    cfg = ChatConfig(ProjectConfig(Config()), workspace=str(work))
    codes: set[str] = set()
    with nothing_left(), other_program(SWAPS, str(work)) as other:
        while not (work / "ready").exists():
            assert other.poll() is None
        for number in range(500):
            read = FILES.read(ReadFile(path=f"{work}/d/file", limit_bytes=99), Bounds(cfg))
            made = FILES.write(WriteFile(path=f"{work}/d/new-{number}", text="x", expected_digest=""), Bounds(cfg))
            assert isinstance(read, Problem) or read.text == "mine"
            codes |= {each.code if isinstance(each, Problem) else "done" for each in (read, made)}
        (work / "stop").touch()
        assert other.wait(20) == 0
    assert [each.name for each in outside.iterdir()] == ["file"]
    assert {"done", "leads-outside"} <= codes
    assert codes <= {"done", "leads-outside", "not-directory", "changed"}


def test_what_a_rule_denies_is_denied_under_every_name_and_in_every_way(tmp_path: Path) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    work.mkdir()
    outside.mkdir()
    (work / "x.env").write_text("s3cret")
    (outside / "y.env").write_text("s3cret")
    (work / "notes").symlink_to("x.env")
    (outside / "in").symlink_to(work / "x.env")
    (outside / "there").symlink_to("y.env")
    cfg = ChatConfig(
        ProjectConfig(Config()), workspace=str(work), rules=(Rule(Verdict.DENY, "*", "*.env"), Rule(Verdict.DENY, "*", f"{outside}/y.env"))
    )
    bounds = Bounds(cfg)
    for path in (work / "notes", outside / "in", outside / "there"):
        for answer in (
            FILES.read(ReadFile(path=str(path), limit_bytes=99), bounds),
            FILES.read_image(ReadImage(path=str(path), limit_bytes=99), bounds),
            FILES.write(WriteFile(path=str(path), text="x", expected_digest=""), bounds),
            FILES.change(ChangeFiles((DeleteFile(path=str(path), expected_digest=""),)), bounds),
        ):
            assert isinstance(answer, Problem)
            assert answer.code == "denied"
            assert "s3cret" not in answer.message
    undenied = evolve(cfg, rules=())
    assert isinstance(FILES.read(ReadFile(path=str(outside / "there"), limit_bytes=99), Bounds(undenied)), FileRead)
    listed = FILES.list(ListFiles(path=str(outside / "none"), limit=1), Bounds(undenied))
    assert isinstance(listed, Problem)
    assert listed.code == "not-found"

"""Files replaced as one act: what others write at the worst moment is never lost, and of several changes all are made or none."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shell.support import Fifo, nothing_left, other_program
from turnfold.core.problem import Problem
from turnfold.core.world.answers import FilesChanged, FileWritten
from turnfold.core.world.requests import ChangeFiles, DeleteFile, WriteFile
from turnfold.shell import guarding, renaming, replacing
from turnfold.shell.files import LocalFiles

FILES = LocalFiles()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def put(path: Path, text: str, old: str | None = None) -> WriteFile:
    return WriteFile(path=str(path), text=text, expected_digest="" if old is None else digest(old))


def gone(path: Path, old: str) -> DeleteFile:
    return DeleteFile(path=str(path), expected_digest=digest(old))


def code(answer: object) -> str:
    return answer.code if isinstance(answer, Problem) else f"no Problem but {answer}"


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["exchange", "rename only"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """This system; and one that can neither exchange names nor lease files."""
    name: str = request.param
    if name == "rename only":
        monkeypatch.setattr(renaming, "CALL", renaming._Call("no_such_call", 0, 0))
        monkeypatch.setattr(guarding, "SET_LEASE", None)
    return name


def test_all_changes_are_made(system: str, tmp_path: Path) -> None:
    for name in ("a", "b", "d/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    changes = (
        put(tmp_path / "a", "A", "a"),
        gone(tmp_path / "b", "b"),
        put(tmp_path / "new" / "er" / "n", "N"),
        gone(tmp_path / "d/c", "d/c"),
    )
    with nothing_left():
        answer = FILES.change(ChangeFiles(changes))
    assert answer == FilesChanged((digest("A"), "", digest("N"), ""))
    assert contents(tmp_path) == {"a": "A", "new/er/n": "N"}


@pytest.mark.parametrize("bad", ["changed", "taken", "gone", "folder", "twice", "full"])
def test_where_one_change_fails_none_is_made(system: str, bad: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    (tmp_path / "f").mkdir()
    (tmp_path / "link").symlink_to("a")
    faults: dict[str, WriteFile | DeleteFile] = {
        "changed": put(tmp_path / "b", "B", "other"),
        "taken": put(tmp_path / "b", "B"),
        "gone": gone(tmp_path / "none", "x"),
        "folder": put(tmp_path / "f", "B"),
        "twice": put(tmp_path / "link", "B", "a"),
        "full": put(tmp_path / ("x" * 300), "B"),
    }
    wrong = faults[bad]
    before = contents(tmp_path)
    with nothing_left():
        answer = FILES.change(ChangeFiles((put(tmp_path / "a", "A", "a"), put(tmp_path / "made" / "n", "N"), wrong)))
    assert isinstance(answer, Problem)
    assert wrong.path in answer.message
    assert contents(tmp_path) == before
    assert not (tmp_path / "made").exists()


def meanwhile(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Have ``act`` done right before the names are exchanged (or given) for the time ``number``."""
    for name in ("exchanged", "take_name"):
        real = getattr(replacing, name)
        calls: list[int] = []

        def first(*arguments: object, real: Callable[..., object] = real, calls: list[int] = calls) -> object:
            calls.append(1)
            if len(calls) == number:
                act()
            return real(*arguments)

        monkeypatch.setattr(replacing, name, first)


def by_rename(path: Path, text: str) -> Callable[[], object]:
    def replace() -> None:
        beside = path.with_name("theirs")
        beside.write_text(text)
        beside.rename(path)

    return replace


def test_what_is_put_there_by_renaming_at_the_last_moment_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    meanwhile(monkeypatch, 1, by_rename(path, "theirs"))
    with nothing_left():
        assert code(FILES.write(put(path, "new", "old"))) == "changed"
    assert contents(tmp_path) == {"a": "theirs"}


def test_what_is_put_there_twice_at_the_last_moments_stays_and_the_first_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    real, texts = renaming.exchanged, ["theirs", "theirs again"]

    def first(folder: int, one: str, other: str) -> bool:
        if texts:
            by_rename(path, texts.pop(0))()
        return real(folder, one, other)

    monkeypatch.setattr(replacing, "exchanged", first)
    with nothing_left():
        answer = FILES.write(put(path, "new", "old"))
    assert isinstance(answer, Problem)
    assert "a.turnfold-kept-0" in answer.message
    assert contents(tmp_path) == {"a": "theirs again", "a.turnfold-kept-0": "theirs"}


def test_what_vanishes_at_the_last_moment_is_told_and_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    meanwhile(monkeypatch, 1, path.unlink)
    with nothing_left():
        answer = FILES.write(put(path, "new", "old"))
    assert "gone meanwhile" in str(answer)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("act", ["removed", "made a folder"])
def test_what_happens_to_the_new_text_before_it_goes_back_loses_nothing(act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def remove() -> None:
        path.unlink()
        if act == "made a folder":
            path.mkdir()

    moments = [by_rename(path, "theirs"), remove]
    real = renaming.exchanged

    def first(folder: int, one: str, other: str) -> bool:
        if moments:
            moments.pop(0)()
        return real(folder, one, other)

    monkeypatch.setattr(replacing, "exchanged", first)
    with nothing_left():
        answer = FILES.write(put(path, "new", "old"))
    assert code(answer) == "changed"
    assert contents(tmp_path) == ({"a": "theirs"} if act == "removed" else {"a.turnfold-kept-0": "theirs"})


def test_a_new_file_is_not_put_over_one_that_comes_at_the_last_moment(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    meanwhile(monkeypatch, 1, lambda: path.write_text("theirs"))
    with nothing_left():
        assert code(FILES.write(put(path, "new"))) == "changed"
    assert contents(tmp_path) == {"a": "theirs"}


def test_a_file_is_not_removed_that_is_another_at_the_last_moment(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    meanwhile(monkeypatch, 1, by_rename(path, "theirs"))
    with nothing_left():
        assert code(FILES.change(ChangeFiles((gone(path, "old"),)))) == "changed"
    assert contents(tmp_path) == {"a": "theirs"}


def test_where_the_last_of_three_fails_the_others_go_back(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    (tmp_path / "a").chmod(0o640)
    go_in = replacing.Replacing.go_in

    def failing(self: replacing.Replacing) -> None:
        if self._name == "c":
            raise OSError(5, "Input/output error")
        go_in(self)

    monkeypatch.setattr(replacing.Replacing, "go_in", failing)
    with nothing_left():
        answer = FILES.change(
            ChangeFiles((put(tmp_path / "a", "A", "a"), gone(tmp_path / "b", "b"), put(tmp_path / "n", "N"), put(tmp_path / "c", "C", "c")))
        )
    assert "Input/output error" in str(answer)
    assert contents(tmp_path) == {"a": "a", "b": "b", "c": "c"}
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_what_others_write_into_what_went_in_already_stays_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "c"):
        (tmp_path / name).write_text(name)
    go_in = replacing.Replacing.go_in

    def failing(self: replacing.Replacing) -> None:
        if self._name == "c":
            for name in ("a", "n"):
                with (tmp_path / name).open("a") as file:
                    file.write(" and theirs")
            raise OSError(5, "Input/output error")
        go_in(self)

    monkeypatch.setattr(replacing.Replacing, "go_in", failing)
    with nothing_left():
        answer = FILES.change(ChangeFiles((put(tmp_path / "a", "A", "a"), put(tmp_path / "n", "N"), put(tmp_path / "c", "C", "c"))))
    assert "a.turnfold-kept-0" in str(answer)
    assert f"{tmp_path}/n was made" in str(answer)
    assert contents(tmp_path) == {"a": "A and theirs", "a.turnfold-kept-0": "a", "n": "N and theirs", "c": "c"}


def test_an_equal_text_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o444)
    before = path.stat()
    assert FILES.write(put(path, "old", "old")) == FileWritten(digest("old"))
    assert path.stat() == before


def test_owner_attributes_and_mode_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o754)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12346)
    os.setxattr(path, "user.note", b"kept")
    before = path.stat()
    assert isinstance(FILES.write(put(path, "new", "old")), FileWritten)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.getxattr(path, "user.note") == b"kept"


HOLDS = """
import signal, sys
with open(sys.argv[1], "a") as file, open(sys.argv[2], "w") as told:
    told.write("open\\n")
    told.flush()
    signal.pause()
"""


def test_a_file_that_another_program_has_open_for_writing_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "PATIENCE_S", 0.05)
    path = tmp_path / "log"
    path.write_text("old")
    fifo = Fifo(tmp_path)
    try:
        with other_program(HOLDS, str(path), str(fifo.path)):
            assert fifo.line() == "open"
            assert code(FILES.write(put(path, "new", "old"))) == "in-use"
        assert isinstance(FILES.write(put(path, "new", "old")), FileWritten)
    finally:
        fifo.close()
    assert path.read_text() == "new"


def test_a_folder_that_another_turnfold_holds_for_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "PATIENCE_S", 0.05)
    path = tmp_path / "a"
    path.write_text("old")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with guarding.locked(folder), nothing_left():
            assert code(FILES.write(put(path, "new", "old"))) == "in-use"
    finally:
        os.close(folder)
    assert contents(tmp_path) == {"a": "old"}

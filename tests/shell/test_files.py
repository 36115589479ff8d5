"""The laws of ``Files``, kept by the real and the fake alike; then what only a real file system can do."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shell.support import nothing_left, other_program
from turnfold.core.problem import Problem
from turnfold.core.world.answers import Entry, EntryKind, FileRead, FilesListed, FileWritten
from turnfold.core.world.requests import ListFiles, ReadFile, WriteFile
from turnfold.shell.file_problems import os_problem
from turnfold.shell.files import LocalFiles
from turnfold.shell.ports import Files
from turnfold.testing.fakes import FakeFiles

Contents: TypeAlias = Mapping[str, str | bytes]
Maker: TypeAlias = Callable[[Path, Contents], Files]
LIMIT = 1000


def real(root: Path, contents: Contents) -> Files:
    for name, data in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return LocalFiles()


def fake(root: Path, contents: Contents) -> Files:
    return FakeFiles({str(root / name): data for name, data in contents.items()})


both = pytest.mark.parametrize("make", [real, fake])


def digest(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()


def read(files: Files, path: Path | str) -> FileRead | Problem:
    return files.read(ReadFile(path=str(path), limit_bytes=LIMIT))


def write(files: Files, path: Path | str, text: str, expected_digest: str = "") -> FileWritten | Problem:
    return files.write(WriteFile(path=str(path), text=text, expected_digest=expected_digest))


def listed(files: Files, path: Path | str, limit: int = 100) -> FilesListed | Problem:
    return files.list(ListFiles(path=str(path), limit=limit))


def code(answer: object) -> str:
    return answer.code if isinstance(answer, Problem) else f"no Problem but {answer}"


@both
def test_read_gives_text_and_digest(make: Maker, tmp_path: Path) -> None:
    files = make(tmp_path, {"a.txt": "hé\r\nx\n"})
    assert read(files, tmp_path / "a.txt") == FileRead(text="hé\r\nx\n", digest=digest("hé\r\nx\n"))


@both
@given(text=st.text(), again=st.text())
def test_what_is_written_is_read_exactly(make: Maker, text: str, again: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files, path = make(Path(folder), {}), Path(folder) / "new" / "a.txt"
        assert write(files, path, text) == FileWritten(digest(text))
        assert write(files, path, again, digest(text)) == FileWritten(digest(again))
        answer = files.read(ReadFile(path=str(path), limit_bytes=100_000))
        assert answer == FileRead(text=again, digest=digest(again)) if "\0" not in again else code(answer) == "not-text"


@both
def test_reading_what_is_no_text_file(make: Maker, tmp_path: Path) -> None:
    files = make(tmp_path, {"d/a": "x", "raw": b"a\xff", "nul": b"a\0b", "big": "x" * (LIMIT + 1), "full": "x" * LIMIT})
    assert code(read(files, tmp_path / "none")) == "not-found"
    assert code(read(files, tmp_path / "none" / "deeper")) == "not-found"
    assert code(read(files, tmp_path / "d")) == "is-directory"
    assert code(read(files, tmp_path / "d" / "a" / "b")) == "not-directory"
    assert code(read(files, tmp_path / "raw")) == "not-text"
    assert code(read(files, tmp_path / "nul")) == "not-text"
    assert code(read(files, tmp_path / "big")) == "too-large"
    assert isinstance(read(files, tmp_path / "full"), FileRead)
    assert "1,001 bytes" in str(read(files, tmp_path / "big"))
    assert "2 bytes" in str(read(files, tmp_path / "raw"))


@both
@pytest.mark.parametrize(
    ("path", "expected"), [("a.txt", "not-absolute"), ("", "not-absolute"), ("/a\0b", "not-found"), ("/a\udcff", "not-found")]
)
def test_no_path_is_taken_that_means_nothing(make: Maker, tmp_path: Path, path: str, expected: str) -> None:
    files = make(tmp_path, {})
    assert {code(read(files, path)), code(write(files, path, "x")), code(listed(files, path))} == {expected}


@both
def test_nothing_is_written_over_what_was_not_seen(make: Maker, tmp_path: Path) -> None:
    files = make(tmp_path, {"a": "now", "empty": ""})
    assert code(write(files, tmp_path / "a", "new")) == "changed"
    assert code(write(files, tmp_path / "a", "new", digest("before"))) == "changed"
    assert code(write(files, tmp_path / "gone", "new", digest("before"))) == "changed"
    assert code(write(files, tmp_path / "empty", "new")) == "changed"
    assert read(files, tmp_path / "a") == FileRead(text="now", digest=digest("now"))
    assert code(read(files, tmp_path / "gone")) == "not-found"
    assert isinstance(write(files, tmp_path / "empty", "new", digest("")), FileWritten)


@both
def test_nothing_is_written_where_no_file_can_be(make: Maker, tmp_path: Path) -> None:
    files = make(tmp_path, {"d/a": "x"})
    assert code(write(files, tmp_path / "d", "x")) == "is-directory"
    assert code(write(files, tmp_path / "d" / "a" / "b", "x")) == "not-directory"
    assert code(write(files, "/", "x")) == "is-directory"


@both
def test_list_gives_kinds_and_sizes_sorted(make: Maker, tmp_path: Path) -> None:
    files = make(tmp_path, {"b.txt": "12", "a/c/d": "x", "Z": ""})
    expected = (
        Entry(name="Z", kind=EntryKind.FILE),
        Entry(name="a", kind=EntryKind.FOLDER),
        Entry(name="b.txt", kind=EntryKind.FILE, size_bytes=2),
    )
    assert listed(files, tmp_path) == FilesListed(entries=expected)
    assert listed(files, tmp_path, limit=1) == FilesListed(entries=expected[:1], omitted=2)
    assert listed(files, tmp_path, limit=0) == FilesListed(entries=(), omitted=3)


@both
def test_listing_what_is_no_folder(make: Maker, tmp_path: Path) -> None:
    files = make(tmp_path, {"a": "x"})
    assert code(listed(files, tmp_path / "none")) == "not-found"
    assert code(listed(files, tmp_path / "a")) == "not-directory"


@both
def test_of_many_who_saw_the_same_only_some_write_and_no_text_is_torn(make: Maker, tmp_path: Path) -> None:
    files, path = make(tmp_path, {"a": "0"}), tmp_path / "a"
    together, answers = threading.Barrier(8), []

    def replace(text: str) -> None:
        together.wait()
        answers.append(write(files, path, text, digest("0")))

    texts = [str(number) * LIMIT for number in range(1, 9)]
    threads = [threading.Thread(target=replace, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(answer, FileWritten) for answer in answers)
    assert all(isinstance(answer, FileWritten) or answer.code == "changed" for answer in answers)
    answer = read(files, path)
    assert isinstance(answer, FileRead)
    assert answer.text in texts


def test_a_problem_names_the_nearest_folder_to_look_in(tmp_path: Path) -> None:
    assert f"list {tmp_path} to see" in str(read(LocalFiles(), tmp_path / "no" / "such" / "file"))


def test_mode_is_kept_and_a_new_file_has_what_the_umask_gives(tmp_path: Path) -> None:
    script, plain = tmp_path / "run.sh", tmp_path / "plain"
    script.write_text("old")
    script.chmod(0o751)
    assert isinstance(write(LocalFiles(), script, "new", digest("old")), FileWritten)
    assert stat.S_IMODE(script.stat().st_mode) == 0o751
    plain.touch()
    assert isinstance(write(LocalFiles(), tmp_path / "new", "x"), FileWritten)
    assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode


def test_a_link_is_written_through(tmp_path: Path) -> None:
    target, link, dangling = tmp_path / "d" / "target", tmp_path / "link", tmp_path / "dangling"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to("d/target")
    dangling.symlink_to("later")
    assert isinstance(write(LocalFiles(), link, "new", digest("old")), FileWritten)
    assert isinstance(write(LocalFiles(), dangling, "made"), FileWritten)
    assert link.is_symlink()
    assert (target.read_text(), (tmp_path / "later").read_text()) == ("new", "made")


def test_links_pipes_and_odd_names_are_listed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    answer = listed(LocalFiles(), tmp_path)
    assert isinstance(answer, FilesListed)
    assert [(entry.name, entry.kind) for entry in answer.entries] == [
        ("link", EntryKind.LINK),
        ("pipe", EntryKind.OTHER),
        ("\ufffd", EntryKind.FILE),
    ]


def test_pipes_sockets_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert code(read(LocalFiles(), tmp_path / "pipe")) == "not-text"
    assert code(write(LocalFiles(), tmp_path / "pipe", "x")) == "not-text"
    assert code(read(LocalFiles(), "/dev/zero")) == "not-text"
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory(dir="/tmp") as short:
        server.bind(f"{short}/s")
        assert "is a socket" in str(read(LocalFiles(), f"{short}/s"))


def test_a_link_to_itself_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert code(read(LocalFiles(), tmp_path / "loop")) == "world"
    assert code(write(LocalFiles(), tmp_path / "loop", "x")) == "world"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
def test_what_permissions_forbid(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.write_text("x")
    closed.chmod(0o400)
    assert code(write(LocalFiles(), closed, "y", digest("x"))) == "not-allowed"
    closed.chmod(0)
    assert code(read(LocalFiles(), closed)) == "not-allowed"


def test_proc_files_which_have_no_size_are_read() -> None:
    assert isinstance(LocalFiles().read(ReadFile(path="/proc/self/status", limit_bytes=100_000)), FileRead)
    assert code(LocalFiles().read(ReadFile(path="/proc/self/status", limit_bytes=10))) == "too-large"


FULL_DISK = """
import resource, sys
from turnfold.core.world.requests import WriteFile
from turnfold.shell.files import LocalFiles
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
answer = LocalFiles().write(WriteFile(path=sys.argv[1], text="x" * 5000, expected_digest=sys.argv[2]))
sys.exit(0 if answer.code == "no-space" else 1)
"""


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with other_program(FULL_DISK, str(path), digest("old")) as program:
        assert program.wait(20) == 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_changes_while_it_is_written_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    sync = os.fsync

    def meanwhile(descriptor: int) -> None:
        path.write_text("another's")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    assert code(write(LocalFiles(), path, "new", digest("old"))) == "changed"
    assert path.read_text() == "another's"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOENT, "not-found"),
        (errno.EISDIR, "is-directory"),
        (errno.ENOTDIR, "not-directory"),
        (errno.EACCES, "not-allowed"),
        (errno.EROFS, "not-allowed"),
        (errno.ENOSPC, "no-space"),
        (errno.EDQUOT, "no-space"),
        (errno.ELOOP, "world"),
        (errno.ENAMETOOLONG, "world"),
        (errno.EIO, "world"),
    ],
)
def test_every_os_error_is_one_sentence_with_what_to_do(number: int, expected: str) -> None:
    problem = os_problem(OSError(number, os.strerror(number)), "/w/a.txt", "read")
    assert problem.code == expected
    assert "/w/a.txt" in problem.message
    assert ": " in problem.message
    assert problem.message.count(". ") == 0
    assert problem.message.endswith(".")


def test_nothing_is_left_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with nothing_left():
        for number in range(50):
            for path in (tmp_path / f"{number}", tmp_path, tmp_path / "pipe"):
                write(LocalFiles(), path, "x")
                read(LocalFiles(), path)
                listed(LocalFiles(), path)

"""What can go wrong with files, each with one clear Problem: no descriptor is left, no file of ours, and nothing half written."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.shell.support import nothing_left
from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.core.problem import Problem
from turnfold.core.world.answers import ImageRead
from turnfold.core.world.images import Image
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ListFiles, ReadFile, ReadImage, WriteFile
from turnfold.shell.bounds import Bounds
from turnfold.shell.files import LocalFiles
from turnfold.shell.ports import Files
from turnfold.testing.fakes import FakeFiles

FILES = LocalFiles()
LIMIT = 1000
Act: TypeAlias = Callable[[str], object]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: str) -> object:
    return FILES.read(ReadFile(path=path, limit_bytes=LIMIT))


def image(path: str) -> object:
    return FILES.read_image(ReadImage(path=path, limit_bytes=LIMIT))


def write(path: str) -> object:
    return FILES.write(WriteFile(path=path, text="x", expected_digest=digest("old")))


def make(path: str) -> object:
    return FILES.write(WriteFile(path=path, text="x", expected_digest=""))


def change(path: str) -> object:
    beside = f"{path.rpartition('/')[0]}/beside"
    return FILES.change(
        ChangeFiles((WriteFile(path=beside, text="x", expected_digest=""), WriteFile(path=path, text="x", expected_digest=digest("old"))))
    )


def delete(path: str) -> object:
    return FILES.change(ChangeFiles((DeleteFile(path=path, expected_digest=digest("old")),)))


def list_(path: str) -> object:
    return FILES.list(ListFiles(path=path, limit=9))


ACTS: tuple[Act, ...] = (read, image, write, make, change, delete)


def names(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


def one_problem(answer: object) -> Problem:
    """The Problem that it must be, as one that helps: a sentence that says what to do, in one line."""
    assert isinstance(answer, Problem), answer
    assert answer.code != "port-failed"
    assert ": " in answer.message or "," in answer.message
    assert "\n" not in answer.message
    assert answer.message.endswith(".")
    return answer


@pytest.mark.parametrize("act", [*ACTS, list_], ids=lambda act: act.__name__)
@pytest.mark.parametrize(
    "name", ["nul\0byte", "none/at/all\0", "lone\ud800", "x" * 300, "y" * 5000, "a/" * 3000 + "b", "pipe", "file/below", "loop"]
)
def test_whatever_the_path_is_it_is_one_problem_and_nothing_is_left(act: Act, name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("old")
    (tmp_path / "loop").symlink_to("loop")
    before = names(tmp_path)
    with nothing_left():
        one_problem(act(f"{tmp_path}/{name}"))
    assert names(tmp_path) == before


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/dev/stdin", "/proc/self/mem", "/proc/self/fd/0", "/proc", "/", "/dev/tty"])
def test_devices_and_what_the_kernel_shows_are_one_problem(act: Act, path: str, tmp_path: Path) -> None:
    with nothing_left():
        answer = act(path) if act is not change else delete(path)
        one_problem(answer)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_folder_is_named_as_such(act: Act, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with nothing_left():
        assert one_problem(act(f"{tmp_path}/d")).code == "is-directory"
    assert names(tmp_path) == ["d"]


def test_a_name_with_a_newline_is_a_name(tmp_path: Path) -> None:
    path = f"{tmp_path}/a\nb"
    assert not isinstance(make(path), Problem)
    assert not isinstance(read(path), Problem)
    assert names(tmp_path) == ["a\nb"]


@pytest.mark.parametrize("act", [write, change, delete], ids=lambda act: act.__name__)
def test_what_vanished_between_reading_and_writing_is_told(act: Act, tmp_path: Path) -> None:
    with nothing_left():
        problem = one_problem(act(f"{tmp_path}/gone"))
    assert problem.code == "changed"
    assert "gone meanwhile" in problem.message
    assert names(tmp_path) == []
    with nothing_left():
        assert "gone meanwhile" in one_problem(act(f"{tmp_path}/no/folder/gone")).message
    assert names(tmp_path) == []


def test_folders_that_were_made_for_nothing_are_gone(tmp_path: Path) -> None:
    with nothing_left():
        one_problem(make(f"{tmp_path}/new/er/{'x' * 300}"))
    assert names(tmp_path) == []


# As another user than root, who may do everything; with the room on the disk bounded by a limit on the size of files.
CHILD = """
import ctypes, json, os, resource, sys
from turnfold.core.problem import Problem
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ListFiles, ReadFile, WriteFile
from turnfold.shell.files import LocalFiles
FILES = LocalFiles()
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
import hashlib
old = hashlib.sha256(b"old").hexdigest()
path = sys.argv[1]
if "full" in path:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
def open_now():
    return sorted(os.listdir("/proc/self/fd"))
before = open_now()
big = "x" * 5000
answers = {
    "read": lambda: FILES.read(ReadFile(path=path, limit_bytes=9)),
    "list": lambda: FILES.list(ListFiles(path=path, limit=9)),
    "write": lambda: FILES.write(WriteFile(path=path, text=big, expected_digest=old)),
    "make": lambda: FILES.write(WriteFile(path=path + ".new", text=big, expected_digest="")),
    "below": lambda: FILES.write(WriteFile(path=path + "-d/e/new", text=big, expected_digest="")),
    "delete": lambda: FILES.change(ChangeFiles((DeleteFile(path=path, expected_digest=old),))),
    "change": lambda: FILES.change(ChangeFiles((WriteFile(path=path + "-2", text="small", expected_digest=old), WriteFile(path=path, text=big, expected_digest=old)))),
}
answer = answers[sys.argv[2]]()
assert open_now() == before, (before, open_now())
print(json.dumps([answer.code, answer.message] if isinstance(answer, Problem) else ["", repr(answer)]))
"""


def as_nobody(path: Path, act: str) -> tuple[str, str]:
    done = subprocess.run((sys.executable, "-c", CHILD, str(path), act), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    code, message = json.loads(done.stdout)
    return code, message


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that every user may enter and change."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)
        for each in Path(folder).rglob("*"):
            if each.is_dir():
                each.chmod(0o777)


def contents(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_text() if each.is_file() else "" for each in folder.rglob("*")}


@pytest.mark.parametrize("act", ["write", "make", "below", "change"])
def test_a_full_disk_changes_nothing(act: str, common: Path) -> None:
    for name in ("full", "full-2"):
        (common / name).write_text("old")
        (common / name).chmod(0o666)
    before = contents(common)
    code, message = as_nobody(common / "full", act)
    assert (code, message.count("no space")) == ("no-space", 1)
    assert contents(common) == before


@pytest.mark.parametrize(
    ("mode", "act", "code"),
    [
        (0o000, "read", "not-allowed"),
        (0o444, "write", "not-allowed"),
        (0o444, "delete", "not-allowed"),
        (0o000, "write", "not-allowed"),
        (0o000, "change", "not-allowed"),
    ],
)
def test_a_file_that_may_not_be_touched_is_told(mode: int, act: str, code: str, common: Path) -> None:
    for name in ("file", "file-2"):
        (common / name).write_text("old")
        (common / name).chmod(0o666)
    (common / "file").chmod(mode)
    assert as_nobody(common / "file", act)[0] == code
    (common / "file").chmod(0o666)
    assert contents(common) == {"file": "old", "file-2": "old"}


@pytest.mark.parametrize(
    ("mode", "acts"), [(0o555, ("write", "make", "below", "delete")), (0o000, ("read", "list", "write", "make", "delete"))]
)
def test_a_folder_that_may_not_be_changed_or_entered_is_told(mode: int, acts: tuple[str, ...], common: Path) -> None:
    folder = common / "folder"
    folder.mkdir()
    (folder / "file").write_text("old")
    (folder / "file").chmod(0o666)
    folder.chmod(mode)
    for act in acts:
        code, message = as_nobody(folder / "file", act)
        assert (code, str(folder) in message) == ("not-allowed", True), (act, message)
    folder.chmod(0o777)
    assert contents(folder) == {"file": "old"}


def test_a_folder_that_may_be_changed_but_not_listed_is_enough(common: Path) -> None:
    folder = common / "folder"
    folder.mkdir()
    (folder / "file").write_text("old")
    (folder / "file").chmod(0o666)
    folder.chmod(0o733)
    assert as_nobody(folder / "file", "write")[0] == ""
    assert as_nobody(folder / "file", "make")[0] == ""
    assert contents(folder) == {"file": "x" * 5000, "file.new": "x" * 5000}


PICTURES = {
    "image/png": b"\x89PNG\r\n\x1a\n\0\0",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a\1\0",
    "image/webp": b"RIFF\x10\0\0\0WEBPVP8 ",
}


@pytest.fixture(params=["real", "fake"])
def put(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bytes], Files]:
    """A file system with one file, ``file``, of these bytes."""

    def with_file(data: bytes) -> Files:
        (tmp_path / "file").write_bytes(data)
        return LocalFiles() if request.param == "real" else FakeFiles({f"{tmp_path}/file": data})

    return with_file


@pytest.mark.parametrize("media_type", PICTURES)
def test_a_picture_is_known_by_its_content(media_type: str, put: Callable[[bytes], Files], tmp_path: Path) -> None:
    data = PICTURES[media_type]
    files = put(data)
    answer = files.read_image(ReadImage(path=f"{tmp_path}/file", limit_bytes=LIMIT))
    assert answer == ImageRead(Image(media_type, base64.b64encode(data).decode()), hashlib.sha256(data).hexdigest())
    named = one_problem(files.read(ReadFile(path=f"{tmp_path}/file", limit_bytes=LIMIT)))
    assert "picture" in named.message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"just text", "is a text (9 bytes)"),
        (b"%PDF-1.7", "is a PDF document (8 bytes)"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * LIMIT, "more than the limit of 1,000"),
    ],
)
def test_what_is_no_picture_or_too_large_is_named(data: bytes, words: str, put: Callable[[bytes], Files], tmp_path: Path) -> None:
    assert words in one_problem(put(data).read_image(ReadImage(path=f"{tmp_path}/file", limit_bytes=LIMIT))).message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7\0", "is a PDF document (9 bytes): get its text"),
        (b"\x7fELF\2\1\1\0", "is an ELF program"),
        (b"PK\3\4\0\0", "is a ZIP archive"),
        (b"SQLite format 3\0", "is an SQLite database"),
        (b"caf\xe9", "perhaps Latin-1 (4 bytes): turn it into UTF-8"),
        ("hi".encode("utf-16"), "is text in UTF-16"),
        (b"a\0b", "is no UTF-8 text (3 bytes)"),
        (b"x" * 1001, "has 1,001 bytes, more than the limit of 1,000: read a part of it"),
        (("é" * 501).encode(), "has 1,002 bytes"),
        (b"\x7fELF\0" + b"\0" * 1000, "is an ELF program or library (1,005 bytes, more than the limit of 1,000)"),
    ],
)
def test_what_is_no_text_is_named_with_its_size_and_what_to_do(
    data: bytes, words: str, put: Callable[[bytes], Files], tmp_path: Path
) -> None:
    assert words in one_problem(put(data).read(ReadFile(path=f"{tmp_path}/file", limit_bytes=LIMIT))).message


def test_bounds_hold_for_the_fake_too(tmp_path: Path) -> None:
    files = FakeFiles({"/w/a": "x"})
    bounds = Bounds(ChatConfig(ProjectConfig(Config()), workspace="/w"))
    assert not isinstance(files.read(ReadFile(path="/w/a", limit_bytes=9), bounds), Problem)

"""``patch`` while another process edits the same file, in a loop: no edit of either is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shell.support import nothing_left, other_program
from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.builtin.patch import PATCH
from turnfold.core.tools.spec import Call, Done, Need
from turnfold.core.world.answers import Exchange, FileRead, FileWritten
from turnfold.core.world.requests import ReadFile, WriteFile
from turnfold.shell.bounds import Bounds
from turnfold.shell.files import LocalFiles

ROUNDS = 1000
MOST_TRIES = 100 * ROUNDS

# Each writes a line a time until the file "stop" is there, then how many it wrote into the file "wrote". Two lines for each that the patch
# has come to: whoever edits without any pause is always the quicker one, and the other never comes to anything.
BEGIN = """
import pathlib, select, sys
path, stop, wrote = (pathlib.Path(sys.argv[1]) / name for name in ("notes.txt", "stop", "wrote"))
number = 0
def due():
    while not stop.exists():
        with path.open() as file:
            if number < 2 * (int(file.readline().split()[1]) + 1):
                return True
        select.select((), (), (), 0.0005)
"""
APPENDS = """
while due():
    with path.open("a") as file:
        file.write(f"other {number}\\n")
    number += 1
wrote.write_text(str(number))
"""
APPENDS_IN_PIECES = """
while due():
    with path.open("r+") as file:  # open for a while, and the end is looked for only then
        select.select((), (), (), 0.0005)
        file.seek(0, 2)
        file.write("other ")
        file.flush()
        file.write(f"{number}\\n")
    number += 1
wrote.write_text(str(number))
"""
COMPARES = """
from turnfold.core.world.answers import FileWritten
from turnfold.core.world.requests import ReadFile, WriteFile
from turnfold.shell.files import LocalFiles
while due():
    seen = LocalFiles().read(ReadFile(path=str(path), limit_bytes=10_000_000))
    done = LocalFiles().write(WriteFile(path=str(path), text=seen.text + f"other {number}\\n", expected_digest=seen.digest))
    number += isinstance(done, FileWritten)
wrote.write_text(str(number))
"""


def patched(old: str, new: str, cfg: ChatConfig) -> str:
    """What the tool came to: an empty text where it patched, else why it did not."""
    arguments = JsonObject.of(path="notes.txt", patch=f"<<<<<<< ORIGINAL\n{old}\n=======\n{new}\n>>>>>>> UPDATED")
    exchanges: tuple[Exchange, ...] = ()
    while isinstance(due := PATCH.advance(Call(arguments, exchanges), cfg), Need):
        for request in due.requests:
            if isinstance(request, ReadFile):
                outcome: FileRead | FileWritten | Problem = LocalFiles().read(request, Bounds(cfg))
            else:
                assert isinstance(request, WriteFile)
                outcome = LocalFiles().write(request, Bounds(cfg))
            exchanges = (*exchanges, Exchange(request, outcome))
    return "" if isinstance(due, Done) else due.problem.code


@pytest.mark.parametrize("editor", [APPENDS, APPENDS_IN_PIECES, COMPARES], ids=["appends", "appends in pieces", "compares"])
def test_no_edit_of_either_is_lost_in_a_thousand_rounds(editor: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine 0\n")
    cfg = ChatConfig(ProjectConfig(Config()), workspace=str(tmp_path))
    done = tries = 0
    with nothing_left(), other_program(BEGIN + editor, str(tmp_path)) as other:
        while done < ROUNDS and tries < MOST_TRIES:
            tries += 1
            came = patched(f"mine {done}", f"mine {done + 1}", cfg)
            assert came in {"", "changed", "in-use"}
            done += not came
        (tmp_path / "stop").touch()
        assert other.wait(60) == 0
    wrote = int((tmp_path / "wrote").read_text())
    text = path.read_text()
    assert done == ROUNDS
    assert text.startswith(f"mine {ROUNDS}\n")
    assert re.findall(r"^other (\d+)$", text, re.MULTILINE) == [str(number) for number in range(wrote)]
    assert text.count("\n") == wrote + 1
    assert wrote > 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["notes.txt", "stop", "wrote"]

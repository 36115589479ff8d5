"""The tool ``screenshot`` with real commands: stand-ins for the programs of a desktop on the PATH, and a real file."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
from attrs import evolve

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.builtin.screenshot import SCREENSHOT
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import Answer, Exchange
from turnfold.core.world.requests import ReadImage, RunProcess, WorldRequest
from turnfold.shell.files import LocalFiles
from turnfold.shell.processes import LocalProcesses
from turnfold.shell.scope import Scope

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/bash\n{script}\n")
    (folder / name).chmod(0o755)


def screenshot(tmp_path: Path, path: str = "a b's.png") -> Done | Refuse:
    """The tool played against this machine, with the programs of ``tmp_path``/bin and nothing else but what bash has."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin" / "bash").symlink_to(shutil.which("bash") or "/bin/bash")
    (tmp_path / "w").mkdir(exist_ok=True)
    processes = LocalProcesses((("PATH", str(tmp_path / "bin")),))
    cfg = ChatConfig(ProjectConfig(Config()), workspace=str(tmp_path / "w"))
    call = Call(JsonObject.of(path=path))
    while isinstance(said := SCREENSHOT.advance(call, cfg), Need):
        (request,) = said.requests
        call = evolve(call, exchanges=(*call.exchanges, Exchange(request, acted(request, processes))))
    return said


def acted(request: WorldRequest, processes: LocalProcesses) -> Answer | Problem:
    if isinstance(request, RunProcess):
        return processes.run(request, Scope())
    assert isinstance(request, ReadImage)
    return LocalFiles().read_image(request)


def test_the_program_that_is_there_takes_it(tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(PNG)
    program(
        tmp_path / "bin",
        "scrot",
        f'[ "$1" = --silent ] && printf "%s" "$2" >"{tmp_path}/told" && /bin/cp "{tmp_path}/dot.png" "$2"',
    )
    end = screenshot(tmp_path)
    assert isinstance(end, Done), end
    assert end.images[0].data == base64.b64encode(PNG).decode()
    assert (tmp_path / "told").read_text() == str(tmp_path / "w" / "a b's.png")


def test_one_that_fails_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(PNG)
    program(tmp_path / "bin", "grim", "echo no compositor >&2; exit 1")
    program(tmp_path / "bin", "import", f'/bin/cp "{tmp_path}/dot.png" "$3"')
    assert isinstance(screenshot(tmp_path), Done)


@pytest.mark.parametrize(("script", "code"), [("", "no-program"), ("echo no display >&2; exit 1", "no-screen"), ("exit 0", "no-screen")])
def test_where_none_can_it_is_told(tmp_path: Path, script: str, code: str) -> None:
    if script:
        program(tmp_path / "bin", "grim", script)
    end = screenshot(tmp_path)
    assert isinstance(end, Refuse), end
    assert end.problem.code == code


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    program(tmp_path / "bin", "grim", 'echo x >"$1"')
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "a.png").write_text("mine")
    end = screenshot(tmp_path, "a.png")
    assert isinstance(end, Refuse)
    assert end.problem.code == "exists"
    assert (tmp_path / "w" / "a.png").read_text() == "mine"


def test_a_link_to_where_nothing_is_yet_is_in_the_way(tmp_path: Path) -> None:
    program(tmp_path / "bin", "grim", 'printf x >"$1"')
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "s.png").symlink_to(tmp_path / "out.png")
    said = screenshot(tmp_path, "s.png")
    assert isinstance(said, Refuse)
    assert said.problem.code == "exists"
    assert not (tmp_path / "out.png").exists()

"""``patch_many``, ``grep`` and ``find`` on real files: what the tool asks for, performed."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.json import JsonObject
from turnfold.core.tools.builtin.find import FIND
from turnfold.core.tools.builtin.grep import GREP
from turnfold.core.tools.builtin.patch_many import PATCH_MANY
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec
from turnfold.core.world.answers import Exchange
from turnfold.core.world.requests import ChangeFiles, ReadFile, SearchFiles, WorldRequest
from turnfold.shell.bounds import Bounds
from turnfold.shell.files import LocalFiles
from turnfold.shell.finder import LocalFinder
from turnfold.shell.scope import Scope

PATCH = """*** Begin Patch
*** Update File: a.txt
@@
-2
+two
*** Update File: d/b.txt
*** Move to: e/f/c.txt
*** Add File: new/n.txt
+new
*** Delete File: gone.txt
*** End Patch
"""


def played(tool: ToolSpec, arguments: JsonObject, root: Path, spoil: Path | None = None) -> Done | Refuse:
    """The call played on this machine; ``spoil`` is changed by somebody else just before the files are."""
    cfg = ChatConfig(ProjectConfig(Config()), workspace=str(root))
    call = Call(arguments)
    while isinstance(due := tool.advance(call, cfg), Need):
        for request in due.requests:
            if spoil is not None and isinstance(request, ChangeFiles):
                spoil.write_text("somebody else's\n")
            call = evolve(call, exchanges=(*call.exchanges, performed(request, cfg)))
    return due


def performed(request: WorldRequest, cfg: ChatConfig) -> Exchange:
    files = LocalFiles()
    match request:
        case ReadFile():
            return Exchange(request, files.read(request, Bounds(cfg)))
        case ChangeFiles():
            return Exchange(request, files.change(request, Bounds(cfg)))
        case SearchFiles():
            return Exchange(request, LocalFinder((), files).act(request, cfg, Scope()))
        case _:
            raise AssertionError(request)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "a.txt").write_text("1\n2\n")
    (tmp_path / "d" / "b.txt").write_text("x\n")
    (tmp_path / "gone.txt").write_text("y\n")
    return tmp_path


def there(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def test_many_files_change_at_once(root: Path) -> None:
    end = played(PATCH_MANY, JsonObject.of(patch=PATCH), root)
    assert isinstance(end, Done), end
    assert there(root) == {"a.txt": "1\ntwo\n", "e/f/c.txt": "x\n", "new/n.txt": "new\n"}


@pytest.mark.parametrize("name", ["a.txt", "gone.txt", "e"])
def test_what_somebody_else_did_meanwhile_changes_nothing_else(root: Path, name: str) -> None:
    before = there(root)
    end = played(PATCH_MANY, JsonObject.of(patch=PATCH), root, spoil=root / name)
    assert isinstance(end, Refuse), end
    assert end.problem.message.startswith("No file was changed. ")
    assert there(root) == before | {name: "somebody else's\n"}


def test_what_was_changed_is_found(root: Path) -> None:
    played(PATCH_MANY, JsonObject.of(patch=PATCH), root)
    assert played(GREP, JsonObject.of(path="*.txt", pattern="^t|new"), root) == Done("a.txt:2:two\nnew/n.txt:1:new")
    assert played(FIND, JsonObject.of(path="e/**/*.txt"), root) == Done("e/f/c.txt")
    assert played(FIND, JsonObject.of(path="d"), root) == Done("There is no such file.")

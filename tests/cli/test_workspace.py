"""The folder that a command is about, and what is wrong with one that it can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from turnfold.cli.workspace import find_workspace
from turnfold.core.problem import Problem


def test_a_folder_below_one_that_may_not_be_entered_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "is_dir", refused)
    found = find_workspace(str(tmp_path))
    assert isinstance(found, Problem)
    assert found.message.endswith("can't be used: Permission denied.")

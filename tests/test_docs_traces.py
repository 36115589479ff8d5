"""docs/traces.md does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from returns.result import Success

from tests.test_docs import PROJECT, block
from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.config.tables import Exporter
from turnfold.shell.exporting.outbox import TRIES

DOCUMENT = (PROJECT / "docs" / "traces.md").read_text(encoding="utf-8")


def test_the_exporters_of_the_document_are_settings() -> None:
    read = read_file_untrusted(block(DOCUMENT, "toml", "[exporters.mine]"), "config.toml", "user")
    assert isinstance(read, Success), read
    assert f"`buffer` spans ({Exporter(name='e').buffer:,})" in DOCUMENT
    assert TRIES == 4


def test_the_receiver_of_your_own_hears_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "hello.txt").write_text("hi\n")
    names: dict[str, object] = {"cfg": ChatConfig(ProjectConfig(Config()), workspace=str(tmp_path))}
    exec(compile(block(DOCUMENT, "python", "class Names"), "traces.md", "exec"), names)
    assert getattr(names["names"], "seen", None) == ["read", "execute_tool read", "round", "invoke_agent"]

"""A new file of bytes: where its path leads and nowhere else, and never over another one."""

from __future__ import annotations

from pathlib import Path

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.problem import Problem
from turnfold.shell.bounds import Bounds
from turnfold.shell.new_file import put_new


def put(workspace: Path, name: str, *denied: str) -> str:
    """The code of the Problem that comes of it, empty for none."""
    rules = tuple(Rule(Verdict.DENY, "write", pattern) for pattern in denied)
    cfg = ChatConfig(ProjectConfig(Config()), workspace=workspace.as_posix(), rules=rules)
    wrong = put_new((workspace / name).as_posix(), b"new", Bounds(cfg))
    return wrong.code if isinstance(wrong, Problem) else ""


def test_it_is_made_with_its_folders_and_only_once(tmp_path: Path) -> None:
    assert put(tmp_path, "a/b/c.png") == ""
    assert (tmp_path / "a" / "b" / "c.png").read_bytes() == b"new"
    (tmp_path / "a" / "b" / "c.png").write_bytes(b"old")
    assert put(tmp_path, "a/b/c.png") == "exists"
    assert (tmp_path / "a" / "b" / "c.png").read_bytes() == b"old"


def test_no_link_leads_it_out_or_to_what_a_rule_denies(tmp_path: Path) -> None:
    workspace, outside = tmp_path / "w", tmp_path / "out"
    for folder in (workspace / "keys", outside):
        folder.mkdir(parents=True)
    (workspace / "away").symlink_to(outside)
    (workspace / "away.png").symlink_to(outside / "new.png")
    (workspace / "near").symlink_to("keys")
    assert put(workspace, "away/a.png") == "leads-outside"
    assert put(workspace, "away.png") == "leads-outside"
    assert put(workspace, "near/a.png", "keys/*") == "denied"
    assert put(workspace, "near/a.png") == ""
    assert [path.name for path in outside.iterdir()] == []


def test_what_the_system_says_against_it_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert put(tmp_path, "file/a.png")

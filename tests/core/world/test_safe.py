"""Commands that only look: by their options, and at which paths."""

from __future__ import annotations

import pytest

from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.safe import look


@pytest.mark.parametrize(
    ("script", "paths"),
    [
        ("ls -la src", (".", "src")),
        ("ls -I node_modules -- -x", (".", "-x")),
        ("ls --color=auto --color --sort=size", (".",)),
        ("cat - a", (".", "-", "a")),
        ("head -5 a", (".", "a")),
        ("head -n 5 -c9 a", (".", "a")),
        ("grep -rn pattern src", (".", "src")),
        ("grep -e pattern src", (".", "src")),
        ("grep -ne pattern /etc/x", (".", "/etc/x")),
        ("grep --regexp=x src", (".", "src")),
        ("grep --include '*.py' --exclude-dir=.git -r x", (".",)),
        ("grep -2 x a", (".", "a")),
        ("grep -e -- a", (".", "a")),
        ("rg --files /etc", (".", "/etc")),
        ("rg --color never x a", (".", "a")),
        ("ag -g x /etc", (".", "/etc")),
        ("uniq -c a", (".", "a")),
        ("sort -k1,2 -t: a", (".", "a")),
        ("du --exclude=/x -sh", (".", "/x")),
        ("find . src -name '*.py' -newer /etc/x -o -empty", (".", "src", "/etc/x")),
        ("find -type f", (".",)),
        ("find '(' -name a ')'", (".",)),
        ("sed -n '1,20p;$p' a", (".", "a")),
        ("echo /etc -e", ()),
        ("printf '%s' x", ()),
        ("printf -- x", ()),
        ("date +%s -u", ()),
        ("set -euo pipefail", ()),
        ("cd src", ()),
        ("seq -w -1 5", ()),
        ("tr -d a", ()),
        ("pwd -P", ()),
        ("LC_ALL=C sort a", (".", "a")),
        ("command -v ls", ()),
    ],
)
def test_what_only_looks(script: str, paths: tuple[str, ...]) -> None:
    looked = look(read_script(script).commands[0])
    assert looked is not None
    assert looked.paths == paths


@pytest.mark.parametrize(
    "script",
    [
        "make",
        "ls $x",
        "ls --unknown",
        "ls --all=x",
        "ls -y",
        "LD_PRELOAD=x ls",
        "sort -o a b",
        "sort -no a b",
        "sort --output=a b",
        "uniq a b",
        "rg --pre sh x",
        "rg -M --pre sh x",
        "tree -o a",
        "file -C",
        "find . -delete",
        "find . -exec rm {} ';'",
        "find . -name",
        "sed -n '1w x' a",
        "sed -n 1p -i a",
        "sed -i s/a/b/ a",
        "sed -n",
        "printf -v x y",
        "date -s now",
        "date 0101",
        "set",
        "set -m",
        "cd",
        "cd -",
        "cd a b",
        "pwd x",
        "git status",
        "env",
    ],
)
def test_what_may_do_more(script: str) -> None:
    assert look(read_script(script).commands[0]) is None


def test_which_commands_read_the_files_of_folders() -> None:
    deep = ("grep -rn x", "grep --recursive x a", "rg x", "ag x", "diff -r a b", "diff --recursive a b")
    flat = ("grep -n x a", "diff a b", "sort -r a", "ls -R", "find . -name r", "cat a")
    found = [look(read_script(script).commands[0]) for script in (*deep, *flat)]
    assert [each is not None and each.deep for each in found] == [True] * len(deep) + [False] * len(flat)

"""Searching real files in a real process: what is found, what is not, and that no pattern can hold it up."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.support import PATIENCE_S, nothing_left
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Limits, Rule, Verdict
from turnfold.core.problem import Problem
from turnfold.core.world.answers import FilesSearched, Match
from turnfold.core.world.requests import SearchFiles
from turnfold.shell import finder as finder_module
from turnfold.shell.files import LocalFiles
from turnfold.shell.finder import LocalFinder
from turnfold.shell.scope import Scope

FINDER = LocalFinder((), LocalFiles())
HOSTILE = r"(a|a?)+$x"  # takes Python's engine longer than the sun lasts, where there are forty letters
TREE = {
    ".gitignore": "*.log\n/build/\n!keep.log\nbad[\n\\\n",
    ".hidden/h.txt": "needle",
    ".git/config": "needle",
    "a.txt": "one\nneedle 1\r\nthree\nNeedle 2\n",
    "b.log": "needle",
    "build/out.txt": "needle",
    "sub/.gitignore": "local.txt\n",
    "sub/build/in.txt": "needle",
    "sub/keep.log": "needle",
    "sub/local.txt": "needle",
    "sub/x.py": "needle = 1\n",
    "z.txt": "nothing",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        path = tmp_path / "w" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return tmp_path / "w"


def config(root: Path, *rules: Rule, limits: Limits | None = None) -> ChatConfig:
    return ChatConfig(ProjectConfig(Config()), workspace=str(root), rules=rules, limits=limits or Limits())


def search(
    root: Path,
    *names: str,
    pattern: str = "",
    cfg: ChatConfig | None = None,
    hidden: bool = False,
    ignore_case: bool = False,
    limit: int = 99,
) -> FilesSearched:
    request = SearchFiles(root=str(root), names=names, pattern=pattern, hidden=hidden, ignore_case=ignore_case, limit=limit)
    answer = FINDER.act(request, cfg or config(root), Scope())
    assert isinstance(answer, FilesSearched), answer
    return answer


def files(answer: FilesSearched) -> list[str]:
    return [match.path for match in answer.found]


def problem(request: SearchFiles, cfg: ChatConfig, scope: Scope | None = None) -> Problem:
    answer = FINDER.act(request, cfg, scope or Scope())
    assert isinstance(answer, Problem), answer
    return answer


def test_files_are_found_but_those_that_are_hidden_or_left_out(root: Path) -> None:
    assert files(search(root)) == ["a.txt", "sub/build/in.txt", "sub/keep.log", "sub/x.py", "z.txt"]


def test_hidden_files_are_found_where_they_are_asked_for_and_those_of_git_never(root: Path) -> None:
    assert files(search(root, hidden=True)) == [
        ".gitignore",
        ".hidden/h.txt",
        "a.txt",
        "sub/.gitignore",
        "sub/build/in.txt",
        "sub/keep.log",
        "sub/x.py",
        "z.txt",
    ]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("*.py",), ["sub/x.py"]),
        (("/*.txt",), ["a.txt", "z.txt"]),
        (("/**/in.*", "z*"), ["sub/build/in.txt", "z.txt"]),
        (("sub",), ["sub/build/in.txt", "sub/keep.log", "sub/x.py"]),
        (("nothing*",), []),
    ],
)
def test_names_are_globs_from_the_root(root: Path, names: tuple[str, ...], found: list[str]) -> None:
    assert files(search(root, *names)) == found


def test_lines_are_found_with_their_numbers(root: Path) -> None:
    answer = search(root, "*.txt", pattern=r"needle \d")
    assert answer == FilesSearched(found=(Match(path="a.txt", line=2, text="needle 1"),))
    assert search(root, "*.txt", pattern=r"^needle \d$", ignore_case=True).found[1] == Match(path="a.txt", line=4, text="Needle 2")


def test_what_is_beyond_the_limit_is_counted(root: Path) -> None:
    (root / "many.txt").write_text("x\n" * 50)
    answer = search(root, "many.txt", "z.txt", pattern=".", limit=7)
    assert (len(answer.found), answer.omitted) == (7, 44)
    assert (len(search(root, limit=2).found), search(root, limit=2).omitted) == (2, 4)


def test_a_folder_below_is_searched_under_the_rules_of_those_above(root: Path) -> None:
    cfg = config(root)
    (root / "sub" / "more.log").write_text("needle")
    assert files(search(root / "sub", cfg=cfg)) == ["build/in.txt", "keep.log", "x.py"]


def test_a_folder_that_is_left_out_is_searched_where_it_is_asked_for(root: Path) -> None:
    assert files(search(root / "build", cfg=config(root))) == ["out.txt"]
    assert files(search(root / ".hidden", cfg=config(root))) == ["h.txt"]


@pytest.mark.parametrize("name", ["a.txt", "b.log", ".hidden/h.txt"])
def test_one_file_is_searched_whatever_leaves_it_out(root: Path, name: str) -> None:
    answer = search(root / name, pattern="needle", cfg=config(root))
    assert [match.path for match in answer.found] == ["."]
    assert files(search(root / name, cfg=config(root))) == ["."]


def test_what_is_no_text_or_too_long_is_skipped_and_counted(root: Path) -> None:
    (root / "bin").write_bytes(b"needle\0")
    (root / "latin.txt").write_bytes("needle ä".encode("latin-1"))
    (root / "long.txt").write_text("needle\n" * 1000)
    (root / "\udcff.txt").write_text("needle")
    answer = search(root, "bin", "latin.txt", "long.txt", "?.txt", pattern="needle", cfg=config(root, limits=Limits(file_bytes=6_000)))
    assert ([(match.path, match.text) for match in answer.found], answer.skipped) == (
        [("a.txt", "needle 1"), ("latin.txt", "needle \ufffd"), ("\ufffd.txt", "needle")],
        2,
    )


def test_a_long_line_is_shown_around_what_matches(root: Path) -> None:
    (root / "min.js").write_text("a" * 5000 + "needle" + "b" * 5000)
    (text,) = (match.text for match in search(root, "*.js", pattern="needle").found)
    assert (len(text), "aaneedlebb" in text, text[0], text[-1]) == (302, True, "…", "…")


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("needle")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "link.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (root / "loop").symlink_to(root)
    assert not [name for name in files(search(root, pattern="needle")) if "l" in name.partition("/")[0] and name.startswith("l")]
    assert problem(SearchFiles(root=str(root / "link"), limit=9), config(root)).code == "leads-outside"
    assert problem(SearchFiles(root=str(root / "link.txt"), pattern="needle", limit=9), config(root)).code == "leads-outside"
    assert files(search(root / "loop", "*.py", cfg=config(root))) == ["sub/x.py"]


def test_what_a_rule_denies_is_never_found(root: Path) -> None:
    denied = (Rule(Verdict.DENY, "read", "*.txt"), Rule(Verdict.ASK, "read", "sub/k*"))
    assert files(search(root, cfg=config(root, *denied))) == ["sub/x.py"]
    assert files(search(root, pattern="needle", cfg=config(root, *denied))) == ["sub/x.py"]
    assert search(root / "a.txt", pattern="needle", cfg=config(root, Rule(Verdict.DENY, "read", "a.txt"))).found == ()


def test_what_a_rule_denies_is_denied_behind_a_link_to_its_folder(root: Path) -> None:
    (root / "other").symlink_to(root / "sub")
    assert problem(SearchFiles(root=str(root / "other"), limit=9), config(root, Rule(Verdict.DENY, "read", "sub"))).code == "denied"
    assert search(root / "other", cfg=config(root, Rule(Verdict.DENY, "read", "sub/*"))).found == ()
    kept = config(root, Rule(Verdict.DENY, "read", "sub/x*"))
    assert files(search(root / "other", cfg=kept)) == ["build/in.txt", "keep.log"]


def test_a_workspace_behind_a_link_is_a_workspace(root: Path, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(root)
    assert files(search(tmp_path / "here", "*.py")) == ["sub/x.py"]


def test_a_search_that_was_asked_for_finds_what_is_asked_for_outside(root: Path, tmp_path: Path) -> None:
    assert files(search(root, "*.py", cfg=config(tmp_path / "elsewhere"))) == ["sub/x.py"]


@pytest.mark.parametrize(
    ("name", "pattern", "names", "code"),
    [("nope", "", (), "not-found"), ("w", "(", (), "bad-pattern"), ("w", "a", ("\\",), "bad-pattern"), ("w\0", "", (), "not-found")],
)
def test_what_can_not_be_searched_is_a_problem(root: Path, name: str, pattern: str, names: tuple[str, ...], code: str) -> None:
    request = SearchFiles(root=str(root.parent / name), pattern=pattern, names=names, limit=9)
    assert problem(request, config(root.parent)).code == code


def test_a_hostile_pattern_is_stopped_in_time(root: Path) -> None:
    (root / "a.txt").write_text("a" * 40)
    request = SearchFiles(root=str(root), pattern=HOSTILE, limit=9)
    with nothing_left():
        found = problem(request, config(root, limits=Limits(command_s=0.5)))
    assert (found.code, "more than 0.5 s" in found.message) == ("timed-out", True)


def test_a_hostile_gitignore_is_stopped_in_time(root: Path) -> None:
    (root / ".gitignore").write_text("*a" * 30 + "b\n")
    (root / ("a" * 200)).write_text("x")
    request = SearchFiles(root=str(root), limit=9)
    with nothing_left():
        assert problem(request, config(root, limits=Limits(command_s=1.0))).code == "timed-out"


def test_a_search_stops_when_it_is_cancelled(root: Path) -> None:
    (root / "a.txt").write_text("a" * 40)
    scope = Scope()
    found: list[Problem] = []
    with nothing_left():
        thread = threading.Thread(
            target=lambda: found.append(problem(SearchFiles(root=str(root), pattern=HOSTILE, limit=9), config(root), scope))
        )
        thread.start()
        scope.cancel()
        thread.join(PATIENCE_S)
    assert [each.code for each in found] == ["cancelled"]


def test_a_search_that_dies_is_a_problem(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_module, "PROGRAM", str(root / "nothing.py"))
    with nothing_left():
        found = problem(SearchFiles(root=str(root), limit=9), config(root))
    assert (found.code, "No such file or directory" in found.message) == ("search-failed", True)


def test_folders_too_deep_are_counted(root: Path) -> None:
    deep = root / "/".join(["d"] * 110)
    deep.mkdir(parents=True)
    (deep / "lost.txt").write_text("x")
    assert search(root, "lost.txt").skipped == 1


def test_nothing_lives_on_between_searches(root: Path) -> None:
    with nothing_left():
        search(root, pattern="needle")
        FINDER.close("a")
        FINDER.close_all()


NAMES = st.sampled_from(("a", "b.txt", "c.log", "d.d", ".e", "build"))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATTERNS = st.sampled_from(
    ("*.log", "a", "/a", "a/", "build/", "!c.log", "**/b.txt", "a/**", "d.d/*", "*", "!*/", "# a", "\\#", "b.*", "a/b.txt")
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(PATHS, max_size=8), st.dictionaries(st.sampled_from(("", "a/", "build/", "d.d/")), st.lists(PATTERNS, max_size=3), max_size=3)
)
def test_what_is_left_out_is_what_git_leaves_out(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], ignores: dict[str, list[str]]
) -> None:
    root = tmp_path_factory.mktemp("git")
    for path, text in [*((each, "x") for each in paths), *((f"{at}.gitignore", "\n".join(lines) + "\n") for at, lines in ignores.items())]:
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        except OSError:  # a name is a file and a folder
            continue
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    told = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, check=True, capture_output=True, text=True)
    assert files(search(root, hidden=True)) == sorted(told.stdout.split())


def test_the_program_imports_little() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import runpy; runpy.run_path(r'" + finder_module.PROGRAM + "', run_name='x')"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not re.search(r"\| +(turnfold|attrs?|asyncio)\b", done.stderr)

"""The index of files: kept up to date, told only what may be read, made again when it is damaged; two at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from turnfold import ChatConfig, Config, ProjectConfig, Rule, Verdict
from turnfold.core.problem import Problem
from turnfold.core.world.answers import IndexSearched
from turnfold.core.world.requests import SearchIndex
from turnfold.shell.environment import base_environment
from turnfold.shell.files import LocalFiles
from turnfold.shell.finder import LocalFinder
from turnfold.shell.index import MOST_BYTES, LocalIndex
from turnfold.shell.passages import MOST_CHARS, MOST_LINES, passages
from turnfold.shell.scope import Scope


def index_in(folder: Path) -> LocalIndex:
    return LocalIndex(folder / "cache", LocalFinder(base_environment(dict(os.environ)), LocalFiles()))


def config(folder: Path, *rules: Rule) -> ChatConfig:
    return ChatConfig(ProjectConfig(Config(rules=rules)), workspace=str(folder / "work"), conversation="c")


def written(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        path = folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def asked(folder: Path, query: str, *rules: Rule, names: tuple[str, ...] = (), limit: int = 9, scope: Scope | None = None) -> object:
    request = SearchIndex(root=str(folder / "work"), query=query, names=names, limit=limit)
    return index_in(folder).act(request, config(folder, *rules), scope or Scope())


def found(folder: Path, query: str, *rules: Rule, names: tuple[str, ...] = (), limit: int = 9) -> list[str]:
    answer = asked(folder, query, *rules, names=names, limit=limit)
    assert isinstance(answer, IndexSearched), answer
    return [f"{each.path}:{each.first}-{each.last}" for each in answer.passages]


def the_index(folder: Path) -> Path:
    (path,) = (folder / "cache").glob("*.sqlite3")
    return path


def test_the_best_passage_comes_first_with_its_lines(tmp_path: Path) -> None:
    filler = "nothing of note\n" * 60
    written(tmp_path, {"a.md": f"{filler}The invoice number is a sequence.\n{filler}", "b.md": "An invoice.\n", "c.md": "Else.\n"})
    assert found(tmp_path, "invoice SEQUENCE") == ["a.md:41-80", "b.md:1-1"]
    assert found(tmp_path, "sequence") == ["a.md:41-80"]
    assert found(tmp_path, "invoice", limit=1) == ["b.md:1-1"]
    assert found(tmp_path, "invoice", names=("a*",)) == ["a.md:41-80"]
    assert found(tmp_path, "nowhere") == []
    answer = asked(tmp_path, "sequence")
    assert isinstance(answer, IndexSearched)
    assert (answer.files, answer.passages[0].text.split("\n")[20]) == (3, "The invoice number is a sequence.")


def test_what_changed_is_read_again_even_at_once_with_the_same_size(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "red\n", "b.md": "blue\n"})
    assert found(tmp_path, "red") == ["a.md:1-1"]
    for word in ("tan", "sky"):
        written(tmp_path, {"a.md": f"{word}\n"})
        assert found(tmp_path, word) == ["a.md:1-1"]
        assert found(tmp_path, "red") == []
    (tmp_path / "work" / "a.md").unlink()
    written(tmp_path, {"d/c.md": "red\n"})
    assert found(tmp_path, "sky red") == ["d/c.md:1-1"]


def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "red\n"})
    path = tmp_path / "work" / "a.md"
    os.utime(path, (1_000_000, 1_000_000))
    assert found(tmp_path, "red") == ["a.md:1-1"]
    path.write_text("tan\n", encoding="utf-8")
    os.utime(path, (1_000_000, 1_000_000))  # nothing speaks for a change, so the index still says what it was
    assert found(tmp_path, "red") == ["a.md:1-1"]
    os.utime(path, (2_000_000, 2_000_000))
    assert found(tmp_path, "red") == []


def test_neither_ignored_nor_denied_nor_linked_nor_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("needle\n", encoding="utf-8")
    written(
        tmp_path,
        {
            ".gitignore": "build/\n",
            "build/a.md": "needle\n",
            "private/b.md": "needle\n",
            "c.bin": b"needle\0",
            "d.latin": "needle \u00e9\n".encode("latin-1"),
            "big.md": "needle\n" + "x" * MOST_BYTES,
            "good.md": "needle\n",
        },
    )
    (tmp_path / "work" / "link.md").symlink_to(tmp_path / "secret.md")
    assert found(tmp_path, "needle", Rule(Verdict.DENY, "read", "private/*")) == ["good.md:1-1"]
    assert found(tmp_path, "needle") == ["good.md:1-1", "private/b.md:1-1"]
    assert found(tmp_path, "needle", Rule(Verdict.DENY, "read", "private/*")) == ["good.md:1-1"]  # though the index knows it now


@pytest.mark.parametrize("damage", ["gone", "rubbish", "cut", "empty", "other"])
def test_an_index_that_is_damaged_or_gone_is_made_again(tmp_path: Path, damage: str) -> None:
    written(tmp_path, {f"{number}.md": f"word{number} needle\n" * 30 for number in range(40)})
    before = found(tmp_path, "needle", limit=99)
    path = the_index(tmp_path)
    data = path.read_bytes()
    match damage:
        case "gone":
            path.unlink()
        case "rubbish":
            path.write_bytes(b"no database " * 1000)
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "empty":
            path.write_bytes(b"")
        case _:
            path.unlink()
            made = f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('CREATE TABLE files (other)'); c.commit(); c.close()"
            subprocess.run([sys.executable, "-c", made], check=True)
    assert found(tmp_path, "needle", limit=99) == before


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    written(tmp_path, {f"{number}.md": "needle\n" for number in range(60)})
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: len(found(tmp_path, "needle", limit=99)), range(8)))
    assert answers == [60] * 8


def test_whoever_waits_for_the_index_can_be_cancelled(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "needle\n"})
    assert found(tmp_path, "needle")
    (lock,) = (tmp_path / "cache").glob("*.lock")
    scope = Scope()
    with lock.open("ab") as gate, ThreadPoolExecutor(1) as threads:
        fcntl.flock(gate, fcntl.LOCK_EX)
        waiting = threads.submit(asked, tmp_path, "needle", scope=scope)
        scope.cancel()
        answer = waiting.result(timeout=60)
    assert isinstance(answer, Problem)
    assert answer.code == "cancelled"


SEARCH = """
import sys
from pathlib import Path
from tests.shell.test_index import found
print(len(found(Path(sys.argv[1]), "needle", limit=99)))
"""


def test_two_processes_at_once(tmp_path: Path) -> None:
    written(tmp_path, {f"{number}.md": "needle\n" for number in range(60)})
    started = [
        subprocess.Popen([sys.executable, "-c", SEARCH, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        for _ in range(3)
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in started] == ["60"] * 3


def test_what_can_not_be_searched_is_a_problem(tmp_path: Path) -> None:
    written(tmp_path, {"a.md": "needle\n"})
    cancelled = Scope()
    cancelled.cancel()
    (tmp_path / "file").write_text("", encoding="utf-8")
    blocked = evolve(index_in(tmp_path), folder=tmp_path / "file" / "below")
    request = SearchIndex(root=str(tmp_path / "work"), query="needle", limit=9)
    problems = (
        asked(tmp_path, "?!"),
        asked(tmp_path, "needle", scope=cancelled),
        blocked.act(request, config(tmp_path), Scope()),
        index_in(tmp_path).act(evolve(request, root=str(tmp_path / "none")), config(tmp_path), Scope()),
    )
    assert [each.code for each in problems if isinstance(each, Problem)] == ["no-words", "cancelled", "index-unusable", "not-found"]


@given(st.lists(st.sampled_from(("x\n", "\n", "word word\n", "y" * 500 + "\n")), max_size=200).map("".join), st.booleans())
def test_passages_hold_every_line_once(text: str, ended: bool) -> None:
    whole = text if ended else text.removesuffix("\n")
    lines = whole.split("\n")
    told = list(passages("a", whole))
    assert all(each.last - each.first < MOST_LINES and len(each.text) <= MOST_CHARS for each in told)
    numbers = [number for each in told for number in range(each.first, each.last + 1)]
    assert numbers == sorted(set(numbers))
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= set(numbers)
    for each in told:
        assert "\n".join(lines[each.first - 1 : each.last]).startswith(each.text)

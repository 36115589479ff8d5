"""Asking, context, finding conversations, settings files, exit codes: the small parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.cli.asking import decision_of, prompt_of
from turnfold.cli.context import STDIN_BYTES, Attached, read_context, stdin_piece, with_context
from turnfold.cli.stored import find_kept, kept_line, last_kept, listing
from turnfold.core.agent.asked import Question
from turnfold.core.agent.ids import RequestId
from turnfold.core.problem import Problem
from turnfold.core.tools.preview import UNBOUNDED, preview
from turnfold.core.world.permission import Allow, Ask, permit
from turnfold.core.world.requests import Request, RunProcess, WriteFile
from turnfold.core.world.subjects import literal
from turnfold.shell.folders import Folders
from turnfold.shell.ports import Kept

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w")
ID = RequestId(1, 1, 0, 0)


def question(request: Request) -> Question:
    return Question(request_id=ID, request=request, reason="It changes a file.", preview="")


def write(path: str) -> WriteFile:
    return WriteFile(path=path, text="", expected_digest="")


def run(script: str) -> RunProcess:
    return RunProcess(script=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1)


@pytest.mark.parametrize(
    ("answer", "allowed", "note"),
    [("y\n", True, ""), (" YES ", True, ""), ("a", True, ""), ("n", False, ""), ("No\n", False, ""), ("use b.txt", False, "use b.txt")],
)
def test_answers(answer: str, allowed: bool, note: str) -> None:
    decided = decision_of(answer, question(write("/w/a")), CFG, 5)
    assert decided is not None
    assert (decided.request_id, decided.allowed, decided.note, decided.at_ms) == (ID, allowed, note, 5)
    assert bool(decided.rules) == (answer == "a")


@pytest.mark.parametrize("answer", ["", "\n", "x", "yy", "?", "Sure\n"])
def test_answers_that_say_nothing(answer: str) -> None:
    assert decision_of(answer, question(write("/w/a")), CFG, 0) is None


def test_always_means_the_rule_that_the_question_names() -> None:
    for path, pattern, others in (("/w/src/a", "src/*", ("/w/src/b/c",)), ("/w/a", "a", ()), ("/etc/[a]*", "/etc/[[]a][*]", ())):
        decided = decision_of("always", question(write(path)), CFG, 0)
        assert decided is not None
        assert [rule.pattern for rule in decided.rules] == [pattern]
        assert f"[a]lways write {pattern} /" in prompt_of(question(write(path)), CFG)
        cfg = ChatConfig(CFG.project, workspace="/w", rules=decided.rules)
        assert all(permit(write(each), cfg) == Allow() for each in (path, *others))
        assert isinstance(permit(write("/etc/ab"), cfg), Ask)
        assert isinstance(permit(run("make"), cfg), Ask)


def test_where_nothing_is_alike_always_is_not_offered_and_no_answer() -> None:
    for script in ("eval $x", "git push -f", "bash"):
        assert "[a]lways" not in prompt_of(question(run(script)), CFG)
        assert decision_of("a", question(run(script)), CFG, 0) is None


def test_all_of_it_can_be_seen_where_it_is_too_long_to_be_shown() -> None:
    short = question(write("/w/a"))
    assert "[v]iew" not in prompt_of(short, CFG)
    long = write("/w/a").text + "line\n" * 10_000
    cut = preview(WriteFile(path="/w/a", text=long, expected_digest=""), (), CFG)
    assert "[v]iew all of it" in prompt_of(evolve(short, preview=cut), CFG)
    whole = preview(WriteFile(path="/w/a", text=long, expected_digest=""), (), CFG, UNBOUNDED)
    assert whole.count("+line") == 10_000
    assert decision_of("v", short, CFG, 0) is decision_of("view", short, CFG, 0) is None


@given(st.text(alphabet="a*?[]!-/"))
def test_a_literal_matches_itself_alone(text: str) -> None:
    from fnmatch import fnmatchcase

    assert fnmatchcase(text, literal(text))
    assert not fnmatchcase(text + "a", literal(text))


@given(st.text(alphabet="`a\n"))
def test_no_context_closes_its_fence(text: str) -> None:
    said = with_context("p", (Attached("a.txt", text),))
    fence = said.split("\n")[3]
    assert set(fence) == {"`"}
    assert fence not in text
    assert said.endswith(fence)


def test_context_from_files_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ä\n", encoding="utf-8")
    assert read_context(("a.txt",), tmp_path) == (Attached("a.txt", "ä\n"),)
    assert isinstance(read_context(("a\0b",), tmp_path), Problem)
    missing = read_context(("two words",), tmp_path)
    assert isinstance(missing, Problem)
    assert "goes in quotes" in missing.message
    assert stdin_piece(b" \n") is None
    assert isinstance(stdin_piece(b"\xff\xfe"), Problem)
    cut = stdin_piece("ä".encode() * STDIN_BYTES)
    assert isinstance(cut, Attached)
    assert cut.cut
    assert "only the first" in with_context("", (cut,))


def kept(conversation: str, name: str = "", workspace: str = "/w") -> Kept:
    return Kept(conversation=conversation, name=name, workspace=workspace, started_ms=0, changed_ms=0, events=1, title="hi\x1b")


def test_conversations_are_found_by_id_name_and_beginning() -> None:
    all_kept = (kept("2026a", "x"), kept("2026b", "x", "/v"), kept("2025c"))
    assert find_kept(all_kept, "2026b") == all_kept[1]
    assert find_kept(all_kept, "x") == all_kept[0]
    assert find_kept(all_kept, "2025") == all_kept[2]
    assert last_kept(all_kept, "/v") == all_kept[1]
    for wanted in ("2026", "none", ""):
        assert isinstance(find_kept(all_kept, wanted), Problem)
    prompt = find_kept(all_kept, "make it so")
    assert isinstance(prompt, Problem)
    assert '--resume -- "make it so"' in prompt.message
    assert isinstance(last_kept(all_kept, "/u"), Problem)
    assert "\x1b" not in listing(all_kept)
    assert kept_line(all_kept[0]).startswith('{"conversation":"2026a"')


def folders(tmp_path: Path) -> Folders:
    return Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")

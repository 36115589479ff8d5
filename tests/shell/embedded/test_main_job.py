"""The README's examples with the real weights: asked, decided, allowed; and the main job as three runs in one folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.embedded.support import needs_weights
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Decided, ProjectConfig, Rule, RunResult, ToolMessage, Verdict, World, run
from turnfold.core.agent.events import Reason
from turnfold.core.world.requests import WriteFile

pytestmark = [pytest.mark.weights, needs_weights]

# Named, so that a server which happens to run on this machine is not taken instead.
EMBEDDED = ProjectConfig(Config(model="embedded"))


def asking(folder: Path) -> ChatConfig:
    return ChatConfig(EMBEDDED, workspace=str(folder))


def allowing(folder: Path, *kinds: str) -> ChatConfig:
    return ChatConfig(EMBEDDED, workspace=str(folder), rules=tuple(Rule(Verdict.ALLOW, kind) for kind in kinds))


def outputs(result: RunResult) -> str:
    """What the tools printed, as the log has it."""
    return "\n".join(message.text for message in result.state.past.log if isinstance(message, ToolMessage))


def completed(result: RunResult) -> bool:
    return result.ended is not None and result.ended.reason is Reason.COMPLETED


def test_it_asks_before_it_writes_and_goes_on_when_allowed(embedded_world: World, tmp_path: Path) -> None:
    result = run("create hello.txt containing hi", BUILTIN_TOOLS, asking(tmp_path), embedded_world)
    assert result.state.paused
    assert list(tmp_path.iterdir()) == []
    (question,) = result.questions
    assert isinstance(question.request, WriteFile)
    assert question.request.path == str(tmp_path / "hello.txt")
    decided = Decided(question.request_id, allowed=True)
    result = run(decided, BUILTIN_TOOLS, result.cfg, embedded_world, state=result.state)
    assert completed(result)
    assert (tmp_path / "hello.txt").read_text().strip() == "hi"


def test_what_a_rule_allows_is_done_in_one_go(embedded_world: World, tmp_path: Path) -> None:
    result = run("create hello.txt containing hi", BUILTIN_TOOLS, allowing(tmp_path, "write"), embedded_world)
    assert completed(result)
    assert (tmp_path / "hello.txt").read_text().strip() == "hi"


def test_the_main_job(embedded_world: World, tmp_path: Path) -> None:
    """Three runs, as the README's first command has them: a file is made, changed, and looked at."""
    cfg, shopping = allowing(tmp_path, "*"), tmp_path / "shopping.txt"
    made = run("Create shopping.txt with the lines milk, bread and eggs.", BUILTIN_TOOLS, cfg, embedded_world)
    assert completed(made)
    assert shopping.read_text().split() == ["milk", "bread", "eggs"]
    changed = run("Change bread to butter in shopping.txt.", BUILTIN_TOOLS, cfg, embedded_world)
    assert completed(changed)
    assert shopping.read_text().split() == ["milk", "butter", "eggs"]
    counted = run("How many lines does shopping.txt have?", BUILTIN_TOOLS, cfg, embedded_world)
    assert completed(counted)
    assert "3" in outputs(counted)
    assert shopping.read_text().split() == ["milk", "butter", "eggs"]

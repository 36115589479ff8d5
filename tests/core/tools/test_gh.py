"""The tool ``gh``: one command, quoted word for word; what its end means. With a stand-in for the program, as a real process."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from tests.core.tools.worlds import config
from turnfold import BUILTIN_TOOLS, ChatConfig, CommandGiven, Config, ProjectConfig, Rule, Verdict, run
from turnfold.core.conversation.messages import ToolCall, ToolMessage
from turnfold.core.json import JsonObject
from turnfold.core.problem import world_problem
from turnfold.core.tools.builtin.gh import GH, NOT_FOUND, OPERATORS, script_untrusted
from turnfold.core.tools.preview import preview
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import Exchange, ProcessEnded
from turnfold.core.world.permission import Allow, Ask, permit
from turnfold.core.world.requests import RunProcess
from turnfold.shell.processes import LocalProcesses
from turnfold.testing.fake_world import fake_world

STAND_IN = """#!/bin/sh
printf 'said %s\\n' "$@"
echo "prompt $GH_PROMPT_DISABLED"
[ "$1" = auth ] && exit 4
[ "$1" = fail ] && exit 1
exit 0
"""


def needed(command: str, cfg: ChatConfig) -> RunProcess:
    due = GH.advance(Call(JsonObject.of(command=command)), cfg)
    assert isinstance(due, Need)
    (request,) = due.requests
    assert isinstance(request, RunProcess)
    return request


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=5))
def test_every_word_reaches_the_program_as_it_is_written(words: list[str]) -> None:
    script = script_untrusted(shlex.join(["gh", *words]))
    if OPERATORS.isdisjoint(words):
        assert shlex.split(script.unwrap()) == ["gh", *words]
    else:
        assert not is_successful(script)


@pytest.mark.parametrize("command", ["", "gh", "pr view 'open", "pr list | head", "pr list && rm -rf .", "pr list > out.txt"])
def test_what_is_not_one_command_is_refused(command: str) -> None:
    end = GH.advance(Call(JsonObject.of(command=command)), config())
    assert isinstance(end, Refuse)
    assert end.problem.code == "bad-command"


def test_a_rule_and_a_person_see_the_command_itself() -> None:
    cfg = evolve(config(), rules=(Rule(Verdict.ALLOW, "run", "gh pr view *"),))
    assert permit(needed("pr view 5", cfg), cfg) == Allow()
    assert isinstance(permit(needed("pr merge 5", cfg), cfg), Ask)
    assert preview(needed("issue create -t 'a b'", cfg), (), cfg).endswith("\ngh issue create -t 'a b'")


def test_what_its_end_means() -> None:
    cfg = config()

    def end(came: object) -> object:
        return GH.advance(Call(JsonObject.of(command="pr list"), (Exchange(needed("pr list", cfg), came),)), cfg)  # type: ignore[arg-type]

    assert end(ProcessEnded(exit_code=0, output="5 open\n", cwd="/w")) == Done("5 open")
    assert end(ProcessEnded(exit_code=1, output="no\n", cwd="/w")) == Done("no\n(exit code 1)", ok=False)
    late = end(ProcessEnded(exit_code=-9, output="", cwd="/w", timed_out=True))
    assert late == Done("(no output)\n(timed out after 300 s and was killed)", ok=False)
    missing = end(ProcessEnded(exit_code=NOT_FOUND, output="bash: gh: command not found\n", cwd="/w"))
    assert isinstance(missing, Refuse)
    assert missing.problem.code == "not-installed"
    gone = world_problem("not-found", "There is no such directory.")
    assert end(gone) == Refuse(gone)


def called(command: str, folder: Path, more: str = ":/usr/bin:/bin") -> ToolMessage:
    """What the model reads of ``gh COMMAND``, run with the programs in ``folder/bin`` before all others."""
    cfg = ChatConfig(ProjectConfig(Config(rules=(Rule(Verdict.ALLOW),))), workspace=str(folder), conversation="c")
    world = evolve(fake_world(), processes=LocalProcesses((("PATH", f"{folder / 'bin'}{more}"),)))
    done = run(CommandGiven(ToolCall("gh", JsonObject.of(command=command))), BUILTIN_TOOLS, cfg, world)
    last = done.state.past.log[-1]
    assert isinstance(last, ToolMessage)
    return last


def test_a_program_gets_the_words_and_its_end_is_told(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(STAND_IN, encoding="utf-8")
    program.chmod(0o755)
    said = called("pr view 5 --json 'a,$(id)'", tmp_path)
    assert (said.text, said.ok) == ("said pr\nsaid view\nsaid 5\nsaid --json\nsaid a,$(id)\nprompt 1", True)
    assert called("fail", tmp_path).text == "said fail\nprompt 1\n(exit code 1)"
    assert "has to run  gh auth login" in called("auth status", tmp_path).text


def test_without_the_program_there_is_one_clear_problem(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bash").symlink_to(bash)
    said = called("pr list", tmp_path, more="")  # whoever runs these tests may have a real one
    assert not said.ok
    assert (
        said.text
        == "Error: The program gh is not installed here: go on without it, or tell the user to install it (https://cli.github.com)."
    )

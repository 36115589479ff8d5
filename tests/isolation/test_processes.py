"""Processes of conversations side by side (SCENARIOS G1, G3, G5, G6): real commands, Python workers and jobs, in turns and at once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.support import nothing_left
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Decided, ProjectConfig, Rule, Verdict, World, real_world, run
from turnfold.core.agent.inputs import CommandGiven
from turnfold.core.agent.state import ChatState
from turnfold.core.codec.codec import STATE, decode_untrusted, encode
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.preview import preview
from turnfold.shell.desk import RunResult
from turnfold.shell.folders import Folders
from turnfold.testing.fake_world import FakeModels
from turnfold.testing.wire import chat_stream


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")


@pytest.fixture
def world(folders: Folders) -> Iterator[World]:
    with nothing_left(), real_world(folders=folders) as made:
        yield made


def chat(folder: Path, name: str, *, ask: bool = False) -> ChatConfig:
    """A conversation in a workspace of its own."""
    (folder / name).mkdir(exist_ok=True)
    rules = () if ask else (Rule(Verdict.ALLOW),)
    return ChatConfig(ProjectConfig(Config(rules=rules)), conversation=name, workspace=str(folder / name))


class Talk:
    """A conversation that is gone on with."""

    def __init__(self, world: World, cfg: ChatConfig) -> None:
        self.world, self.cfg, self.state = world, cfg, ChatState()

    def run(self, command: str) -> RunResult:
        done = run(CommandGiven(command), BUILTIN_TOOLS, self.cfg, self.world, state=self.state)
        assert done.problem is None
        self.state = done.state
        return done

    def said(self, command: str) -> str:
        """What the tool's call came to."""
        self.run(command)
        return self.last()

    def last(self) -> str:
        return [message.text for message in self.state.past.log if isinstance(message, ToolMessage)][-1]


def test_g1_every_act_is_in_its_own_workspace_and_ours_never_changes(world: World, tmp_path: Path) -> None:
    before = Path.cwd()
    talks = tuple(Talk(world, chat(tmp_path, name)) for name in ("A", "B"))
    for turn in range(3):
        for talk in talks:
            assert talk.said("/shell pwd").startswith(talk.cfg.workspace)
            assert "ok" in talk.said(f"/shell echo {turn} >> turns && echo ok")
            assert talk.cfg.workspace in talk.said("/python import os; os.getcwd()")
    for talk in talks:
        assert (Path(talk.cfg.workspace) / "turns").read_text() == "0\n1\n2\n"
        assert talk.said("/read turns").startswith("turns (3 lines):")
    assert Path.cwd() == before


def test_g3_directory_and_exports_are_one_conversations_and_outlive_questions_and_restarts(folders: Folders, tmp_path: Path) -> None:
    with nothing_left(), real_world(folders=folders) as world:
        asking, other = Talk(world, chat(tmp_path, "A", ask=True)), Talk(world, chat(tmp_path, "B"))
        confirmed(asking, "mkdir deep; cd deep; export MINE=1")
        assert other.said("/shell pwd; echo ${MINE-none}") == f"{other.cfg.workspace}\nnone"
        confirmed(asking, "pwd; echo ${MINE-none}")
        assert asking.last() == f"{asking.cfg.workspace}/deep\n1"
        kept = encode(STATE, asking.state)
    with nothing_left(), real_world(folders=folders) as world:
        again = Talk(world, chat(tmp_path, "A"))
        again.state = decode_untrusted(STATE, kept).unwrap()
        assert again.said("/shell pwd; echo ${MINE-none}") == f"{again.cfg.workspace}/deep\n1"
    assert "MINE" not in os.environ


def confirmed(talk: Talk, command: str) -> None:
    """The model asks for ``command``, and the person says yes."""
    call = chat_stream(calls=(RawCall("shell", json.dumps({"command": command})),))
    world = evolve(talk.world, models=FakeModels((call, chat_stream("Done."))))
    paused = run("go", BUILTIN_TOOLS, talk.cfg, world, state=talk.state)
    (question,) = paused.questions
    assert command in preview(question.request, (), talk.cfg)
    done = run(Decided(question.request_id, allowed=True), BUILTIN_TOOLS, paused.cfg, world, state=paused.state)
    assert done.problem is None
    talk.state = done.state


def test_g5_python_is_one_worker_a_conversation_and_output_comes_from_its_pipes(world: World, tmp_path: Path) -> None:
    streams = (sys.stdout, sys.stderr)
    talks = tuple(Talk(world, chat(tmp_path, f"c{n}")) for n in range(4))

    def turn(numbered: tuple[int, Talk]) -> tuple[str, ...]:
        number, talk = numbered
        first = talk.said(f"/python import sys, os; x = {number}; print('out', x); print('err', x, file=sys.stderr); os.system('echo sub')")
        second = talk.said("/python for n in range(200): print(x, end=' ')")
        sys_out = talk.said("/python sys.stdout = None; x")
        return first, second, sys_out

    with ThreadPoolExecutor(4) as pool:
        for number, (first, second, third) in enumerate(pool.map(turn, enumerate(talks))):
            assert first == f"out {number}\nerr {number}\nsub\n0"
            assert second.split() == [str(number)] * 200
            assert third in (str(number), "(no output)")
    pids = {talk.said("/python os.getpid()") for talk in talks}
    assert len(pids) == 4
    assert (sys.stdout, sys.stderr) == streams


def test_g6_todos_and_jobs_are_one_conversations(world: World, tmp_path: Path) -> None:
    a, b = (Talk(world, chat(tmp_path, name)) for name in ("A", "B"))
    a.run("/todo add mine")
    assert b.said("/todo") == "The list is empty."
    started = a.said("/jobs start sleep 1000")
    job = started.split()[1]
    assert "running  sleep 1000" in a.said("/jobs list")
    assert b.said("/jobs list") == "There are no background jobs."
    assert "There is no job" in b.said(f"/jobs stop {job}")
    assert "is still running" in a.said(f"/jobs output {job}")
    world.jobs.close("B")
    assert "is still running" in a.said(f"/jobs output {job}")
    assert "was ended by signal 15" in a.said(f"/jobs stop {job}")
    assert a.said("/todo") == "1. [ ] mine"


def test_a_job_of_a_process_that_is_gone_is_said_to_be_gone(folders: Folders, tmp_path: Path) -> None:
    with nothing_left(), real_world(folders=folders) as world:
        talk = Talk(world, chat(tmp_path, "A"))
        job = talk.said("/jobs start sleep 1000").split()[1]
    with nothing_left(), real_world(folders=folders) as world:
        talk.world = world
        assert f"There is no job {job}: it is gone with the process that it was started by" in talk.said(f"/jobs output {job}")

"""Hooks in runs with real commands: when they run, what they are told, and that they are in nobody's way."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import final

import pytest
from attrs import evolve
from typing_extensions import override

from tests.shell.support import PATIENCE_S, Fifo, nothing_left
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, RunResult, run, run_async
from turnfold.core.agent.effects import Effect, Publish, Record
from turnfold.core.agent.events import Reason, TurnEnded
from turnfold.core.agent.inputs import SettingsChanged
from turnfold.core.codec.codec import EVENT, encode
from turnfold.core.config.layers import Overrides
from turnfold.core.config.tables import Hook, Sandbox, SandboxProfile
from turnfold.core.config.values import Variable
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import CallModel
from turnfold.shell import hooks
from turnfold.shell.clock import monotonic_s
from turnfold.shell.environment import base_environment
from turnfold.shell.folders import Folders
from turnfold.shell.hooks import EVENT_NAMES
from turnfold.shell.ports import Models
from turnfold.shell.processes import LocalProcesses
from turnfold.shell.real import real_world
from turnfold.shell.scope import Scope
from turnfold.shell.world import World
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.fakes import FakeProcesses
from turnfold.testing.wire import chat_stream

PATH = base_environment({"PATH": "/usr/local/bin:/usr/bin:/bin"})


class Told:
    """Keeps what the person was told that went wrong."""

    def __init__(self) -> None:
        self.problems: tuple[Problem, ...] = ()

    def __call__(self, effect: Effect) -> None:
        if isinstance(effect, Publish) and isinstance(effect.what, Problem):
            self.problems += (effect.what,)


def config(workspace: Path, *said: Hook) -> ChatConfig:
    return ChatConfig(
        ProjectConfig(Config(model="scripted/m", providers=(SCRIPTED,), hooks=said)), workspace=str(workspace), conversation="c"
    )


def world(replies: int = 1) -> World:
    return evolve(fake_world(tuple(chat_stream("Done.") for _ in range(replies))), processes=LocalProcesses(PATH))


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def ran(aside: bool, cfg: ChatConfig, where: World, told: Told) -> RunResult:
    return asyncio.run(run_async("go", (), cfg, where, watch=told)) if aside else run("go", (), cfg, where, watch=told)


@pytest.mark.parametrize("aside", [False, True])
def test_each_event_is_told_once_in_order_and_as_the_journal_has_it(tmp_path: Path, aside: bool) -> None:
    command = 'read -r said; printf "%s %s %s %s %s\\n" "$TURNFOLD_HOOK" "$TURNFOLD_EVENT" "$TURNFOLD_EVENT_NUMBER" "$TURNFOLD_CONVERSATION" "$said" >>seen'
    told, where = Told(), world()
    with nothing_left():
        result = ran(aside, config(tmp_path, Hook(name="all", on=("*",), command=command)), where, told)
    events = where.journal.load("c")
    assert lines(tmp_path / "seen") == [
        f"all {type(event).__name__} {number} c {encode(EVENT, event)}" for number, event in enumerate(events)
    ]
    assert (told.problems, result.reply, {type(event).__name__ for event in events} <= set(EVENT_NAMES)) == ((), "Done.", True)


def test_only_the_events_that_it_names_and_none_without_a_command(tmp_path: Path) -> None:
    said = (
        Hook(name="ends", on=("TurnEnded", "Rewound"), command="cat >>seen"),
        Hook(name="no-command", on=("*",)),
        Hook(name="no-event", command="echo no >>seen"),
    )
    run("go", (), config(tmp_path, *said), world())
    (line,) = lines(tmp_path / "seen")
    assert json.loads(line)["reason"] == "completed"


def test_one_that_fails_is_told_once_and_the_run_is_the_same(tmp_path: Path) -> None:
    told = Told()
    said = (Hook(name="bad", on=("*",), command="echo oops; exit 3"),)
    result = run("go", (), config(tmp_path, *said), world(), watch=told)
    assert result.reply == "Done."
    assert [problem.message for problem in told.problems] == [
        "The hook bad failed after Started: it ended with 3: oops. The run goes on as if it were not there; this is told once."
    ]


def test_one_whose_command_cannot_start_is_told(tmp_path: Path) -> None:
    told = Told()
    said = (Hook(name="bad", on=("TurnEnded",), command="true"),)
    run("go", (), config(tmp_path / "gone", *said), world(), watch=told)
    assert [problem.code for problem in told.problems] == ["hook-failed"]
    assert "There is no folder" in told.problems[0].message


@pytest.mark.parametrize("aside", [False, True])
def test_one_that_hangs_is_stopped_and_left_out_and_holds_nobody_up(tmp_path: Path, aside: bool) -> None:
    told = Told()
    said = (Hook(name="slow", on=("*",), command="echo here >>seen; sleep 600", timeout_s=0.2),)
    with nothing_left():
        result = ran(aside, config(tmp_path, *said), world(), told)
    assert (result.reply, lines(tmp_path / "seen")) == ("Done.", ["here"])
    (problem,) = told.problems
    assert "The hook slow was stopped" in problem.message
    assert "left out for the rest" in problem.message


def test_a_run_that_is_left_at_once_waits_no_longer_than_that_either(tmp_path: Path) -> None:
    told = Told()
    cfg = config(tmp_path, Hook(name="slow", on=("TurnEnded",), command="sleep 600", timeout_s=PATIENCE_S))

    def leaving(effect: Effect) -> None:
        told(effect)
        if isinstance(effect, Record) and isinstance(effect.event, TurnEnded):
            raise KeyboardInterrupt

    began_s = monotonic_s()
    with nothing_left(), pytest.raises(KeyboardInterrupt):
        run("go", (), evolve(cfg, limits=evolve(cfg.limits, grace_s=0.05)), world(), watch=leaving)
    assert monotonic_s() - began_s < PATIENCE_S
    assert any("The hook slow was stopped" in problem.message for problem in told.problems)


def test_a_run_that_is_stopped_waits_no_longer_than_the_grace_time(tmp_path: Path) -> None:
    fifo, scope, told = Fifo(tmp_path), Scope(), Told()
    said = (Hook(name="slow", on=("*",), command=f"echo $$ >{fifo.path}; sleep 600", timeout_s=600.0),)
    cfg = evolve(config(tmp_path, *said), limits=evolve(config(tmp_path).limits, grace_s=0.05))

    def stopped() -> None:
        fifo.line()
        scope.cancel()

    stopper = threading.Thread(target=stopped)
    with nothing_left():
        stopper.start()
        result = run("go", (), cfg, evolve(world(), models=Waiting()), watch=told, scope=scope)
        stopper.join()
    fifo.close()
    assert result.ended is not None
    assert result.ended.reason is Reason.INTERRUPTED
    assert any("The hook slow was stopped" in problem.message for problem in told.problems)


@final
class Waiting(Models):
    """A model that says nothing until it is stopped."""

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        return cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        stopped = threading.Event()
        with scope.stopping(stopped.set):
            assert stopped.wait(PATIENCE_S)
        return world_problem("cancelled", "It was cancelled.")

    @override
    def close(self) -> None:
        """Nothing is open."""


def test_no_more_wait_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "MOST_WAITING", 1)
    told = Told()
    said = tuple(Hook(name=f"h{number}", on=("TurnEnded",), command=f"echo {number} >>seen") for number in range(4))
    run("go", (), config(tmp_path, *said), world(), watch=told)
    assert lines(tmp_path / "seen") == ["0"]
    assert [problem.message.partition(" came")[0] for problem in told.problems] == ["3 events"]


def test_a_child_has_its_parents_hooks_and_says_whose_it_is(tmp_path: Path) -> None:
    said = (Hook(name="ends", on=("TurnEnded",), command='echo "$TURNFOLD_CONVERSATION of ${TURNFOLD_PARENT:-nobody}" >>seen'),)
    call = chat_stream("", (RawCall("subagent", json.dumps({"task": "x"})),))
    where = evolve(fake_world((call, chat_stream("I did."), chat_stream("Done."))), processes=LocalProcesses(PATH))
    run("go", BUILTIN_TOOLS, config(tmp_path, *said), where)
    assert lines(tmp_path / "seen") == ["c~1.1.0.0 of c", "c of nobody"]


def test_settings_that_change_in_the_conversation_count(tmp_path: Path) -> None:
    said = (Hook(name="ends", on=("TurnEnded",), command="echo once >>seen"),)
    cfg, where = config(tmp_path), world(2)
    first = run("go", (), cfg, where)
    changed = run(SettingsChanged(Overrides(hooks=said)), (), cfg, where, state=first.state)
    run("more", (), cfg, where, state=changed.state)
    assert lines(tmp_path / "seen") == ["once"]


def test_whoever_runs_within_a_hook_runs_none(tmp_path: Path) -> None:
    folders = Folders(config=tmp_path / "c", data=tmp_path / "d", cache=tmp_path / "e")
    for environ, hooked in (({}, True), ({"TURNFOLD_HOOK": "x"}, False)):
        with real_world(environ={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environ}, folders=folders) as where:
            assert where.hooked is hooked
    run("go", (), config(tmp_path, Hook(name="x", on=("*",), command="touch seen")), evolve(world(), hooked=False))
    assert not (tmp_path / "seen").exists()


def test_a_hook_is_confined_as_commands_are_and_reads_no_more_than_the_event(tmp_path: Path) -> None:
    where = fake_world((chat_stream("Done."),))
    cfg = config(tmp_path, Hook(name="x", on=("TurnEnded",), command="x", timeout_s=7.0))
    cfg = evolve(cfg, sandbox=Sandbox(profile=SandboxProfile.READ_ONLY), environment=(Variable("A", "1"),))
    run("go", (), cfg, where)
    assert isinstance(where.processes, FakeProcesses)
    (request,) = where.processes.ran
    assert (request.confinement, request.cwd, request.timeout_s) == (confinement_of(cfg), str(tmp_path), 7.0)
    assert request.environment[0] == Variable("A", "1")

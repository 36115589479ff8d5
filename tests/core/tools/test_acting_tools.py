"""shell and python in a tiny world."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.worlds import VARIABLES, TinyWorld, config, play
from turnfold.core.config.values import Limits, Variable
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.builtin.python import PYTHON
from turnfold.core.tools.builtin.shell import SHELL, memory_of, overlaid, remembered_environment
from turnfold.core.tools.spec import Call, Done, Need, Refuse
from turnfold.core.world.answers import ProcessEnded, PythonEnded
from turnfold.core.world.requests import RunProcess, RunPython

AT_HOME = JsonObject.of(cwd="/w", environment=JsonObject())


def ran(end: ProcessEnded | Problem, memory: JsonObject | None = None) -> Done | Refuse:
    return play(SHELL, JsonObject.of(command="x"), config(), TinyWorld(process=end), memory=memory).end


def ended(output: str = "", exit_code: int = 0, cwd: str = "/w", *, timed_out: bool = False, cut_bytes: int = 0) -> ProcessEnded:
    return ProcessEnded(exit_code=exit_code, output=output, cwd=cwd, timed_out=timed_out, cut_bytes=cut_bytes)


@pytest.mark.parametrize(
    ("end", "text", "ok"),
    [
        (ended("hi\n"), "hi", True),
        (ended("  hi\n\n"), "  hi", True),
        (ended(), "(no output)", True),
        (ended("bad\n", 2), "bad\n(exit code 2)", False),
        (ended("", -9), "(no output)\n(killed by signal 9)", False),
        (ended("x", -15, timed_out=True), "x\n(timed out after 300 s and was killed)", False),
        (ended("x", cut_bytes=5000), "x\n(5,000 bytes were left out in the middle of the output)", True),
        (ended("x", cwd="/w/sub"), "x\n(now in /w/sub)", True),
    ],
)
def test_shell_tells_what_happened(end: ProcessEnded, text: str, ok: bool) -> None:
    done = ran(end)
    assert isinstance(done, Done)
    assert (done.text, done.ok) == (text, ok)
    assert done.memory == JsonObject.of(cwd=end.cwd, environment=JsonObject())


def test_shell_runs_where_the_last_command_ended_and_with_what_it_exported() -> None:
    cfg = config(environment=(Variable("A", "cfg"), Variable("B", "cfg")), limits=Limits(command_s=3, output_bytes=9))
    memory = JsonObject.of(cwd="/w/sub", environment=JsonObject.of(A="mine", C=None))
    asked = SHELL.advance(Call(JsonObject.of(command="ls"), (), memory), cfg)
    environment = (Variable("A", "mine"), Variable("B", "cfg"), Variable("C", None))
    assert asked == Need((RunProcess(script="ls", cwd="/w/sub", environment=environment, timeout_s=3, output_bytes=9),))
    assert SHELL.serial


@pytest.mark.parametrize("memory", [JsonObject(), JsonObject.of(cwd="relative"), JsonObject.of(cwd=3, environment="x")])
def test_a_memory_that_says_nothing_means_the_workspace(memory: JsonObject) -> None:
    asked = SHELL.advance(Call(JsonObject.of(command="ls"), (), memory), config())
    assert isinstance(asked, Need)
    (request,) = asked.requests
    assert isinstance(request, RunProcess)
    assert (request.cwd, request.environment) == ("/w", ())


def test_a_directory_that_is_gone_is_told_and_nothing_is_run_elsewhere() -> None:
    memory = JsonObject.of(cwd="/w/gone", environment=JsonObject.of(A="1"))
    gone = model_problem("not-found", "There is no folder /w/gone.", "$.cwd")
    done = ran(gone, memory)
    assert isinstance(done, Done)
    assert not done.ok
    assert done.text.startswith("The directory /w/gone is gone, so nothing was run. The shell is back in /w:")
    assert done.memory == JsonObject.of(cwd="/w", environment=JsonObject.of(A="1"))
    assert ran(gone) == Refuse(gone)
    assert ran(world_problem("lost", "?"), memory) == Refuse(world_problem("lost", "?"))


@given(VARIABLES, VARIABLES)
def test_what_a_command_left_behind_is_what_the_next_one_gets(left: tuple[Variable, ...], own: tuple[Variable, ...]) -> None:
    cfg = config(environment=overlaid((), own))
    left = overlaid(cfg.environment, left)  # what the config says is in force unless the command changed it
    memory = memory_of("/w", left, cfg)
    assert overlaid(cfg.environment, remembered_environment(memory)) == left
    assert memory_of("/w", left, cfg) == memory


@pytest.mark.parametrize(
    ("end", "cells", "text", "ok", "after"),
    [
        (PythonEnded(output="3\n"), 1, "3", True, 2),
        (PythonEnded(output="", fresh=True), 0, "(no output)", True, 1),
        (
            PythonEnded(output="1\n", fresh=True),
            2,
            "1\n(Python was started anew for this call: variables and imports of earlier calls are gone)",
            True,
            1,
        ),
        (PythonEnded(output="Traceback\n", failed=True), 0, "Traceback", False, 1),
        (PythonEnded(output="", failed=True), 0, "(no output)\n(the code failed)", False, 1),
        (
            PythonEnded(output="x", timed_out=True, worker_died=True),
            3,
            "x\n(timed out after 300 s)\n(Python has ended: variables and imports are gone, the next call starts it anew)",
            False,
            0,
        ),
        (PythonEnded(output="x", cut_bytes=1), 0, "x\n(1 byte was left out in the middle of the output)", True, 1),
    ],
)
def test_python_tells_what_happened(end: PythonEnded, cells: int, text: str, ok: bool, after: int) -> None:
    done = play(PYTHON, JsonObject.of(code="x"), config(), TinyWorld(python=end), memory=JsonObject.of(cells=cells)).end
    assert done == Done(text, JsonObject.of(cells=after), ok=ok)


def test_python_asks_for_the_worker_and_hands_a_problem_on() -> None:
    asked = PYTHON.advance(Call(JsonObject.of(code="1+1")), config())
    assert asked == Need((RunPython(code="1+1", cwd="/w", environment=(), timeout_s=300.0, output_bytes=20_000),))
    problem = world_problem("no-python", "No.")
    assert play(PYTHON, JsonObject.of(code="x"), config(), TinyWorld(python=problem)).end == Refuse(problem)


def test_what_the_world_has_cut_is_not_cut_again() -> None:
    output = "x" * 50 + "\n[… 900 bytes left out …]\n" + "y" * 50
    done = play(
        SHELL, JsonObject.of(command="x"), config(limits=Limits(output_bytes=100)), TinyWorld(process=ended(output, cut_bytes=900))
    ).end
    assert done == Done(f"{output}\n(900 bytes were left out in the middle of the output)", AT_HOME)


@given(st.text(), st.integers(0, 50))
def test_long_output_is_limited(output: str, limit: int) -> None:
    cfg = config(limits=Limits(output_bytes=limit))
    done = play(SHELL, JsonObject.of(command="x"), cfg, TinyWorld(process=ended(output))).end
    assert isinstance(done, Done)
    assert len(done.text.encode()) <= limit + 80

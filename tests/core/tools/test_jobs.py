"""jobs, and shell in the background: what is asked of the world, and what is said of it."""

from __future__ import annotations

import pytest

from tests.core.tools.worlds import config
from turnfold.core.config.values import Variable
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.builtin.jobs import JOBS
from turnfold.core.tools.builtin.shell import SHELL
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec
from turnfold.core.world.answers import Answer, Exchange, JobStarted, JobTold
from turnfold.core.world.requests import AskJob, StartJob, WorldRequest

GONE = world_problem("no-such-job", "Gone.")


def asked(tool: ToolSpec, arguments: JsonObject, memory: JsonObject | None = None) -> WorldRequest:
    due = tool.advance(Call(arguments, (), memory or JsonObject()), config(environment=(Variable("A", "cfg"),)))
    assert isinstance(due, Need)
    (request,) = due.requests
    return request


def ended(tool: ToolSpec, arguments: JsonObject, answer: Answer | Problem, memory: JsonObject | None = None) -> Done | Refuse:
    call = Call(arguments, (Exchange(asked(tool, arguments, memory), answer),), memory or JsonObject())
    due = tool.advance(call, config(environment=(Variable("A", "cfg"),)))
    assert isinstance(due, Done | Refuse)
    return due


def test_a_job_is_started_in_the_workspace() -> None:
    arguments = JsonObject.of(do="start serve\n  --fast\n")
    start = StartJob(script="serve\n  --fast", cwd="/w", environment=(Variable("A", "cfg"),), output_bytes=20_000)
    assert asked(JOBS, arguments) == start
    done = ended(JOBS, arguments, JobStarted("k3f9"))
    assert isinstance(done, Done)
    assert done.text.startswith("Job k3f9 was started")
    assert ended(JOBS, arguments, GONE) == Refuse(GONE)


def test_the_shell_starts_one_where_it_is_and_stays_there() -> None:
    memory = JsonObject.of(cwd="/w/sub", environment=JsonObject.of(B="1"))
    arguments = JsonObject.of(command="serve", background=True)
    environment = (Variable("A", "cfg"), Variable("B", "1"))
    assert asked(SHELL, arguments, memory) == StartJob(script="serve", cwd="/w/sub", environment=environment, output_bytes=20_000)
    done = ended(SHELL, arguments, JobStarted("k3f9"), memory)
    assert isinstance(done, Done)
    assert done.memory == memory
    assert ended(SHELL, arguments, GONE) == Refuse(GONE)


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (JsonObject.of(do="list"), AskJob(job="", output_bytes=20_000)),
        (JsonObject(), AskJob(job="", output_bytes=20_000)),
        (JsonObject.of(do=" output  k3f9 "), AskJob(job="k3f9", output_bytes=20_000)),
        (JsonObject.of(do="stop k3f9"), AskJob(job="k3f9", stop=True, output_bytes=20_000)),
    ],
)
def test_what_is_asked_after(arguments: JsonObject, request_: AskJob) -> None:
    assert asked(JOBS, arguments) == request_


@pytest.mark.parametrize(
    ("arguments", "told", "text"),
    [
        (JsonObject.of(do="list"), JobTold(job="", output="", exit_code=0), "There are no background jobs."),
        (JsonObject.of(do="list"), JobTold(job="", output="a1  running  x\n", exit_code=0), "a1  running  x"),
        (JsonObject.of(do="output a1"), JobTold(job="a1", output="hi\n"), "hi\n(job a1 is still running)"),
        (
            JsonObject.of(do="stop a1"),
            JobTold(job="a1", output="", exit_code=-15),
            "(no output)\n(job a1 was ended by signal 15)",
        ),
        (
            JsonObject.of(do="output a1"),
            JobTold(job="a1", output="x", exit_code=3, cut_bytes=1),
            "x\n(1 byte was left out in the middle of the output)\n(job a1 has ended with exit code 3)",
        ),
        (
            JsonObject.of(do="output a1"),
            JobTold(job="a1", output="x", exit_code=0, cut_bytes=2000),
            "x\n(2,000 bytes were left out in the middle of the output)\n(job a1 has ended with exit code 0)",
        ),
    ],
)
def test_what_is_said(arguments: JsonObject, told: JobTold, text: str) -> None:
    assert ended(JOBS, arguments, told) == Done(text, JsonObject())
    assert ended(JOBS, arguments, GONE) == Refuse(GONE)


@pytest.mark.parametrize("said", ["begin", "stop", "output", "start", "list all", "stop a b", "output a\nb"])
def test_what_can_not_be_done_is_refused(said: str) -> None:
    due = JOBS.advance(Call(JsonObject.of(do=said)), config())
    assert isinstance(due, Refuse)
    assert due.problem.code == "bad-action"
    assert "start COMMAND, list, output JOB or stop JOB" in due.problem.message

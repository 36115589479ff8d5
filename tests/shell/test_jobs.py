"""Background jobs: real processes that outlive the call, and nothing that outlives the conversation."""

from __future__ import annotations

import os
import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.sandbox.backends import BASE, EACH, only
from tests.shell.support import PATIENCE_S, Fifo, gone, nothing_left, other_program
from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.core.problem import Problem
from turnfold.core.world.answers import JobStarted, JobTold
from turnfold.core.world.confinement import Confinement
from turnfold.core.world.requests import AskJob, StartJob
from turnfold.shell.jobs import MOST_ENDED, MOST_RUNNING, LocalJobs
from turnfold.shell.kin import MARK, descendants, every, family
from turnfold.shell.sandbox.sandboxes import BackEnd
from turnfold.shell.scope import Scope

A = ChatConfig(ProjectConfig(Config()), conversation="A", workspace="/")
B = evolve(A, conversation="B")


@pytest.fixture
def jobs() -> Iterator[LocalJobs]:
    with nothing_left():
        made = LocalJobs(BASE)
        yield made
        made.close_all()


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    made = Fifo(tmp_path)
    yield made
    made.close()


def started(jobs: LocalJobs, script: str, cwd: Path | str = "/", cfg: ChatConfig = A, confinement: Confinement | None = None) -> str:
    request = StartJob(script=script, cwd=str(cwd), environment=(), output_bytes=10_000, confinement=confinement)
    answer = jobs.act(request, cfg, Scope())
    assert isinstance(answer, JobStarted), answer
    return answer.job


def told(jobs: LocalJobs, job: str, cfg: ChatConfig = A, *, stop: bool = False, output_bytes: int = 10_000) -> JobTold:
    answer = jobs.act(AskJob(job=job, stop=stop, output_bytes=output_bytes), cfg, Scope())
    assert isinstance(answer, JobTold), answer
    return answer


def ended(jobs: LocalJobs, job: str) -> JobTold:
    """How it was when it had ended by itself."""
    found = next(each for each in jobs._jobs["A"] if each.name == job)
    found._thread.join(PATIENCE_S)
    return told(jobs, job)


def test_a_job_goes_on_is_asked_after_and_ends(jobs: LocalJobs, tmp_path: Path, fifo: Fifo) -> None:
    os.mkfifo(tmp_path / "gate")
    job = started(jobs, "echo begun; echo > fifo; cat gate; echo oops >&2; exit 3", tmp_path)
    fifo.line()
    assert told(jobs, job).exit_code is None
    assert told(jobs, "").output == f"{job}  running  echo begun; echo > fifo; cat gate; echo oops >&2; exit 3\n"
    (tmp_path / "gate").write_text("through\n")
    assert ended(jobs, job) == JobTold(job=job, output="begun\nthrough\noops\n", exit_code=3)
    assert told(jobs, job, stop=True).exit_code == 3
    assert "  ended with exit code 3  " in told(jobs, "").output


def test_g6_a_job_is_its_conversations_own(jobs: LocalJobs) -> None:
    """B neither sees nor kills A's job, nor does the end of B end it."""
    job = started(jobs, "sleep 1000")
    assert told(jobs, "", B).output == ""
    for stop in (False, True):
        answer = jobs.act(AskJob(job=job, stop=stop, output_bytes=9), B, Scope())
        assert isinstance(answer, Problem)
        assert answer.code == "no-such-job"
    jobs.close("B")
    assert told(jobs, job).exit_code is None
    jobs.close("A")
    answer = jobs.act(AskJob(job=job, output_bytes=9), A, Scope())
    assert isinstance(answer, Problem)
    assert "gone with the process that it was started by" in answer.message


FAMILY = """
trap '' TERM
sleep 1000 & a=$!
setsid sleep 1000 > /dev/null 2>&1 & b=$!
(setsid bash -c 'trap "" TERM; echo $$ > daemon; exec > /dev/null 2>&1; sleep 1000 & wait' &)
while [ ! -s daemon ]; do sleep 0.02; done
echo $$ $a $b $(cat daemon) > fifo
while :; do sleep 1000; done
"""


def test_stop_ends_daemons_and_who_ignores_sigterm(jobs: LocalJobs, tmp_path: Path, fifo: Fifo) -> None:
    job = started(jobs, FAMILY, tmp_path)
    pids = fifo.pids()
    assert told(jobs, job, stop=True).exit_code == -signal.SIGKILL
    assert all(gone(pid) for pid in pids)


def test_a_job_that_reads_or_closes_its_output_is_no_trouble(jobs: LocalJobs) -> None:
    assert ended(jobs, started(jobs, "cat; echo $?")).output == "0\n"
    assert ended(jobs, started(jobs, "exec >&- 2>&-; exit 7")).exit_code == 7
    assert ended(jobs, started(jobs, "kill -9 $$")).exit_code == -9


def test_a_hundred_megabytes_in_bounded_memory(jobs: LocalJobs) -> None:
    tracemalloc.start()
    job = started(jobs, "echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo last")
    answer = ended(jobs, job)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.output.startswith("first\nxx")
    assert answer.output.endswith("x\nlast\n")
    assert answer.cut_bytes == 100_000_012 - 10_000
    assert peak < 5_000_000


def test_less_can_be_asked_for_than_is_kept(jobs: LocalJobs) -> None:
    job = started(jobs, "seq 1000")
    ended(jobs, job)
    short = told(jobs, job, output_bytes=100)
    assert short.output.startswith("1\n2\n")
    assert short.output.endswith("999\n1000\n")
    assert short.cut_bytes == len("".join(f"{n}\n" for n in range(1, 1001))) - 100


def test_there_is_an_end_to_how_many(jobs: LocalJobs) -> None:
    for _ in range(MOST_RUNNING):
        started(jobs, "sleep 1000")
    answer = jobs.act(StartJob(script="true", cwd="/", environment=(), output_bytes=9), A, Scope())
    assert isinstance(answer, Problem)
    assert answer.code == "too-many"
    started(jobs, "sleep 1000", cfg=B)
    jobs.close("A")
    for _ in range(MOST_ENDED + 3):
        ended(jobs, started(jobs, "true"))
    assert len(told(jobs, "").output.splitlines()) == MOST_ENDED + 1


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (StartJob(script="a\0b", cwd="/", environment=(), output_bytes=9), "not-text"),
        (StartJob(script="true", cwd="x", environment=(), output_bytes=9), "not-absolute"),
        (StartJob(script="true", cwd="/nonexistent", environment=(), output_bytes=9), "not-found"),
    ],
)
def test_what_can_not_be_started_is_told(jobs: LocalJobs, request_: StartJob, code: str) -> None:
    answer = jobs.act(request_, A, Scope())
    assert isinstance(answer, Problem)
    assert answer.code == code


def test_without_bash_and_when_cancelled_nothing_begins() -> None:
    answer = LocalJobs((("PATH", "/nonexistent"),)).act(StartJob(script="true", cwd="/", environment=(), output_bytes=9), A, Scope())
    assert isinstance(answer, Problem)
    assert answer.code == "no-bash"
    scope = Scope()
    scope.cancel()
    answer = LocalJobs(BASE).act(StartJob(script="true", cwd="/", environment=(), output_bytes=9), A, scope)
    assert isinstance(answer, Problem)
    assert answer.code == "cancelled"


@EACH
def test_a_job_is_confined(back_end: BackEnd, tmp_path: Path) -> None:
    with nothing_left():
        jobs = LocalJobs(BASE, only(back_end))
        request = StartJob(
            script="echo evil > x; env -i setsid sleep 1000 & echo told; sleep 1000",
            cwd=str(tmp_path),
            environment=(),
            output_bytes=1000,
            confinement=Confinement(),
        )
        answer = jobs.act(request, A, Scope())
        assert isinstance(answer, JobStarted)
        assert answer.sandbox == back_end.value
        before = {each.pid for each in every() if each.session == os.getsid(0)}
        while "told" not in told(jobs, answer.job).output:
            pass
        jobs.close_all()
        assert {each.pid for each in every() if each.session == os.getsid(0)} <= before
    assert not (tmp_path / "x").exists()
    refused = LocalJobs(BASE, only(None)).act(request, A, Scope())
    assert isinstance(refused, Problem)
    assert refused.code == "no-sandbox"


KILLED = """
import os, sys, signal
from tests.shell.test_jobs import A, BASE, LocalJobs, started
started(LocalJobs(BASE), sys.argv[2], sys.argv[1])
signal.pause()
"""


def test_a_job_does_not_outlive_our_own_death(tmp_path: Path, fifo: Fifo) -> None:
    with other_program(KILLED, str(tmp_path), FAMILY) as program:
        pids = fifo.pids()
        program.kill()
        assert all(gone(pid) for pid in pids)


# ── kin ──


def test_kin_are_found_by_session_by_parents_and_by_mark(tmp_path: Path, fifo: Fifo) -> None:
    jobs = LocalJobs(BASE)
    started(jobs, FAMILY, tmp_path)
    leader, child, other, daemon = fifo.pids()
    living = every()
    mark = Path(f"/proc/{leader}/environ").read_bytes().split(f"{MARK}=".encode())[1].partition(b"\0")[0].decode()
    assert {child, other} <= descendants(leader, living).keys()
    assert daemon not in descendants(leader, living)
    assert {child, other, daemon} <= family(leader, mark)
    assert not family(leader, mark) & {leader, os.getpid()}
    assert daemon not in family(leader, "")
    jobs.close_all()
    assert all(gone(pid) for pid in (leader, child, other, daemon))

"""The laws of ``Processes``, kept by the real and the scripted alike; then what only real commands can do."""

from __future__ import annotations

import os
import signal
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.support import PATIENCE_S, Fifo, gone, nothing_left, other_program
from turnfold.core.config.values import Environment, Variable
from turnfold.core.problem import Problem
from turnfold.core.world.answers import ProcessEnded
from turnfold.core.world.requests import RunProcess
from turnfold.shell.child import Pump
from turnfold.shell.environment import base_environment
from turnfold.shell.ports import Processes
from turnfold.shell.processes import LocalProcesses, start_problem
from turnfold.shell.scope import Scope
from turnfold.testing.fakes import FakeProcesses

BASE = (("HOME", "/"), ("KEPT", "1"), ("LANG", "C.UTF-8"), ("PATH", os.environ["PATH"]))
LOCAL = LocalProcesses(BASE)
TABLE = {
    "echo hi; echo oops >&2": ProcessEnded(exit_code=0, output="hi\noops\n", cwd="/"),
    "exit 3": ProcessEnded(exit_code=3, output="", cwd="/"),
    "cd /usr; export A=1; unset KEPT": ProcessEnded(
        exit_code=0, output="", cwd="/usr", environment=(Variable("A", "1"), Variable("KEPT", None))
    ),
    "kill -9 $$": ProcessEnded(exit_code=-9, output="", cwd="/"),
}


def request(
    script: str, cwd: Path | str = "/", environment: Environment = (), timeout_s: float = PATIENCE_S, output_bytes: int = 10_000
) -> RunProcess:
    return RunProcess(script=script, cwd=str(cwd), environment=environment, timeout_s=timeout_s, output_bytes=output_bytes)


def run(
    script: str, cwd: Path | str = "/", environment: Environment = (), timeout_s: float = PATIENCE_S, output_bytes: int = 10_000
) -> ProcessEnded:
    answer = LOCAL.run(request(script, cwd, environment, timeout_s, output_bytes), Scope())
    assert isinstance(answer, ProcessEnded), answer
    return answer


Runner: TypeAlias = Callable[[Scope], ProcessEnded | Problem]


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    made = Fifo(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=[LOCAL, FakeProcesses(TABLE)], ids=["real", "fake"])
def processes(request: pytest.FixtureRequest) -> Processes:
    made: Processes = request.param
    return made


@pytest.mark.parametrize("script", TABLE)
def test_what_comes_of_a_script(processes: Processes, script: str) -> None:
    assert processes.run(request(script), Scope()) == TABLE[script]


def test_a_cancelled_request_is_not_begun(processes: Processes, tmp_path: Path) -> None:
    scope = Scope()
    scope.cancel()
    answer = processes.run(request("touch here", tmp_path), scope)
    assert isinstance(answer, Problem)
    assert answer.code == "cancelled"
    assert not list(tmp_path.iterdir())


def test_a_script_that_the_table_does_not_hold_is_a_problem() -> None:
    fake = FakeProcesses({})
    answer = fake.run(request("ls"), Scope())
    assert isinstance(answer, Problem)
    assert fake.ran == (request("ls"),)


# ── what a script leaves behind comes back, whatever it does ──


@pytest.mark.parametrize(
    ("script", "exit_code", "output", "cwd"),
    [
        ("cd /usr; exit 3", 3, "", "/usr"),
        ("set -e; cd /usr; false; echo no", 1, "", "/usr"),
        ("cd /usr; (exit 12)", 12, "", "/usr"),
        ("cd /usr; (cd /tmp; exit 1) || true", 0, "", "/usr"),
        ("f() { cd /usr; return 4; }; f", 4, "", "/usr"),
        ("trap 'echo bye' EXIT; cd /usr", 0, "bye\n", "/usr"),
        ("trap 'echo bye' EXIT; cd /usr; exit 4", 4, "bye\n", "/"),  # nobody told
        ("cd /usr; exec echo x", 0, "x\n", "/"),  # nobody left to tell
        ("cd /usr; exec 2>&1 >/dev/null; echo x", 0, "", "/usr"),
        ("cd /usr; set -x; echo a", 0, "++ echo a\na\n", "/usr"),
        ("cd /usr; set -a; IFS=0123456789; set +a; (exit 10)", 10, "", "/usr"),
        ("cd /usr\n# a comment", 0, "", "/usr"),
        ("cd /usr; cat <<END\n'open\nEND", 0, "'open\n", "/usr"),
        ("echo $# $0; cd /usr", 0, "0 bash\n", "/usr"),
        ("cd /usr; return 3", 2, "bash: line 1: return: can only `return' from a function or sourced script\n", "/usr"),
        ("", 0, "", "/"),
        ("  \n", 0, "", "/"),
        ("-x", 127, "bash: line 1: -x: command not found\n", "/"),
        ("wait; jobs; cat; read x; echo read $?", 0, "read 1\n", "/"),
        ("printf 'a\\xffb'", 0, r"a\xffb", "/"),
        ("cd /usr; set -u; echo $NONE; echo no", 127, "bash: line 1: NONE: unbound variable\n", "/usr"),
    ],
)
def test_end_and_directory(script: str, exit_code: int, output: str, cwd: str) -> None:
    answer = run(script)
    assert (answer.exit_code, answer.output, answer.cwd) == (exit_code, output, cwd)


def test_an_open_quote_is_an_error_of_its_own_lines_and_nothing_else() -> None:
    answer = run("cd /usr\nexport A=1\necho 'open")
    assert answer.exit_code != 0
    assert answer.output.startswith("bash: eval: line 3: unexpected EOF")
    assert answer.output.count("\n") == 1
    assert (answer.cwd, answer.environment) == ("/usr", (Variable("A", "1"),))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(max_examples=60)
@given(texts, st.sampled_from(["C.UTF-8", "C"]))
def test_exported_text_comes_back_exactly(text: str, locale: str) -> None:
    given_ = (Variable("A", text), Variable("LANG", locale))
    assert run('export B="$A"', environment=given_).environment == tuple(
        variable
        for variable in (Variable("A", text), Variable("B", text), Variable("LANG", locale))
        if variable != Variable("LANG", "C.UTF-8")
    )


def test_a_removed_folder_is_not_gone_into(tmp_path: Path) -> None:
    assert run("mkdir d; cd d; rmdir ../d", tmp_path).cwd == str(tmp_path)


def test_a_linked_directory_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    answer = run("pwd; mkdir x; cd x", tmp_path / "link")
    assert (answer.output, answer.cwd) == (f"{tmp_path}/link\n", f"{tmp_path}/link/x")


def test_what_a_request_lays_over_stays_even_when_nothing_is_reported() -> None:
    mine = (Variable("A", "1"), Variable("KEPT", None))
    assert run("kill -9 $$", environment=mine).environment == mine
    assert run("echo ${KEPT-none}", environment=mine).output == "none\n"


def test_a_variable_too_long_for_a_next_command_is_not_kept() -> None:
    answer = run("export LONG=$(head -c 200000 /dev/zero | tr '\\0' x) SHORT=1")
    assert answer.environment == (Variable("SHORT", "1"),)
    assert run("echo next", environment=answer.environment).output == "next\n"


# ── conversations side by side ──


def test_g1_every_command_runs_in_its_own_directory_and_ours_never_changes(tmp_path: Path) -> None:
    before = Path.cwd()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    for turn in range(3):
        for name in ("a", "b"):
            assert run(f"pwd; echo {turn} >> turns", tmp_path / name).output == f"{tmp_path / name}\n"
    assert (tmp_path / "a" / "turns").read_text() == (tmp_path / "b" / "turns").read_text() == "0\n1\n2\n"
    assert Path.cwd() == before


def test_g3_directory_and_exports_are_one_conversations_values(tmp_path: Path) -> None:
    first = run("mkdir deep; cd deep; export A=1 PATH=$PATH:/extra; unset KEPT", tmp_path)
    assert first.cwd == str(tmp_path / "deep")
    other = run("pwd; echo ${A-none} $KEPT", tmp_path)
    assert other.output == f"{tmp_path}\nnone 1\n"
    assert (other.cwd, other.environment) == (str(tmp_path), ())
    second = run("pwd; echo $A ${KEPT-none} ${PATH##*:}", first.cwd, first.environment)
    assert second.output == f"{tmp_path / 'deep'}\n1 none /extra\n"
    assert second.environment == first.environment


def test_our_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "s3cret")
    names = {line.split("=")[0] for line in run("/usr/bin/env").output.splitlines()}
    assert names == {"HOME", "KEPT", "LANG", "PATH", "PWD", "SHLVL", "TURNFOLD_COMMAND", "_"}
    assert "s3cret" not in str(LocalProcesses(base_environment(os.environ)).run(request("env"), Scope()))


def test_commands_side_by_side_do_not_meet() -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda number: run(f"for i in 1 2 3; do echo {number}; done; export N={number}; exit {number}"), range(40))
    for number, answer in enumerate(answers):
        assert (answer.exit_code, answer.output) == (number, f"{number}\n" * 3)
        assert answer.environment == (Variable("N", str(number)),)


# ── ends: in time, by force, and with everything that was started ──

FAMILY = """
sleep 1000 & a=$!
sleep 1000 >/dev/null 2>&1 & b=$!
(trap '' TERM; sleep 1000) >/dev/null 2>&1 & c=$!
timeout 1000 sleep 1000 >/dev/null 2>&1 & d=$!
set -m; sleep 1000 >/dev/null 2>&1 & e=$!
set +m
echo $$ $a $b $c $d $e > fifo
"""


def test_background_children_neither_delay_nor_survive_the_end(tmp_path: Path, fifo: Fifo) -> None:
    answer = run(FAMILY + "echo done", tmp_path)
    assert (answer.exit_code, answer.output, answer.timed_out) == (0, "done\n", False)
    assert all(gone(pid) for pid in fifo.pids())


def test_time_out_kills_all_that_was_started(tmp_path: Path, fifo: Fifo) -> None:
    answer = run(FAMILY + "cd /usr; echo before; sleep 1000", tmp_path, timeout_s=0.5)
    assert (answer.exit_code, answer.output, answer.timed_out) == (-signal.SIGTERM, "before\n", True)
    assert answer.cwd == "/usr"
    assert all(gone(pid) for pid in fifo.pids())


def test_who_ignores_sigterm_is_killed(tmp_path: Path, fifo: Fifo) -> None:
    answer = run("trap '' TERM; echo $$ > fifo; while :; do sleep 1000; done", tmp_path, timeout_s=0.3)
    assert (answer.exit_code, answer.timed_out) == (-signal.SIGKILL, True)
    assert all(gone(pid) for pid in fifo.pids())


def test_cancel_from_another_thread_kills_all_that_was_started(tmp_path: Path, fifo: Fifo) -> None:
    scope = Scope()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(LOCAL.run, request(FAMILY + "echo before; sleep 1000", tmp_path), scope)
        pids = fifo.pids()
        scope.cancel()
        answer = running.result(PATIENCE_S)
    assert isinstance(answer, ProcessEnded)
    assert answer.exit_code < 0
    assert not answer.timed_out
    assert all(gone(pid) for pid in pids)


def test_one_who_leaves_the_session_does_not_hold_us_up(tmp_path: Path, fifo: Fifo) -> None:
    answer = run("setsid bash -c 'echo $$ > fifo; exec sleep 1000' & cat < /dev/null; read x < fifo; echo $x > fifo; echo out", tmp_path)
    (escaped,) = fifo.pids()
    assert answer.output == "out\n"
    os.kill(escaped, signal.SIGKILL)
    assert gone(escaped)


def test_one_who_writes_without_end_does_not_hold_us_up(tmp_path: Path, fifo: Fifo) -> None:
    answer = run("setsid bash -c 'echo $$ > fifo; exec yes' & read x < fifo; echo $x > fifo", tmp_path, output_bytes=100)
    (escaped,) = fifo.pids()
    assert answer.exit_code == 0
    assert gone(escaped)  # its pipe is closed


PARENT = """
import os, sys
from turnfold.core.world.requests import RunProcess
from turnfold.shell.processes import LocalProcesses
from turnfold.shell.scope import Scope
request = RunProcess(script=sys.argv[2], cwd=sys.argv[1], environment=(), timeout_s=1000, output_bytes=1000)
LocalProcesses((("PATH", os.environ["PATH"]),)).run(request, Scope())
"""


def test_when_we_are_killed_everything_we_started_dies(tmp_path: Path, fifo: Fifo) -> None:
    with other_program(PARENT, str(tmp_path), FAMILY + "sleep 1000") as parent:
        pids = fifo.pids()
        parent.kill()
        assert all(gone(pid) for pid in pids)


# ── bounds ──


def test_fifty_megabytes_of_output_take_little_memory() -> None:
    tracemalloc.start()
    try:
        answer = run("head -c 50000000 /dev/zero | tr '\\0' x; echo end", output_bytes=20_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    assert answer.cut_bytes == 50_000_004 - 20_000
    assert answer.output.endswith("xend\n")
    assert answer.output.count("x") == 20_000 - len("end\n")


def test_nothing_is_left_open() -> None:
    run("true")
    with nothing_left():
        for script in ("true", "sleep 1000 & exit 3", "echo 'open", "kill -9 $$", "exec 1>&-") * 10:
            run(script)
        for environment in ((Variable("A", "x" * 200_000),), (Variable("A=", "x"),)) * 10:
            assert isinstance(LOCAL.run(request("true", environment=environment), Scope()), Problem)


def test_ctrl_c_in_our_own_thread_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run("true")
    with nothing_left(), monkeypatch.context() as patched:
        patched.setattr(Pump, "until", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run("sleep 1000")


def interrupted(*_: object) -> bool:
    raise KeyboardInterrupt


# ── Problems ──


def problem(asked: RunProcess, processes: Processes = LOCAL) -> Problem:
    answer = processes.run(asked, Scope())
    assert isinstance(answer, Problem)
    assert answer.message.endswith(".")
    assert ": " in answer.message
    return answer


def test_what_can_not_be_run_is_a_problem_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert problem(request("ls", tmp_path / "none")).code == "not-found"
    assert problem(request("ls", "relative")).code == "not-absolute"
    assert problem(request("ls", tmp_path / "file")).code == "not-found"
    assert problem(request("ls", "/a\0b")).code == "not-text"
    assert problem(request("echo a\0b")).code == "not-text"
    assert problem(request("x" * 200_000)).code == "too-large"
    assert problem(request("ls", environment=(Variable("A", "x" * 200_000),))).code == "too-large"
    assert problem(request("ls", environment=(Variable("A=B", "x"),))).code == "not-text"
    assert problem(request("ls", environment=(Variable("A", "a\0b"),))).code == "not-text"


def test_without_bash_it_says_how_to_get_it() -> None:
    answer = problem(request("ls"), LocalProcesses((("PATH", "/nonexistent"),)))
    assert answer.code == "no-bash"
    assert "install" in answer.message


def test_what_the_system_refuses_is_a_problem() -> None:
    assert start_problem(PermissionError(13, "Permission denied", "/w"), "/w").code == "not-allowed"
    assert start_problem(OSError(24, "Too many open files"), "/w").code == "no-room"
    assert start_problem(OSError(5, "Input/output error"), "/w").code == "world"


def test_a_command_reads_what_it_is_given_and_one_that_does_not_is_not_held_up() -> None:
    for script, stdin, printed in (
        ("sort", "b\na\n", "a\nb\n"),
        ("wc -c", "é" * 200_000, "400000\n"),
        ("true", "x" * 500_000, ""),
        ("cat", "", ""),
    ):
        answer = LOCAL.run(evolve(request(script), stdin=stdin), Scope())
        assert isinstance(answer, ProcessEnded)
        assert answer.output == printed

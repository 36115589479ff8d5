"""The laws of ``Pythons``, kept by the real and the scripted alike; then what only a real worker can do."""

from __future__ import annotations

import os
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.support import PATIENCE_S, Fifo, gone, nothing_left, other_program
from turnfold.core.config.values import Environment, Variable
from turnfold.core.problem import Problem
from turnfold.core.world.answers import PythonEnded
from turnfold.core.world.requests import RunPython
from turnfold.shell import pythons as pythons_module
from turnfold.shell.child import Pump
from turnfold.shell.ports import Pythons
from turnfold.shell.pythons import LocalPythons
from turnfold.shell.scope import Scope
from turnfold.testing.fakes import FakePythons

BASE = (("HOME", "/"), ("LANG", "C.UTF-8"), ("PATH", os.environ["PATH"]))
EXITED = "[The Python process ended with exit code 3. What was defined is gone; the next code starts in a new process.]\n"
TABLE = {
    "1 + 1": PythonEnded(output="2\n"),
    "print('a')\nNone": PythonEnded(output="a\n"),
    "raise SystemExit(3)": PythonEnded(output=EXITED, failed=True, worker_died=True),
    "x =": PythonEnded(output='  File "<python 1>", line 1\n    x =\n       ^\nSyntaxError: invalid syntax\n', failed=True),
}


def request(
    code: str, cwd: Path | str = "/", environment: Environment = (), timeout_s: float = PATIENCE_S, output_bytes: int = 10_000
) -> RunPython:
    return RunPython(code=code, cwd=str(cwd), environment=environment, timeout_s=timeout_s, output_bytes=output_bytes)


def run(
    pythons: Pythons, code: str, conversation: str = "a", cwd: Path | str = "/", timeout_s: float = PATIENCE_S, output_bytes: int = 10_000
) -> PythonEnded:
    answer = pythons.run(conversation, request(code, cwd, (), timeout_s, output_bytes), Scope())
    assert isinstance(answer, PythonEnded), answer
    return answer


def out(pythons: Pythons, code: str, conversation: str = "a") -> str:
    answer = run(pythons, code, conversation)
    assert not answer.failed, answer.output
    return answer.output


@pytest.fixture
def local() -> Iterator[LocalPythons]:
    pythons = LocalPythons(BASE)
    yield pythons
    pythons.close_all()


@pytest.fixture(params=["real", "fake"])
def pythons(request: pytest.FixtureRequest) -> Iterator[Pythons]:
    made = LocalPythons(BASE) if request.param == "real" else FakePythons(TABLE)
    yield made
    made.close_all()


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    made = Fifo(tmp_path)
    yield made
    made.close()


# ── laws ──


@pytest.mark.parametrize("code", TABLE)
def test_what_comes_of_code(pythons: Pythons, code: str) -> None:
    assert run(pythons, code) == evolve(TABLE[code], fresh=True)


def test_the_first_piece_is_fresh_and_so_is_the_first_after_an_end(pythons: Pythons) -> None:
    assert [run(pythons, "1 + 1").fresh for _ in range(2)] == [True, False]
    assert run(pythons, "1 + 1", "b").fresh
    assert run(pythons, "raise SystemExit(3)").worker_died
    assert [run(pythons, "1 + 1").fresh for _ in range(2)] == [True, False]
    pythons.close("a")
    assert run(pythons, "1 + 1").fresh
    assert not run(pythons, "1 + 1", "b").fresh
    pythons.close_all()
    assert run(pythons, "1 + 1", "b").fresh


def test_closing_what_is_not_open_is_fine(pythons: Pythons) -> None:
    pythons.close("none")
    pythons.close_all()
    pythons.close_all()


def test_a_cancelled_request_is_not_begun(pythons: Pythons) -> None:
    scope = Scope()
    scope.cancel()
    answer = pythons.run("a", request("1 + 1"), scope)
    assert isinstance(answer, Problem)
    assert answer.code == "cancelled"
    assert run(pythons, "1 + 1").fresh


# ── what is shown ──


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("", ""),
        ("x = 1", ""),
        ("'text'", "'text'\n"),
        ("1\n2", "2\n"),
        ("for i in range(2):\n    i", ""),
        ("print('no newline', end='')", "no newline"),
        ("print('é\\udcff')", "é\\udcff\n"),
        ("import sys\nprint('out')\nprint('err', file=sys.stderr)", "out\nerr\n"),
        ("import os\nprint('mine')\nos.system('echo shell')\nNone", "mine\nshell\n"),
        ("import subprocess\nsubprocess.run(['echo', 'child'])\nNone", "child\n"),
        ("import ctypes\nctypes.CDLL(None).printf(b'from C')\nNone", "from C"),
        ("__name__, 'turnfold' in __import__('sys').modules, '__file__' in dir()", "('__main__', False, False)\n"),
        ("import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))).__name__", "'A'\n"),
        ("import secrets, files", None),  # the folder of the worker's file is not on the path: secrets is Python's own
        ("import secrets\nsecrets.token_hex is not None", "True\n"),
        ("import sys\nsys.argv, sys.path[0]", "([''], '')\n"),
        ("import os\nos.fork() == 0 or os.wait()[1]", "True\n0\n"),
    ],
)
def test_output_of_code(local: LocalPythons, code: str, output: str | None) -> None:
    answer = run(local, code)
    assert answer.failed == (output is None)
    assert "ModuleNotFoundError: No module named 'files'" in answer.output if output is None else answer.output == output


def test_a_traceback_shows_the_persons_frames_and_lines_only(local: LocalPythons) -> None:
    run(local, "def half(n):\n    return n / 0")
    answer = run(local, "try:\n    half(1)\nexcept ZeroDivisionError as error:\n    raise ValueError('no') from error")
    assert answer.failed
    assert '  File "<python 1>", line 2, in half\n    return n / 0\n' in answer.output
    assert '  File "<python 2>", line 2, in <module>\n    half(1)\n' in answer.output
    assert answer.output.endswith("ValueError: no\n")
    assert "python_worker" not in answer.output


def test_nobody_answers_input_and_the_message_says_so(local: LocalPythons) -> None:
    answer = run(local, "input('name? ')")
    assert "EOFError: input() can't be answered here" in answer.output
    assert "python_worker" not in answer.output
    assert out(local, "import sys\nsys.stdin.read()") == "''\n"


def test_an_exception_that_can_not_be_shown_is_named(local: LocalPythons) -> None:
    answer = run(local, "class Bad(Exception):\n    def __str__(self): raise ValueError\nraise Bad")
    assert answer.failed
    assert "Bad" in answer.output
    assert not answer.worker_died


def test_modules_of_the_folder_and_of_the_installation_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("VALUE = 42\n")
    pythons = LocalPythons(BASE)
    assert run(pythons, "import mine, attrs\nmine.VALUE", cwd=tmp_path).output == "42\n"
    pythons.close_all()


def test_environment_is_the_base_and_what_the_request_lays_over(local: LocalPythons, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "s3cret")
    code = "import os\nsorted(set(os.environ) - {'PWD', 'LC_CTYPE', 'MPLBACKEND', 'TURNFOLD_COMMAND'})"
    answer = local.run("a", request(code, environment=(Variable("A", "1"), Variable("HOME", None))), Scope())
    assert isinstance(answer, PythonEnded)
    assert answer.output == "['A', 'LANG', 'PATH']\n"


# ── one worker for each conversation ──


def test_g5_variables_and_output_are_one_conversations_own(local: LocalPythons) -> None:
    mine = sys.stdout
    with ThreadPoolExecutor(4) as threads:
        for name in "abcd":
            threads.submit(run, local, f"x = '{name}'", name)
        shown = [threads.submit(run, local, f"for _ in range(1000): print('{name}', flush=True)", name) for name in "abcd"]
    for name, answer in zip("abcd", shown, strict=True):
        assert answer.result().output == f"{name}\n" * 1000
        assert out(local, "x", name) == f"{name!r}\n"
    run(local, "import sys, os\nsys.stdout = sys.stderr = None\nos.close(1)", "a")
    assert out(local, "print(x)", "a") == "a\n"
    assert out(local, "print(x)", "b") == "b\n"
    assert sys.stdout is mine


def test_a_folder_that_code_goes_into_is_its_workers_only(local: LocalPythons, tmp_path: Path) -> None:
    before = Path.cwd()
    run(local, f"import os\nos.chdir({str(tmp_path)!r})")
    assert out(local, "os.getcwd()") == f"{str(tmp_path)!r}\n"
    assert out(local, "import os\nos.getcwd()", "b") == "'/'\n"
    assert Path.cwd() == before


def test_pieces_of_one_conversation_wait_for_each_other(local: LocalPythons) -> None:
    run(local, "active = most = 0")
    code = "active += 1\nmost = max(most, active)\nfor _ in range(1000): pass\nactive -= 1\nprint('done')"
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(run, local, code) for _ in range(16)]
    assert [answer.result().output for answer in answers] == ["done\n"] * 16
    assert out(local, "most") == "1\n"


def test_who_waits_for_a_turn_can_be_cancelled_and_gives_up_in_time(local: LocalPythons, fifo: Fifo) -> None:
    first, second = Scope(), Scope()
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(
            local.run, "a", request(f"open({str(fifo.path)!r}, 'w').write('begun\\n')\nimport time\ntime.sleep(1000)"), first
        )
        assert fifo.line() == "begun"
        busy = local.run("a", request("1", timeout_s=0.05), Scope())
        waiting = threads.submit(local.run, "a", request("1"), second)
        second.cancel()
        given_up = waiting.result(PATIENCE_S)
        first.cancel()
        stopped = running.result(PATIENCE_S)
    assert isinstance(busy, Problem)
    assert busy.code == "busy"
    assert isinstance(given_up, Problem)
    assert given_up.code == "cancelled"
    assert isinstance(stopped, PythonEnded)
    assert (stopped.failed, stopped.worker_died, stopped.timed_out) == (True, False, False)
    assert "KeyboardInterrupt" in stopped.output


# ── ends ──


def test_a_time_out_interrupts_and_what_was_defined_stays(local: LocalPythons) -> None:
    run(local, "x = 1")
    answer = run(local, "print('before')\nimport time\ntime.sleep(1000)", timeout_s=0.2)
    assert (answer.failed, answer.timed_out, answer.worker_died) == (True, True, False)
    assert answer.output.startswith("before\nTraceback")
    assert answer.output.endswith("KeyboardInterrupt\n")
    assert "python_worker" not in answer.output
    assert out(local, "x") == "1\n"


def test_code_that_does_not_listen_is_killed_with_its_children(local: LocalPythons, fifo: Fifo) -> None:
    code = f"""
import os, signal, subprocess
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "1000"])
alone = subprocess.Popen(["sleep", "1000"], process_group=0)
open({str(fifo.path)!r}, "w").write(f"{{os.getpid()}} {{child.pid}} {{alone.pid}}\\n")
sum(range(10**18))  # holds the interpreter lock
"""
    answer = run(local, code, timeout_s=0.5)
    assert (answer.failed, answer.timed_out, answer.worker_died) == (True, True, True)
    assert "did not stop when it was interrupted, and was killed" in answer.output
    assert all(gone(pid) for pid in fifo.pids())
    assert run(local, "1 + 1").fresh


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('x', end='')\nexit(3)", "x\n[The Python process ended with exit code 3."),
        ("import sys\nsys.exit('why')", "why\n[The Python process ended with exit code 1."),
        ("import os\nos._exit(4)", "[The Python process ended with exit code 4."),
        ("import ctypes\nprint('x')\nctypes.string_at(0)", "x\n[The Python process died by signal 11 (Segmentation fault)."),
        ("import os\nos.kill(os.getpid(), 9)", "[The Python process died by signal 9 (Killed)."),
    ],
)
def test_the_workers_end_is_told(local: LocalPythons, code: str, said: str) -> None:
    answer = run(local, code)
    assert (answer.failed, answer.worker_died, answer.timed_out) == (True, True, False)
    assert answer.output.startswith(said)
    after = run(local, "1 + 1")
    assert (after.output, after.fresh) == ("2\n", True)


def test_a_worker_that_died_between_two_pieces_is_replaced(local: LocalPythons) -> None:
    pid = int(out(local, "import os\nos.getpid()"))
    os.kill(pid, 9)
    assert gone(pid)
    assert run(local, "1 + 1") == PythonEnded(output="2\n", fresh=True)


def test_close_lets_files_be_written_out_and_kills_children(local: LocalPythons, tmp_path: Path) -> None:
    path = tmp_path / "data"
    code = f"import subprocess\nfile = open({str(path)!r}, 'w')\nfile.write('all')\nsubprocess.Popen(['sleep', '1000']).pid"
    pid = int(out(local, code))
    local.close("a")
    assert gone(pid)
    assert path.read_text() == "all"


def test_close_stops_what_runs(local: LocalPythons, fifo: Fifo) -> None:
    code = f"import os\nopen({str(fifo.path)!r}, 'w').write(f'{{os.getpid()}}\\n')\nwhile True: pass"
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run, local, code)
        (pid,) = fifo.pids()
        local.close("a")
        assert gone(pid)
        assert running.result(PATIENCE_S).failed


def test_after_ctrl_c_in_our_own_thread_the_next_piece_gets_its_own_answer(local: LocalPythons, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = int(out(local, "import os\nos.getpid()"))
    with monkeypatch.context() as patched:
        patched.setattr(pythons_module, "Pump", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(local, "while True: pass")
    assert gone(pid)
    assert run(local, "1 + 1") == PythonEnded(output="2\n", fresh=True)


class Interrupted:
    """A pump at which Ctrl-C strikes, once the code is on its way; closing goes on."""

    def __init__(self) -> None:
        self.pump = Pump()

    def __getattr__(self, name: str) -> object:
        return getattr(self.pump, name)

    def write(self, descriptor: int, data: bytes) -> None:
        os.write(descriptor, data)
        raise KeyboardInterrupt


def test_a_relative_folder_is_refused(local: LocalPythons) -> None:
    answer = local.run("a", request("1", cwd="here"), Scope())
    assert isinstance(answer, Problem)
    assert answer.code == "not-absolute"


PARENT = """
import os, sys, threading
from turnfold.core.world.requests import RunPython
from turnfold.shell.pythons import LocalPythons
from turnfold.shell.scope import Scope
pythons = LocalPythons((("PATH", os.environ["PATH"]),))
request = RunPython(code=sys.argv[1], cwd="/", environment=(), timeout_s=1000, output_bytes=1000)
pythons.run("idle", request, Scope())
pythons.run("busy", RunPython(code=sys.argv[1] + "; sum(range(10**18))", cwd="/", environment=(), timeout_s=1000, output_bytes=1000), Scope())
"""


def test_when_we_are_killed_every_worker_dies_even_one_that_holds_the_interpreter_lock(fifo: Fifo) -> None:
    code = (
        "import os, subprocess; p = subprocess.Popen(['sleep', '1000'], process_group=0); "
        f"f = open({str(fifo.path)!r}, 'w'); f.write(f'{{os.getpid()}} {{p.pid}}\\n'); f.close()"
    )
    with other_program(PARENT, code) as parent:
        pids = fifo.pids() + fifo.pids()
        parent.kill()
        assert all(gone(pid) for pid in pids)


# ── bounds ──


def test_fifty_megabytes_of_output_take_little_memory(local: LocalPythons) -> None:
    run(local, "")
    tracemalloc.start()
    try:
        answer = run(local, "for _ in range(500): print('x' * 99_999)", output_bytes=20_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    assert answer.cut_bytes == 50_000_000 - 20_000


def test_long_code_is_taken(local: LocalPythons) -> None:
    assert out(local, f"x = {'y' * 1_000_000!r}\nlen(x)") == "1000000\n"


def test_nothing_is_left_open() -> None:
    with nothing_left():
        pythons = LocalPythons(BASE)
        for number in range(50):
            run(pythons, "exit()" if number % 10 == 9 else "1", f"{number % 3}")
            assert isinstance(pythons.run("bad", request("1", cwd="/nonexistent"), Scope()), Problem)
        pythons.close_all()
    assert threading.active_count() >= 1


def test_a_missing_folder_is_a_problem(local: LocalPythons) -> None:
    answer = local.run("a", request("1", cwd="/nonexistent"), Scope())
    assert isinstance(answer, Problem)
    assert answer.code == "not-found"


def test_a_missing_interpreter_is_a_problem() -> None:
    with nothing_left():
        answer = LocalPythons(BASE, executable="/nonexistent/python").run("a", request("1"), Scope())
    assert isinstance(answer, Problem)
    assert answer.code == "world"


# ── values and figures ──

HOSTILE = """
class Evil:
    def __repr__(self):
        {}
class Meta(type):
    def __repr__(self):
        raise ValueError
    __name__ = property(lambda self: 1 / 0)
class Worse(metaclass=Meta):
    __repr__ = Evil.__repr__
"""


@pytest.mark.parametrize("body", ["raise ZeroDivisionError", "return 3", "return repr(self)", "raise SystemExit(3)", "raise BaseException"])
@pytest.mark.parametrize("kind", ["Evil()", "Worse()"])
def test_a_value_that_can_not_be_shown_is_still_told_and_the_worker_lives(local: LocalPythons, body: str, kind: str) -> None:
    answer = run(local, f"{HOSTILE.format(body)}\ndone = True\n{kind}")
    assert not answer.failed
    assert "object at 0x" in answer.output
    assert "(its repr raised " in answer.output
    assert out(local, "done") == "True\n"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("'\\ud800'", "'\\ud800'\n"),
        ("{1: [b'\\xff', None, ...], 'é': 2.5}", "{1: [b'\\xff', None, Ellipsis], 'é': 2.5}\n"),
        ("type", "<class 'type'>\n"),
        ("None", ""),
        ("x = 3", ""),
        ("(y := 4)", "4\n"),
        ("3;", "3\n"),
        ("a = []; a.append(a); a", "[[...]]\n"),
        ("NotImplemented", "NotImplemented\n"),
    ],
)
def test_values_of_the_last_expression(local: LocalPythons, code: str, shown: str) -> None:
    assert out(local, code) == shown


def test_a_repr_that_never_ends_is_interrupted_like_any_code(local: LocalPythons) -> None:
    answer = run(local, HOSTILE.format("while True: pass") + "Evil()", timeout_s=0.5)
    assert (answer.timed_out, answer.worker_died) == (True, False)
    assert "KeyboardInterrupt" in answer.output


PYPLOT = """
class Figure:
    def __init__(self, number):
        self.number = number
    def savefig(self, name):
        open(name, "w").write(f"figure {self.number}")
_figures = {}
def figure(number):
    return _figures.setdefault(number, Figure(number))
def get_fignums():
    return sorted(_figures)
def close(which):
    _figures.clear()
"""


def test_figures_are_saved_once_and_named_and_matplotlib_is_not_imported_for_it(local: LocalPythons, tmp_path: Path) -> None:
    package = tmp_path / "matplotlib"
    package.mkdir()
    (package / "__init__.py").write_text("import os\nbackend = os.environ['MPLBACKEND']\n")
    (package / "pyplot.py").write_text(PYPLOT)
    (tmp_path / "figure-2.png").write_text("mine")
    assert run(local, "import sys; 'matplotlib' in sys.modules", cwd=tmp_path).output == "False\n"
    drawn = run(local, "import matplotlib.pyplot as plt; plt.figure(7), plt.figure(9); plt.matplotlib = None; 'end'", cwd=tmp_path)
    assert drawn.output == "'end'\n[figure saved as figure-1.png]\n[figure saved as figure-3.png]\n"
    assert [(tmp_path / f"figure-{n}.png").read_text() for n in (1, 2, 3)] == ["figure 7", "mine", "figure 9"]
    assert run(local, "import matplotlib; matplotlib.backend", cwd=tmp_path).output == "'agg'\n"
    broken = run(local, "plt.figure(1); plt.Figure.savefig = lambda *_: 1 / 0", cwd=tmp_path)
    assert broken.output == "[the figures could not be saved: ZeroDivisionError: division by zero]\n"
    assert not broken.failed


def test_figures_of_the_real_matplotlib(local: LocalPythons, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    code = f"import os; os.chdir({str(tmp_path)!r})\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3]); None"
    assert "[figure saved as figure-1.png]" in run(local, code).output
    assert (tmp_path / "figure-1.png").read_bytes().startswith(b"\x89PNG")

"""What a call of ``shell`` and of ``python`` costs of its own: a ``true`` and a ``1``, plainly and in each sandbox that works here.

    python -m tests.benchmarks.process_overhead

Wall is the median of a call; CPU the mean of ours and of all our children's (for ``python`` without the worker's, which runs on).
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator

from turnfold.core.problem import Problem
from turnfold.core.world.confinement import Confinement
from turnfold.core.world.requests import RunProcess, RunPython
from turnfold.shell.environment import base_environment
from turnfold.shell.processes import LocalProcesses
from turnfold.shell.pythons import LocalPythons
from turnfold.shell.sandbox.sandboxes import BackEnd, LocalSandboxes
from turnfold.shell.scope import Scope

CALLS = 50
STARTS = 10
BASE = base_environment(os.environ)


def measured(call: Callable[[], object], times: int) -> tuple[float, float]:
    """Milliseconds of a call: wall (median) and CPU (mean)."""
    call()
    walls, before = [], os.times()
    for _ in range(times):
        start = time.perf_counter()
        answer = call()
        walls.append(time.perf_counter() - start)
        assert not isinstance(answer, Problem), answer
    after = os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    return statistics.median(walls) * 1000, cpu / times * 1000


def only(back_end: BackEnd | None) -> LocalSandboxes:
    """The sandboxes of this machine, without all but ``back_end``."""
    made = LocalSandboxes(BASE)
    made._faults.update({each: "left out" for each in BackEnd if each is not back_end})
    return made


def rows() -> Iterator[tuple[str, float, float]]:
    """What was measured, by name."""
    here = LocalSandboxes(BASE)
    with tempfile.TemporaryDirectory() as folder:
        for back_end in (None, *(each for each in BackEnd if not here.fault(each))):
            yield from rows_of(back_end, folder)


def rows_of(back_end: BackEnd | None, folder: str) -> Iterator[tuple[str, float, float]]:
    """The calls in one sandbox, or in none."""
    confinement = None if back_end is None else Confinement(writable=(folder,))
    name = "plainly" if back_end is None else f"by {back_end.value}"
    processes, pythons = LocalProcesses(BASE, only(back_end)), LocalPythons(BASE, sandboxes=only(back_end))
    run = RunProcess(script="true", cwd=folder, environment=(), timeout_s=60, output_bytes=1000, confinement=confinement)
    code = RunPython(code="1", cwd=folder, environment=(), timeout_s=60, output_bytes=1000, confinement=confinement)

    def anew() -> object:
        pythons.close_all()
        return pythons.run("a", code, Scope())

    yield f"shell, `true`, {name}", *measured(lambda: processes.run(run, Scope()), CALLS)
    yield f"python, `1`, {name}", *measured(lambda: pythons.run("a", code, Scope()), CALLS)
    yield f"python, `1` in a new worker, {name}", *measured(anew, STARTS)
    pythons.close_all()


if __name__ == "__main__":
    print("| a call of | wall, ms | CPU, ms |\n|---|---|---|")
    for row, wall, cpu in rows():
        print(f"| {row} | {wall:.1f} | {cpu:.1f} |", flush=True)

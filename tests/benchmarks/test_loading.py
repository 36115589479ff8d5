"""Loading settings stays cheap, and ``turnfold --help`` waits for nothing: a wide margin over the benchmark's table."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks import loading

LIMIT_MS = 5.0  # of the processor: other processes take the wall's time
MARGIN = 4.0  # for coverage's tracing and slow machines
TRIES = 5


def test_three_layers_are_loaded_in_milliseconds(tmp_path: Path) -> None:
    made = loading.setup(tmp_path)
    read = made.load()
    assert (read.project.model, read.project.limits.usd, read.project.limits.turns, len(read.files)) == ("work/small", 2.0, 50, 4)
    assert read.project.tools == ("read", "save", "patch", "shell", "todo")
    tries: list[float] = []
    while len(tries) < TRIES and (not tries or tries[-1] > MARGIN * LIMIT_MS):
        tries.append(loading.median_ms(made.load, 10, time.process_time))
    assert tries[-1] <= MARGIN * LIMIT_MS, tries


def test_help_imports_neither_the_core_nor_the_network() -> None:
    code = "import sys; from turnfold.cli.main import main; main(['--help']); print(*sys.modules)"
    modules = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()[-1].split())
    assert "turnfold.cli.arguments" in modules
    assert not modules & {"turnfold.core.agent.state", "turnfold.core.codec.shapes", "httpx2", "cattrs", "sqlite3", "tomli_w", "asyncio"}


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    loading.main(1)
    out = capsys.readouterr().out
    assert "turnfold --help, wall" in out
    assert len(out.splitlines()) == 9

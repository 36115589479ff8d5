"""Every check, in order, as one command: ``python -m tests``.

Stops at the first that fails, with its exit code. Pytest comes last, so its closing line is the last that is printed.
What follows the command goes to pytest: ``python -m tests -k purity``.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PYTHON = (sys.executable, "-m")

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", (*PYTHON, "ruff", "format", "--check")),
    ("lint", (*PYTHON, "ruff", "check")),
    ("slots", (*PYTHON, "slotscheck", "-m", "turnfold")),
    ("imports", (str(Path(sysconfig.get_path("scripts"), "lint-imports")), "--no-logo")),
    ("types", (*PYTHON, "mypy")),
    ("tests", (*PYTHON, "pytest", "-n", "auto", "--dist", "worksteal", "--cov", "--cov-report=term")),
)


def main(more: tuple[str, ...]) -> int:
    """Run the steps; the exit code of the first that fails, else 0. No test at all is a failure, too: pytest says 5."""
    for name, command in STEPS:
        print(f"── {name}", flush=True)
        begin = time.perf_counter()
        extra = ("--no-cov", *more) if name == "tests" and more else ()  # a part of the tests covers a part of core
        code = subprocess.run((*command, *extra), cwd=PROJECT, stdin=subprocess.DEVNULL, check=False).returncode
        if name != "tests" or code:
            print(f"── {name}: {'passed' if code == 0 else f'failed with {code}'} in {time.perf_counter() - begin:.1f} s", flush=True)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))

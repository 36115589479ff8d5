"""What permission costs: reading a script and judging each of its commands. Run: ``python -m tests.benchmarks.permission``."""

from __future__ import annotations

import time
from collections.abc import Callable

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.permission import permit
from turnfold.core.world.requests import RunProcess

RULES = (Rule(Verdict.ALLOW, "run", "git status *"), Rule(Verdict.DENY, "run", "rm *"), Rule(Verdict.ALLOW, "write", "src/*"))
CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=RULES)
SCRIPTS = ("ls -la", "git status -s", "make test", "rg -n foo src | head -20", "cd src && python -m pytest tests -x -q 2>&1 | tail -20")


def run(script: str) -> RunProcess:
    """The request to run ``script``."""
    return RunProcess(script=script, cwd="/w", environment=(), timeout_s=1, output_bytes=1)


def best_us(work: Callable[[], object], times: int) -> float:
    """Microseconds of the processor for one run, the best of ten rows: other processes take time, none gives any."""
    rows: list[float] = []
    for _ in range(10):
        begun = time.process_time()
        for _ in range(times):
            work()
        rows.append((time.process_time() - begun) / times * 1e6)
    return min(rows)


def main(times: int = 500) -> None:
    """Print the table."""
    for script in SCRIPTS:
        request = run(script)
        read, judged = best_us(lambda: read_script(script), times), best_us(lambda: permit(request, CFG), times)  # noqa: B023 - called at once
        print(f"{judged:7.1f} µs, {read:.1f} of them to read it: {script}")


if __name__ == "__main__":
    main()

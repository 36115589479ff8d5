"""What loading settings costs, and what ``turnfold --help`` waits for. Run: ``python -m tests.benchmarks.loading``."""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import final

from attrs import frozen

from turnfold.shell.folders import Folders
from turnfold.shell.settings import Settings, load_settings
from turnfold.shell.trust import trust

USER = """
model = "work/qwen3-coder"
fallbacks = ["openai/gpt-5-mini"]
instructions = "Answer in one sentence."
tools = ["read", "save", "append", "patch", "shell"]

[parameters]
top_p = 0.9

[providers.work]
base_url = "https://models.example.com/v1"
secret = "WORK_API_KEY"
timeout_s = 60
headers = {X-Team = "red"}

[models."work/*"]
tool_format = "markdown"
window_tokens = 128000

[agents.critic]
instructions = "Find what is wrong."
tools = ["read"]

[[rules]]
verdict = "allow"
kind = "run"
pattern = "git status*"

[[rules]]
verdict = "deny"
pattern = "*.env"

[user]
name = "Ada"
about = "writes programs"

[limits]
generations = 20
usd = 5.0

[mcp.files]
command = "uvx"
arguments = ["mcp-files", "--read-only"]
"""
PRIVATE = '[environment]\nTOKEN_NAME = "work"\n\n[providers.work]\nheaders = {X-Key = {secret = "OTHER_KEY"}}\n'
PROJECT = """
tools = ["+todo", "-append"]

[prompt]
files = ["README.md", "docs/*.md"]
commands = ["git status --short"]

[environment]
CI = "1"

[[rules]]
verdict = "ask"
kind = "run"
pattern = "git push*"

[limits]
command_s = 120
"""
LOCAL = "temperature = 0.2\n[limits]\nturns = 50\n"
VARIABLES = {"TURNFOLD_MODEL": "work/small", "TURNFOLD_LIMITS__USD": "2", "HOME": "/home/ada"}
HELP = "import sys; from turnfold.cli.main import main; sys.exit(main(['--help']))"


@final
@frozen
class Setup:
    """A machine with files of three layers."""

    folders: Folders
    workspace: Path

    def load(self) -> Settings:
        """All of it, read once."""
        read = load_settings(self.folders, self.workspace, VARIABLES)
        assert isinstance(read, Settings), read
        return read


def setup(root: Path) -> Setup:
    """The files below ``root``: a person's two, a project's two, and the project's folder trusted."""
    texts = (
        ("config/config.toml", USER),
        ("config/config.local.toml", PRIVATE),
        ("project/turnfold.toml", PROJECT),
        ("project/turnfold.local.toml", LOCAL),
    )
    for name, text in texts:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    found = Setup(Folders(config=root / "config", data=root / "data", cache=root / "cache"), root / "project")
    assert trust(found.folders, found.workspace) is None
    return found


def median_ms(work: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """The median of so many runs, on the wall, or by another clock."""
    taken: list[float] = []
    for _ in range(times):
        begun = clock()
        work()
        taken.append((clock() - begun) * 1000)
    return statistics.median(taken)


def help_ms(times: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """``turnfold --help``, the process's start included."""
    return median_ms(lambda: _python("-c", HELP), times, clock)


def children_s() -> float:
    """What the processes that this one started have had of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bare_ms(times: int) -> float:
    """A Python that does nothing: what no program of ours can be quicker than."""
    return median_ms(lambda: _python("-c", "pass"), times)


def importing_ms(times: int) -> float:
    """What a process pays for the modules that load settings, once, of the processor."""
    code = "import time; a = time.process_time(); import turnfold.shell.settings; print((time.process_time() - a) * 1000)"
    return statistics.median(float(_python("-c", code)) for _ in range(times))


def largest_imports(count: int = 5) -> tuple[tuple[str, float], ...]:
    """The modules that cost ``turnfold --help`` most by themselves, in milliseconds."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", HELP], capture_output=True, text=True, check=True, env=_environ()
    ).stderr
    found = ((line[3].strip(), int(line[1]) / 1000) for line in re.finditer(r"import time:\s+(\d+) \|\s+(\d+) \|(.*)", told))
    return tuple(sorted(found, key=lambda each: -each[1])[:count])


def _python(*arguments: str) -> str:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, env=_environ()).stdout


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE"))}


def main(times: int = 20) -> None:
    """Print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        made = setup(Path(folder))
        made.load()
        own = median_ms(made.load, 20 * times, time.process_time)
        print(f"three layers, four files, two variables, warm: {median_ms(made.load, 20 * times):.2f} ms (processor: {own:.2f} ms)")
    print(f"import of what loads settings, processor:      {importing_ms(times):.1f} ms")
    print(f"turnfold --help, wall:                         {help_ms(times):.0f} ms (processor: {help_ms(times, children_s):.0f} ms)")
    print(f"a Python that does nothing, wall:              {bare_ms(times):.0f} ms")
    for name, cost in largest_imports():
        print(f"  {cost:6.2f} ms  {name}")


if __name__ == "__main__":
    main()

"""How long a new process takes to the first token of its first reply, by the embedded model.

    python -m tests.benchmarks.first_reply [RUNS]

Each run is a new process, from its start to the first piece of the reply; medians. `computed` is with no kept beginning,
`kept` with the one that the run before has left. The cache is a folder of its own that points to the weights.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from turnfold.shell.embedded.weights import QWEN_CODER_05B
from turnfold.shell.folders import find_folders

PROGRAM = """
import os, sys
from pathlib import Path
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Delta, ProjectConfig, Publish, real_world, run
from turnfold.shell.folders import Folders

home, cache = Path(sys.argv[1]), Path(sys.argv[2])

def watch(effect):
    if isinstance(effect, Publish) and isinstance(effect.what, Delta):
        os.write(1, b"!")

cfg = ChatConfig(ProjectConfig(Config(model="embedded")), workspace=str(home))
with real_world(folders=Folders(config=home, data=home, cache=cache)) as world:
    run("How many lines does shopping.txt have?", BUILTIN_TOOLS, cfg, world, watch=watch)
"""


def first_token_s(cache: Path) -> float:
    """Seconds from the start of a process to its first piece of a reply."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "shopping.txt").write_text("milk\nbread\neggs\n", encoding="utf-8")
        begin = time.perf_counter()
        with subprocess.Popen([sys.executable, "-c", PROGRAM, home, str(cache)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            came = process.stdout.read(1)
            seconds = time.perf_counter() - begin
            process.communicate()
        assert came == b"!", "no reply came"
        return seconds


def main(arguments: list[str]) -> int:
    """Print the table."""
    runs = int(arguments[0]) if arguments else 3
    weights = find_folders(os.environ).weights / QWEN_CODER_05B.name
    computed: list[float] = []
    kept: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(runs):
            models = Path(name) / "models"
            models.mkdir(exist_ok=True)
            for old in models.iterdir():
                old.unlink()
            (models / weights.name).symlink_to(weights)
            computed.append(first_token_s(Path(name)))
            kept.append(first_token_s(Path(name)))
    print("| first reply of a process | s to the first token |\n|---|---|")
    print(f"| beginning computed | {statistics.median(computed):.1f} |\n| beginning kept | {statistics.median(kept):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

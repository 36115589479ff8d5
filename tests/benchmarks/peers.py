"""turnfold beside openai-agents and pydantic-ai: one run, the same measures, each in an environment of its own.

    python -m tests.benchmarks.peers [--keep FOLDER] [CONVERSATIONS…]

Makes the environments with pip (from PyPI, or whatever index pip is set up with) in a temporary folder, or in FOLDER, where they are found
again; needs no other network: the models are scripted. Prints a Markdown table of medians, with how often more each of the others costs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from attrs import frozen

PROJECT = Path(__file__).resolve().parents[2]
CROWDS = (1_000, 10_000)
IMPORTS = 5


@frozen
class Peer:
    """A framework: what pip installs, the program that measures it, what an import is, and the package that tells its version."""

    name: str
    package: str
    program: str
    imported: str


OURS = Peer("turnfold", "-e", "tests.benchmarks.peer_turnfold", "import turnfold; turnfold.run_async")
PEERS = (
    Peer("openai-agents", "openai-agents", "tests.benchmarks.peer_openai_agents", "import agents"),
    Peer("pydantic-ai", "pydantic-ai-slim", "tests.benchmarks.peer_pydantic_ai", "import pydantic_ai"),
)


def python_of(peer: Peer, folder: Path) -> str:
    """The interpreter of an environment that holds ``peer``; it is made where it is not there."""
    if peer is OURS:
        return sys.executable
    place = folder / peer.name
    python = str(place / "bin" / "python")
    if not (place / "ready").exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", peer.package], check=True)
        (place / "ready").touch()
    return python


def environ() -> dict[str, str]:
    """Variables for the programs, without keys and proxies."""
    kept = {name: value for name, value in os.environ.items() if not any(word in name.upper() for word in ("_KEY", "PROXY"))}
    return kept | {"PYTHONPATH": os.pathsep.join((str(PROJECT / "src"), str(PROJECT))), "OPENAI_API_KEY": "none"}


def cpu_s(command: list[str]) -> float:
    """The CPU seconds of a process."""
    before = os.times()
    subprocess.run(command, check=True, env=environ(), cwd=PROJECT)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def figures(peer: Peer, python: str, crowds: tuple[int, ...]) -> dict[str, float]:
    """What is measured of ``peer``."""
    bare = median(cpu_s([python, "-c", "pass"]) for _ in range(IMPORTS))
    imported = median(cpu_s([python, "-c", peer.imported]) for _ in range(IMPORTS))
    done = subprocess.run([python, "-m", peer.program, *map(str, crowds)], check=True, env=environ(), cwd=PROJECT, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return {**found, "import, s": imported - bare}


def version(peer: Peer, python: str) -> str:
    """Which version is measured."""
    package = peer.name if peer is OURS else peer.package
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """The figures side by side, ours first, as Markdown."""
    (ours, mine), *others = found.items()
    lines = [f"| | {ours} | {' | '.join(name for name, _ in others)} |", f"|---|---|{'---|' * len(others)}"]
    for what, value in mine.items():
        beside = " | ".join(f"{theirs[what]:,.3g} ({theirs[what] / value:,.1f} ×)" for _, theirs in others)
        lines.append(f"| {what} | {value:,.3g} | {beside} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Measure all, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description="turnfold beside its peers.")
    parser.add_argument("--keep", type=Path, help="a folder for the environments, which stay")
    parser.add_argument("crowds", nargs="*", type=int, help="how many conversations at once")
    said = parser.parse_args(arguments)
    crowds = tuple(said.crowds) or CROWDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(said.keep or name)
        pythons = {peer: python_of(peer, folder) for peer in (OURS, *PEERS)}
        found = {f"{peer.name} {version(peer, python)}": figures(peer, python, crowds) for peer, python in pythons.items()}
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

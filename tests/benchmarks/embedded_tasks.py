"""How many of 20 small tasks a model does right, in each of two sets, and in how many seconds a task.

    python -m tests.benchmarks.embedded_tasks [A] [B] [--show]

Set A was seen while the prompt was tuned, set B was not. Each task runs in a folder of its own, with everything allowed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, final

from attrs import evolve, frozen

from tests.benchmarks.tasks import SET_A, SET_B, Outcome, Task, prepare
from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Rule, ToolMessage, Verdict, World, real_world, run
from turnfold.shell.folders import find_folders

Run: TypeAlias = Callable[[str, Path], Outcome]


@final
@frozen(kw_only=True)
class Score:
    """One task's judgement: right or not, the seconds it took, and what was left."""

    task: Task
    right: bool
    seconds: float
    outcome: Outcome


def scored(task: Task, run: Run) -> Score:
    """Run one task in a fresh folder and judge it; a loop or a judge that raises is a miss."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(task, folder)
        start = time.perf_counter()
        outcome = run(task.prompt, folder)
        seconds = time.perf_counter() - start
        return Score(task=task, right=task.check(folder, outcome), seconds=seconds, outcome=outcome)


def line_of(score: Score) -> str:
    """One line for a person."""
    return f"{'ok  ' if score.right else 'MISS'} {score.task.name:16} {score.seconds:5.1f} s  {score.task.prompt}"


def row_of(name: str, scores: tuple[Score, ...]) -> str:
    """The row of the README's table for one set."""
    seconds = sum(score.seconds for score in scores) / len(scores)
    return f"| {name} | {sum(score.right for score in scores)} of {len(scores)} | {seconds:.1f} |"


def in_world(world: World) -> Run:
    """A run of turnfold with the embedded model, everything allowed, in a world that is kept between tasks."""

    def run_task(prompt: str, folder: Path) -> Outcome:
        cfg = ChatConfig(ProjectConfig(Config(model="embedded")), workspace=str(folder), rules=(Rule(Verdict.ALLOW),))
        result = run(prompt, BUILTIN_TOOLS, cfg, world)
        printed = "\n".join(message.text for message in result.state.past.log if isinstance(message, ToolMessage))
        return Outcome(printed=printed, reply=result.reply)

    return run_task


def main(arguments: list[str]) -> int:
    """Print the lines and the table for the sets named, both if none is."""
    sets = {"A": SET_A, "B": SET_B}
    names = [name for name in sets if name in arguments] or list(sets)
    rows: list[str] = []
    with tempfile.TemporaryDirectory() as home, real_world(folders=evolve(find_folders(os.environ), data=Path(home))) as world:
        for name in names:
            scores = tuple(told(scored(task, in_world(world)), "--show" in arguments) for task in sets[name])
            rows.append(row_of(name, scores))
    print("\n".join(("| set | right | seconds a task |", "|---|---|---|", *rows)))
    return 0


def told(score: Score, show: bool) -> Score:
    """The score, printed; what was left of a miss, too, where ``show`` says so."""
    print(line_of(score), flush=True)
    if show and not score.right:
        print(f"{score.outcome.printed}\n{score.outcome.reply}", flush=True)
    return score


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""SCENARIOS F3: kill -9 at every append and every effect; nothing recorded is lost, nothing is done twice, another process goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from attrs import evolve
from hypothesis import given

from tests.laws.examples import examples
from turnfold.core.agent.effects import Publish
from turnfold.core.agent.requests import repeatable
from turnfold.core.agent.rounds import UNKNOWN_TEXT
from turnfold.core.agent.state import ChatState, Status, open_requests
from turnfold.core.journal import fold
from turnfold.core.problem import Problem
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Crash, Move
from turnfold.testing.simulated import Sim, finished, moved, walked

ROOT = Path(__file__).parents[2]


def test_a_real_run_goes_on_wherever_its_process_was_killed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.durability.killed", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 20, "each append and each effect, before and after"
    for row in rows:
        assert row["kept"], "what was recorded is there"
        assert row["output"] == {"n": 3}
        told = json.dumps(row["events"])
        assert row["done"] in ([], ["make test"]), "never twice, and never what the model wanted"
        assert row["done"] == ["make test"] or UNKNOWN_TEXT[:40] in told
        assert told.count("CallEdited") == 1
        assert "ModelUrged" in told


@given(sims(), lives())
@examples(15)
def test_a_conversation_goes_on_wherever_it_was_killed(begun: Sim, life: tuple[Move, ...]) -> None:
    """What is edited, urged or decided is in the journal; what was under way and can't be repeated is told as unknown."""
    sim = walked(begun, life)
    for count in range(1, len(sim.history) + 1, 5):
        cut = evolve(sim, history=sim.history[:count], outstanding=(), ghosts=())
        killed = evolve(cut, state=ChatState(fold(cut.events)))
        unknown = [each for each in open_requests(killed.state.past) if each.status is not Status.ASKED and not repeatable(each.request)]
        back = moved(killed, Crash())
        told = [each.what for each in back.history[-1].step.effects if isinstance(each, Publish) and isinstance(each.what, Problem)]
        assert len([problem for problem in told if problem.code == "unknown-outcome"]) == len(unknown)
        done = finished(back)
        performed = [str(perform.request_id) for perform in done.performs]
        assert len(performed) == len(set(performed)), "an id is performed once in all processes together"
        assert done.events[: len(cut.events)] == cut.events

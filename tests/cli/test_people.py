"""Tools that end a turn, start children and look back, end to end: real processes, a scripted model over real HTTP."""

from __future__ import annotations

from pathlib import Path

from tests.cli.support import Bench, calls
from turnfold.testing.server import ScriptedServer


def test_a_result_is_said_and_ends_the_turn(tmp_path: Path) -> None:
    with ScriptedServer((calls("complete", text="All is done."),)) as server:
        done = Bench.at(tmp_path, server.base_url).run("do it", "--tools", "+complete")
    assert (done.code, done.out) == (0, "All is done.\n"), done.err
    assert len(server.requests) == 1

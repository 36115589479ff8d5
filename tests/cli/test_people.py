"""Tools that end a turn, start children and look back, end to end: real processes, a scripted model over real HTTP."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.support import Bench
from turnfold.core.llm.reply import RawCall
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream


def made(name: str, **arguments: object) -> ScriptedReply:
    """A reply that calls one tool."""
    return ScriptedReply(chunks=(chat_stream("", (RawCall(name, json.dumps(arguments)),)),))


def test_a_result_is_said_and_ends_the_turn(tmp_path: Path) -> None:
    with ScriptedServer((made("complete", text="All is done."),)) as server:
        done = Bench.at(tmp_path, server.base_url).run("do it", "--tools", "+complete")
    assert (done.code, done.out) == (0, "All is done.\n"), done.err
    assert len(server.requests) == 1

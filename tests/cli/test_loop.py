"""The prompt loop, on a real pseudo-terminal: a person types, a scripted model answers."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.cli.support import Bench, says
from turnfold.testing.server import ScriptedServer

SIGN = "> "


def test_a_conversation_at_the_prompt(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."), says("Again."), says("Three lines."), says("Two."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal()
        person.until("Ctrl-D leaves.")
        person.until(SIGN)
        person.type("hi\n")
        person.until("Hello.\n")
        person.until(SIGN)
        person.type("/undo\n")
        person.until("Took back 1 turn")
        person.until(SIGN)
        person.type("/nope\n")
        person.until("There is no command /nope")
        person.until(SIGN)
        person.type("/nope\n")
        person.until("There is no command /nope")  # told each time
        person.until(SIGN)
        person.type("/hel\t\n")
        person.until("List the commands.")
        person.until(SIGN)
        person.type("hi \x03")
        person.until(SIGN)
        person.type("once more\n")
        person.until("Again.\n")
        person.until(SIGN)
        person.type('"""\none\ntwo\n"""\n')
        person.until("Three lines.\n")
        person.until(SIGN)
        person.type("one\\\n")
        person.until(". ")
        person.type("two\n")
        person.until("Two.\n")
        person.until(SIGN)
        person.type("\x04")
        assert "turnfold --resume" in person.until("go on:  turnfold --resume")
        assert person.ended() == 0
        bodies = [request.body.decode() for request in server.requests]
    assert ["once more" in body for body in bodies] == [False, True, True, True]
    assert '"hi' not in bodies[1]
    assert '"one\\ntwo"' in bodies[2]
    assert bodies[3].count('"one\\ntwo"') == 2
    history = bench.home / "tf" / "data" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert history.read_text().split("\n")[-3:] == ['"one\\ntwo"', '"one\\ntwo"', ""][-3:] or '"one\\ntwo"' in history.read_text()

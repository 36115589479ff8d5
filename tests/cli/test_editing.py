"""Editing what is done, on a terminal and as JSON Lines: real processes, a scripted model over real HTTP."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from attrs import evolve

from tests.cli.support import Bench, calls, says
from turnfold.cli.rewriting import arguments_untrusted
from turnfold.core.agent.asked import Question
from turnfold.core.agent.ids import RequestId
from turnfold.core.json import JsonObject
from turnfold.core.tools.arguments import parameters, text_parameter
from turnfold.core.world.requests import ListFiles
from turnfold.testing.server import ScriptedServer

SAVE = calls("save", path="a.txt", content="from the model\n")
MINE = json.dumps({"path": "a.txt", "content": "from me\n"})

# An editor: the first time it leaves what is no JSON, then what the person wants.
EDITOR = """
import pathlib, sys
file, state = pathlib.Path(sys.argv[-1]), pathlib.Path(__file__).with_suffix(".state")
assert "from the model" in file.read_text() or state.exists()
file.write_text({mine!r} if state.exists() else "oops")
state.touch()
"""


def told(server: ScriptedServer) -> str:
    """What the model read of its call."""
    return next(str(message["content"]) for message in json.loads(server.requests[-1].body)["messages"] if message["role"] == "tool")


def test_arguments_are_written_on_a_line_and_the_model_is_told(tmp_path: Path) -> None:
    with ScriptedServer((SAVE, says("Saved."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("save it")
        assert "[e]dit what is done" in person.until("reason for no: ")
        person.type("e\n")
        assert '{"path":"a.txt","content":"from the model\\n"}' in person.until("(empty to leave them): ")
        person.type('{"pth": "a.txt"}\n')
        assert "$.pth is unknown; did you mean path?" in person.until("(empty to leave them): ")
        person.type(MINE + "\n")
        assert "with other arguments" in person.until("Saved.")
        assert person.ended() == 0
        assert "The user changed the arguments of this call" in told(server)
    assert (bench.workspace / "a.txt").read_text(encoding="utf-8") == "from me\n"


def test_arguments_that_are_left_as_they_are_are_asked_for_again(tmp_path: Path) -> None:
    with ScriptedServer((SAVE, says("Saved."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("save it")
        person.until("reason for no: ")
        person.type("e\n")
        person.until("(empty to leave them): ")
        person.type("\n")
        person.until("reason for no: ")
        person.type("y\n")
        person.until("Saved.")
        assert person.ended() == 0
    assert (bench.workspace / "a.txt").read_text(encoding="utf-8") == "from the model\n"


def test_arguments_are_written_in_the_person_s_editor(tmp_path: Path) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(EDITOR.format(mine=MINE), encoding="utf-8")
    with ScriptedServer((SAVE, says("Saved."))) as server:
        bench = evolve(Bench.at(tmp_path, server.base_url), environ={"EDITOR": f"{sys.executable} {editor}"})
        person = bench.on_terminal("save it")
        person.until("reason for no: ")
        person.type("e\n")
        assert "That is no JSON" in person.until("Edit it again? [y/n] ")
        person.type("y\n")
        person.until("Saved.")
        assert person.ended() == 0
    assert (bench.workspace / "a.txt").read_text(encoding="utf-8") == "from me\n"


def test_an_editor_that_is_not_there_says_so_and_the_question_stays(tmp_path: Path) -> None:
    with ScriptedServer((SAVE, says("Well."))) as server:
        bench = evolve(Bench.at(tmp_path, server.base_url), environ={"EDITOR": str(tmp_path / "none")})
        person = bench.on_terminal("save it")
        person.until("reason for no: ")
        person.type("e\n")
        assert "can't be used" in person.until("reason for no: ")
        person.type("n\n")
        person.until("Well.")
        assert person.ended() == 0


def test_a_program_reads_the_question_and_decides_it_later(tmp_path: Path) -> None:
    with ScriptedServer((SAVE, says("Saved."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        paused = bench.run("save it", "--json")
        assert paused.code == 3, paused.err
        lines = [json.loads(line) for line in paused.out.splitlines()]
        (question,) = [line["question"] for line in lines if "question" in line]
        assert (question["tool"], question["arguments"]) == ("save", {"path": "a.txt", "content": "from the model\n"})
        assert "Create a.txt" in question["preview"]
        unfit = bench.run(f"/decide {question['request_id']} {{}}", "--json", "--resume", paused.conversation)
        assert "$.path is missing" in unfit.out
        done = bench.run(f"/decide {question['request_id']} {MINE}", "--json", "--resume", paused.conversation)
        assert done.code == 0, done.err
        assert any(line.get("event", {}).get("type") == "CallEdited" for line in map(json.loads, done.out.splitlines()))
    assert (bench.workspace / "a.txt").read_text(encoding="utf-8") == "from me\n"


def test_a_secret_is_no_argument(tmp_path: Path) -> None:
    with ScriptedServer((SAVE,)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("save it")
        person.until("reason for no: ")
        person.type("e\n")
        person.until("(empty to leave them): ")
        person.type('{"path": "a.txt", "content": "sk-very-secret-value-1234"}\n')
        assert "which is never kept" in person.until("turnfold --resume")
        assert person.ended() == 3
    assert not (bench.workspace / "a.txt").exists()


def test_a_reply_that_has_to_be_json_is_written_again(tmp_path: Path) -> None:
    with ScriptedServer((says("It is three."), says('{"n": 3}'))) as server:
        bench = Bench.at(tmp_path, server.base_url, 'output = { type = "object", required = ["n"] }')
        done = bench.run("how many?")
        assert json.loads(server.requests[0].body)["messages"][0]["content"].endswith('{"type":"object","required":["n"]}')
    assert done.code == 0, done.err
    assert '{"n": 3}' in done.out
    assert "(the model is told to write that reply again)" in done.out + done.err


ASKED = Question(request_id=RequestId(1, 1, 0, 0), request=ListFiles(path="/", limit=1), reason="", preview="", arguments=JsonObject())


def test_what_a_person_writes_is_checked_where_the_parameters_are_known() -> None:
    known = evolve(ASKED, parameters=parameters(("path",), path=text_parameter("A file.")))
    assert arguments_untrusted('{"path": "a"}', known).unwrap() == JsonObject.of(path="a")
    assert "$.path is missing" in arguments_untrusted("{}", known).failure()
    assert arguments_untrusted("{", known).failure().startswith("That is no JSON: ")

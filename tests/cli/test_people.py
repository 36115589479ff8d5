"""Tools that end a turn, start children and look back, end to end: real processes, a scripted model over real HTTP."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

from tests.cli.support import PATIENCE_S, Bench
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


def test_children_are_listed_apart_and_ask_in_their_own_name(tmp_path: Path) -> None:
    script = (
        made("subagent", task="Write a.txt."),
        made("save", path="a.txt", content="hi\n"),
        ScriptedReply(chunks=(chat_stream("Written."),)),
        ScriptedReply(chunks=(chat_stream("It is there."),)),
        ScriptedReply(chunks=(chat_stream("Bye."),)),
    )
    with ScriptedServer(script) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("have a.txt written")
        asked = person.until("reason for no: ")
        assert "~1.1.0.0 asks)" in asked
        assert "Create a.txt (1 line):" in asked
        person.type("y\n")
        person.until("It is there.")
        assert person.ended() == 0
        assert (bench.workspace / "a.txt").read_text(encoding="utf-8") == "hi\n"
        listed = bench.run("list").out.splitlines()
        both = bench.run("list", "--children", "--json").out.splitlines()
        parent = listed[0].split()[0]
        shown = bench.run("show", f"{parent}~1.1.0.0")
        more = bench.run("thanks", "--resume", parent[:-3])
    assert len(listed) == 1
    assert sorted(json.loads(line)["parent"] for line in both) == ["", parent]
    assert "> Write a.txt." in shown.out
    assert (more.code, more.out) == (0, "Bye.\n"), more.err


def test_children_of_one_round_run_side_by_side(tmp_path: Path) -> None:
    """Neither child hears of its model before both have asked it."""
    gate = Event()
    both = tuple(RawCall("subagent", json.dumps({"task": f"Say {word}."})) for word in ("one", "two"))
    said = ScriptedReply(chunks=(chat_stream("Said."),), gate=gate)
    script = (ScriptedReply(chunks=(chat_stream("", both),)), said, said, ScriptedReply(chunks=(chat_stream("Both did."),)))
    with ScriptedServer(script) as server:
        process = Bench.at(tmp_path, server.base_url).start("let two say something")
        out, err = waited(process, lambda: len(server.requests) == 3, gate)
    assert process.returncode == 0, err
    assert out.endswith("\nBoth did.\n"), out


def waited(process: subprocess.Popen[str], ready: Callable[[], bool], gate: Event) -> tuple[str, str]:
    """What ``process`` printed, with ``gate`` opened once things are ready; it is killed where they never are."""
    deadline = time.monotonic() + PATIENCE_S
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        gate.wait(0.01)
    if ready():
        gate.set()
    else:
        process.kill()
    return process.communicate(timeout=PATIENCE_S)


def test_a_child_that_a_person_commands_has_the_model_that_is_found(tmp_path: Path) -> None:
    with ScriptedServer((ScriptedReply(chunks=(chat_stream("Hi."),)),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        named = bench.config.read_text().replace('model = "scripted/test"\n', "")
        bench.write_config(f'{named}default_model = "test"\n')
        done = bench.run("/subagent Say hi.")
        body = json.loads(server.requests[0].body) if server.requests else {}
    assert done.code == 0, done.out + done.err
    assert body.get("model") == "test"
    assert "Hi." in done.out


def test_past_conversations_are_searched_and_read(tmp_path: Path) -> None:
    with ScriptedServer((ScriptedReply(chunks=(chat_stream("Cheese, they say."),)),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        first = bench.run("what is the moon made of?")
        found = bench.run("/chats the moon")
        read = bench.run(f'/chats --json {{"conversation": "{first.conversation}"}}')
        none = bench.run("/chats stars")
    assert (found.code, read.code, none.code) == (0, 0, 0), found.err
    assert f"{first.conversation} (20" in found.out
    assert "what is the moon made of?" in found.out
    assert "Assistant: Cheese, they say." in read.out
    assert "No past conversation says that." in none.out

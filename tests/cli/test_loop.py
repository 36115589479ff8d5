"""The prompt loop, on a real pseudo-terminal: a person types, a scripted model answers."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path
from threading import Event

import pytest

from tests.cli.support import Bench, Terminal, calls, is_alive, read_fifo, says, until_asleep
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

SIGN = "> "


def typed(person: Terminal, *texts: str) -> None:
    """The person types a text at each prompt."""
    for text in texts:
        person.until(SIGN)
        person.type(text)


def test_a_conversation_at_the_prompt(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."), says("Again."), says("Two lines."), says("Once more."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("--name", "chat")
        person.until("Ctrl-D leaves.")
        typed(person, "hi\n")
        person.until("Hello.\n")
        typed(person, "/undo\n")
        person.until("Took back 1 turn")
        typed(person, "/redo\n", "/log\n")
        person.until("model: Hello.")
        person.until(SIGN)
        person.type("taken back ")
        person.until("taken back ")
        until_asleep(person.process.pid)  # a signal between the prompt and the wait would be seen at the next key only
        person.type("\x03")
        typed(person, "again\n")
        person.until("Again.\n")
        typed(person, '"""\none\ntwo\n"""\n')
        person.until("Two lines.\n")
        typed(person, "one\\\n")
        person.until(". ")
        person.type("two\n")
        person.until("Once more.\n")
        typed(person, "/rename other\n", "/exit\n")
        person.until("go on:  turnfold --resume")
        assert person.ended() == 0
        bodies = [request.body.decode() for request in server.requests]
        assert "other" in bench.run("list").out
        assert "> one\n> two\n" in bench.run("show", "other").out
    assert "taken back" not in bodies[1]
    assert '"hi"' in bodies[1]
    assert [body.count('"one\\ntwo"') for body in bodies] == [0, 0, 1, 2]


def test_names_are_completed_and_what_was_said_is_remembered_for_this_person_alone(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."), says("Again."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal()
        typed(person, "say hello\n")
        person.until("Hello.\n")
        typed(person, "/exi\t\n")
        assert person.ended() == 0
        history = bench.home / "tf" / "data" / "history"
        assert stat.S_IMODE(history.stat().st_mode) == 0o600
        assert [json.loads(line).strip() for line in history.read_text().splitlines()] == ["say hello", "/exit"]
        later = bench.on_terminal()
        typed(later, "\x1b[A\x1b[A\n")  # twice up
        later.until("Again.\n")
        typed(later, "\x04")
        assert later.ended() == 0
    assert '"say hello"' in server.requests[1].body.decode()


def test_a_problem_is_told_each_time_and_an_empty_line_is_nothing(tmp_path: Path) -> None:
    with ScriptedServer(()) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal()
        for _ in range(2):
            typed(person, "/nope\n")
            person.until("There is no command /nope")
        typed(person, "\n", "   \n", "\x04")
        person.until("Nothing of this conversation is kept.")
        assert person.ended() == 0
        assert not server.requests


def test_ctrl_c_interrupts_the_turn_and_the_conversation_goes_on(tmp_path: Path) -> None:
    never = Event()
    cut = ScriptedReply(chunks=(chat_stream("Once upon a time").removesuffix(b"data: [DONE]\n\n"), b""), gate=never, gate_at=1)
    with ScriptedServer((cut, says("There was."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal()
        typed(person, "tell\n")
        person.until("Once upon a time")
        person.type("\x03")
        person.until("(interrupted)")
        typed(person, "go on\n")
        person.until("There was.\n")
        typed(person, "\x04")
        assert person.ended() == 0
    assert "Once upon a time" in server.requests[1].body.decode()


def test_a_second_ctrl_c_leaves_the_turn_at_once(tmp_path: Path) -> None:
    """A command that does not die of being asked to."""
    stubborn = calls("shell", command="trap 'echo > told' TERM; echo $$ > fifo; while :; do sleep 300 & wait; done")
    with ScriptedServer((stubborn, says("Well."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        os.mkfifo(bench.workspace / "fifo")
        os.mkfifo(bench.workspace / "told")
        person = bench.on_terminal("--yes")
        typed(person, "run it\n")
        pid = int(read_fifo(bench.workspace / "fifo"))
        person.type("\x03")
        read_fifo(bench.workspace / "told")
        person.type("\x03")
        person.until("(interrupted)")
        typed(person, "go on\n")
        person.until("Well.\n")
        typed(person, "/exit\n")
        assert person.ended() == 0
        assert not is_alive(pid)


def test_a_question_is_asked_in_the_loop_and_one_left_open_is_asked_again(tmp_path: Path) -> None:
    with ScriptedServer((calls("save", path="a.txt", content="a\n"), says("Saved."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal()
        typed(person, "make it\n")
        person.until("reason for no: ")
        person.type("\x04")
        person.until("1 question open: Enter asks again")
        typed(person, "\n")
        person.until("reason for no: ")
        person.type("y\n")
        person.until("Saved.\n")
        typed(person, "\x04")
        assert person.ended() == 0
    assert (bench.workspace / "a.txt").read_text() == "a\n"


def test_a_question_that_is_open_can_be_left(tmp_path: Path) -> None:
    with ScriptedServer((calls("save", path="a.txt", content="a\n"),)) as server:
        person = Bench.at(tmp_path, server.base_url).on_terminal()
        typed(person, "make it\n")
        person.until("reason for no: ")
        person.type("\x04")
        typed(person, "/exit\n")
        person.until("Waits for permission (1 question)")
        assert person.ended() == 0


def test_resume_does_what_is_due_and_reads_on(tmp_path: Path) -> None:
    with ScriptedServer((calls("save", path="a.txt", content="a\n"), says("Saved."), says("Bye."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        first = bench.run("make it")
        assert first.code == 3, first.err
        person = bench.on_terminal("--resume")
        person.until("Going on with")
        person.until("reason for no: ")
        person.type("y\n")
        person.until("Saved.\n")
        typed(person, "thanks\n")
        person.until("Bye.\n")
        typed(person, "/exit\n")
        person.until(f"turnfold --resume {first.conversation}")
        assert person.ended() == 0
        assert bench.run("--resume", first.conversation).code == 0


def test_another_process_cannot_drive_it_meanwhile(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("--name", "mine")
        typed(person, "hi\n")
        person.until("Hello.\n")
        person.until(SIGN)
        assert "is going on in another process" in bench.run("--resume", "mine", "hi").err
        person.type("\x04")
        assert person.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_prompt_leaves_and_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    with ScriptedServer((says("Hello."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal()
        typed(person, "hi\n")
        person.until("Hello.\n")
        person.until(SIGN)
        until_asleep(person.process.pid)  # a signal between the prompt and the wait would be seen at the next key only
        person.process.send_signal(number)
        person.until("go on:  turnfold --resume")
        assert person.ended() == 130


def test_a_fork_an_export_and_a_trace_from_the_prompt(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."), says("Other."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal()
        typed(person, "hi\n")
        person.until("Hello.\n")
        typed(person, "/fork branch\n")
        person.until(", called branch. Go on with it:")
        typed(person, "/trace\n")
        person.until("model scripted/test")
        typed(person, "/export chat.md\n")
        person.until("Wrote chat.md (")
        typed(person, "/export chat.md\n")
        person.until("chat.md is there already, and was left as it is")
        typed(person, "/export\n")
        person.until("## Assistant\n\nHello.\n")
        typed(person, "\x04")
        assert person.ended() == 0
        other = bench.run("--resume", "branch", "and?")
        assert (other.code, other.out) == (0, "Other.\n")
        exported = bench.shell("turnfold -r branch /export > branch.md")
    assert exported.code == 0, exported.err
    assert (bench.workspace / "branch.md").read_text().startswith("# branch\n\n## User\n\nhi\n")
    assert "Other." in (bench.workspace / "branch.md").read_text()
    assert "Other." not in (bench.workspace / "chat.md").read_text()


@pytest.mark.parametrize("line", ["turnfold </dev/null", "turnfold --json </dev/null"])
def test_without_a_terminal_there_is_no_loop(tmp_path: Path, line: str) -> None:
    with ScriptedServer(()) as server:
        done = Bench.at(tmp_path, server.base_url).shell(line)
    assert done.code == 2
    assert "Say what shall be done:" in done.err

"""The command, end to end: real processes, a scripted model over real HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from threading import Event

import pytest
from attrs import evolve

from tests.cli.support import PATIENCE_S, SECRET, Bench, calls, end, finished, is_alive, read_fifo, says
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

MAIN_JOB = (
    calls("save", "I write it.", path="hello.txt", content="hi\n"),
    calls("patch", path="notes.txt", patch="<<<<<<< ORIGINAL\nthe red one\n=======\nthe blue one\n>>>>>>> UPDATED"),
    calls("shell", command="wc -c hello.txt"),
    says("hello.txt has 3 bytes."),
)


def test_the_main_job(tmp_path: Path) -> None:
    with ScriptedServer(MAIN_JOB) as server:
        bench = Bench.at(tmp_path, server.base_url)
        (bench.workspace / "notes.txt").write_text("the red one\n", encoding="utf-8")
        done = bench.run("make hello.txt, change notes.txt, count", "--yes")
    assert done.code == 0, done.err
    assert (bench.workspace / "hello.txt").read_text() == "hi\n"
    assert (bench.workspace / "notes.txt").read_text() == "the blue one\n"
    for words in (
        "I write it.\n",
        "write hello.txt\n",
        "  +hi\n",
        "  -the red one\n",
        "run: wc -c hello.txt\n",
        "  │ 3 hello.txt\n",
        "hello.txt has 3 bytes.\n",
    ):
        assert words in done.out
    assert done.err.startswith("Using scripted/test (it is named).")
    assert done.err.count("Using") == 1
    assert "400 tokens in, 28 out" in done.err
    assert server.requests[0].header("authorization") == f"Bearer {SECRET}"


def test_a_text_format_shows_the_call_once(tmp_path: Path) -> None:
    reply = says("I write it.\n\n```save hello.txt\nhi\n```\nand this is invented")
    with ScriptedServer((reply, says("Done."))) as server:
        bench = Bench.at(tmp_path, server.base_url, 'tool_format = "markdown"')
        done = bench.run("make it", "--yes")
    assert done.code == 0, done.err
    assert (bench.workspace / "hello.txt").read_text() == "hi\n"
    assert "```" not in done.out
    assert "invented" not in done.out
    assert done.out.startswith("I write it.\n\nread hello.txt\nwrite hello.txt\n  +hi\n  │ ")


def test_without_a_terminal_a_question_stays_open_and_resume_asks_again(tmp_path: Path) -> None:
    with ScriptedServer((calls("save", path="hello.txt", content="hi\n"), says("Done."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        first = bench.run("make it")
        assert first.code == 3, first.err
        assert not (bench.workspace / "hello.txt").exists()
        assert "Create hello.txt (1 line):" in first.out
        assert "turnfold --resume" in first.err
        again = bench.run("--resume")
        assert (again.code, len(server.requests)) == (3, 1)
        last = bench.run("--resume", "--yes")
    assert last.code == 0, last.err
    assert (bench.workspace / "hello.txt").read_text() == "hi\n"
    assert last.out.endswith("Done.\n")


def test_a_person_decides_at_the_terminal(tmp_path: Path) -> None:
    script = (
        calls("save", path="a.txt", content="a\n"),
        calls("save", path="d/b.txt", content="b\n"),
        calls("save", path="d/c.txt", content="c\n"),
        calls("shell", command="touch d.txt"),
        says("Done."),
    )
    with ScriptedServer(script) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("make them")
        assert "Create a.txt (1 line):" in person.until("reason for no: ")
        person.type("not this one\n")
        assert "Create d/b.txt" in person.until("reason for no: ")
        person.type("?\n")
        person.until("Answer y, n, a, e or v")
        person.until("reason for no: ")
        assert "[a]lways write d/* /" in person.text
        person.type("a\n")
        assert "write d/c.txt" in person.until("reason for no: ")  # d/c.txt needs no question any more, the command does
        person.type("y\n")
        person.until("Done.")
        assert person.ended() == 0
        told = server.requests[1].body.decode()
    assert sorted(path.name for path in bench.workspace.iterdir()) == ["d", "d.txt"]
    assert "They said: not this one" in told


def test_a_person_can_see_all_of_what_is_too_long_to_be_shown(tmp_path: Path) -> None:
    content = "".join(f"number {at}\n" for at in range(3000))
    with ScriptedServer((calls("save", path="a.txt", content=content), says("Done."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("make it")
        assert "+number 1500\n" not in person.until("[v]iew all of it / reason for no: ")
        person.type("v\n")
        person.until("+number 1500\n")
        person.until("+number 2999\n")
        person.until("reason for no: ")
        person.type("y\n")
        person.until("Done.")
        assert person.ended() == 0
    assert (bench.workspace / "a.txt").read_text() == content


def test_ctrl_c_at_a_question_ends_the_turn(tmp_path: Path) -> None:
    with ScriptedServer((calls("save", path="a.txt", content="a\n"),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        person = bench.on_terminal("make it")
        person.until("reason for no: ")
        person.type("\x03")
        assert person.ended() == 130
    assert "(interrupted)" in person.text
    assert not list(bench.workspace.iterdir())


def test_a_dry_run_does_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    script = (calls("save", path="a.txt", content="a\n"), calls("shell", command="touch b.txt"), says("I would have made two files."))
    rule = '[[rules]]\nverdict = "allow"\nkind = "run"\n'
    with ScriptedServer(script) as server:
        bench = Bench.at(tmp_path, server.base_url)
        bench.write_config(bench.config.read_text() + rule)
        done = bench.run("make them", "--dry-run")
        told = server.requests[2].body.decode()
    assert done.code == 0, done.err
    assert "Create a.txt (1 line):" in done.out
    assert "run: touch b.txt" in done.out
    assert "dry run" in told
    assert not list(bench.workspace.iterdir())
    assert "There are no conversations" in bench.run("list").out


def test_json_lines_are_all_that_is_printed(tmp_path: Path) -> None:
    with ScriptedServer((calls("save", "I write.", path="a.txt", content="a\n"), says("Done."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        done = bench.run("make it", "--yes", "--json")
        lines = [json.loads(line) for line in done.out.splitlines()]
        kept = [json.loads(line) for line in bench.run("show", done.conversation, "--json").out.splitlines()]
    assert done.code == 0, done.err
    events = [line for line in lines if "event" in line]
    assert [line["number"] for line in events] == list(range(len(events)))
    assert events == kept
    assert "".join(line["delta"]["text"] for line in lines if "delta" in line) == "I write.Done."
    assert events[-1]["event"]["type"] == "TurnEnded"


def test_killed_in_a_slow_tool_the_outcome_is_told_truthfully(tmp_path: Path) -> None:
    with ScriptedServer((calls("shell", command="echo $$ > fifo; sleep 300"), says("I do not know."), says("Look."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        os.mkfifo(bench.workspace / "fifo")
        process = bench.start("run it", "--yes", "--name", "slow one")
        pid = int(read_fifo(bench.workspace / "fifo"))
        try:
            process.kill()
            finished(process)
            done = bench.run("--resume", "slow one", "what came of it?")
        finally:
            end(pid)
        told = server.requests[1].body.decode()
    assert done.code == 0, done.err
    assert "turnfold was stopped in the middle of an act (run " in done.err
    assert "whether it took effect is unknown, so look" in done.err
    assert "RunProcess" not in done.err
    assert "Whether it took effect is unknown" in told
    assert "I do not know." in done.out
    assert "what came of it?" in server.requests[-1].body.decode()


def test_a_conversation_that_goes_on_elsewhere_is_left_to_go_on(tmp_path: Path) -> None:
    with ScriptedServer((calls("shell", command="echo $$ > fifo; cat gate"), says("All is well."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        os.mkfifo(bench.workspace / "fifo")
        os.mkfifo(bench.workspace / "gate")
        process = bench.start("run it", "--yes")
        read_fifo(bench.workspace / "fifo")
        second = bench.run("--yes", "--resume", "--", "and now?")
        (bench.workspace / "gate").write_text("open\n", encoding="utf-8")
        first = finished(process)
    assert second.code == 2
    assert "is going on in another process" in second.err
    assert first.code == 0, first.err
    assert "All is well." in first.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_in_a_slow_command_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    with ScriptedServer((calls("shell", command="echo $$ > fifo; sleep 300"),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        os.mkfifo(bench.workspace / "fifo")
        process = bench.start("run it", "--yes")
        pid = int(read_fifo(bench.workspace / "fifo"))
        process.send_signal(number)
        done = finished(process)
        assert done.code == 130, done.err
        assert not is_alive(pid)
        assert "(interrupted)" in bench.run("show", done.conversation).out


def test_a_second_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    stubborn = calls("shell", command="trap 'echo > told' TERM; echo $$ > fifo; while :; do sleep 300 & wait; done")
    with ScriptedServer((stubborn, says("Well."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        os.mkfifo(bench.workspace / "fifo")
        os.mkfifo(bench.workspace / "told")
        person = bench.on_terminal("run it", "--yes")
        pid = int(read_fifo(bench.workspace / "fifo"))
        person.type("\x03")
        read_fifo(bench.workspace / "told")
        person.type("\x03")
        said = person.until("goes on.")
        assert "not finished.  turnfold --resume " in said
        assert person.ended() == 130
        assert not is_alive(pid)
        shown = bench.run("show", said.rpartition("--resume ")[2].split()[0])
        assert "(not finished: it is under way, or was stopped.  turnfold --resume " in shown.out


def test_what_waits_for_permission_says_so_when_it_is_shown_and_traced(tmp_path: Path) -> None:
    with ScriptedServer((calls("save", path="a.txt", content="a\n"),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        first = bench.run("make it", "--name", "mine")
        assert first.code == 3, first.err
        assert "(not finished: it waits for permission, 1 question.  turnfold --resume" in bench.run("show", "mine").out
        told = bench.run("trace", "mine").out
        assert "  turn 1 · unfinished · make it\n" in told
        assert re.search(r"\n        write /\S+ · unfinished\n          permission · unfinished · asked: ", told), (
            told
        )  # a long path is cut
        lines = tuple(map(json.loads, bench.run("trace", "mine", "1", "--json").out.splitlines()))
        assert {each["kind"] for each in lines} == {"model", "permission", "request", "tool", "round", "turn"}
        assert lines[-1]["attributes"]["turnfold.status"] == "unfinished"
        assert bench.run("trace", "mine", "2").code == 2
        assert bench.run("trace", "nobody").code == 2


def test_what_was_exported_by_a_run_is_what_its_journal_tells_afterwards(tmp_path: Path) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with ScriptedServer((calls("read", path="a.txt"), says("Done."), says("Again."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        bench.write_config(f"{bench.config.read_text()}[exporters.mine]\npath = '{tmp_path}/mine.jsonl'\n")
        evolve(bench, environ={**bench.environ, "TRACEPARENT": parent}).run("go", "--name", "mine")
        bench.run("--resume", "mine", "and again")
        told = bench.run("trace", "mine", "--json").out
        assert sorted((tmp_path / "mine.jsonl").read_text().splitlines()) == sorted(told.splitlines())
        sent = [request.header("traceparent") or "" for request in server.requests]
        assert {each.split("-")[1] for each in sent} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
        models = [each["span_id"] for each in map(json.loads, told.splitlines()) if each["kind"] == "model"]
        assert [each.split("-")[2] for each in sent] == models
        body = json.loads(bench.run("trace", "mine", "--otlp-json").out)
        assert len(body["resourceSpans"][0]["scopeSpans"][0]["spans"]) == len(told.splitlines())
        assert "Wrote page.html" in bench.run("trace", "mine", "--html", "page.html").out
        assert (bench.workspace / "page.html").read_text() == bench.run("trace", "mine", "--html", "-").out
        assert bench.run("trace", "mine", "--html", "page.html").code == 2
        wrong = evolve(bench, environ={**bench.environ, "TRACEPARENT": "x"}).run("/help")
        assert "TRACEPARENT is left out" in wrong.err


def test_a_document_is_written_once_or_goes_to_standard_output_alone(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        assert bench.run("hi").code == 0
        whole = bench.run("-r", "/export")
        assert (whole.code, whole.out.count("Hello.")) == (0, 1)
        assert whole.out.startswith("# ")
        written = bench.run("-r", "/export sub/chat.json")
        assert (written.code, written.out) == (0, "Wrote sub/chat.json (4 lines).\n")
        assert json.loads((bench.workspace / "sub" / "chat.json").read_text())["messages"][1]["text"] == "Hello."
        again = bench.run("-r", "/export sub/chat.json")
        assert (again.code, again.out) == (2, "")
        assert "sub/chat.json is there already, and was left as it is: name another file." in again.err
        (bench.workspace / "file").touch()
        assert bench.run("-r", "/export file/chat.md").code == 2
        dry = bench.run("-r", "-n", "/export dry.md")
        assert "this is a dry run" in dry.err
        fork = bench.run("-r", "-n", "/fork dry")
        assert (fork.out, "no fork was kept" in fork.err) == ("", True)
        lines = [json.loads(line) for line in bench.run("-r", "--json", "/export json").out.splitlines()]
    assert [line["document"]["path"] for line in lines if "document" in line] == [""]
    assert not (bench.workspace / "dry.md").exists()


def test_ctrl_c_in_mid_stream_keeps_the_text_so_far(tmp_path: Path) -> None:
    never = Event()
    cut = ScriptedReply(chunks=(chat_stream("Once upon a time").removesuffix(b"data: [DONE]\n\n"), b""), gate=never, gate_at=1)
    with ScriptedServer((cut, says("there was."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        process = bench.start("tell")
        assert process.stdout is not None
        assert process.stdout.read(16) == "Once upon a time"
        process.send_signal(signal.SIGINT)
        done = finished(process)
        assert done.code == 130, done.err
        assert "(interrupted)" in done.out
        more = bench.run("--resume", done.conversation, "go on")
        told = server.requests[1].body.decode()
    assert (more.code, more.out) == (0, "there was.\n")
    assert "Once upon a time" in told


def test_nobody_reads_any_more(tmp_path: Path) -> None:
    gate = Event()
    stream = chat_stream("first line\n" + "more " * 50)
    with ScriptedServer((ScriptedReply(chunks=(stream[:700], stream[700:]), gate=gate, gate_at=1),)) as server:
        process = Bench.at(tmp_path, server.base_url).start("tell")
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "first line\n"
        process.stdout.close()
        gate.set()
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait(PATIENCE_S) == 1
    assert "nobody reads the output any more" in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    with ScriptedServer((says("Done."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        done = bench.shell(f'turnfold "tell" {closed}')
    assert done.code == 0, done.err


def test_context_from_files_and_standard_input(tmp_path: Path) -> None:
    with ScriptedServer((says("Done."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        (bench.workspace / "a.md").write_text("```\ncode\n```\n", encoding="utf-8")
        done = bench.run("what is this?", "a.md", stdin="from the pipe\n")
        said = json.loads(server.requests[0].body)["messages"][-1]["content"]
    assert done.code == 0, done.err
    assert said == "what is this?\n\na.md:\n````\n```\ncode\n```\n````\n\nstandard input:\n````\nfrom the pipe\n````"


def test_settings_change_when_a_conversation_goes_on(tmp_path: Path) -> None:
    with ScriptedServer((says("One."), says("Two."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        first = bench.run("one")
        second = bench.run("--resume", first.conversation, "two", "--model", "scripted/other", "--tools", "read")
        bodies = [json.loads(request.body) for request in server.requests]
    assert second.code == 0, second.err
    assert [body["model"] for body in bodies] == ["test", "other"]
    assert [tool["function"]["name"] for tool in bodies[1]["tools"]] == ["read"]


AGENTS = """
[agents.reviewer]
instructions = "Review, change nothing."
model = "scripted/careful"
tools = ["read"]
"""


def test_an_agent_leads_from_the_start_and_when_a_conversation_goes_on(tmp_path: Path) -> None:
    with ScriptedServer((says("One."), says("Two."), says("Three."))) as server:
        bench = Bench.at(tmp_path, server.base_url, AGENTS)
        led = bench.run("one", "--agent", "reviewer")
        other = bench.run("two")
        later = bench.run("--resume", other.conversation, "three", "--agent", "reviewer")
        bodies = [json.loads(request.body) for request in server.requests]
    assert (led.code, other.code, later.code) == (0, 0, 0), later.err
    assert [body["model"] for body in bodies] == ["careful", "test", "careful"]
    assert ["Review, change nothing." in body["messages"][0]["content"] for body in bodies] == [True, False, True]
    assert [len(body["tools"]) == 1 for body in bodies] == [True, False, True]


@pytest.mark.parametrize("arguments", [("hi", "--agent", "reviwer"), ("--resume", "hi", "--agent", "reviwer")], ids=["new", "kept"])
def test_an_agent_that_nobody_describes_is_told_at_once(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with ScriptedServer((says("One."),)) as server:
        bench = Bench.at(tmp_path, server.base_url, AGENTS)
        if "--resume" in arguments:
            arguments = ("--resume", bench.run("one").conversation, *arguments[1:])
        done = bench.run(*arguments)
    assert done.code == 2
    assert "There is no agent 'reviwer'; did you mean reviewer?" in done.err


def test_commands_need_no_model(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, "http://127.0.0.1:9/v1")
    bench.write_config("")
    done = bench.run("/shell echo hi; exit 3")
    assert done.code == 1, done.err
    assert "  ✗ shell failed\n  │ hi\n" in done.out
    assert bench.run("/shell true").code == 0
    assert "/shell COMMAND" in bench.run("/help").out
    assert bench.run("/bogus").code == 2
    assert len(bench.run("list", "--json").out.splitlines()) == 2


def test_a_command_that_changes_something_begins_a_conversation(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, "http://127.0.0.1:9/v1")
    bench.write_config("")
    assert "From now on this is allowed: run echo *" in bench.run("/allow run echo *").out
    assert bench.run("-r", "/allow").out.startswith("allow run echo *  from chat")
    assert bench.run("/impersonate I am done.").code == 0
    assert "1  model: I am done." in bench.run("-r", "/log").out
    assert len(bench.run("list", "--json").out.splitlines()) == 2

"""Everything that can be wrong outside: one clear sentence, the right exit code, never a traceback."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.cli.support import SECRET, USAGE, Bench, calls, says
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

NOWHERE = "http://127.0.0.1:9/v1"


def test_a_wrong_key_is_the_providers_sentence_without_the_key(tmp_path: Path) -> None:
    body = b'{"error": {"message": "Incorrect API key provided: ' + SECRET.encode() + b'", "code": "invalid_api_key"}}'
    refusal = ScriptedReply(status=401, headers=(("Content-Type", "application/json"),), chunks=(body,))
    with ScriptedServer((refusal,)) as server:
        done = Bench.at(tmp_path, server.base_url).run("hi")
    assert done.code == 1
    assert "Incorrect API key provided" in done.err
    assert SECRET not in done.out + done.err
    assert done.err.count("Incorrect API key") == 1


def test_no_network(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: a connection is refused
        taken.bind(("127.0.0.1", 0))
        done = Bench.at(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}/v1").run("hi")
    assert done.code == 1
    assert "scripted" in done.err
    assert "127.0.0.1" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--model", "nope/x", "hi"), "There is no provider"),
        (("--tools", "raed", "hi"), "There is no tool 'raed'; did you mean read or append?"),
        (("--dryrun", "hi"), "did you mean --dry-run?"),
        (("--workspace", "missing", "hi"), "The workspace missing can't be used"),
        (("hi", "missing.txt"), "There is no file missing.txt"),
        (("hi", "."), ". is a folder"),
        (("hi", "binary"), "binary is no text"),
        (("hi", "big.txt"), "too many for a prompt"),
        ((), "Say what shall be done"),
        (("--resume", "nobody", "hi"), "There is no conversation 'nobody'"),
        (("--resume",), "No conversation was held in"),
        (("show", "nobody"), "there are no conversations yet"),
        (("show",), "which conversation?"),
        (("--name", "x", "--resume", "y"), "--name is for a new conversation"),
        (("/shell ls", "a.txt"), "commands take no files"),
        (("/read", "a.txt"), "quote the whole line, as in '/read …'"),
        (("/shell",), "/shell needs COMMAND: write  /shell COMMAND"),
        (("hi", "pipe"), "pipe is no ordinary file: pipe its text in"),
        (("list", "x"), "there is nothing to do with x"),
        (("--workspace", "~nobody-of-that-name", "hi"), "directory."),
        (("--workspace", "x" * 5000, "hi"), "xx…"),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    (bench.workspace / "binary").write_bytes(b"\x7fELF\0\xff")
    (bench.workspace / "big.txt").write_bytes(b"a" * 300_000)
    os.mkfifo(bench.workspace / "pipe")
    done = bench.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1 + done.err.startswith("Using")
    assert ".." not in done.err
    assert len(done.err) < 1000


def test_a_broken_config_file_names_all_its_faults(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    text = 'modle = "a"\ntemperature = "hot"\n'
    bench.write_config(text)
    done = bench.run("hi")
    assert done.code == 2
    assert done.err.splitlines() == [
        f"turnfold: {bench.config}:1: there is no setting 'modle' here; did you mean model or models? @ $.modle",
        f"turnfold: {bench.config}:2: temperature takes a number, not text. @ $.temperature",
    ]
    assert bench.config.read_text() == text
    assert bench.run("doctor").code == 1


@pytest.mark.parametrize("text", [b"\xff", b"#\n" * 600_000])
def test_a_config_file_that_is_none_is_named_once(tmp_path: Path, text: bytes) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    bench.config.write_bytes(text)
    done = bench.run("hi")
    assert (done.code, done.err.count(str(bench.config))) == (2, 1)


def test_a_conversation_whose_workspace_is_gone_is_shown_but_does_not_go_on(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."), calls("save", path="a.txt", content="x"))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        conversation = bench.run("hi").conversation
        shutil.rmtree(bench.workspace)
        elsewhere = Bench(bench.home, tmp_path)
        done = elsewhere.run("--yes", "--resume", conversation, "go on")
        shown = elsewhere.run("show", conversation)
        assert len(server.requests) == 1
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == f"turnfold: The workspace {bench.workspace} of this conversation is gone: make it again, or begin a new conversation.\n"
    )
    assert not bench.workspace.exists()
    assert shown.out == "> hi\nHello.\n"


def test_what_could_not_be_kept_is_not_offered_to_go_on_with(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        (bench.workspace / "long").write_text("x" * 150_000, encoding="utf-8")
        done = bench.shell("turnfold '/shell true' 2>&1; ulimit -f 80; turnfold hi long")
    assert "The journal" in done.err
    assert "--resume" not in done.err


def test_a_long_reply_is_cut_at_the_limit_of_the_config(tmp_path: Path) -> None:
    long = ScriptedReply(chunks=(chat_stream("Hello " * 40_000, usage=USAGE),))
    assert len(long.chunks[0]) > 4_000_000
    with ScriptedServer((long, long)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        config = bench.config.read_text()
        bench.write_config(config + "[limits]\nreply_bytes = 4_000_000\n")
        cut = bench.run("hi")
        bench.write_config(config + "[limits]\nreply_bytes = 90_000_000\n")
        whole = bench.run("hi")
    assert (cut.code, whole.code) == (1, 0), whole.err
    assert "raise limits.reply_bytes" in cut.err
    assert whole.out == "Hello " * 40_000 + "\n"


@pytest.mark.parametrize("line", ["list", "show 2", "doctor", "--help"])
def test_a_reader_that_leaves_is_no_news_where_nothing_runs(tmp_path: Path, line: str) -> None:
    with ScriptedServer((says("Hello."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        bench.run("hi")
        done = bench.shell(f"exec 3< <(true); wait $!; turnfold {line} | true; exit ${{PIPESTATUS[0]}}")
    assert done.err == ""


def test_a_project_may_not_redirect_a_key(tmp_path: Path) -> None:
    with ScriptedServer(()) as elsewhere:
        bench = Bench.at(tmp_path, NOWHERE)
        (bench.workspace / "turnfold.toml").write_text(f'[providers.scripted]\nbase_url = "{elsewhere.base_url}"\n', encoding="utf-8")
        done = bench.run("hi")
        assert not elsewhere.requests
    assert done.code == 1  # of the person's own server, which nobody can reach
    assert "turnfold.toml:1: providers.scripted is left out: " in done.err
    assert "it counts only in a folder that you trust" in done.err


def test_a_journal_that_cannot_be_used(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    (bench.home / "tf" / "data").write_text("a file where a folder should be", encoding="utf-8")
    done = bench.run("hi")
    assert done.code == 1
    assert "The journal" in done.err
    assert "can't be used" in done.err
    assert bench.run("doctor").code == 1


@pytest.mark.parametrize(
    ("around", "sentence"),
    [("turnfold hi >/dev/full", "No space left on device"), ("ulimit -f 20; turnfold hi", "The journal")],
)
def test_a_full_disk(tmp_path: Path, around: str, sentence: str) -> None:
    with ScriptedServer((says("Hello " * 20_000),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        done = bench.shell(around)
    assert done.code == 1, done.out
    assert sentence in done.err


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    done = bench.shell("mkdir x; cd x; rmdir ../x; turnfold hi")
    assert done.code == 2
    assert "The workspace (the current folder) can't be used" in done.err


def test_a_damaged_journal(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    journal = bench.home / "tf" / "data" / "journal.sqlite3"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"not a database " * 1000)
    done = bench.run("list")
    assert done.code == 1
    assert "can't be used" in done.err


def test_an_unforeseen_error_is_a_sentence_and_a_file(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(
        f"import turnfold.cli.talk as t\ndef boom(*a): raise RuntimeError('lost {SECRET}')\nt.find_workspace = boom\n", encoding="utf-8"
    )
    done = Bench(bench.home, bench.workspace, {"PYTHONPATH": str(tmp_path / "broken")}).run("hi")
    assert done.code == 1
    assert "this is a bug, please report it (RuntimeError: lost [secret SCRIPTED_KEY])" in done.err
    (written,) = (bench.home / "tf" / "data" / "crashes").iterdir()
    assert "RuntimeError" in written.read_text()
    assert SECRET not in written.read_text()


def test_list_show_and_doctor(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello \x1b[31myou\x1b[0m."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        done = bench.run("say hello", "--name", "greeting")
        listed = bench.run("list")
        shown = bench.run("show", "greeting")
        doctor = bench.run("doctor")
    assert done.out == "Hello \\x1b[31myou\\x1b[0m.\n"
    assert done.conversation in listed.out
    assert "greeting" in listed.out
    assert shown.out == "> say hello\nHello \\x1b[31myou\\x1b[0m.\n"
    assert doctor.code == 0, doctor.out
    assert "scripted/test (it is named)" in doctor.out
    assert "SCRIPTED_KEY is set" in doctor.out
    assert "off: commands run with all your rights (sandbox.profile)" in doctor.out
    assert SECRET not in doctor.out


def test_help_and_version(tmp_path: Path) -> None:
    bench = Bench.at(tmp_path, NOWHERE)
    bench.write_config("broken")
    assert bench.run("--help").out.startswith("usage: turnfold")
    assert bench.run("--version").out.startswith("turnfold 0.")
    assert bench.run("list", "--help").code == 0

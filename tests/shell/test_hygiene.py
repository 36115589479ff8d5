"""Secrets and escapes end to end: real files and processes, a model over real HTTP; nothing of a secret in any place where it could stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from tests.cli.support import Bench, calls, says
from turnfold.core.agent.effects import Effect, Notice, Perform, Publish
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import CommandGiven, Decided, Interrupted, UserSaid
from turnfold.core.agent.state import ChatState
from turnfold.core.config.briefing import Briefing, Lesson, Skill, Text
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.tables import Prompt
from turnfold.core.config.values import Provider, Rule, Variable, Verdict
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.world.answers import (
    ANSWERS,
    Answer,
    BrowserSeen,
    ChatFound,
    ChatsFound,
    ChildEnded,
    Entry,
    EntryKind,
    FileRead,
    FilesChanged,
    FilesListed,
    FilesSearched,
    FileWritten,
    HumanSaid,
    ImageRead,
    IndexSearched,
    JobStarted,
    JobTold,
    Match,
    Passage,
    ProcessEnded,
    PythonEnded,
    Returned,
    StreamEnded,
    UrlFetched,
    Waited,
)
from turnfold.core.world.images import Image
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ReadFile, Request, RunProcess, WriteFile
from turnfold.shell.briefing import read_briefing
from turnfold.shell.folders import Folders
from turnfold.shell.hygiene import clean, clean_briefing, clean_input, known_mask
from turnfold.shell.masking import NOTHING, Secret, mask_of
from turnfold.shell.perform import perform
from turnfold.shell.real import real_world
from turnfold.shell.run import run
from turnfold.shell.scope import Scope
from turnfold.shell.world import World
from turnfold.testing.fakes import FakeSecrets
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

KEY = "sk-0123456789-abcdefghij"
MARK = "[secret OPENAI_API_KEY]"
MASK = mask_of((Secret("OPENAI_API_KEY", KEY),))
CFG = ChatConfig(ProjectConfig(Config()), workspace="/")


@contextmanager
def world_in(folder: Path) -> Iterator[World]:
    environ = {"OPENAI_API_KEY": KEY, "GITHUB_TOKEN": "ghp_0123456789", "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    folders = Folders(config=folder / "config", data=folder / "data", cache=folder / "cache")
    with real_world(environ=environ, folders=folders) as world:
        yield world


def done(request: Request, world: World, folder: Path) -> Answer | Problem:
    return perform(Perform(RequestId(1, 1, 0, 0), request), (), evolve(CFG, workspace=str(folder)), world, Scope())


def script(text: str, folder: Path) -> RunProcess:
    return RunProcess(script=text, cwd=str(folder), environment=(), timeout_s=30, output_bytes=1000)


def digest_of(read: Answer | Problem) -> str:
    assert isinstance(read, FileRead), read
    return read.digest


def test_a_secret_in_a_file_is_masked_by_its_name_and_written_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"A=1\nKEY={KEY}\n")
    with world_in(tmp_path) as world:
        read = done(ReadFile(path=str(file), limit_bytes=1000), world, tmp_path)
        assert isinstance(read, FileRead)
        assert read.text == f"A=1\nKEY={MARK}\n"
        write = WriteFile(path=str(file), text=read.text.replace("A=1", "A=2"), expected_digest=read.digest)
        assert isinstance(done(write, world, tmp_path), FileWritten)
        assert file.read_text() == f"A=2\nKEY={KEY}\n"


def test_a_secret_gets_into_no_other_file(tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("nothing\n")
    with world_in(tmp_path) as world:
        assert isinstance(done(WriteFile(path=str(new), text=MARK, expected_digest=""), world, tmp_path), FileWritten)
        digest = digest_of(done(ReadFile(path=str(old), limit_bytes=1000), world, tmp_path))
        done(WriteFile(path=str(old), text=MARK, expected_digest=digest), world, tmp_path)
        assert (new.read_text(), old.read_text()) == (MARK, MARK)


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text(KEY)
    with world_in(tmp_path) as world:
        digest = digest_of(done(ReadFile(path=str(file), limit_bytes=1000), world, tmp_path))
        file.write_text("another's text " + KEY)
        outcome = done(WriteFile(path=str(file), text=MARK, expected_digest=digest), world, tmp_path)
        assert isinstance(outcome, Problem)
        assert file.read_text() == "another's text " + KEY
        gone = done(WriteFile(path=str(tmp_path / "b"), text=MARK, expected_digest=digest), world, tmp_path)
        assert isinstance(gone, Problem)


def test_several_files_are_written_back_in_the_same_way(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(f"x {KEY}")
    two.write_text("y")
    with world_in(tmp_path) as world:
        reads = [digest_of(done(ReadFile(path=str(each), limit_bytes=1000), world, tmp_path)) for each in (one, two)]
        change = ChangeFiles(
            (WriteFile(path=str(one), text=f"z {MARK}", expected_digest=reads[0]), DeleteFile(path=str(two), expected_digest=reads[1]))
        )
        changed = done(change, world, tmp_path)
        assert isinstance(changed, FilesChanged), changed
        assert (one.read_text(), two.exists()) == (f"z {KEY}", False)


def test_what_a_command_prints_and_exports_is_clean(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(KEY)
    with world_in(tmp_path) as world:
        text = "export GOT=$(cat .env); printf '\\033[31m%s\\033[0m ' \"$GOT\"; printf '10 %%\\r20 %%\\n\\xff\\n'; echo ghp_0123456789"
        ended = done(script(text, tmp_path), world, tmp_path)
    assert isinstance(ended, ProcessEnded)
    assert ended.output == f"20 %{MARK[4:]} 10 %\n\\xff\n[secret GITHUB_TOKEN]\n"
    assert ended.environment == (Variable("GOT", MARK),)


def test_a_cut_through_a_secret_shows_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x" * 490 + KEY + "y" * 10_000)
    with world_in(tmp_path) as world:
        ended = done(script("cat a", tmp_path), world, tmp_path)
    assert isinstance(ended, ProcessEnded)
    assert ended.cut_bytes
    assert KEY[:8] not in ended.output
    assert MARK in ended.output


IMAGE = Image("image/png", "")
SAID = f"\x1b[1m{KEY}\x1b[m"
OUTCOMES: tuple[Answer, ...] = (
    StreamEnded(),
    FileRead(text=KEY, digest="d"),
    ImageRead(IMAGE, "d"),
    FileWritten("d"),
    FilesChanged(("d",)),
    FilesListed(entries=(Entry(name=KEY + "\udcff", kind=EntryKind.FILE),)),
    FilesSearched(found=(Match(path=KEY, line=1, text=SAID),)),
    IndexSearched(passages=(Passage(path=KEY, first=1, last=1, text=KEY),), files=1),
    ChatsFound((ChatFound(conversation="c", title=SAID, changed_ms=0, text=SAID),)),
    ProcessEnded(exit_code=0, output=SAID, cwd="/w\udcff", environment=(Variable("A", KEY), Variable("B", None))),
    PythonEnded(output=SAID),
    JobStarted("j"),
    JobTold(job="j", output=SAID),
    UrlFetched(url=KEY, status=200, media_type="text/plain", text=SAID),
    BrowserSeen(url=KEY, title=SAID, text=SAID),
    Returned(text=SAID),
    HumanSaid(JsonObject.of(a=KEY, b=(KEY, 1), c=JsonObject.of(d=KEY))),
    ChildEnded(conversation="c", text=SAID, ok=True),
    Waited(),
)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_no_answer_tells_a_secret(outcome: Answer) -> None:
    told = repr(clean(outcome, MASK))
    assert KEY not in told
    assert "\\x1b" not in told
    assert "\\udcff" not in told
    assert (KEY in repr(outcome)) == (MARK in told)


def test_every_kind_of_answer_is_looked_at() -> None:
    assert {type(outcome) for outcome in OUTCOMES} == {answer for _, answer in ANSWERS}


def test_a_problem_tells_no_secret() -> None:
    told = clean(world_problem("world", f"not {SAID}\udcff", f"$.{KEY}"), MASK)
    assert isinstance(told, Problem)
    assert (told.message, told.path) == (f"not {MARK}\ufffd", f"$.{MARK}")


def test_what_a_person_says_is_masked() -> None:
    at = RequestId(1, 1, 0, 0)
    assert clean_input(UserSaid(f"my key is {KEY}", context=KEY), MASK) == UserSaid(f"my key is {MARK}", context=MARK)
    assert clean_input(CommandGiven(f"/shell echo {KEY}"), MASK) == CommandGiven(f"/shell echo {MARK}")
    call = ToolCall("shell", JsonObject.of(command=KEY))
    assert clean_input(CommandGiven(call), MASK) == CommandGiven(ToolCall("shell", JsonObject.of(command=MARK)))
    answer = Decided(at, allowed=True, note=KEY, said=JsonObject.of(a=KEY))
    assert clean_input(answer, MASK) == Decided(at, allowed=True, note=MARK, said=JsonObject.of(a=MARK))
    assert clean_input(Decided(at, allowed=True), MASK) == Decided(at, allowed=True)
    assert clean_input(Interrupted(), MASK) == Interrupted()
    assert clean_input(UserSaid(KEY), NOTHING) == UserSaid(KEY)


def test_a_command_that_a_briefing_asks_for_is_told_clean(tmp_path: Path) -> None:
    with world_in(tmp_path) as world:
        cfg = ChatConfig(
            ProjectConfig(Config(prompt=Prompt(commands=(f"printf '\\033[1m{KEY}\\033[m\\n10%%\\r20%%'",)))), workspace=str(tmp_path)
        )
        (text,) = read_briefing(cfg, world).briefing.texts
    assert text.text == f"{MARK}\n20%"


def test_a_briefing_is_masked() -> None:
    briefing = Briefing(
        texts=(Text("a.md", KEY),),
        skills=(Skill(name="s", description=KEY, path="/s"),),
        lessons=(Lesson(path="/l", title=KEY, text=KEY),),
    )
    assert KEY not in repr(clean_briefing(briefing, MASK))
    assert clean_briefing(briefing, NOTHING) == briefing


def test_a_value_that_is_short_or_not_called_a_secret_is_not_masked() -> None:
    mask = known_mask(CFG, FakeSecrets((("OPENAI_API_KEY", KEY), ("X_TOKEN", "short"), ("KEYBOARD", "us-intl-layout"))))
    assert mask.secrets == (Secret("OPENAI_API_KEY", KEY),)


def test_a_model_is_told_no_secret_and_tells_none(tmp_path: Path) -> None:
    reply = ScriptedReply(chunks=(chat_stream(f"It is {KEY}.", piece_chars=1000),))
    with ScriptedServer((reply,)) as server, world_in(tmp_path) as world:
        provider = Provider(name="scripted", base_url=server.base_url)
        cfg = ChatConfig(
            ProjectConfig(Config(providers=(provider,), model="scripted/m", instructions=f"Use {KEY}.")), workspace=str(tmp_path)
        )
        watched: list[object] = []
        result = run("What is it?", (), cfg, world, watch=watched.append)
    assert result.reply == f"It is {MARK}."
    assert KEY not in repr(watched)
    assert KEY.encode() not in server.requests[0].body


def test_a_command_that_holds_a_secret_is_refused_and_words_that_do_are_told(tmp_path: Path) -> None:
    """What is done must be what was written, and what was written is not kept."""
    watched: list[Effect] = []
    with world_in(tmp_path) as world:
        cfg = evolve(CFG, workspace=str(tmp_path))
        refused = run(CommandGiven(f"/save a.env KEY={KEY}"), BUILTIN_TOOLS, cfg, world, watch=watched.append)
        run(f"My key is {KEY}.", (), cfg, world, watch=watched.append)
    assert not refused.state.past.started
    assert not (tmp_path / "a.env").exists()
    problem, *_ = (each.what for each in watched if isinstance(each, Publish) and isinstance(each.what, Problem))
    notice, *_ = (each.what for each in watched if isinstance(each, Publish) and isinstance(each.what, Notice))
    assert (problem.code, "OPENAI_API_KEY" in problem.message, MARK in notice.text) == ("holds-secret", True, True)
    assert KEY not in repr(watched)


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_of_a_secret_is_in_the_journal_the_requests_the_trace_or_the_terminal(tmp_path: Path) -> None:
    replies = (
        calls("read", path=".env"),
        calls("patch", path=".env", patch=f"<<<<<<< ORIGINAL\nKEY={MARK}\n=======\nKEY={MARK} # mine\n>>>>>>> UPDATED"),
        calls("shell", command="cat .env; printf '\\033[31m'; export GOT=$(cat .env)"),
        calls("python", code="print(open('.env').read()); open('.env').read()"),
        says("Done."),
    )
    with ScriptedServer(replies) as server:
        bench = Bench.at(tmp_path, server.base_url)
        bench = Bench(bench.home, bench.workspace, {"OPENAI_API_KEY": KEY})
        (bench.workspace / ".env").write_text(f"KEY={KEY}\n")
        (bench.workspace / "AGENTS.md").write_text(f"The key is {KEY}.\n")
        ended = bench.run(f"look at {KEY}", "--yes")
        shown = bench.run("show", ended.conversation)
        trace = bench.run("trace", ended.conversation)
        bodies = [json.dumps(json.loads(request.body)) for request in server.requests]
    assert ended.code == 0, ended.err
    assert (bench.workspace / ".env").read_text() == f"KEY={KEY} # mine\n"
    assert len(bodies) == 5
    for told in (ended.out, ended.err, shown.out, trace.out, *bodies):
        assert KEY not in told
        assert "0123456789-abc" not in told
    assert all(MARK in told for told in (ended.out, shown.out, *bodies))
    assert KEY.encode() not in everything_below(bench.home / "tf")


def test_undo_writes_no_mark_where_a_secret_was(tmp_path: Path) -> None:
    file, other = tmp_path / ".env", tmp_path / "a.txt"
    file.write_text(f"KEY={KEY}\n")
    other.write_text("old\n")
    cfg = evolve(CFG, workspace=str(tmp_path), rules=(Rule(Verdict.ALLOW, "*", "*"),))
    with world_in(tmp_path) as world:
        state = ChatState()
        for line in ("/save .env none", "/save a.txt new", "/undo 2"):
            state = run(CommandGiven(line), BUILTIN_TOOLS, cfg, world, state=state).state
    assert (file.read_text(), other.read_text()) == ("none\n", "old\n")
    assert len(state.past.marks) == 0

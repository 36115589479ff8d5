"""What every driver does: plain, on an executor, and on asyncio."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, final

import pytest
from attrs import evolve
from typing_extensions import override

from turnfold import (
    BUILTIN_TOOLS,
    ChatConfig,
    CommandGiven,
    Config,
    Decided,
    Delta,
    Effect,
    Input,
    ModelProfile,
    Notice,
    Overrides,
    Perform,
    ProjectConfig,
    Provider,
    Publish,
    Record,
    Rule,
    RunResult,
    SecretRef,
    SettingsChanged,
    UserMessage,
    UserSaid,
    Verdict,
    World,
    fold,
    real_world,
    run,
    run_async,
)
from turnfold.core.agent.asked import Question
from turnfold.core.agent.events import CallClosed, Reason, RequestClosed, RequestOpened
from turnfold.core.agent.state import ChatState
from turnfold.core.codec.codec import STATE, decode_untrusted, encode
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import FilesSearched, ProcessEnded, StreamEnded
from turnfold.core.world.requests import CallModel, RunProcess, SearchFiles
from turnfold.core.world.usage import Usage
from turnfold.shell.files import LocalFiles
from turnfold.shell.ports import AsyncModels, Models, Port
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import SCRIPTED, FakeHuman, FakeModels, fake_world
from turnfold.testing.fakes import FakeFiles, FakeSecrets
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.wire import chat_stream

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=(Rule(Verdict.ALLOW),))
ASKING = ChatConfig(ProjectConfig(Config()), workspace="/w")
READ = RawCall("read", '{"path":"a.txt"}')
SAVE = RawCall("save", '{"path":"b.txt","content":"new"}')
SLOW = RawCall("shell", '{"command":"slow"}')

Driver: TypeAlias = Callable[..., RunResult]


def plain(said: str | Input, cfg: ChatConfig, world: World, **more: Any) -> RunResult:
    return run(said, BUILTIN_TOOLS, cfg, world, **more)


def aside(said: str | Input, cfg: ChatConfig, world: World, **more: Any) -> RunResult:
    with ThreadPoolExecutor(4) as executor:
        return run(said, BUILTIN_TOOLS, cfg, world, executor=executor, **more)


def on_a_loop(said: str | Input, cfg: ChatConfig, world: World, **more: Any) -> RunResult:
    return asyncio.run(run_async(said, BUILTIN_TOOLS, cfg, world, **more))


def by_port(said: str | Input, cfg: ChatConfig, world: World, **more: Any) -> RunResult:
    return asyncio.run(run_async(said, BUILTIN_TOOLS, cfg, evolve(world, async_models=OnLoop(world.models)), **more))


@final
class OnLoop(AsyncModels):
    """What another port says, on the event loop, which goes on between two chunks."""

    __slots__ = ("_models",)

    def __init__(self, models: Models) -> None:
        self._models = models

    @override
    def serves(self, request: CallModel, models: Models) -> bool:
        return True

    @override
    async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
        chunks: list[bytes] = []
        outcome = self._models.stream(request, body, Scope(chunks.append))
        for chunk in chunks:
            await asyncio.sleep(0)
            emit(chunk)
        return outcome

    @override
    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(params=[plain, aside, on_a_loop, by_port], ids=["run", "run-executor", "run_async", "run_async-port"])
def driver(request: pytest.FixtureRequest) -> Driver:
    chosen: Driver = request.param
    return chosen


class Blocking:
    """Commands that last until they are cancelled, and then tell how they ended. ``began`` is set when one runs."""

    def __init__(self) -> None:
        self.began = threading.Event()

    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        over = threading.Event()
        with scope.stopping(over.set):
            self.began.set()
            assert over.wait(20), "it was never cancelled"
        return ProcessEnded(exit_code=-15, output="half done", cwd="/w")


class Meeting:
    """Commands that only end when two of them run at once."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=20)

    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        self.barrier.wait()
        return ProcessEnded(exit_code=0, output=request.script, cwd="/w")


class Raising:
    """A port with a bug."""

    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        raise RuntimeError("boom")


def journal_of(world: World, result: RunResult) -> MemoryJournal:
    assert isinstance(world.journal, MemoryJournal)
    assert fold(world.journal.load(result.cfg.conversation)) == result.state.past
    return world.journal


def test_a_model_a_tool_and_a_reply(driver: Driver) -> None:
    world = fake_world((chat_stream(calls=(READ,)), chat_stream("It says hi.", usage=Usage(input_tokens=5))), {"/w/a.txt": "hi\n"})
    result = driver("What does a.txt say?", CFG, world)
    assert result.ended is not None
    assert result.ended.reason is Reason.COMPLETED
    assert result.reply == "It says hi."
    assert [type(message).__name__ for message in result.state.past.log] == [
        "UserMessage",
        "AssistantMessage",
        "ToolMessage",
        "AssistantMessage",
    ]
    assert result.state.past.usage.input_tokens == 5
    journal_of(world, result)


def test_a_fork_and_a_trace_are_done_by_every_driver(driver: Driver) -> None:
    world = fake_world((chat_stream("It says hi."),))
    result = driver("What does a.txt say?", CFG, world)
    seen: list[Effect] = []
    forked = driver(CommandGiven("/fork other"), result.cfg, world, state=result.state, watch=seen.append)
    assert forked.state.past == result.state.past
    names = {each.name: each.conversation for each in world.journal.find()}
    assert set(names) == {"", "other"}
    driver(CommandGiven("/trace"), result.cfg, world, state=result.state, watch=seen.append)
    notices = [effect.what.text for effect in seen if isinstance(effect, Publish) and isinstance(effect.what, Notice)]
    assert notices[0] == f"Forked as {names['other']}, called other. Go on with it:  turnfold --resume {names['other']}"
    assert "turn 1 ·" in notices[1]
    journal = journal_of(world, result)
    journal.broken = world_problem("no-space", "There is no space left.")
    failed: list[Effect] = []
    assert driver(CommandGiven("/fork more"), result.cfg, world, state=result.state, watch=failed.append).problem is None
    assert failed[-1] == Publish(journal.broken)
    assert len(world.journal.find()) == 2


def test_with_nobody_to_ask_the_run_ends_paused_and_goes_on_with_a_decision(driver: Driver) -> None:
    world = fake_world((chat_stream(calls=(SAVE,)), chat_stream("Saved.")))
    result = driver("save it", ASKING, world)
    assert result.ended is None
    assert result.state.paused
    (question,) = result.questions
    assert isinstance(world.files, FakeFiles)
    assert not world.files.contents
    result = driver(Decided(question.request_id, allowed=True), result.cfg, world, state=result.state)
    assert result.reply == "Saved."
    assert world.files.contents == {"/w/b.txt": b"new\n"}


def test_a_person_is_asked_with_a_preview_and_a_denial_is_told_to_the_model(driver: Driver) -> None:
    human = FakeHuman(False)
    world = fake_world((chat_stream(calls=(SAVE,)), chat_stream("Then not.")), human=human)
    result = driver("save it", ASKING, world)
    (question,) = human.asked
    assert "b.txt" in question.preview
    assert "new" in question.preview
    (told,) = (message for message in result.state.past.log if isinstance(message, ToolMessage))
    assert told.text.startswith("Denied")
    assert result.reply == "Then not."


def test_a_command_needs_no_model(driver: Driver) -> None:
    world = fake_world(commands={"ls": ProcessEnded(exit_code=0, output="a.txt\n", cwd="/w")})
    result = driver(CommandGiven("/shell ls"), CFG, world)
    assert isinstance(world.models, FakeModels)
    assert world.models.bodies == ()
    last = result.state.past.log[-1]
    assert isinstance(last, ToolMessage)
    assert "a.txt" in last.text


def test_requests_of_one_step_run_side_by_side_where_the_driver_can() -> None:
    calls = (RawCall("shell", '{"command":"one"}'), RawCall("python", '{"code":"two"}'))
    for driver in (aside, on_a_loop):
        meeting = Meeting()

        class Pythons:
            def run(self, conversation: str, request: object, scope: Scope, meeting: Meeting = meeting) -> Problem:
                meeting.barrier.wait()
                return world_problem("met", "They met.")

            def close(self, conversation: str) -> None: ...
            def close_all(self) -> None: ...

        world = evolve(fake_world((chat_stream(calls=calls), chat_stream("Done."))), processes=meeting, pythons=Pythons())
        result = driver("go", CFG, world)
        assert result.reply == "Done."
        assert [message.tool for message in result.state.past.log if isinstance(message, ToolMessage)] == ["shell", "python"]


def test_an_interrupt_in_mid_stream_ends_the_turn_and_keeps_the_text_so_far() -> None:
    scope = Scope()

    def watch(effect: Effect) -> None:
        if isinstance(effect, Publish) and isinstance(effect.what, Delta):
            scope.cancel()

    world = fake_world((chat_stream("A long reply that nobody will read to its end."),))
    result = run("go", BUILTIN_TOOLS, CFG, world, watch=watch, scope=scope)
    assert result.ended is not None
    assert result.ended.reason is Reason.INTERRUPTED
    last = result.state.past.log[-1]
    assert isinstance(last, AssistantMessage)
    assert last.cut
    assert "A long reply that nobody will read to its end.".startswith(last.text)
    journal_of(world, result)


@pytest.mark.parametrize("executor", [False, True])
def test_an_interrupt_during_a_command_stops_it_and_tells_how_it_ended(executor: bool) -> None:
    scope, commands = Scope(), Blocking()
    world = evolve(fake_world((chat_stream(calls=(SLOW,)),)), processes=commands)

    def interrupt() -> None:
        commands.began.wait(20)
        scope.cancel()

    killer = threading.Thread(target=interrupt)
    killer.start()
    threads = ThreadPoolExecutor(2) if executor else None
    result = run("go", BUILTIN_TOOLS, CFG, world, scope=scope, executor=threads)
    killer.join()
    if threads is not None:
        threads.shutdown()
    assert result.ended is not None
    assert result.ended.reason is Reason.INTERRUPTED
    (told,) = (message for message in result.state.past.log if isinstance(message, ToolMessage))
    assert "half done" in told.text
    journal_of(world, result)


def test_a_cancelled_task_records_what_was_under_way_before_it_ends() -> None:
    commands = Blocking()
    world = evolve(fake_world((chat_stream(calls=(SLOW,)),)), processes=commands)
    cfg = evolve(CFG, conversation="c")

    async def main() -> None:
        task = asyncio.create_task(run_async("go", BUILTIN_TOOLS, cfg, world))
        await asyncio.to_thread(commands.began.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    events = world.journal.load("c")
    (closed,) = (event for event in events if isinstance(event, CallClosed))
    assert "half done" in closed.text
    assert fold(events).turn is None


def test_a_journal_that_cannot_be_written_stops_the_run_before_anything_is_done(driver: Driver) -> None:
    world = fake_world((chat_stream("never"),))
    assert isinstance(world.journal, MemoryJournal)
    assert isinstance(world.models, FakeModels)
    world.journal.broken = world_problem("no-space", "There is no space left on the disk.")
    result = driver("go", CFG, world)
    assert result.problem == world.journal.broken
    assert world.models.bodies == ()


def test_a_journal_that_fails_in_mid_stream_stops_the_run(driver: Driver) -> None:
    world = fake_world((chat_stream("```shell\nls\n```\n and more"),))
    journal = world.journal
    assert isinstance(journal, MemoryJournal)
    broken = world_problem("no-space", "There is no space left on the disk.")

    def watch(effect: Effect) -> None:
        if isinstance(effect, Publish):
            journal.broken = broken

    result = driver("go", CFG, world, watch=watch)
    assert result.problem == broken


def test_what_a_watcher_raises_comes_out_and_leaves_a_journal_that_goes_on(driver: Driver) -> None:
    world = fake_world((chat_stream("Hello."),))
    cfg = evolve(CFG, conversation="c")

    def watch(effect: Effect) -> None:
        if isinstance(effect, Publish):
            raise BrokenPipeError("the terminal is gone")

    with pytest.raises(BrokenPipeError):
        driver("go", cfg, world, watch=watch)
    past = fold(world.journal.load("c"))
    assert past.turn is not None


def test_a_port_that_raises_is_a_problem_that_the_model_is_told(driver: Driver) -> None:
    world = evolve(fake_world((chat_stream(calls=(SLOW,)), chat_stream("Oh."))), processes=Raising())
    result = driver("go", CFG, world)
    assert result.reply == "Oh."
    (closed,) = (
        event.outcome
        for event in world.journal.load(result.cfg.conversation)
        if isinstance(event, RequestClosed) and isinstance(event.outcome, Problem)
    )
    assert closed.code == "port-failed"
    assert "boom" in closed.message


def test_without_a_model_a_run_says_why_and_records_nothing(driver: Driver) -> None:
    no_model = world_problem("no-model", "There is no model to talk to.")

    class NoModels:
        def choose(self, cfg: ChatConfig) -> Problem:
            return no_model

        def stream(self, request: CallModel, body: bytes, scope: Scope) -> Problem:
            return no_model

        def close(self) -> None: ...

    world = evolve(fake_world(), models=NoModels())
    result = driver(UserSaid("go"), CFG, world)
    assert result.problem == no_model
    assert world.journal.find() == ()


def test_model_calls_carry_the_whole_history_and_are_performed_once(driver: Driver) -> None:
    performed: list[Perform] = []
    world = fake_world((chat_stream(calls=(READ, SAVE)), chat_stream("Done.")), {"/w/a.txt": "hi"})
    driver("go", CFG, world, watch=lambda effect: performed.append(effect) if isinstance(effect, Perform) else None)
    ids = [each.request_id for each in performed]
    assert len(set(ids)) == len(ids)
    bodies = [each.body for each in performed if isinstance(each.request, CallModel)]
    assert bodies[1].startswith(bodies[0].removesuffix(b"]}"))


def test_no_thread_is_left_over(driver: Driver) -> None:
    before = threading.active_count()
    for _ in range(5):
        driver("go", CFG, fake_world((chat_stream(calls=(READ,)), chat_stream("ok")), {"/w/a.txt": "hi"}))
    assert threading.active_count() == before


NAMING = evolve(CFG, model="scripted/m", providers=(SCRIPTED,), models=(ModelProfile(pattern="*", names_files=True),))


@pytest.mark.parametrize(
    ("said", "context"),
    [
        ("Change a.txt, then b.txt.", "Files: a.txt"),
        ("What is here?", ""),
    ],
)
def test_a_model_that_wants_it_is_told_which_of_the_files_that_are_named_are_there(driver: Driver, said: str, context: str) -> None:
    world = fake_world((chat_stream("ok"),), {"/w/a.txt": "", "/w/c.txt": "", "/w/sub/b.txt": ""})
    result = driver(said, NAMING, world)
    first = result.state.past.log[0]
    assert first == UserMessage(said, context)


def test_what_came_with_it_stays_and_a_rule_that_denies_listing_holds(driver: Driver) -> None:
    world = fake_world((chat_stream("ok"), chat_stream("ok")), {"/w/a.txt": ""})
    result = driver(UserSaid("a.txt", context="A note."), NAMING, world)
    assert result.state.past.log[0] == UserMessage("a.txt", "A note.\n\nFiles: a.txt")
    denied = evolve(NAMING, rules=(Rule(Verdict.DENY, "list"),))
    assert driver("a.txt", denied, world).state.past.log[0] == UserMessage("a.txt")
    nowhere = evolve(NAMING, workspace="/nowhere")
    assert driver("a.txt", nowhere, fake_world((chat_stream("ok"),))).state.past.log[0] == UserMessage("a.txt")


def test_a_name_that_is_no_text_is_journaled_as_it_is_remembered(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("")
    world = evolve(fake_world(), files=LocalFiles())
    cfg = evolve(CFG, workspace=str(tmp_path))
    result = driver(CommandGiven("/read ."), cfg, world)
    assert result.ended is not None
    assert decode_untrusted(STATE, encode(STATE, result.state)).unwrap() == result.state
    assert "caf\ufffd.txt" in str(result.state)


def test_a_rule_can_deny_a_model(driver: Driver) -> None:
    denied = evolve(CFG, model="scripted/m", providers=(SCRIPTED,), rules=(Rule(Verdict.DENY, "model", "scripted/*"),))
    result = driver("go", denied, fake_world((chat_stream("never"),)))
    assert result.problem is not None
    assert result.problem.code == "model-denied"
    everything = evolve(denied, rules=(Rule(Verdict.DENY),))
    assert driver("go", everything, fake_world((chat_stream("Hello."),))).reply == "Hello."


LINKED = (
    RawCall("read", '{"path":"notes"}'),
    RawCall("read", '{"path":"docs/secret"}'),
    RawCall("read", '{"path":"docs"}'),
    RawCall("save", '{"path":"docs/new","content":"x"}'),
    RawCall("save", '{"path":"notes","content":"x"}'),
)


@pytest.mark.parametrize("call", LINKED)
def test_a_link_out_of_the_workspace_is_not_followed_under_its_name_inside(driver: Driver, call: RawCall, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s3cret", encoding="utf-8")
    workspace = tmp_path / "work"
    workspace.mkdir()
    (workspace / "docs").symlink_to(outside)
    (workspace / "notes").symlink_to(outside / "secret")
    cfg = evolve(CFG, workspace=str(workspace), rules=(Rule(Verdict.ALLOW, "write"),))
    world = evolve(fake_world((chat_stream("", (call,)), chat_stream("I see."))), files=LocalFiles())
    result = driver("go", cfg, world)
    (told,) = [message for message in result.state.past.log if isinstance(message, ToolMessage)]
    assert not told.ok
    assert f"leads to {outside}" in told.text
    assert "s3cret" not in told.text
    assert [(each.name, each.read_text()) for each in outside.iterdir()] == [("secret", "s3cret")]


def test_links_within_the_workspace_and_to_it_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("alpha", encoding="utf-8")
    (tmp_path / "real" / "b.txt").symlink_to("a.txt")
    (tmp_path / "work").symlink_to("real")
    cfg = evolve(ASKING, workspace=str(tmp_path / "work"))
    call = RawCall("read", '{"path":"b.txt"}')
    world = evolve(fake_world((chat_stream("", (call,)), chat_stream("I see."))), files=LocalFiles())
    (told,) = [message for message in plain("go", cfg, world).state.past.log if isinstance(message, ToolMessage)]
    assert "alpha" in told.text


def test_what_a_link_leads_to_is_asked_for_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret", encoding="utf-8")
    (tmp_path / "work").mkdir()
    cfg = evolve(ASKING, workspace=str(tmp_path / "work"))
    call = RawCall("read", f'{{"path":"{tmp_path / "secret"}"}}')
    world = evolve(fake_world((chat_stream("", (call,)),)), files=LocalFiles())
    result = plain("go", cfg, world)
    assert [each.asked for each in result.questions] == ["It is outside the workspace."]


def test_a_rule_that_denies_a_file_denies_it_by_the_name_of_a_link_too(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "work").symlink_to("real")
    (tmp_path / "real" / "x.env").write_text("s3cret", encoding="utf-8")
    (tmp_path / "real" / "notes").symlink_to("x.env")
    cfg = evolve(CFG, workspace=str(tmp_path / "work"), rules=(Rule(Verdict.DENY, "*", "*.env"),))
    call = RawCall("read", '{"path":"notes"}')
    world = evolve(fake_world((chat_stream("", (call,)), chat_stream("I see."))), files=LocalFiles())
    (told,) = [message for message in driver("go", cfg, world).state.past.log if isinstance(message, ToolMessage)]
    assert "s3cret" not in told.text
    assert "notes leads to x.env, which a rule of the configuration denies" in told.text


def test_a_world_that_is_closed_is_a_problem_of_the_run(driver: Driver, tmp_path: Path) -> None:
    with real_world(environ={"TURNFOLD_HOME": str(tmp_path)}) as world:
        pass
    result = driver("go", evolve(CFG, model="ollama/x"), world)
    assert result.problem is not None
    assert result.problem.code == "journal-closed"


def test_a_cancelled_task_does_not_wait_for_a_person_nor_stop_the_loop() -> None:
    asked, answer, answered = threading.Event(), threading.Event(), threading.Event()

    class Thinking:
        def decide(self, question: Question) -> Decided | None:
            asked.set()
            answer.wait(20)
            answered.set()
            return Decided(question.request_id, allowed=True)

    cfg = evolve(ASKING, conversation="c")
    world = evolve(fake_world((chat_stream(calls=(SAVE,)),)), human=Thinking())

    async def main() -> None:
        task = asyncio.create_task(run_async("save it", BUILTIN_TOOLS, cfg, world))
        await asyncio.to_thread(asked.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not answered.is_set(), "the person was waited for"

    try:
        asyncio.run(main())
    finally:
        answer.set()
        answered.wait(20)
    assert fold(world.journal.load("c")).turn is None


def test_a_loop_goes_on_while_a_run_that_failed_waits_for_what_was_under_way() -> None:
    over, heard = threading.Event(), threading.Event()

    class Slow:
        def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
            if over.wait(20):
                heard.set()
            return ProcessEnded(exit_code=0, output="", cwd="/w")

    def watch(effect: Effect) -> None:
        if isinstance(effect, Record) and isinstance(effect.event, RequestClosed) and effect.event.request_id.slot == 1:
            asyncio.get_running_loop().call_later(0.01, over.set)
            raise BrokenPipeError("the terminal is gone")

    calls = (SLOW, RawCall("python", '{"code":"1"}'))
    world = evolve(fake_world((chat_stream(calls=calls),)), processes=Slow())
    with pytest.raises(BrokenPipeError):
        asyncio.run(run_async("go", BUILTIN_TOOLS, CFG, world, watch=watch))
    assert heard.is_set(), "the loop stood still"


def test_what_an_earlier_run_left_under_way_is_lost_and_the_conversation_goes_on(driver: Driver) -> None:
    world = fake_world((chat_stream("Hello."), chat_stream("Hello again."), chat_stream("And you?")))

    def failing(effect: Effect) -> None:
        if isinstance(effect, Publish):
            raise BrokenPipeError("the terminal is gone")

    cfg = evolve(CFG, conversation="c")
    with pytest.raises(BrokenPipeError):
        driver("go", cfg, world, watch=failing)
    left = ChatState(fold(world.journal.load("c")))
    chosen = evolve(cfg, model="scripted/model", providers=(SCRIPTED,))
    result = driver("Are you there?", chosen, world, state=left)
    assert result.state.idle
    assert [message.text for message in result.state.past.log] == ["go", "Hello again.", "Are you there?", "And you?"]


def test_what_a_human_port_raises_comes_out_and_the_question_stays(driver: Driver) -> None:
    class Hasty:
        def decide(self, question: Question) -> Decided | None:
            raise EOFError("the terminal is gone")

    world = evolve(fake_world((chat_stream(calls=(SAVE,)),)), human=Hasty())
    with pytest.raises(EOFError):
        driver("save it", evolve(ASKING, conversation="c"), world)
    assert ChatState(fold(world.journal.load("c"))).paused


def test_a_command_that_asks_a_model_has_one_chosen(driver: Driver) -> None:
    world = fake_world((chat_stream("Hi."),), commands={"ls": ProcessEnded(exit_code=0, output="a.txt\n", cwd="/w")})
    listed = driver(CommandGiven("/shell ls"), CFG, world)
    assert listed.cfg.model == ""
    done = driver(CommandGiven("/edit Say hi."), listed.cfg, world, state=listed.state)
    assert (done.reply, done.cfg.model) == ("Hi.", "scripted/model")
    assert driver(CommandGiven("/undo"), listed.cfg, world, state=done.state).cfg.model == ""


def test_undo_and_redo_of_real_files(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old\r\n")
    path.chmod(0o640)
    cfg = evolve(CFG, workspace=str(tmp_path), rules=(Rule(Verdict.ALLOW),))
    world = evolve(fake_world(), files=LocalFiles())
    state = ChatState()
    seen = []
    for line in ("/save a.txt new", "/save d/b.txt made", "/undo 2", "/redo", "/undo", "/rewind 0"):
        result = driver(CommandGiven(line), cfg, world, state=state)
        state = result.state
        seen.append({str(each.relative_to(tmp_path)): each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()})
    old, one, both = {"a.txt": b"old\r\n"}, {"a.txt": b"new\r\n"}, {"a.txt": b"new\r\n", "d/b.txt": b"made\n"}
    assert seen == [one, both, old, both, one, old]
    assert path.stat().st_mode & 0o777 == 0o640
    assert state.idle
    assert len(state.past.marks) == 0


@final
class SpyFinder(Port[SearchFiles]):
    """Finds nothing; keeps the settings that it was asked under."""

    def __init__(self) -> None:
        self.cfg: ChatConfig | None = None

    @override
    def act(self, request: SearchFiles, cfg: ChatConfig, scope: Scope) -> FilesSearched:
        self.cfg = cfg
        return FilesSearched(found=(), omitted=0, skipped=0)

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""


def test_ports_judge_by_the_rules_of_now(driver: Driver) -> None:
    spy = SpyFinder()
    find = chat_stream(calls=(RawCall("find", '{"path":"*"}'),))
    world = evolve(fake_world((find, chat_stream("Nothing."))), finder=spy)
    deny = Rule(Verdict.DENY, "read", "*.env")
    changed = driver(SettingsChanged(Overrides(rules=(deny,))), CFG, world)
    found = driver("Find all.", CFG, world, state=changed.state)
    assert found.reply == "Nothing."
    assert spy.cfg is not None
    assert spy.cfg.rules == (deny, *CFG.rules)


def test_secrets_that_settings_refer_to_from_now_on_are_masked(driver: Driver) -> None:
    own = Provider(name="own", base_url="http://127.0.0.1:1/v1", secret=SecretRef("OWN"))
    calls = chat_stream(calls=(RawCall("read", '{"path":"a.txt"}'),))
    world = fake_world((calls, chat_stream("Done.")), {"/w/a.txt": "it is s3cret-value"})
    world = evolve(world, secrets=FakeSecrets((("OWN", "s3cret-value"),)))
    changed = driver(SettingsChanged(Overrides(providers=(own,))), CFG, world)
    done = driver("Read it.", CFG, world, state=changed.state)
    assert "s3cret-value" not in repr(done.state)
    assert "[secret OWN]" in repr(done.state)


@pytest.mark.parametrize("executor", [False, True])
def test_what_is_cancelled_before_it_begins_is_answered_before_the_run_ends(*, executor: bool) -> None:
    scope = Scope()

    def watch(effect: Effect) -> None:
        if isinstance(effect, Record) and isinstance(effect.event, RequestOpened) and isinstance(effect.event.request, RunProcess):
            scope.cancel()  # its command is due, and not begun

    world = fake_world(replies=(chat_stream("", (SLOW,)),))
    with ThreadPoolExecutor(1) as threads:
        result = run("go", BUILTIN_TOOLS, CFG, world, watch=watch, scope=scope, executor=threads if executor else None)
    assert result.ended is not None
    assert result.ended.reason is Reason.INTERRUPTED
    assert result.state.idle

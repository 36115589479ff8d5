"""The asyncio driver's own: cancelled at any await, on many loops at once, and with nothing left of a run when it returns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar, final

import pytest
from attrs import evolve
from typing_extensions import override

from tests.laws.comparison import comparable, without_times
from tests.shell.support import descriptors
from turnfold import (
    BUILTIN_TOOLS,
    ChatConfig,
    Config,
    Limits,
    ProjectConfig,
    Rule,
    RunResult,
    Verdict,
    World,
    fold,
    load,
    run,
    run_async,
)
from turnfold.core.agent.events import Event, Reason, TurnEnded
from turnfold.core.agent.state import ChatState, open_requests
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.world.answers import FilesSearched, ProcessEnded, StreamEnded
from turnfold.core.world.requests import CallModel, RunProcess, SearchFiles
from turnfold.shell.ports import Port
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import SCRIPTED, FakeAsyncModels, fake_world
from turnfold.testing.wire import chat_stream

T = TypeVar("T")
CFG = ChatConfig(
    ProjectConfig(Config(model="scripted/m", providers=(SCRIPTED,))), workspace="/w", conversation="c", rules=(Rule(Verdict.ALLOW),)
)
READ = RawCall("read", '{"path":"a.txt"}')
SHELL = RawCall("shell", '{"command":"ls"}')
LISTED = ProcessEnded(exit_code=0, output="a.txt", cwd="/w")
REPLIES: tuple[bytes | Problem, ...] = (
    chat_stream("I look.", (READ, SHELL, READ)),
    chat_stream("It says alpha."),
    chat_stream("Yes."),
)


@final
class AtOnce(Executor):
    """Does the work where it is handed in, so that a loop's steps are the same each time."""

    @override
    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def world_of(replies: tuple[bytes | Problem, ...] = REPLIES) -> World:
    world = fake_world((), {"/w/a.txt": "alpha"}, {"ls": LISTED})
    return evolve(world, async_models=FakeAsyncModels(replies, 100))


def asked(world: World) -> FakeAsyncModels:
    assert isinstance(world.async_models, FakeAsyncModels)
    return world.async_models


def events_of(world: World) -> tuple[Event, ...]:
    return tuple(map(without_times, world.journal.load("c"))) if world.journal.find() else ()


async def alone() -> None:
    """No task but this one is left."""
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def cut(world: World, steps: int) -> bool:
    """A run cancelled after so many steps of the loop; whether it was over before."""
    states: list[ChatState] = []
    task = asyncio.create_task(run_async("go", BUILTIN_TOOLS, CFG, world, executor=AtOnce(), seen=states.append))
    for _ in range(steps):
        await asyncio.sleep(0)
    over = task.done()
    task.cancel()
    if not over:
        with pytest.raises(asyncio.CancelledError):
            await task
    await alone()
    if states:
        past = load(world.journal.load("c")).past
        assert comparable(past) == comparable(states[-1].past)
        assert tuple(open_requests(past)) == ()
        assert past.turn is None
    return over


def test_a_cancel_at_any_step_leaves_nothing_and_a_conversation_that_goes_on() -> None:
    whole = world_of()
    asyncio.run(run_async("go", BUILTIN_TOOLS, CFG, whole, executor=AtOnce()))
    expected = events_of(whole)
    cuts: set[int] = set()
    for steps in range(1_000):
        world = world_of()
        over = asyncio.run(cut(world, steps))
        events = events_of(world)
        if over:
            assert events == expected
            break
        models = asked(world)
        assert models.went == len(models.bodies)
        ends = [event for event in events if isinstance(event, TurnEnded)]
        assert [end.reason for end in ends] in ([], [Reason.INTERRUPTED], [Reason.COMPLETED])
        assert bool(ends) == bool(events)
        cuts.add(len(events))
        goes_on = evolve(world, async_models=FakeAsyncModels(REPLIES[-1:]))
        result = asyncio.run(run_async("Go on.", BUILTIN_TOOLS, CFG, goes_on, state=load(world.journal.load("c")) if events else None))
        assert result.reply == "Yes."
    else:
        pytest.fail("it never came to its end")
    assert len(cuts) >= 5, cuts


def test_a_run_without_blocking_requests_has_no_thread() -> None:
    world, seen = world_of((chat_stream("Hello there."),)), list[int]()

    async def main() -> RunResult:
        before = threading.active_count()
        result = await run_async("go", BUILTIN_TOOLS, CFG, world, watch=lambda _: seen.append(threading.active_count() - before))
        await alone()
        return result

    assert asyncio.run(main()).reply == "Hello there."
    assert set(seen) == {0}


def test_ten_conversations_share_an_executor_that_stays_open() -> None:
    async def main() -> list[RunResult]:
        worlds = [world_of((chat_stream("", (READ, SHELL)), chat_stream(f"I am {n}."))) for n in range(10)]
        return await asyncio.gather(*(run_async("go", BUILTIN_TOOLS, CFG, world, executor=executor) for world in worlds))

    with ThreadPoolExecutor(2) as executor:
        results = asyncio.run(main())
        assert executor.submit(lambda: 1).result() == 1
    assert [result.reply for result in results] == [f"I am {n}." for n in range(10)]


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_requests_run_at_once_than_the_settings_say(most: int) -> None:
    class Counting(Port[SearchFiles]):
        running = peak = 0
        lock = threading.Lock()
        met = threading.Barrier(most, timeout=20)

        @override
        def act(self, request: SearchFiles, cfg: ChatConfig, scope: Scope) -> FilesSearched:
            with self.lock:
                Counting.running += 1
                Counting.peak = max(self.peak, self.running)
            self.met.wait()
            with self.lock:
                Counting.running -= 1
            return FilesSearched(found=())

        @override
        def close(self, conversation: str) -> None:
            """Nothing lives here."""

        @override
        def close_all(self) -> None:
            """Nothing lives here."""

    calls = (RawCall("grep", '{"pattern":"x"}'),) * 4
    world = evolve(world_of((chat_stream("", calls), chat_stream("Done."))), finder=Counting())
    assert asyncio.run(run_async("go", BUILTIN_TOOLS, evolve(CFG, limits=Limits(side_by_side=most)), world)).reply == "Done."
    assert (Counting.running, Counting.peak) == (0, most)


def test_a_cancel_ends_what_has_begun_and_begins_nothing_that_waits() -> None:
    began = threading.Event()

    class Blocking:
        ran = 0

        def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
            Blocking.ran += 1
            over = threading.Event()
            with scope.stopping(over.set):
                began.set()
                assert over.wait(20)
            return ProcessEnded(exit_code=-15, output="half", cwd="/w")

    job = RawCall("python", '{"code":"1"}')
    world = evolve(world_of((chat_stream("", (SHELL, READ, job)),)), processes=Blocking())

    async def main() -> None:
        task = asyncio.create_task(run_async("go", BUILTIN_TOOLS, evolve(CFG, limits=Limits(side_by_side=1)), world))
        await asyncio.to_thread(began.wait)
        task.cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    past = fold(world.journal.load("c"))
    assert Blocking.ran == 1
    results = [message.text for message in past.log if isinstance(message, ToolMessage)]
    assert "half" in results[0]
    assert past.turn is None


def test_loops_in_many_threads_drive_runs_of_one_world() -> None:
    world = fake_world((chat_stream("Hi."),) * 32, {"/w/a.txt": "alpha"})
    replies: list[str] = []

    async def four(name: str) -> None:
        results = await asyncio.gather(*(run_async("go", BUILTIN_TOOLS, evolve(CFG, conversation=f"{name}{n}"), world) for n in range(4)))
        replies.extend(result.reply for result in results)
        await alone()

    before = threading.active_count()
    threads = [threading.Thread(target=lambda name=name: asyncio.run(four(name))) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == ["Hi."] * 32
    assert len(world.journal.find()) == 32
    assert threading.active_count() == before


def test_run_works_within_a_running_loop_and_so_does_a_loop_within_it() -> None:
    """As in Jupyter, where every cell runs within a loop: ``run`` blocks, like any other call."""

    async def outer() -> tuple[str, str]:
        plain = run("go", BUILTIN_TOOLS, CFG, fake_world((chat_stream("Plain."),)))
        inner = await asyncio.to_thread(lambda: asyncio.run(run_async("go", BUILTIN_TOOLS, CFG, world_of((chat_stream("Inner."),)))))
        return plain.reply, inner.reply

    assert asyncio.run(outer()) == ("Plain.", "Inner.")


def test_a_time_out_around_a_run_is_a_time_out() -> None:
    class Silent(FakeAsyncModelsLike):
        async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
            await asyncio.Event().wait()
            raise AssertionError

    world = evolve(world_of(), async_models=Silent())

    async def main() -> None:
        async with asyncio.timeout(0.01):
            await run_async("go", BUILTIN_TOOLS, CFG, world)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert [event.reason for event in events_of(world) if isinstance(event, TurnEnded)] == [Reason.INTERRUPTED]


class FakeAsyncModelsLike:
    """What a port of models on a loop has besides its stream."""

    def serves(self, request: CallModel, models: object) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


def test_a_port_that_raises_is_told_and_one_that_ends_by_itself_is_answered() -> None:
    class Raising(FakeAsyncModelsLike):
        async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
            raise ValueError("oops")

    class Leaving(FakeAsyncModelsLike):
        async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
            raise asyncio.CancelledError

    for models, code in ((Raising(), "port-failed"), (Leaving(), "cancelled")):
        result = asyncio.run(run_async("go", BUILTIN_TOOLS, CFG, evolve(world_of(), async_models=models)))
        assert result.problem is not None
        assert result.problem.code == code


def test_what_a_watcher_raises_in_mid_stream_ends_the_run_and_not_the_port() -> None:
    world = world_of((chat_stream("Hello there, how are you?"),))

    class Oops(Exception):
        pass

    def watch(effect: object) -> None:
        if type(effect).__name__ == "Publish":
            raise Oops

    async def main() -> None:
        with pytest.raises(Oops):
            await run_async("go", BUILTIN_TOOLS, CFG, world, watch=watch)
        await alone()

    asyncio.run(main())
    assert asked(world).went == 1
    goes_on = evolve(world, async_models=FakeAsyncModels((chat_stream("Yes."),) * 2))
    assert asyncio.run(run_async("On.", BUILTIN_TOOLS, CFG, goes_on, state=load(world.journal.load("c")))).problem is None


def test_a_task_factory_that_begins_tasks_at_once_changes_nothing() -> None:
    factory = getattr(asyncio, "eager_task_factory", None)

    async def main() -> RunResult:
        asyncio.get_running_loop().set_task_factory(factory)
        return await run_async("go", BUILTIN_TOOLS, CFG, world_of())

    assert asyncio.run(main()).ended is not None


def test_nothing_is_left_of_many_runs() -> None:
    def once() -> None:
        asyncio.run(run_async("go", BUILTIN_TOOLS, CFG, world_of()))

    once()
    before, threads = descriptors(), threading.active_count()
    runs = [threading.Thread(target=once) for _ in range(64)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert descriptors() == before
    assert threading.active_count() == threads


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before

"""The pause before a model is asked again: a timer on a loop, an interruptible wait in a thread; over at once when it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from typing import final

import pytest
from attrs import evolve
from typing_extensions import override

from tests.shell.test_run import CFG, Driver, driver
from turnfold import BUILTIN_TOOLS, Effect, Perform, World, load, run, run_async
from turnfold.core.agent.events import Reason, TurnEnded
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.requests import Wait
from turnfold.shell.ports import Clock
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import SCRIPTED, FakeAsyncModels, FakeModels, fake_world
from turnfold.testing.wire import chat_stream

__all__ = ["driver"]  # the fixture of all drivers
NAMED = evolve(CFG, model="scripted/m", providers=(SCRIPTED,), conversation="c")
OFFLINE = world_problem("no-network", "There is no network.")
REPLIES: tuple[bytes | Problem, ...] = (OFFLINE, OFFLINE, chat_stream("Here I am."))


@final
class Slow(Clock):
    """A clock by which whoever waits waits for a day; ``asked``: for how long, in milliseconds."""

    def __init__(self) -> None:
        self.asked: tuple[int, ...] = ()

    @override
    def now_ms(self) -> int:
        return 1

    @override
    def new_id(self) -> str:
        return "c"

    @override
    def seconds(self, delay_ms: int) -> float:
        self.asked += (delay_ms,)
        return 86_400.0

    @override
    def chance(self) -> float:
        return 0.5


def reasons(world: World) -> list[Reason]:
    return [event.reason for event in world.journal.load("c") if isinstance(event, TurnEnded)]


def test_a_model_is_asked_again_after_a_pause_by_every_driver(driver: Driver) -> None:
    seen: list[Effect] = []
    result = driver("go", NAMED, evolve(fake_world(), models=FakeModels(REPLIES)), watch=seen.append)
    assert result.reply == "Here I am."
    assert sum(isinstance(effect, Perform) and isinstance(effect.request, Wait) for effect in seen) == 2


def test_on_a_loop_a_pause_is_no_thread_and_a_cancel_ends_it() -> None:
    world = evolve(fake_world(), async_models=FakeAsyncModels(REPLIES), clock=Slow())

    async def main() -> None:
        waiting = asyncio.Event()
        before = threading.active_count()

        def watch(effect: Effect) -> None:
            if isinstance(effect, Perform) and isinstance(effect.request, Wait):
                waiting.set()

        task = asyncio.create_task(run_async("go", BUILTIN_TOOLS, NAMED, world, watch=watch))
        await waiting.wait()
        await asyncio.sleep(0)
        assert threading.active_count() == before
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert reasons(world) == [Reason.INTERRUPTED]
    on = evolve(world, async_models=FakeAsyncModels((chat_stream("Again."),)))
    assert asyncio.run(run_async("On.", BUILTIN_TOOLS, NAMED, on, state=load(world.journal.load("c")))).reply == "Again."


def test_in_a_thread_a_pause_ends_when_the_run_is_cancelled() -> None:
    world, scope = evolve(fake_world(), models=FakeModels(REPLIES), clock=Slow()), Scope()
    threads: list[threading.Thread] = []

    def watch(effect: Effect) -> None:
        if isinstance(effect, Perform) and isinstance(effect.request, Wait):
            threads.append(threading.Thread(target=scope.cancel))
            threads[-1].start()

    result = run("go", BUILTIN_TOOLS, NAMED, world, watch=watch, scope=scope)
    for thread in threads:
        thread.join()
    assert result.ended is not None
    assert reasons(world) == [Reason.INTERRUPTED]

"""Law 7: conversations interleaved in any way are what they are one after another, whatever fails in one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from enum import Enum
from typing import final

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tests.laws.comparison import without_times
from tests.laws.examples import examples
from tests.laws.worlds import world_of
from turnfold.core.agent.effects import Effect, Publish
from turnfold.core.agent.events import Event
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.desk import unwatched
from turnfold.shell.ports import AsyncModels, Models
from turnfold.shell.run_async import run_async
from turnfold.testing.lives import moves, sims, streams
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.moves import Move
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, Stream, finished, moved, walked

CROWDS = st.lists(sims(), min_size=2, max_size=3).map(tuple)
ORDERS = st.lists(st.tuples(st.integers(0, 2), moves(wild=True)), max_size=30).map(tuple)


@given(CROWDS, ORDERS)
@examples(40)
def test_side_by_side_is_one_after_another(crowd: tuple[Sim, ...], order: tuple[tuple[int, Move], ...]) -> None:
    mixed = list(crowd)
    for number, move in order:
        at = number % len(crowd)
        mixed[at] = moved(mixed[at], move)
    for number, sim in enumerate(crowd):
        alone = walked(sim, tuple(move for at, move in order if at % len(crowd) == number))
        assert finished(mixed[number]).events == finished(alone).events
        assert mixed[number].effects == alone.effects


class Fault(Enum):
    """What may befall a conversation that others must not hear of."""

    NONE = "none"
    WATCHER = "its watcher raises"
    CANCEL = "it is cancelled"
    PORT = "its port raises"
    JOURNAL = "its journal can't be written"


@final
class Raised(Exception):
    """What a watcher raises."""


@final
class Failing(AsyncModels):
    """A port with a bug."""

    __slots__ = ()

    @override
    def serves(self, request: CallModel, models: Models) -> bool:
        return True

    @override
    async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
        await asyncio.sleep(0)
        raise ValueError("a bug")

    @override
    def close(self) -> None:
        """Nothing is open."""


def raising(effect: Effect) -> None:
    if isinstance(effect, Publish):
        raise Raised


async def lived(number: int, replies: tuple[Stream, ...], fault: Fault, journal: MemoryJournal, executor: Executor) -> None:
    """One conversation, with what befalls it."""
    world = world_of(replies, broken() if fault is Fault.JOURNAL else journal, on_loop=True)
    world = evolve(world, async_models=Failing()) if fault is Fault.PORT else world
    cfg = evolve(CONFIG, conversation=f"c{number}", rules=(Rule(Verdict.ALLOW),))
    watch = raising if fault is Fault.WATCHER else unwatched
    task = asyncio.create_task(run_async("go", ALL_TOOLS, cfg, world, watch=watch, executor=executor))
    if fault is Fault.CANCEL:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
    with contextlib.suppress(Raised, asyncio.CancelledError):
        await task


def broken() -> MemoryJournal:
    journal = MemoryJournal()
    journal.broken = world_problem("journal-unusable", "There is no space.")
    return journal


def journals_of(crowd: tuple[tuple[tuple[Stream, ...], Fault], ...], numbers: Iterable[int]) -> dict[str, tuple[Event, ...]]:
    """The journals of these conversations of ``crowd``, run at once on one loop, with one journal and one pool of threads."""
    journal = MemoryJournal()

    async def together(executor: Executor) -> None:
        await asyncio.gather(*(lived(number, *crowd[number], journal, executor) for number in numbers))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with ThreadPoolExecutor(1) as executor:  # one thread: the answers of one round come in the order asked, as alone
        asyncio.run(together(executor))
    return {each.conversation: tuple(map(without_times, journal.load(each.conversation))) for each in journal.find()}


FAULTS = st.sampled_from((*(3 * (Fault.NONE,)), *Fault))


@given(st.lists(st.tuples(st.lists(streams(), max_size=2).map(tuple), FAULTS), min_size=2, max_size=4).map(tuple))
@examples(25)
def test_on_one_loop_each_is_what_it_is_alone(crowd: tuple[tuple[tuple[Stream, ...], Fault], ...]) -> None:
    mixed = journals_of(crowd, range(len(crowd)))
    for number, (_, fault) in enumerate(crowd):
        if fault is Fault.NONE:
            assert mixed[f"c{number}"] == journals_of(crowd, (number,))[f"c{number}"]

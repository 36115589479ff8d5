"""Law 6: given the same order of answers, ``run`` and ``run_async`` give equal journals up to times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.comparison import comparable, without_times
from tests.laws.examples import examples
from tests.laws.worlds import world_of
from turnfold.core.agent.events import Event
from turnfold.core.config.layers import ChatConfig
from turnfold.core.journal import fold
from turnfold.shell.desk import RunResult
from turnfold.shell.run import run
from turnfold.shell.run_async import run_async
from turnfold.shell.world import World
from turnfold.testing.lives import sim_configs, streams
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Stream

REPLIES = st.lists(streams(), min_size=1, max_size=3).map(tuple)


def plain(cfg: ChatConfig, world: World) -> RunResult:
    return run("go", ALL_TOOLS, cfg, world)


def aside(cfg: ChatConfig, world: World) -> RunResult:
    with ThreadPoolExecutor(1) as executor:
        return run("go", ALL_TOOLS, cfg, world, executor=executor)


def on_a_loop(cfg: ChatConfig, world: World) -> RunResult:
    return asyncio.run(run_async("go", ALL_TOOLS, cfg, world, side_by_side=1))


def journal_of(driver: Callable[[ChatConfig, World], RunResult], cfg: ChatConfig, replies: tuple[Stream, ...]) -> tuple[Event, ...]:
    journal = MemoryJournal()
    result = driver(cfg, world_of(replies, journal))
    events = journal.load(cfg.conversation)
    assert result.state.idle
    assert comparable(fold(events)) == comparable(result.state.past)
    return tuple(map(without_times, events))


@given(sim_configs(timed=False), REPLIES)
@examples(60)
def test_the_drivers_agree(cfg: ChatConfig, replies: tuple[Stream, ...]) -> None:
    expected = journal_of(plain, cfg, replies)
    assert journal_of(aside, cfg, replies) == expected
    assert journal_of(on_a_loop, cfg, replies) == expected

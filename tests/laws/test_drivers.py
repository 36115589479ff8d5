"""Law 6: given the same order of answers, all drivers give equal journals up to times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.comparison import comparable, without_times
from tests.laws.examples import examples
from tests.laws.worlds import world_of
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import CommandGiven, Input, UserSaid
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.journal import fold
from turnfold.shell.desk import InputRule, RunResult
from turnfold.shell.run import run
from turnfold.shell.run_async import run_async
from turnfold.shell.streaming.streamed import run_streamed
from turnfold.shell.world import World
from turnfold.testing.lives import COMMANDS, sim_configs, streams
from turnfold.testing.memory_journal import MemoryJournal
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Stream

Rules: TypeAlias = tuple[InputRule, ...]
Driver: TypeAlias = Callable[[str, ChatConfig, World, ChatState, Rules], RunResult]
REPLIES = st.lists(streams(), min_size=1, max_size=3).map(tuple)


SAID = st.lists(st.sampled_from(("go", *COMMANDS)), max_size=4).map(lambda said: ("go", *said))


def input_of(said: str) -> str | Input:
    return CommandGiven(said) if said.startswith("/") else said


def once_more(state: ChatState, cfg: ChatConfig) -> tuple[Input, ...]:
    """A rule: the first turn is never the last."""
    return (UserSaid("And then?"),) if state.idle and state.past.turns == 1 else ()


def plain(said: str, cfg: ChatConfig, world: World, state: ChatState, rules: Rules) -> RunResult:
    return run(input_of(said), ALL_TOOLS, cfg, world, state=state, rules=rules)


def aside(said: str, cfg: ChatConfig, world: World, state: ChatState, rules: Rules) -> RunResult:
    with ThreadPoolExecutor(1) as executor:
        return run(input_of(said), ALL_TOOLS, cfg, world, state=state, executor=executor, rules=rules)


def streamed(said: str, cfg: ChatConfig, world: World, state: ChatState, rules: Rules) -> RunResult:
    with run_streamed(input_of(said), ALL_TOOLS, cfg, world, state=state, rules=rules) as stream:
        for _ in stream:
            pass
        return stream.result()


def on_a_loop(said: str, cfg: ChatConfig, world: World, state: ChatState, rules: Rules) -> RunResult:
    with ThreadPoolExecutor(1) as executor:
        return asyncio.run(run_async(input_of(said), ALL_TOOLS, cfg, world, state=state, executor=executor, rules=rules))


def journals_of(
    driver: Driver, said: tuple[str, ...], cfg: ChatConfig, replies: tuple[Stream, ...], rules: Rules, *, on_loop: bool = False
) -> tuple[tuple[Event, ...], ...]:
    """The journals of all conversations that there are in the end: this one, and its forks."""
    journal = MemoryJournal()
    world, state = world_of(replies, journal, on_loop=on_loop), ChatState()
    for each in said:
        state = driver(each, cfg, world, state, rules).state
        assert state.idle
        assert comparable(fold(journal.load(cfg.conversation))) == comparable(state.past)
    kept = sorted(each.conversation for each in journal.find())
    return tuple(tuple(map(without_times, journal.load(conversation))) for conversation in kept)


@given(sim_configs(timed=False), SAID, REPLIES, st.sampled_from(((), (), (once_more,))))
@examples(60)
def test_the_drivers_agree(cfg: ChatConfig, said: tuple[str, ...], replies: tuple[Stream, ...], rules: Rules) -> None:
    alone = tuple(each for each in cfg.guardrails if not each.question)  # what is asked beside a model's call may answer before it or after
    one = evolve(
        cfg, limits=evolve(cfg.limits, side_by_side=1), guardrails=alone
    )  # answers come in the order asked, as in the caller's thread
    expected = journals_of(plain, said, one, replies, rules)
    assert journals_of(aside, said, one, replies, rules) == expected
    assert journals_of(streamed, said, one, replies, rules) == expected
    assert journals_of(on_a_loop, said, one, replies, rules) == expected
    assert journals_of(on_a_loop, said, one, replies, rules, on_loop=True) == expected

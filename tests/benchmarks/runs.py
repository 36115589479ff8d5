"""What a run costs: a tool turn, a delta, a long history, many conversations at once, a parked one, an import, a first answer.

    python -m tests.benchmarks.runs [CONVERSATIONS…]

Microseconds are CPU time, medians; the gates are those of the design. A tool turn is the marginal one: (60 rounds - 10 rounds) / 50, with
a tool that needs no world, kept by the SQLite journal.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

from attrs import evolve

from tests.benchmarks.cost_of_history import CHUNK, cost
from tests.benchmarks.scripted import CFG, WEATHER, Script, scripted_world, words
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.inputs import ChunkArrived, UserSaid
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import step
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.world.requests import CallModel
from turnfold.shell.desk import RunResult
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.run import run
from turnfold.shell.run_async import run_async
from turnfold.shell.world import World
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

TIMES = 5
FEW, MANY = 10, 60  # rounds
DELTAS = 2_000
PARKED = 500
CROWDS = (1_000, 10_000)
UNDER = "attrs, cattrs, returns.result, returns.pipeline"
ANSWER = """
from tests.benchmarks.scripted import CFG, Script, scripted_world
from turnfold import run
assert run("hi", (), CFG, scripted_world(Script(0))).reply
"""
Drive = Callable[[str, World], RunResult]


def plain(conversation: str, world: World) -> RunResult:
    """One run, in this thread."""
    return run("go", (WEATHER,), evolve(CFG, conversation=conversation), world)


def on_a_loop(conversation: str, world: World) -> RunResult:
    """One run, on a loop of its own."""
    return asyncio.run(run_async("go", (WEATHER,), evolve(CFG, conversation=conversation), world))


def cpu_us(work: Callable[[], object]) -> float:
    """The CPU time of ``work``."""
    gc.collect()
    begin = time.process_time_ns()
    work()
    return (time.process_time_ns() - begin) / 1000


def tool_turn_us(drive: Drive, times: int = TIMES) -> float:
    """What one more round costs, kept on a disk."""
    costs = []
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder, "j.db"))) as journal:
        few, many = (scripted_world(Script(rounds), journal) for rounds in (FEW, MANY))
        drive("warm", few)
        for number in range(times):
            short = cpu_us(lambda: drive(f"few{number}", few))  # noqa: B023 - called at once
            costs.append((cpu_us(lambda: drive(f"many{number}", many)) - short) / (MANY - FEW))  # noqa: B023
    return median(costs)


def delta_us(drive: Drive, times: int = TIMES) -> float:
    """What one more delta of a reply costs through a driver."""
    short, long = (scripted_world(Script(0, words(count))) for count in (1, DELTAS))
    costs = []
    for number in range(times):
        base = cpu_us(lambda: drive(f"short{number}", short))  # noqa: B023
        costs.append((cpu_us(lambda: drive(f"long{number}", long)) - base) / DELTAS)  # noqa: B023
    return median(costs)


def core_delta_us(times: int = TIMES) -> float:
    """What one more delta of a reply costs in ``step`` alone."""
    begun = step(ChatState(), UserSaid("go"), (), evolve(CFG, conversation="c"))
    asked = next(effect.request_id for effect in begun.effects if isinstance(effect, Perform) and isinstance(effect.request, CallModel))

    def stream() -> None:
        state = begun.state
        for _ in range(DELTAS):
            state = step(state, ChunkArrived(asked, CHUNK), (), CFG).state

    return median(cpu_us(stream) for _ in range(times)) / DELTAS


async def crowd(count: int, world: World) -> None:
    """So many conversations at once, with a tool turn each."""
    runs = (run_async("go", (WEATHER,), evolve(CFG, conversation=f"c{number}"), world) for number in range(count))
    for result in await asyncio.gather(*runs):
        assert result.problem is None, result.problem


def crowd_s(count: int) -> float:
    """The CPU seconds of so many conversations at once."""
    world = scripted_world(Script(1))
    return cpu_us(lambda: asyncio.run(crowd(count, world))) / 1e6


def parked_bytes(count: int = PARKED) -> float:
    """What a conversation holds that waits for a person: its state, after a tool was called that has to be asked for."""
    asking = evolve(CFG, rules=(Rule(Verdict.ASK),))
    reply = chat_stream("I write it.", (RawCall("save", '{"path":"a.txt","content":"hello"}'),))
    tools = tuple(tool for tool in BUILTIN_TOOLS if tool.name == "save")

    def parked(number: int) -> ChatState:
        world = fake_world((reply,))
        state = run(f"write file {number}", tools, evolve(asking, conversation=f"c{number}"), world).state
        assert not state.idle
        return state

    parked(0)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    states = [parked(number) for number in range(count)]
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(states)


def process_s(program: str, times: int = TIMES) -> float:
    """The CPU seconds of a new process, from its start to its end."""
    taken = []
    for _ in range(times):
        before = os.times()
        subprocess.run([sys.executable, "-c", program], check=True)
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return median(taken)


def main(counts: tuple[int, ...]) -> None:
    """Print the table."""
    print("| what | is | gate |\n|---|---|---|")
    for name, drive in (("run", plain), ("run_async", on_a_loop)):
        print(f"| a durable tool turn, {name} | {tool_turn_us(drive):.0f} µs | 100 |")
        print(f"| a delta, {name} | {delta_us(drive):.1f} µs | 10 |")
    print(f"| a delta, core alone | {core_delta_us():.1f} µs | 5 |")
    short, long = cost(10), cost(10_000)
    ratio = (long.request_us - long.join_us) / (short.request_us - short.join_us)
    print(f"| a turn at 10,000 messages, by one at 10, the bytes sent apart | {ratio:.1f} | 2 |")
    print(f"| a parked conversation | {parked_bytes() / 1024:.1f} KiB | 10 |")
    for count in counts:
        print(f"| {count:,} conversations at once | {crowd_s(count):.1f} s | {8.5 * count / 10_000:.1f} |")
    base = process_s(f"import {UNDER}")
    print(f"| import turnfold, over what it needs | {process_s(f'import {UNDER}, turnfold') - base:.2f} s | 0.1 |")
    print(f"| the first answer of a process | {process_s(ANSWER):.2f} s | 0.3 |")


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or CROWDS)

"""What is measured of each framework alike: only the standard library, so that it runs in every environment.

A subject says how its framework does five things with a scripted model that answers at once; a tool is a plain function where the framework
calls functions. Times are CPU time, medians; a marginal cost is what 50 more rounds, or 2,000 more deltas, cost.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

TIMES = 3
FEW, MANY = 10, 60
DELTAS = 2_000
HISTORIES = (10, 1_000, 10_000)
PARKED = 200
WORD = "word "
REPLY = "It is sunny in Rome."


@dataclass(frozen=True)
class Subject:
    """``run``: a run with so many tool rounds; ``stream``: a reply of so many deltas, each of them seen; ``history``: what ``text`` goes
    on with, one turn of text after so many messages; ``park``: what is held of a run that waits for a person's yes.
    """

    run: Callable[[int], Awaitable[object]]
    stream: Callable[[int], Awaitable[object]]
    history: Callable[[int], Awaitable[Any]]
    text: Callable[[Any], Awaitable[object]]
    park: Callable[[int], Awaitable[object]]


async def cpu_s(work: Callable[[], Awaitable[object]]) -> float:
    """The CPU seconds of ``work``."""
    gc.collect()
    begin = time.process_time()
    await work()
    return time.process_time() - begin


async def marginal_us(work: Callable[[int], Awaitable[object]], few: int, many: int) -> float:
    """What one more of them costs."""
    await work(few)
    costs = []
    for _ in range(TIMES):
        short, long = await cpu_s(lambda: work(few)), await cpu_s(lambda: work(many))
        costs.append((long - short) / (many - few) * 1e6)
    return median(costs)


async def crowd(subject: Subject, count: int) -> None:
    """So many conversations at once, with one tool round each."""
    await asyncio.gather(*(subject.run(1) for _ in range(count)))


async def parked_kib(subject: Subject) -> float:
    """What one conversation holds that waits."""
    await subject.park(0)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held = [await subject.park(number) for number in range(PARKED)]
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(held) / 1024


async def measured(subject: Subject, crowds: tuple[int, ...]) -> dict[str, float]:
    """All figures, by what they are of."""
    found = {
        "tool turn, µs": await marginal_us(subject.run, FEW, MANY),
        "streamed delta, µs": await marginal_us(subject.stream, 1, DELTAS),
    }
    for messages in HISTORIES:
        history = await subject.history(messages)
        await subject.text(history)
        costs = [await cpu_s(lambda: subject.text(history)) for _ in range(TIMES)]  # noqa: B023 - called at once
        found[f"text turn at {messages:,} messages, ms"] = median(costs) * 1000
    found["parked conversation, KiB"] = await parked_kib(subject)
    for count in crowds:
        found[f"{count:,} conversations at once, s"] = await cpu_s(lambda: crowd(subject, count))  # noqa: B023
    return found


def tell(subject: Subject) -> None:
    """Print the figures as one line of JSON; the arguments are the sizes of the crowds."""
    crowds = tuple(map(int, sys.argv[1:]))
    sys.stdout.write(json.dumps(asyncio.run(measured(subject, crowds))) + "\n")

"""Nothing grows with the history but the bytes sent: a wide margin over the benchmark's table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.benchmarks.cost_of_history import Cost, cost, main

MARGIN = 3.0
TRIES = 5  # another process may have the core for a while


@pytest.mark.parametrize(
    "own",
    [
        lambda each: each.delta_us,
        lambda each: each.append_us,
        lambda each: each.answer_us - each.join_us,
        lambda each: each.request_us - each.join_us,
    ],
    ids=["delta", "append", "answer", "request"],
)
def test_a_step_costs_the_same_at_10_and_at_10_000_messages(own: Callable[[Cost], float]) -> None:
    ratios: list[float] = []
    while len(ratios) < TRIES and (not ratios or ratios[-1] > MARGIN):
        short, long = cost(10), cost(10_000)
        # The allocator gives a step's megabyte fresh pages and a loop's warm ones: joining cost up to three times as much there,
        # and which it is depends on the tests before. A step that encoded the history anew would cost over ten times the joining.
        joining = 2 * long.join_us
        ratios.append((own(long) - joining) / own(short))
    assert ratios[-1] <= MARGIN, ratios


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main((10, 20))
    assert "20 messages" in capsys.readouterr().out

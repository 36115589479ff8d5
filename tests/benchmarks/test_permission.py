"""Permission stays cheap: a wide margin over the benchmark's table, and nothing that grows faster than the script."""

from __future__ import annotations

import pytest

from tests.benchmarks import permission
from turnfold.core.world.permission import permit

LIMIT_US = 100.0
MARGIN = 10.0  # for coverage's tracing and slow machines


@pytest.mark.parametrize("script", permission.SCRIPTS[:3])
def test_a_command_is_judged_in_microseconds(script: str) -> None:
    request = permission.run(script)
    assert permission.best_us(lambda: permit(request, permission.CFG), 20) <= MARGIN * LIMIT_US


@pytest.mark.parametrize("part", ["make test; ", "ls && ", "echo 'a b' | ", "$(ls) ", "x=1\n", "((", "'a'", "`", "a <<E\nE\n"])
def test_the_cost_is_linear_in_the_script(part: str) -> None:
    small, large = permission.run(part * 100 + "ls"), permission.run(part * 1600 + "ls")
    costs = tuple(permission.best_us(lambda: permit(each, permission.CFG), 1) for each in (small, large))  # noqa: B023 - called at once
    assert costs[1] <= 16 * 8 * costs[0] + 20_000, costs


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    permission.main(1)
    assert len(capsys.readouterr().out.splitlines()) == len(permission.SCRIPTS)

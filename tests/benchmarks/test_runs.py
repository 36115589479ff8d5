"""The gates of the design, with a wide margin for machines that others use, too."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest

from tests.benchmarks.runs import (
    ANSWER,
    UNDER,
    crowd,
    crowd_s,
    delta_us,
    main,
    on_a_loop,
    parked_bytes,
    plain,
    process_s,
    tool_turn_us,
    turn_us,
)
from tests.benchmarks.scripted import Script, scripted_world

MARGIN = 10.0 if sys.gettrace() is not None else 3.0  # coverage looks at every line
TRIES = 4  # another process may have the core for a while


def least(measured: Callable[[], float], gate: float) -> float:
    """What is measured, the best of some tries where it is over the gate."""
    found = measured()
    for _ in range(TRIES):
        if found <= gate:
            break
        found = min(found, measured())
    return found


@pytest.mark.parametrize("drive", [plain, on_a_loop], ids=["run", "run_async"])
def test_a_delta_through_a_driver(drive: Callable[..., object]) -> None:
    gate = 10 * MARGIN
    assert least(lambda: delta_us(drive, 1), gate) <= gate  # type: ignore[arg-type]  # one of the drivers


def test_a_turn_costs_the_same_after_thousands_of_messages() -> None:
    assert least(lambda: turn_us(3_000, 3) / turn_us(10, 3), 2 * MARGIN) <= 2 * MARGIN


def test_a_parked_conversation() -> None:
    assert parked_bytes(50) <= 10 * 1024


def test_hundreds_of_conversations_at_once_cost_what_they_cost_one_after_another() -> None:
    """They are tasks, and nothing of one grows with the number of the others."""
    few, many = crowd_s(50) / 50, crowd_s(500) / 500
    for _ in range(TRIES):
        if many <= MARGIN * few:
            break
        few, many = max(few, crowd_s(50) / 50), min(many, crowd_s(500) / 500)
    assert many <= MARGIN * few


def test_every_conversation_of_a_crowd_is_kept() -> None:
    world = scripted_world(Script(1))
    asyncio.run(crowd(20, world))
    assert len(world.journal.find()) == 20


def test_the_import_and_the_first_answer_of_a_process() -> None:
    base = process_s(f"import {UNDER}", 1)
    assert least(lambda: process_s(f"import {UNDER}, turnfold", 1) - base, 0.1 * MARGIN) <= 0.1 * MARGIN
    assert least(lambda: process_s(ANSWER, 1), 0.3 * MARGIN) <= 0.3 * MARGIN


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tool_turn_us", "delta_us", "core_delta_us", "parked_bytes", "process_s", "turn_ratio"):
        monkeypatch.setattr(f"tests.benchmarks.runs.{name}", lambda *given: 1.0)
    main((10,))
    assert "10 conversations at once" in capsys.readouterr().out


def test_a_tool_turn_is_measured() -> None:
    assert tool_turn_us(plain, 1) > 0

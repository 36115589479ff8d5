from __future__ import annotations

import re
import time

import pytest

from turnfold.shell.clock import SystemClock
from turnfold.shell.ports import Clock
from turnfold.testing.fakes import FakeClock


@pytest.fixture(params=[SystemClock, FakeClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_time_does_not_go_back(clock: Clock) -> None:
    times = [clock.now_ms() for _ in range(100)]
    assert times == sorted(times)


def test_ids_differ_and_fit(clock: Clock) -> None:
    ids = {clock.new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[0-9a-z-]{1,24}", each) for each in ids)


def test_now_is_now_in_milliseconds() -> None:
    assert abs(SystemClock().now_ms() - time.time() * 1000) < 60_000


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = (0, 999, 1000, 1_700_000_000_123, 1_700_000_000_124, 1_800_000_000_000)
    ids = []
    for moment in moments:
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment * 1_000_000)
        ids.append(SystemClock().new_id())
    assert ids == sorted(ids)
    assert ids[3].startswith("20231114-221320123")

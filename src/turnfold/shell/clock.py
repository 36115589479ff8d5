"""Time and chance: the only module that reads either."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.shell.ports import Clock

ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # base 32 as Crockford has it: sorts, no i, l, o, u
CHANCES = 1_000_000
ID_RANDOM = 6  # characters, 30 bits, within one millisecond


def monotonic_s() -> float:
    """Seconds that only go forward, for deadlines."""
    return time.monotonic()


@final
@frozen
class SystemClock(Clock):
    """The system's clock, and ids from it that sort by time."""

    @override
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    @override
    def new_id(self) -> str:
        """``20261107-153012123k3f9qz``: UTC to the millisecond and 30 random bits; 24 characters, fit for a file name."""
        now_ms = self.now_ms()
        moment = dt.datetime.fromtimestamp(now_ms // 1000, dt.UTC).strftime("%Y%m%d-%H%M%S")
        return f"{moment}{now_ms % 1000:03d}{''.join(secrets.choice(ID_ALPHABET) for _ in range(ID_RANDOM))}"

    @override
    def seconds(self, delay_ms: int) -> float:
        return delay_ms / 1000

    @override
    def chance(self) -> float:
        return secrets.randbelow(CHANCES) / CHANCES

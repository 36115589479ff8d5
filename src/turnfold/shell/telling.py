"""What a request prints or says while it is under way, fit to be shown: masked, as text without escapes, and not too much of it.

It is for whoever watches, and for nobody else: the answer holds it all. So in a flood some is left out, and nothing is ever waited for.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from threading import Lock
from typing import final

from turnfold.shell.clock import monotonic_s
from turnfold.shell.masking import Mask, MaskedEmit
from turnfold.shell.plain_text import plain_text, unfinished_chars

BURST_BYTES = 256_000  # that are passed on at once
RATE_BYTES = 64_000  # and a second, from then on


@final
class Telling:
    """Passes on what one request prints. Any thread may call it, also when the request is over: then nothing happens."""

    __slots__ = ("_decoder", "_emit", "_held", "_left", "_lock", "_mask", "_over", "_passing", "_since_s")

    def __init__(self, emit: Callable[[bytes], None], mask: Mask) -> None:
        self._emit = emit
        self._mask = mask
        self._lock = Lock()
        self._over = False
        self._passing: MaskedEmit | None = None  # made when something comes: most requests print nothing
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._left = float(BURST_BYTES)
        self._since_s = 0.0

    def received(self, data: bytes) -> None:
        """Pass ``data`` on."""
        with self._lock:
            if self._over:
                return
            if self._passing is None:
                self._passing = MaskedEmit(self._pass, self._mask)
                self._since_s = monotonic_s()
            self._passing.received(data)

    def end(self) -> None:
        """Pass nothing on from now on."""
        with self._lock:
            self._over = True

    def _pass(self, data: bytes) -> None:
        text = self._held + self._decoder.decode(data)
        cut = len(text) - unfinished_chars(text)
        self._held = text[cut:]
        shown = plain_text(text[:cut]).encode("utf-8", "replace")
        if shown and self._allowed(len(shown)):
            self._emit(shown)

    def _allowed(self, size: int) -> bool:
        now_s = monotonic_s()
        self._left = min(self._left + (now_s - self._since_s) * RATE_BYTES, BURST_BYTES)
        self._since_s = now_s
        if size > self._left:
            return False
        self._left -= size
        return True

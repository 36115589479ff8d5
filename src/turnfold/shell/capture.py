"""Output of any length in bounded memory: its beginning and its end are kept, the middle is counted."""

from __future__ import annotations

from typing import final

CONTINUATION = bytes(range(0x80, 0xC0))  # the bytes of a UTF-8 character but its first


@final
class Capture:
    r"""Bytes fed in pieces, at most ``limit_bytes`` of them kept: the first half, and the last half.

    >>> capture = Capture(8)
    >>> capture.feed(b"0123456789")
    >>> capture.text(), capture.cut_bytes
    ('0123\n[… 2 bytes left out …]\n6789', 2)
    """

    __slots__ = ("_head", "_head_bytes", "_tail", "_tail_bytes", "_total")

    def __init__(self, limit_bytes: int) -> None:
        self._tail_bytes = max(limit_bytes, 0) // 2
        self._head_bytes = max(limit_bytes, 0) - self._tail_bytes
        self._head = bytearray()
        self._tail = bytearray()  # grows to twice what is kept before it is cut, so that feeding stays linear
        self._total = 0

    def feed(self, data: bytes) -> None:
        """Take ``data`` in; amortised O(len(data))."""
        self._total += len(data)
        room = self._head_bytes - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._tail_bytes:
            self._trim()

    def _trim(self) -> None:
        del self._tail[: max(len(self._tail) - self._tail_bytes, 0)]

    @property
    def cut_bytes(self) -> int:
        """How many bytes ``text`` leaves out."""
        head, tail = self._kept()
        return self._total - len(head) - len(tail)

    def text(self) -> str:
        """What was kept, as UTF-8 (a byte that is none is written as ``\\xff``), with a line in the place of what was left out."""
        head, tail = self._kept()
        cut = self._total - len(head) - len(tail)
        if not cut:
            return (head + tail).decode("utf-8", "backslashreplace")
        return f"{head.decode('utf-8', 'backslashreplace')}\n[… {cut:,} bytes left out …]\n{tail.decode('utf-8', 'backslashreplace')}"

    def _kept(self) -> tuple[bytes, bytes]:
        """Beginning and end; where something lies between, no character is cut in two at either side of it."""
        self._trim()
        head, tail = bytes(self._head), bytes(self._tail)
        return (head, tail) if len(head) + len(tail) == self._total else (_whole_end(head), _whole_start(tail))


def _whole_end(data: bytes) -> bytes:
    """``data`` without the beginning of a UTF-8 character at its end."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 != 0x80:  # not a continuation byte: a character begins here
            needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return data[:-back] if needed > back else data
    return data


def _whole_start(data: bytes) -> bytes:
    """``data`` without the rest of a UTF-8 character at its start."""
    rest = len(data) - len(data.lstrip(CONTINUATION))
    return data[rest:] if rest < 4 else data  # four in a row are in no character

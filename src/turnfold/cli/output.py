"""Writing to a stream, at once, whatever its encoding."""

from __future__ import annotations

from typing import TextIO


def write(stream: TextIO, text: str) -> None:
    """``text`` out at once; what the stream's encoding can't hold is replaced."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at the other end of ``stream``."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False  # closed

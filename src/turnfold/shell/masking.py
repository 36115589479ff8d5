"""Keeping a secret's value out of what goes on: messages whole, streams piece by piece."""

from __future__ import annotations

from typing import final

from attrs import frozen

MASK = "***"
STREAM_CHARS = 16  # a shorter value is a stand-in ("ollama", "EMPTY"), or a word that a reply may hold


@final
@frozen
class Masked:
    """What of a stream may go on, and the end that is held back because a secret may begin there."""

    out: bytes
    held: bytes = b""


def masked_text(text: str, secret: str) -> str:
    """``text`` with every occurrence of ``secret`` (unless it is empty) as ``***``.

    >>> masked_text("bad key sk-1", "sk-1")
    'bad key ***'
    """
    return text.replace(secret, MASK) if secret else text


def masked_bytes(data: bytes, secret: str) -> bytes:
    """``data`` with every occurrence of ``secret`` (unless it is empty) as ``***``."""
    return data.replace(secret.encode(), MASK.encode()) if secret else data


def masked_chunk(held: bytes, chunk: bytes, secret: bytes) -> Masked:
    """``held + chunk`` with ``secret`` masked; an end that may be the secret's beginning is held back.

    An empty chunk gives out what is held; a secret that is too short to be told from words is let through.

    >>> masked_chunk(b"", b"the key sk-0123456789", b"sk-0123456789abcdef")
    Masked(out=b'the key ', held=b'sk-0123456789')
    """
    if len(secret) < STREAM_CHARS:
        return Masked(chunk)
    text = (held + chunk).replace(secret, MASK.encode())
    if not chunk:
        return Masked(text)
    for size in range(min(len(secret) - 1, len(text)), 0, -1):
        if text.endswith(secret[:size]):
            return Masked(text[:-size], text[-size:])
    return Masked(text)

"""Keeping a secret's value out of what goes on: messages whole, streams piece by piece."""

from __future__ import annotations

from collections.abc import Iterable
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


def masked_text(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every occurrence of the ``secrets`` (the empty one apart) as ``***``, the longest first.

    >>> masked_text("bad key sk-1", ["sk-1"])
    'bad key ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK) if secret else text
    return text


def masked_bytes(data: bytes, secrets: Iterable[str]) -> bytes:
    """``data`` with every occurrence of the ``secrets`` (the empty one apart) as ``***``, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        data = data.replace(secret.encode(), MASK.encode()) if secret else data
    return data


def masked_chunk(held: bytes, chunk: bytes, secrets: Iterable[bytes]) -> Masked:
    """``held + chunk`` with the ``secrets`` masked; an end that may be the beginning of one is held back.

    An empty chunk gives out what is held; a secret that is too short to be told from words is let through.

    >>> masked_chunk(b"", b"the key sk-0123456789", [b"sk-0123456789abcdef"])
    Masked(out=b'the key ', held=b'sk-0123456789')
    """
    long = sorted((secret for secret in secrets if len(secret) >= STREAM_CHARS), key=len, reverse=True)
    text = held + chunk
    for secret in long:
        text = text.replace(secret, MASK.encode())
    size = max((_beginning(text, secret) for secret in long), default=0) if chunk else 0
    return Masked(text[: len(text) - size], text[len(text) - size :])


def _beginning(text: bytes, secret: bytes) -> int:
    """How many bytes at the end of ``text`` may be the beginning of ``secret``."""
    sizes = range(min(len(secret) - 1, len(text)), 0, -1)
    return next((size for size in sizes if text.endswith(secret[:size])), 0)

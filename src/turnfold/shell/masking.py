"""Keeping the values of secrets out of what goes on: texts and bytes whole, streams piece by piece, and what was cut.

A value gives way to a mark that names its secret, so that whoever reads it knows what stands there, and a file's writer can put
it back (:func:`restored`). A value shorter than ``LEAST_CHARS`` is no secret: it would mask half of every text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import AnyStr, final

from attrs import field, frozen

LEAST_CHARS = 8  # of a value that is masked in a text
STREAM_CHARS = 16  # in a stream: a shorter value is a stand-in ("ollama", "EMPTY"), or a word that a reply may hold
PART_CHARS = 6  # of a value's beginning or end, at a place where a text was cut
_LEFT_OUT = re.compile(r"\n\[… [\d,]+ bytes left out …\]\n")  # capture.py


@final
@frozen
class Secret:
    """A secret: its name, which may be told, and its value, which may not."""

    name: str
    value: str = field(repr=False)

    @property
    def mark(self) -> str:
        """What stands for the value.

        >>> Secret("A_KEY", "s3cret-value").mark
        '[secret A_KEY]'
        """
        return f"[secret {self.name}]"


@final
@frozen(eq=False, repr=False)
class Mask:
    """Secrets, ready to be masked; made by :func:`mask_of`."""

    secrets: tuple[Secret, ...]
    _marks: Mapping[str, str]
    _found: re.Pattern[str] | None
    _found_bytes: re.Pattern[bytes] | None
    encoded: tuple[bytes, ...] = ()
    _within: frozenset[int] = frozenset()  # the bytes of all values

    def text(self, text: str) -> str:
        """``text`` with every value as its secret's mark; of values that overlap, the longest counts.

        >>> mask_of([Secret("A", "sk-0123"), Secret("B", "sk-01234")], 4).text("Bearer sk-01234, sk-0123")
        'Bearer [secret B], [secret A]'
        """
        if self._found is None or not any(value in text for value in self._marks):  # the search for a text is the quick one
            return text
        return self._found.sub(lambda value: self._marks[value[0]], text)

    def data(self, data: bytes) -> bytes:
        """``data`` with every value as its secret's mark."""
        if self._found_bytes is None or not self.holds(data):
            return data
        return self._found_bytes.sub(self._mark, data)

    def holds(self, data: bytes) -> bool:
        """Whether a value is in ``data``."""
        for value in self.encoded:  # noqa: SIM110 - a generator costs as much again, and every chunk of every reply passes here
            if value in data:
                return True
        return False

    def open_bytes(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` may be the beginning of a value.

        >>> mask_of([Secret("A", "sk-0123456789")]).open_bytes(b"the key sk-01")
        5
        """
        if not data or data[-1] not in self._within:
            return 0
        return max((_beginning(data, value) for value in self.encoded), default=0)

    def _mark(self, value: re.Match[bytes]) -> bytes:
        return self._marks[value[0].decode("utf-8", "surrogateescape")].encode()

    def cut_text(self, text: str) -> str:
        """As :meth:`text`, for one that was cut at its ends, or where it says so: there a part of a value is masked as well.

        >>> mask_of([Secret("A", "sk-0123456789")]).cut_text("the key is sk-01234")
        'the key is [secret A]'
        """
        if self._found is None:
            return text
        pieces = _LEFT_OUT.split(text)
        between = _LEFT_OUT.findall(text)
        masked = tuple(self._without_parts(self.text(piece)) for piece in pieces)
        return "".join(part for pair in zip(masked, (*between, ""), strict=True) for part in pair)

    def _without_parts(self, text: str) -> str:
        for secret in self.secrets:
            size = _beginning(text, secret.value)
            if size >= PART_CHARS:
                text = text[: len(text) - size] + secret.mark
            size = _end(text, secret.value)
            if size >= PART_CHARS:
                text = secret.mark + text[size:]
        return text


def mask_of(secrets: Iterable[Secret], least_chars: int = LEAST_CHARS) -> Mask:
    """What masks the values of ``secrets`` that have at least so many characters."""
    long = tuple(sorted((each for each in secrets if len(each.value) >= least_chars), key=lambda each: len(each.value), reverse=True))
    marks = MappingProxyType({each.value: each.mark for each in reversed(long)})  # of two with one value, the first names it
    if not long:
        return Mask(secrets=(), marks=marks, found=None, found_bytes=None)
    found = re.compile("|".join(re.escape(value) for value in sorted(marks, key=len, reverse=True)))
    found_bytes = re.compile(found.pattern.encode("utf-8", "surrogateescape"))
    encoded = tuple(each.value.encode("utf-8", "surrogateescape") for each in long)
    return Mask(secrets=long, marks=marks, found=found, found_bytes=found_bytes, encoded=encoded, within=frozenset(b"".join(encoded)))


NOTHING = mask_of(())


def restored(text: str, old: str, secrets: Iterable[Secret]) -> str:
    """``text`` with the values of secrets in the place of their marks, where ``old``, which it replaces, held them.

    >>> key = Secret("A_KEY", "s3cret-value")
    >>> restored("A=[secret A_KEY]", "A=s3cret-value", [key]), restored("A=[secret A_KEY]", "", [key])
    ('A=s3cret-value', 'A=[secret A_KEY]')
    """
    there = {each.mark: each.value for each in secrets if each.mark in text and each.value in old}
    if not there:
        return text
    return re.compile("|".join(map(re.escape, there))).sub(lambda mark: there[mark[0]], text)


@final
@frozen
class Masked:
    """What of a stream may go on, and the end that is held back because a secret may begin there."""

    out: bytes
    held: bytes = b""


def masked_chunk(held: bytes, chunk: bytes, mask: Mask) -> Masked:
    """``held + chunk`` masked; an end that may be the beginning of a secret is held back. An empty chunk gives out what is held.

    >>> masked_chunk(b"", b"the key sk-0123456789", mask_of([Secret("A", "sk-0123456789abcdef")], STREAM_CHARS))
    Masked(out=b'the key ', held=b'sk-0123456789')
    """
    text = mask.data(held + chunk)
    size = mask.open_bytes(text) if chunk else 0
    return Masked(text[: len(text) - size], text[len(text) - size :])


@final
class MaskedEmit:
    """Passes the chunks of one stream on, with secrets masked that may be cut over chunks."""

    __slots__ = ("_emit", "_held", "_mask")

    def __init__(self, emit: Callable[[bytes], None], mask: Mask) -> None:
        self._emit = emit
        self._mask = mask_of(mask.secrets, STREAM_CHARS)
        self._held = b""

    def received(self, chunk: bytes) -> None:
        """Pass ``chunk`` on; an empty one ends the stream."""
        if chunk and not self._held and not self._mask.open_bytes(chunk) and not self._mask.holds(chunk):
            self._emit(chunk)  # as nearly every one is
            return
        masked = masked_chunk(self._held, chunk, self._mask)
        self._held = masked.held
        if masked.out:
            self._emit(masked.out)


def _beginning(text: AnyStr, secret: AnyStr) -> int:
    """How many characters at the end of ``text`` may be the beginning of ``secret``."""
    if len(secret) < 2:
        return 0
    tail = text[-(len(secret) - 1) :]
    at = tail.find(secret[:1])
    while at >= 0 and not secret.startswith(tail[at:]):
        at = tail.find(secret[:1], at + 1)
    return len(tail) - at if at >= 0 else 0


def _end(text: str, secret: str) -> int:
    """How many characters at the beginning of ``text`` may be the end of ``secret``."""
    sizes = range(min(len(secret) - 1, len(text)), 0, -1)
    return next((size for size in sizes if text[:size] == secret[-size:]), 0)

"""The lines of a conversation as gptme keeps it: JSON Lines, one message a line.

::

    {"role": "system" | "user" | "assistant", "content": TEXT, "timestamp": ISO 8601, …}

and, where they mean something: ``files``, ``file_hashes``, ``pinned``, ``hide``, ``ui_only``, ``ephemeral_ttl``, ``call_id``, ``metadata``
(``model``, ``cost``, ``usage`` with its token counts, which stood beside ``model`` in older logs, ``tool``, ``prompt_generation`` and
more). A line that is broken is told and skipped; gptme does the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum
from itertools import groupby
from typing import TypeAlias, final

from attrs import frozen
from returns.result import Failure

from turnfold.adapters.gptme.left import Left
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.world.usage import Usage

Moment: TypeAlias = Callable[[datetime], int]

MOST_TOKENS = 2**53
LATEST_MS = 253_402_300_799_000  # the end of the year 9999
READ = frozenset({"role", "content", "timestamp", "files", "pinned", "hide", "ui_only", "call_id", "metadata"})
READ_OF_METADATA = frozenset({"model", "cost", "usage", "tool", "prompt_generation"})
COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
READ_OF_USAGE = frozenset(COUNTS)


class Role(Enum):
    """Who speaks; tools, files and warnings speak as the system."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@final
@frozen(kw_only=True)
class Line:
    """One message. ``number`` is its line in the file, from 1. ``shown_only``: no model ever saw it. ``prompt``: it is part of
    the system prompt, told anew.
    """

    number: int
    role: Role
    text: str
    at_ms: int
    files: tuple[str, ...] = ()
    pinned: bool = False
    shown_only: bool = False
    prompt: bool = False
    call_id: str = ""
    tool: str = ""
    model: str = ""
    usage: Usage = Usage()


@final
@frozen
class Lines:
    """A file's messages, and what of them was not taken."""

    lines: tuple[Line, ...]
    left: tuple[Left, ...]


def in_utc(moment: datetime) -> int:
    """Milliseconds since 1970; a time without a zone is taken as UTC.

    >>> in_utc(datetime(1970, 1, 1, 0, 0, 1))
    1000
    """
    zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int((zoned - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def read_lines_untrusted(data: bytes, moment: Moment = in_utc, since_ms: int = 0) -> Lines:
    """The messages that ``data`` holds; what can't be read is told with its line. Never raises.

    ``moment``: what a time is in milliseconds (gptme writes local times without a zone). ``since_ms``: when the file was
    written, for messages without a time.

    >>> read = read_lines_untrusted(b'{"role": "user", "content": "hi"}\\nhi\\n')
    >>> read.lines[0].text, str(read.left[0])
    ('hi', 'line 2: it is no JSON (Expecting value), so it was skipped')
    """
    found: list[Line] = []
    left: list[Left] = []
    unused: list[tuple[str, int]] = []
    for number, text in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if not text.strip():
            continue
        line = _line(text, number, moment, found[-1].at_ms if found else since_ms)
        if isinstance(line, Left):
            left.append(line)
        else:
            found.append(line)
            unused += [(name, number) for name in _unused(text)]
    return Lines(tuple(found), (*left, *_counted(unused)))


def _line(text: str, number: int, moment: Moment, before_ms: int) -> Line | Left:
    read = loads_untrusted(text)
    if isinstance(read, Failure):
        return Left(f"line {number}", f"it is no JSON ({read.failure().message}), so it was skipped")
    message = read.unwrap()
    if not isinstance(message, JsonObject):
        return Left(f"line {number}", "it is no JSON object, so it was skipped")
    role, content = message.get("role"), message.get("content")
    known = next((each for each in Role if each.value == role), None)
    if known is None or not isinstance(content, str):
        return Left(f"line {number}", "it has no role of system, user or assistant with a text, so it was skipped")
    metadata = message.get("metadata")
    about = metadata if isinstance(metadata, JsonObject) else JsonObject()
    files = message.get("files")
    return Line(
        number=number,
        role=known,
        text=content,
        at_ms=_at_ms(message.get("timestamp"), moment, before_ms),
        files=tuple(file for file in files if isinstance(file, str)) if isinstance(files, tuple) else (),
        pinned=message.get("pinned") is True,
        shown_only=message.get("ui_only") is True,
        prompt=isinstance(about.get("prompt_generation"), str),
        call_id=_text(message.get("call_id")),
        tool=_text(about.get("tool")),
        model=_text(about.get("model")),
        usage=_usage(about),
    )


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _at_ms(value: JsonValue, moment: Moment, before_ms: int) -> int:
    """The time that a message says, else that of the one before it."""
    try:
        at_ms = moment(datetime.fromisoformat(value)) if isinstance(value, str) else before_ms
    except (ValueError, OverflowError, OSError):
        return before_ms
    return at_ms if 0 <= at_ms <= LATEST_MS else before_ms


def _usage(about: JsonObject) -> Usage:
    """The usage of a reply; what gptme counts beside the cache is part of what was read here."""
    nested = about.get("usage")
    counts = nested if isinstance(nested, JsonObject) else about
    read, written, cached, kept = (_count(counts.get(name)) for name in COUNTS)
    cost = about.get("cost")
    priced = isinstance(cost, (int, float)) and not isinstance(cost, bool) and 0 <= cost < MOST_TOKENS and math.isfinite(cost)
    return Usage(
        input_tokens=read + cached + kept,
        output_tokens=written,
        cached_tokens=cached,
        cost_usd=float(cost) if priced and isinstance(cost, (int, float)) else 0.0,
        unpriced_tokens=0 if priced else read + cached + kept + written,
    )


def _count(value: JsonValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_TOKENS else 0


def _unused(text: str) -> Iterator[str]:
    """The names in a sound line that nothing reads."""
    message = loads_untrusted(text).value_or(None)
    if not isinstance(message, JsonObject):
        return
    yield from (name for name in message if name not in READ)
    metadata = message.get("metadata")
    if isinstance(metadata, JsonObject):
        flat = READ_OF_METADATA if "usage" in metadata else READ_OF_METADATA | READ_OF_USAGE
        yield from (f"metadata.{name}" for name in metadata if name not in flat)
        usage = metadata.get("usage")
        yield from (f"metadata.usage.{name}" for name in usage if name not in READ_OF_USAGE) if isinstance(usage, JsonObject) else ()


def _counted(unused: list[tuple[str, int]]) -> Iterator[Left]:
    """Each name once, with how often it stood there."""
    for name, group in groupby(sorted(unused), key=lambda each: each[0]):
        numbers = [number for _, number in group]
        yield Left(name, f"turnfold keeps nothing like it (in {len(numbers)} messages, first in line {numbers[0]})")

r"""The bytes of a reply taken in: a stream's events, or, where none comes, a body that is one JSON value.

A fold asks :func:`take` what events a chunk ended, and reads their data by its own rules. Until the first event the bytes are
kept, since a server that ignores ``stream`` sends one JSON value instead, which only the end of the bytes makes whole: :func:`rest`.
The names of events are passed over: the formats that have them say the same in the data.

What is read of an event is read here, too: scalar text out of JSON strings that may end in half a character, and counts.
"""

from __future__ import annotations

import json
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.conversation.log import Log
from turnfold.core.json import JsonValue, freeze, scalar_text
from turnfold.core.llm.provider_errors import broken_off
from turnfold.core.llm.sse import BOM, NOTHING, Splitter, feed, named_data, plain_data
from turnfold.core.problem import Problem, world_problem

MAX_BYTES = 8_000_000  # of one event, and of a body that is no stream
QUOTED_CHARS = 80  # of what is no reply

Object: TypeAlias = "dict[object, object]"

DECODER = json.JSONDecoder()  # json.loads takes twice as long for a text as short as an event's


@final
@frozen(eq=False, repr=False, kw_only=True)
class Intake:
    """A stream so far. ``body``: its bytes, until an event has shown that it is a stream (``seen``)."""

    splitter: Splitter
    seen: bool = False
    body: Log[bytes] = NOTHING
    body_bytes: int = 0
    problem: Problem | None = None


@final
@frozen(eq=False, repr=False)
class Taken:
    """The intake after a chunk, and the data of the events that the chunk ended."""

    intake: Intake
    texts: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class Rest:
    """What the end of the bytes makes whole: the data of a last event without its empty line, or the text of a body that is no stream.

    ``problem``: there is neither, or too much of it.
    """

    texts: tuple[str, ...] = ()
    body: str = ""
    problem: Problem | None = None


def begun() -> Intake:
    """The intake of a reply of which nothing has come."""
    return Intake(splitter=Splitter(MAX_BYTES))


def take(intake: Intake, chunk: bytes) -> Taken:
    r"""The intake and the data of the events after ``chunk``; linear in the chunk, whatever came before.

    >>> take(begun(), b'event: ping\ndata: {"type": "ping"}\n\n').texts
    ('{"type": "ping"}',)
    """
    lines = chunk.replace(b"\r\n", b"\n") if chunk.endswith(b"\r\n\r\n") else chunk  # as Gemini ends them
    texts = named_data(intake.splitter, lines) or plain_data(intake.splitter, lines)
    if texts:
        return Taken(intake if intake.seen else _seen(intake, intake.splitter), texts)
    fed = feed(intake.splitter, chunk)
    if fed.events:
        return Taken(_seen(intake, fed.splitter), tuple([event.data for event in fed.events]))
    if fed.splitter is intake.splitter:
        return Taken(intake)
    return Taken(_seen(intake, fed.splitter) if intake.seen else _kept(intake, fed.splitter, chunk))


def _seen(intake: Intake, splitter: Splitter) -> Intake:
    return Intake(splitter=splitter, seen=True, problem=intake.problem or splitter.problem)


def _kept(intake: Intake, splitter: Splitter, chunk: bytes) -> Intake:
    """``intake`` with a chunk that ended no event, and may be a part of a body that is no stream."""
    size_bytes = intake.body_bytes + len(chunk)
    problem = intake.problem or splitter.problem
    if problem is None and size_bytes > MAX_BYTES:
        problem = world_problem("too-large", f"The server sent {MAX_BYTES} bytes without an event: the rest was left out.")
    if problem is not None:
        return Intake(splitter=splitter, problem=problem)
    return Intake(splitter=splitter, body=intake.body.append(chunk), body_bytes=size_bytes)


def rest(intake: Intake) -> Rest:
    """What is left when no more bytes come; of a last event that is cut in the middle of its data, nothing."""
    texts = tuple([event.data for event in feed(intake.splitter, b"\n\n").events if loaded(event.data) is not None])
    if texts or intake.seen or intake.problem is not None:
        return Rest(texts=texts, problem=intake.problem)
    body = b"".join(intake.body).removeprefix(BOM).decode("utf-8", "replace")
    return Rest(body=body) if body.strip() else Rest(problem=garbage(""))


def parsed(text: str) -> object:
    """What ``text`` spells as JSON, as JSON parsing gives it; None for what is no JSON."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):  # no JSON; a number of too many digits; too deep
        return None
    return value


def loaded(text: str) -> Object | None:
    """The JSON object that ``text`` spells; None for anything else.

    >>> loaded('{"a": 1}'), loaded("[1]"), loaded("{")
    ({'a': 1}, None, None)
    """
    try:
        found: tuple[object, int] = DECODER.raw_decode(text)
    except (ValueError, RecursionError):  # no JSON, or a blank before it
        found = (None, 0)
    value = found[0] if found[1] == len(text) else parsed(text)
    return value if isinstance(value, dict) else None


def frozen_or_none(value: object) -> JsonValue:
    """``value``, as JSON parsing gave it, as one that can be kept; None for what we don't take (too deep, not finite)."""
    try:
        return freeze(value)
    except ValueError:
        return None


def arguments_text(value: object) -> str:
    """The arguments of a call that came whole, as JSON text for whoever checks them; empty for none and for ``{}``.

    >>> arguments_text({"a": [1]}), arguments_text({}), arguments_text([1])
    ('{"a":[1]}', '', '[1]')
    """
    if isinstance(value, str):
        return scalar_text(value)
    if value is None or value == {}:
        return ""
    try:
        return scalar_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except RecursionError:  # nested deeper than anybody would take
        return ""


def error_told(error: object) -> Problem:
    """The Problem that an error inside a stream is."""
    return broken_off(frozen_or_none(error))


def garbage(text: str) -> Problem:
    """The Problem of a reply that is none."""
    start = " ".join(text[: QUOTED_CHARS * 20].split())
    if not start:
        return world_problem("bad-reply", "The server's reply is empty: try again, or check that it serves the model.")
    quoted = start if len(start) <= QUOTED_CHARS else start[:QUOTED_CHARS] + "…"
    return world_problem(
        "bad-reply", f'The server answered with what is no reply of a model ("{quoted}"): check the base URL of the provider.'
    )


def cut_off() -> Problem:
    """The Problem of a stream that ended without a reason."""
    return world_problem("cut-stream", "The model's reply was cut off before its end: the connection or the server failed, try again.")


@final
@frozen
class Scalars:
    """Text without lone surrogates, and the first half of a pair at its end, of which the second half may still come."""

    whole: str
    held: str = ""


def scalars(held: str, piece: object) -> Scalars:
    r"""``held + piece`` without lone surrogates; a piece that is no string is empty.

    >>> scalars("\ud83d", "\ude00!")
    Scalars(whole='😀!', held='')
    """
    if not isinstance(piece, str):
        return Scalars("", held)
    if not held and piece.isascii():
        return Scalars(piece)
    text = held + piece
    tail = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
    return Scalars(scalar_text(text[: len(text) - len(tail)]), tail)


def is_scalar(text: str) -> bool:
    """Whether UTF-8 can hold ``text``: whether it has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def number(value: Object, key: str) -> int:
    """The whole number above 0 under ``key``; 0 where there is none.

    >>> number({"a": 2, "b": -1, "c": True}, "a"), number({"b": -1}, "b"), number({"c": True}, "c")
    (2, 0, 0)
    """
    told = value.get(key)
    return told if isinstance(told, int) and told > 0 and told is not True else 0


def words(value: object) -> str:
    """``value`` where it is a string, without lone surrogates; else empty."""
    return scalar_text(value) if isinstance(value, str) else ""

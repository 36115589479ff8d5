"""Server-sent events, cut out of bytes that come in pieces of any size.

The grammar (WHATWG, "Server-sent events", 9.2.5)::

    stream  = [BOM] *event
    event   = *(comment / field) end-of-line
    comment = ":" *any-char end-of-line
    field   = name [":" [" "] *any-char] end-of-line
    end-of-line = CR LF / LF / CR

A line is whole as soon as its CR or LF has come (a LF that follows a CR in a later chunk belongs to it), so an event is
given out with the chunk that ends it. Characters are decoded a line at a time, hence never cut in two. Pieces of an
unfinished line are kept apart and joined once: the work is linear in the text whatever the chunks are.

How the bytes are cut into chunks changes when events come, never which: the tests hold ``feed`` to that.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.conversation.log import Log
from turnfold.core.problem import Problem, world_problem

BOM = b"\xef\xbb\xbf"
NOTHING: Log[bytes] = Log()


@final
@frozen
class ServerEvent:
    """One event: its data lines joined by LF, and its name (empty where the stream gives none)."""

    data: str
    name: str = ""


@final
@frozen(eq=False, repr=False)
class OpenEvent:
    """The whole lines that have come of an event that has not ended."""

    name: str = ""
    data: Log[bytes] = NOTHING
    size_bytes: int = 0


@final
@frozen(eq=False, repr=False, kw_only=True)
class OpenLine:
    """The pieces of the line that has not ended; ``after_cr``: a LF that comes next ends nothing."""

    pieces: Log[bytes] = NOTHING
    size_bytes: int = 0
    after_cr: bool = False
    first: bool = False  # of the stream: it may begin with a byte order mark


NO_EVENT: OpenEvent = OpenEvent()
NO_LINE: OpenLine = OpenLine()


@final
@frozen(eq=False, repr=False)
class Splitter:
    """A stream so far. ``problem``: an event was longer than ``limit_bytes``; nothing comes after it."""

    limit_bytes: int
    event: OpenEvent = NO_EVENT
    line: OpenLine = OpenLine(first=True)
    problem: Problem | None = None


@final
@frozen
class Fed:
    """The splitter after a chunk, and the events that the chunk ended."""

    splitter: Splitter
    events: tuple[ServerEvent, ...] = ()


def feed(splitter: Splitter, chunk: bytes) -> Fed:
    r"""The splitter and the events after ``chunk``; linear in the chunk, whatever came before.

    A stream that ended without its last empty line is ended by feeding two LFs.

    >>> fed = feed(Splitter(1000), b"data: a\r")
    >>> fed.events
    ()
    >>> feed(fed.splitter, b"\ndata: b\n\n: a comment\n\n").events
    (ServerEvent(data='a\nb', name=''),)
    """
    texts = plain_data(splitter, chunk)
    return Fed(splitter, tuple([ServerEvent(text) for text in texts])) if texts else _fed_by_line(splitter, chunk)


def plain_data(splitter: Splitter, chunk: bytes) -> tuple[str, ...]:
    r"""The data of the events of ``chunk``, where it is nothing but whole unnamed events of one ``data: `` line, as most are.

    The fast path of :func:`feed`: the splitter stays as it is. Empty for any other chunk.

    >>> splitter = feed(Splitter(1000), b"data: a\n\n").splitter
    >>> plain_data(splitter, b"data: b\n\ndata: c\n\n"), plain_data(splitter, b"data: b\n")
    (('b', 'c'), ())
    """
    if splitter.line is not NO_LINE or splitter.event is not NO_EVENT or chunk[-2:] != b"\n\n" or b"\r" in chunk:
        return ()
    blocks = chunk[:-2].split(b"\n\n")
    for block in blocks:
        if block[:6] != b"data: " or b"\n" in block or len(block) > splitter.limit_bytes:
            return ()
    return tuple([block[6:].decode("utf-8", "replace") for block in blocks])


def named_data(splitter: Splitter, chunk: bytes) -> tuple[str, ...]:
    r"""The data of the events of ``chunk``, where it is nothing but whole events of an ``event: `` and a ``data: `` line each.

    :func:`plain_data` for formats that name their events; what those names say is in the data, too. Empty for any other chunk.

    >>> splitter = feed(Splitter(1000), b"data: a\n\n").splitter
    >>> named_data(splitter, b"event: x\ndata: b\n\nevent: y\ndata: c\n\n"), named_data(splitter, b"data: b\n\n")
    (('b', 'c'), ())
    """
    if chunk[:7] != b"event: " or chunk[-2:] != b"\n\n" or b"\r" in chunk or splitter.line is not NO_LINE or splitter.event is not NO_EVENT:
        return ()
    if chunk.count(b"\n") == 3 and len(chunk) <= splitter.limit_bytes:  # one event, as most chunks are
        _, mark, data = chunk.partition(b"\ndata: ")
        return (data[:-2].decode("utf-8", "replace"),) if mark else ()
    texts: list[str] = []
    for block in chunk[:-2].split(b"\n\n"):
        name, _, data = block.partition(b"\n")
        if name[:7] != b"event: " or data[:6] != b"data: " or b"\n" in data or len(block) > splitter.limit_bytes:
            return ()
        texts.append(data[6:].decode("utf-8", "replace"))
    return tuple(texts)


def _fed_by_line(splitter: Splitter, chunk: bytes) -> Fed:
    line, event = splitter.line, splitter.event
    if splitter.problem is not None or not chunk:
        return Fed(splitter)
    text = chunk[1:] if line.after_cr and chunk[:1] == b"\n" else chunk
    lines = text.splitlines()
    rest = lines.pop() if text[-1:] not in (b"\n", b"\r", b"") else b""
    events: list[ServerEvent] = []
    for piece in lines:
        whole = _whole_line(line, piece)
        if event.size_bytes + line.size_bytes + len(piece) > splitter.limit_bytes:
            return _overflowed(splitter, events)
        line = NO_LINE
        if whole:
            event = _with_line(event, whole)
        elif len(event.data):
            events.append(ServerEvent(b"\n".join(event.data).decode("utf-8", "replace"), event.name))
            event = NO_EVENT
        else:
            event = NO_EVENT
    line = _begun_line(line, rest, after_cr=text[-1:] == b"\r")
    if event.size_bytes + line.size_bytes > splitter.limit_bytes:
        return _overflowed(splitter, events)
    return Fed(Splitter(splitter.limit_bytes, event, line), tuple(events))


def _whole_line(line: OpenLine, end: bytes) -> bytes:
    whole = b"".join((*line.pieces, end)) if line.pieces.size else end
    return whole.removeprefix(BOM) if line.first else whole


def _begun_line(line: OpenLine, rest: bytes, *, after_cr: bool) -> OpenLine:
    """``line`` (empty, where one has just ended) with ``rest`` at its end."""
    if rest:
        return OpenLine(pieces=line.pieces.append(rest), size_bytes=line.size_bytes + len(rest), first=line.first)
    return OpenLine(after_cr=True) if after_cr else NO_LINE if line.after_cr else line


def _with_line(event: OpenEvent, line: bytes) -> OpenEvent:
    """``event`` with one more field; comments, ``id``, ``retry`` and unknown fields leave it as it was."""
    name, _, value = line.partition(b":")
    if name == b"data":
        data = value.removeprefix(b" ")
        return OpenEvent(event.name, event.data.append(data), event.size_bytes + len(data) + 1)
    if name == b"event":
        return OpenEvent(value.removeprefix(b" ").decode("utf-8", "replace"), event.data, event.size_bytes)
    return event


def _overflowed(splitter: Splitter, events: list[ServerEvent]) -> Fed:
    message = f"One event of the stream is longer than {splitter.limit_bytes} bytes: the rest of the stream was left out."
    return Fed(Splitter(splitter.limit_bytes, problem=world_problem("too-large", message)), tuple(events))

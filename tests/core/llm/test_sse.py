"""The splitter: the same events as a plain reading of the whole text, however the bytes come."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from turnfold.core.llm.sse import ServerEvent, Splitter, feed, plain_data
from turnfold.testing.wire import chunked

LIMIT = 10_000
FRAGMENTS = (b"data: ", b"data:", b"data", b"event: ping", b"event:", b": comment", b"id: 1", b"retry: 3", b"foo: bar", b"\n", b"\n\n")
MORE = (
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"x",
    "ü€😀".encode(),
    b"\xff",
    b"\xe2\x82",
    b"\xef\xbb\xbf",
    b"data: a\n\n",
    b'data: {"a": 1}\r\n\r\n',
)
STREAMS = st.lists(st.sampled_from(FRAGMENTS + MORE), max_size=30).map(b"".join)
SIZES = st.lists(st.integers(0, 7), max_size=60)


def events_of(chunks: tuple[bytes, ...], limit: int = LIMIT) -> tuple[ServerEvent, ...]:
    splitter, events = Splitter(limit), list[ServerEvent]()
    for chunk in chunks:
        fed = feed(splitter, chunk)
        splitter = fed.splitter
        events += fed.events
    return tuple(events)


def plain_reading(stream: bytes) -> tuple[ServerEvent, ...]:
    """The events, read as the specification puts it, over the whole text."""
    text = stream.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    events, data, name = list[ServerEvent](), list[str](), ""
    for line in re.split("\r\n|\n|\r", text)[:-1]:
        field, _, value = line.partition(":")
        if not line:
            if data:
                events.append(ServerEvent("\n".join(data), name))
            data, name = [], ""
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif field == "event":
            name = value.removeprefix(" ")
    return tuple(events)


@settings(deadline=None)  # the machine may be busy
@given(STREAMS, SIZES)
@example(b"data: a\r\n\r\ndata: b\r\r", [8, 1, 1])
@example(b"\xef\xbb\xbfdata: a\n\n", [1, 1])
@example("data: €\n\n".encode(), [7, 1])
@example(b"data: a\n\ndata: b\n\ndata: c\n\n", [9, 18])
def test_every_chunking_gives_the_events_of_the_specification(stream: bytes, sizes: list[int]) -> None:
    expected = plain_reading(stream)
    assert events_of((stream,)) == expected
    assert events_of(chunked(stream, sizes)) == expected
    assert events_of(tuple(bytes((byte,)) for byte in stream)) == expected


@settings(deadline=None)  # the machine may be busy
@given(STREAMS, SIZES, st.integers(1, 40))
def test_the_limit_strikes_at_the_same_event_in_every_chunking(stream: bytes, sizes: list[int], limit: int) -> None:
    expected = events_of((stream,), limit)
    assert events_of(chunked(stream, sizes), limit) == expected
    assert events_of(tuple(bytes((byte,)) for byte in stream), limit) == expected


@pytest.mark.parametrize("stream", [b"data: 0123456789\n\n", b"data: 01\ndata: 23\ndata: 45\n\n", b": 0123456789", b"data: 0123456789"])
def test_an_event_over_the_limit_is_a_problem_and_nothing_comes_after(stream: bytes) -> None:
    fed = feed(feed(Splitter(9), b"data: a\n\n").splitter, stream)
    assert fed.events == ()
    assert fed.splitter.problem is not None
    assert fed.splitter.problem.code == "too-large"
    assert "9 bytes" in fed.splitter.problem.message
    assert feed(fed.splitter, b"data: b\n\n").events == ()
    assert plain_data(fed.splitter, b"data: b\n\n") == ()


def test_events_before_the_one_over_the_limit_are_given_out() -> None:
    assert events_of((b"data: a\n\ndata: 0123456789\n\n",), 9) == (ServerEvent("a"),)
    splitter = feed(Splitter(9), b"\n").splitter
    assert feed(splitter, b"data: a\n\ndata: 0123456789\n\n").events == (ServerEvent("a"),)


def test_names_are_kept_and_end_with_their_event() -> None:
    stream = b"event: error\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n"
    assert events_of((stream,)) == (ServerEvent("a", "error"), ServerEvent("b"), ServerEvent("c"))


def test_a_long_line_byte_by_byte_costs_its_length() -> None:
    """Quadratic copying of 50 kB would take seconds."""
    stream = b"data: " + b"x" * 50_000 + b"\n\n"
    assert len(events_of(tuple(bytes((byte,)) for byte in stream), 1_000_000)[0].data) == 50_000


def test_a_chunk_of_whole_events_leaves_the_splitter_as_it_was() -> None:
    splitter = feed(Splitter(LIMIT), b"data: a\n\n").splitter
    assert feed(splitter, b"data: b\n\ndata: c\n\n").splitter is splitter

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from turnfold.shell.capture import Capture


def captured(chunks: list[bytes], limit_bytes: int) -> Capture:
    capture = Capture(limit_bytes)
    for chunk in chunks:
        capture.feed(chunk)
    return capture


@given(st.lists(st.binary(max_size=20)), st.integers(0, 40))
def test_chunks_make_no_difference(chunks: list[bytes], limit_bytes: int) -> None:
    parts, whole = captured(chunks, limit_bytes), captured([b"".join(chunks)], limit_bytes)
    assert (parts.text(), parts.cut_bytes) == (whole.text(), whole.cut_bytes)


@given(st.lists(st.text(max_size=10)), st.integers(0, 60))
@example(["\u0800"], 2)
def test_what_is_kept_is_beginning_and_end_in_whole_characters(texts: list[str], limit_bytes: int) -> None:
    data = "".join(texts).encode()
    capture = captured([text.encode() for text in texts], limit_bytes)
    if len(data) <= limit_bytes:
        assert (capture.text(), capture.cut_bytes) == (data.decode(), 0)
        return
    head, middle, tail = capture.text().partition(f"\n[… {capture.cut_bytes:,} bytes left out …]\n")
    assert middle
    assert data.startswith(head.encode())
    assert data.endswith(tail.encode())
    assert len(head.encode()) + len(tail.encode()) + capture.cut_bytes == len(data)
    assert len(head.encode()) + len(tail.encode()) <= limit_bytes < len(head.encode()) + len(tail.encode()) + 8


def test_what_is_no_utf8_is_readable() -> None:
    assert captured([b"a\xffb\xe2\x82"], 100).text() == r"a\xffb\xe2\x82"


def test_only_continuation_bytes_are_kept_as_they_are() -> None:
    assert captured([b"\x80" * 20], 8).cut_bytes == 12

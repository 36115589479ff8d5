"""How much of a text a model is shown: its head and its tail, and what was cut between them."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.json import scalar_text

MARK_BYTES = 100


@final
@frozen(kw_only=True)
class Limited:
    """A text's head and tail; ``cut_bytes`` and ``cut_lines`` count what lay between them."""

    head: str
    tail: str = ""
    cut_bytes: int = 0
    cut_lines: int = 0


def split_to_limit(text: str, limit_bytes: int) -> Limited:
    r"""``text`` whole where it has at most ``limit_bytes`` of UTF-8, else its two ends; linear.

    The ends stop at line boundaries where that costs at most half of them.

    >>> split_to_limit("a\nb\nc\nd\ne\n", 8)
    Limited(head='a\nb\n', tail='d\ne\n', cut_bytes=2, cut_lines=1)
    """
    clean = scalar_text(text)
    data = clean.encode()
    if len(data) <= limit_bytes:
        return Limited(head=clean)
    half = max(limit_bytes, 0) // 2
    head = data[:half].decode("utf-8", "ignore")
    tail = data[len(data) - half :].decode("utf-8", "ignore")
    last, first = head.rfind("\n") + 1, tail.find("\n") + 1
    if last > len(head) // 2 and not clean.startswith("\n", len(head)):
        head = head[:last]
    if 0 < first <= len(tail) // 2 and not clean.endswith("\n" + tail):
        tail = tail[first:]
    cut = clean[len(head) : len(clean) - len(tail)]
    return Limited(head=head, tail=tail, cut_bytes=len(cut.encode()), cut_lines=cut.count("\n"))


def limit_text(text: str, limit_bytes: int, hint: str = "") -> str:
    r"""``text`` with at most ``limit_bytes`` of it kept, head and tail, and a line between them that says what was cut.

    ``hint`` follows in that line: how to see the rest.

    >>> print(limit_text("a\nb\nc\nd\ne\n", 8, "use a range"), end="")
    a
    b
    [cut here: 2 bytes, 1 line; use a range]
    d
    e
    """
    shown = split_to_limit(text, limit_bytes)
    if not shown.cut_bytes:
        return shown.head
    lines = f", {counted(shown.cut_lines, 'line')}" if shown.cut_lines else ""
    said = f"[cut here: {counted(shown.cut_bytes, 'byte')}{lines}{'; ' + hint if hint else ''}]"
    gap = "" if not shown.head or shown.head.endswith("\n") else "\n"
    return f"{shown.head}{gap}{said}\n{shown.tail.removeprefix(chr(10))}"


def shown_output(output: str, cut_bytes: int, limit_bytes: int) -> str:
    r"""What the model sees of a process's output, of which the world left out ``cut_bytes`` already.

    What the world kept fits the limit but for the line with which it may mark the gap: that must not be cut again.

    >>> shown_output("hi\n\n", 0, 100), shown_output("", 0, 100)
    ('hi', '(no output)')
    """
    room = limit_bytes + MARK_BYTES if cut_bytes else limit_bytes
    return limit_text(output, room).rstrip("\n") or "(no output)"


def counted(count: int, noun: str) -> str:
    """``count`` with its noun, in the plural where it is not one.

    >>> counted(1, "line"), counted(2, "line")
    ('1 line', '2 lines')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

"""A text as lines, where only a newline ends a line; what `str.splitlines` breaks besides would shift every number."""

from __future__ import annotations

MAX_LINE = 200
BYTE_ORDER_MARK = "\ufeff"


def split_lines(text: str) -> tuple[str, ...]:
    r"""The lines of ``text`` with their ends; they join to ``text``.

    >>> split_lines("a\r\nb\n\nc")
    ('a\r\n', 'b\n', '\n', 'c')
    """
    parts = text.split("\n")
    whole = tuple(part + "\n" for part in parts[:-1])
    return (*whole, parts[-1]) if parts[-1] else whole


def line_end(line: str) -> str:
    r"""How ``line`` ends: ``\r\n``, ``\n`` or not at all.

    >>> line_end("a\r\n"), line_end("a")
    ('\r\n', '')
    """
    return "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""


def bare(text: str) -> str:
    r"""``text`` without white space at the ends of its lines, with a newline before and after each line.

    >>> bare("a \r\n b")
    '\na\n b\n'
    """
    return "\n" + "".join(line.rstrip() + "\n" for line in split_lines(text))


def line_ends(text: str) -> str:
    r"""``\r\n`` where every line of ``text`` ends so, else ``\n``.

    >>> line_ends("a\r\nb\r\n"), line_ends("a\r\nb\n"), line_ends("")
    ('\r\n', '\n', '\n')
    """
    windows = text.count("\r\n")
    return "\r\n" if windows and windows == text.count("\n") else "\n"


def ended(text: str, end: str = "\n") -> str:
    r"""``text`` with ``end`` after its last line, where that has none.

    >>> ended("a"), ended("a\n"), ended("")
    ('a\n', 'a\n', '')
    """
    return text if not text or text.endswith("\n") else text + end


def with_line_ends_of(old: str, new: str) -> str:
    r"""``new`` with the line ends of ``old``, where ``old`` has only ``\r\n`` and ``new`` only ``\n``.

    >>> with_line_ends_of("a\r\n", "b\nc\n")
    'b\r\nc\r\n'
    """
    return new if "\r\n" in new else new.replace("\n", line_ends(old))


def line_count(text: str) -> int:
    r"""How many lines ``text`` has; the last counts without an end, too.

    >>> line_count(""), line_count("a"), line_count("a\nb\n")
    (0, 1, 2)
    """
    return text.count("\n") + (1 if text and not text.endswith("\n") else 0)


def clipped(line: str, limit: int = MAX_LINE) -> str:
    """``line`` with at most ``limit`` characters, and a sign that there were more.

    >>> clipped("abcdef", 3)
    'abc…'
    """
    return line if len(line) <= limit else line[:limit] + "…"

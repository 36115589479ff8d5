"""Here-documents, checked apart from the tree: where one ends is the easiest thing in bash to get wrong, and what follows it runs.

Only the plain form is read: one on a line, its delimiter a simple word or one in quotes, nothing on the rest of the line but plain words
and operators. Its body ends at the first line that is the delimiter.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from turnfold.core.world.bash.tree import text_of

DELIMITER = re.compile(r"""([A-Za-z0-9_.-]+)|'([A-Za-z0-9_. -]+)'|"([A-Za-z0-9_. -]+)\"""")
REST = re.compile(r"[A-Za-z0-9_ \t|&;>/.,:=+@%-]*")
EXPANDS = re.compile(r"[$`\\]")
UNCLEAR = "it has a here-document that can't be read"


def heredoc_fault(node: Node, source: bytes) -> str:
    r"""Why the here-document at ``node`` can't be read; empty where it ends where the tree says, and holds text alone.

    >>> from turnfold.core.world.bash.tree import parsed
    >>> text = b"cat <<A\nhi\nA\nls"
    >>> heredoc_fault(parsed(text).children[0].children[1], text)
    ''
    """
    parts = {child.type: child for child in node.children}
    start, end = parts.get("heredoc_start", node), parts.get("heredoc_end", node)  # the whole of it is neither
    named = DELIMITER.fullmatch(text_of(start, source))
    after = source.find(b"\n", start.end_byte)
    line = source[start.end_byte : after].decode("utf-8", "replace")
    if named is None or after < 0 or REST.fullmatch(line) is None:
        return UNCLEAR
    ends = _end(source, after + 1, (named[1] or named[2] or named[3]).encode(), tabs="<<-" in parts)
    if ends != end.start_byte and ends != _line_start(source, end.start_byte):
        return UNCLEAR
    body = source[after + 1 : ends].decode("utf-8", "replace")
    return UNCLEAR if named[1] and EXPANDS.search(body) else ""


def _end(source: bytes, begin: int, delimiter: bytes, *, tabs: bool) -> int:
    """Where the line begins that ends the body which begins at ``begin``; -1 where none does."""
    while True:
        stop = source.find(b"\n", begin)
        line = source[begin : stop if stop >= 0 else len(source)]
        if (line.lstrip(b"\t") if tabs else line) == delimiter:
            return begin
        if stop < 0:
            return -1
        begin = stop + 1


def _line_start(source: bytes, place: int) -> int:
    return source.rfind(b"\n", 0, place) + 1

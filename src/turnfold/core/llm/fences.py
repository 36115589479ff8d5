"""Lines of a Markdown text: which are fences, and what else says whether a fence opens or closes.

A fence is a line that *begins* with three or more backticks. An indented one is text (lists in documents are full of
them, and a call is never indented); so is one with a backtick behind the run, since that is inline code.
"""

from __future__ import annotations

import re
from typing import final

from attrs import frozen

TICKS = 3  # the shortest fence
DOCUMENTS = (".md", ".markdown", ".mdx", ".qmd", ".rmd")  # names of files that are Markdown themselves
LANGUAGES = ("md", "markdown")  # labels of blocks that hold Markdown

_HEADING = re.compile(r"#{2,6}\s")  # one # alone is more often a comment
_TRIPLE = re.compile(r"'''|\"\"\"")
_HEREDOC = re.compile(r"(?<!<)<<-?(?:(['\"])(?P<quoted>\w+)\1|\s*\\?(?P<plain>[A-Z_][A-Z0-9_]*)\b)")
_OURS, _THEIRS = "<<<<<<<", ">>>>>>>"  # the markers of a search/replace patch, or of a merge conflict


@final
@frozen(kw_only=True)
class Fence:
    """A fence: its length, the text behind it, and whether that text follows at once."""

    ticks: int
    info: str
    glued: bool

    @property
    def bare(self) -> bool:
        """Nothing but backticks: it may close."""
        return not self.info

    @property
    def labelled(self) -> bool:
        """Inside of a block it can only open another: the backticks are followed at once by what looks like a language."""
        return self.glued and (self.info[0].isalnum() or self.info[0] in "_{.")


def fence_of(line: str) -> Fence | None:
    """The fence that ``line`` is, or None.

    >>> fence_of("```save a.txt")
    Fence(ticks=3, info='save a.txt', glued=True)
    >>> fence_of(" ```"), fence_of("```ls``` lists")
    (None, None)
    """
    if not line.startswith("`" * TICKS):
        return None
    rest = line.lstrip("`")
    if "`" in rest:
        return None
    return Fence(ticks=len(line) - len(rest), info=rest.strip(), glued=bool(rest) and not rest[0].isspace())


def tildes(line: str) -> int:
    """How many tildes ``line`` begins with, where they make a fence; else 0.

    >>> tildes("~~~sh"), tildes("~~ no")
    (3, 0)
    """
    count = len(line) - len(line.lstrip("~"))
    return count if count >= TICKS else 0


def longest_run(text: str) -> int:
    """The length of the longest run of backticks in ``text``.

    >>> longest_run("a `b` ```")
    3
    """
    return max(map(len, re.findall(r"`+", text)), default=0)


def holds_markdown(info: str) -> bool:
    """Whether the opening line ``info`` names a Markdown file or language, so that its text may well hold fences.

    >>> holds_markdown("save README.md"), holds_markdown("save a.py")
    (True, False)
    """
    name = info.lower().rstrip("\"'")
    return name in LANGUAGES or name.endswith(DOCUMENTS)


def introduces(line: str) -> bool:
    """Whether something is bound to follow ``line``: a heading, or a line that ends with a colon.

    >>> introduces("**Usage:**"), introduces("## Usage"), introduces("ls")
    (True, True, False)
    """
    return line.rstrip("*_ \t").endswith(":") or _HEADING.match(line) is not None


def quoted_after(until: str, line: str, document: bool) -> str:
    r"""What ends the quotation that the text stands in after ``line``, given what ended it before; empty: none.

    Quotations are a patch's ``<<<<<<<`` … ``>>>>>>>`` and, but in a Markdown document, Python's triple quotes and the
    shell's here-documents (whose end is given with a newline before it).

    >>> quoted_after("", "cat <<'EOF' > a", False), quoted_after("\nEOF", "EOF", False)
    ('\nEOF', '')
    """
    if until == _THEIRS:
        return "" if line.startswith(_THEIRS) else until
    if until.startswith("\n"):
        return "" if line.strip() == until[1:] else until
    if not until and line.startswith(_OURS):
        return _THEIRS
    if document:
        return ""
    for mark in _TRIPLE.findall(line):
        until = "" if mark == until else until or mark
    here = None if until else _HEREDOC.search(line)
    return until if here is None else "\n" + (here["quoted"] or here["plain"])

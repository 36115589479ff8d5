"""Diffs of two texts in each of the three forms, made independently of the code that reads them."""

from __future__ import annotations

from difflib import SequenceMatcher

from hypothesis import strategies as st

WORDS = (
    "a",
    "b",
    "  b",
    "",
    "c \t",
    "-- sql",
    "- item",
    "+",
    "@@",
    "@@ -1 +1 @@",
    "*** End Patch",
    "\\ x",
    "```",
    " ```",
    ">>> x",
    "def f():",
)
LINES = st.lists(st.sampled_from(WORDS) | st.text("xy ", max_size=2), max_size=14)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts, the second of which often is the first with some lines changed; the last line of each may be open."""
    old = draw(LINES)
    if draw(st.booleans()):
        new = draw(LINES)
    else:
        start = draw(st.integers(0, len(old)))
        stop = draw(st.integers(start, len(old)))
        new = [*old[:start], *draw(st.lists(st.sampled_from(WORDS), max_size=3)), *old[stop:]]
    eol = draw(st.sampled_from(("\n", "\r\n")))
    return text_of(old, eol, ended=draw(st.booleans())), text_of(new, eol, ended=draw(st.booleans()))


def text_of(lines: list[str], eol: str, *, ended: bool) -> str:
    return eol.join(lines) + (eol if lines and (ended or not lines[-1]) else "")


def lines_of(text: str) -> list[str]:
    """Lines with their ends."""
    return [line for line in text.replace("\n", "\n\0").split("\0") if line]


def hunks(old: str, new: str, context: int, *, numbers: bool) -> str:
    """The hunks of a unified diff, with or without line numbers; notes where a last line is open."""
    before, after = lines_of(old), lines_of(new)
    said = ""
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(context):
        (_, first_old, _, first_new, _), (_, _, last_old, _, last_new) = group[0], group[-1]
        old_span = f"{first_old + (last_old > first_old)},{last_old - first_old}"
        new_span = f"{first_new + (last_new > first_new)},{last_new - first_new}"
        said += f"@@ -{old_span} +{new_span} @@\n" if numbers else "@@\n"
        for tag, i1, i2, j1, j2 in group:
            said += "".join(_line(" " if tag == "equal" else "-", line) for line in before[i1:i2])
            said += "".join(_line("+", line) for line in (after[j1:j2] if tag != "equal" else []))
    return said


def _line(mark: str, line: str) -> str:
    body = line.rstrip("\r\n")
    return f"{mark}{body}\n" if line.endswith("\n") else f"{mark}{body}\n\\ No newline at end of file\n"


def unified(old: str, new: str, context: int = 3, names: tuple[str, str] = ("a/x.txt", "b/x.txt")) -> str:
    return f"--- {names[0]}\n+++ {names[1]}\n{hunks(old, new, context, numbers=True)}"


def envelope(old: str, new: str, context: int = 3, path: str = "x.txt") -> str:
    return f"*** Begin Patch\n*** Update File: {path}\n{hunks(old, new, context, numbers=False)}*** End Patch\n"

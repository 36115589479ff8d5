"""Files and standard input as context: fenced text after the prompt, bounded."""

from __future__ import annotations

from pathlib import Path
from typing import final

from attrs import frozen

from turnfold.core.json import scalar_text
from turnfold.core.llm.enclosing import enclosed
from turnfold.core.problem import Problem, caller_problem

FILE_BYTES = 200_000
STDIN_BYTES = 200_000


@final
@frozen
class Attached:
    """A text that goes with the prompt, and what it is called; ``cut``: there was more of it."""

    name: str
    text: str
    cut: bool = False


def with_context(prompt: str, pieces: tuple[Attached, ...]) -> str:
    r"""``prompt``, and each piece in a fence that nothing in it closes.

    >>> print(with_context("What is this?", (Attached("a.txt", "hi\n"),)))
    What is this?
    <BLANKLINE>
    a.txt:
    ````
    hi
    ````
    """
    return "\n\n".join((prompt, *(_fenced(piece) for piece in pieces))) if prompt else "\n\n".join(_bare(piece) for piece in pieces)


def _fenced(piece: Attached) -> str:
    return enclosed(f"{piece.name}{_cut(piece)}", piece.text)


def _bare(piece: Attached) -> str:
    """A piece that is all there is: it is the prompt."""
    return f"{piece.text.rstrip()}{_cut(piece)}" if piece.name == STDIN else _fenced(piece)


def _cut(piece: Attached) -> str:
    return f" (only the first {len(piece.text.encode()):,} bytes; there was more)" if piece.cut else ""


STDIN = "standard input"


def read_context(files: tuple[str, ...], folder: Path) -> tuple[Attached, ...] | Problem:
    """The text files named on the command line, from ``folder``; the first that can't be used is a Problem."""
    pieces: tuple[Attached, ...] = ()
    for name in files:
        read = _file(name, folder / name)
        if isinstance(read, Problem):
            return read
        pieces = (*pieces, read)
    return pieces


def _file(name: str, path: Path) -> Attached | Problem:
    try:
        if path.is_dir():
            return caller_problem("bad-file", f"{name} is a folder: name the files in it, or let the model list it.")
        if path.exists() and not path.is_file():
            return caller_problem("bad-file", f"{name} is no ordinary file: pipe its text in, as standard input, or save it as a file.")
        if not path.is_file():
            hint = "" if " " not in name else " (a prompt of several words goes in quotes)"
            return caller_problem("bad-file", f"There is no file {name} to give to the model{hint}.")
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return caller_problem("bad-file", f"{name} can't be read: {why}.")
    if len(data) > FILE_BYTES:
        message = (
            f"{name} has more than {FILE_BYTES:,} bytes, too many for a prompt: name it in the prompt, and the model can read parts of it."
        )
        return caller_problem("bad-file", message)
    text = text_untrusted(data)
    if text is None:
        return caller_problem("bad-file", f"{name} is no text (UTF-8), so a model can't read it.")
    return Attached(name, text)


def text_untrusted(data: bytes, *, cut: bool = False) -> str | None:
    r"""The text that ``data`` is in UTF-8; None where it is binary. ``cut``: the last character may be a part of one.

    >>> text_untrusted(b"a\xc3", cut=True), text_untrusted(b"a\xc3"), text_untrusted(b"a\0")
    ('a', None, None)
    """
    if b"\0" in data:
        return None
    try:
        return scalar_text(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return scalar_text(data[: error.start].decode("utf-8-sig")) if cut and error.start >= len(data) - 3 else None


def stdin_piece(data: bytes) -> Attached | Problem | None:
    """Standard input as context, from its first bytes (one more than is used, where there is more); None where it is empty."""
    cut = len(data) > STDIN_BYTES
    text = text_untrusted(data[:STDIN_BYTES], cut=cut)
    if text is None:
        return caller_problem(
            "bad-file", "Standard input is no text (UTF-8), so a model can't read it: give it text, or close it with </dev/null."
        )
    return Attached(STDIN, text, cut) if text.strip() else None

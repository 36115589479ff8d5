"""Lines that a person types: edited, remembered in a file, completed; several lines as one text.

The standard library's ``readline`` edits where there is one, and keeps its state for the whole process: one editor at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeAlias, final

HISTORY = 1000  # entries that are offered again
QUOTES = '"""'
SIGN, MORE = "> ", ". "

Line: TypeAlias = Callable[[str], str]
Remember: TypeAlias = Callable[[str], None]


@final
class Editor:
    """Texts from ``line``, which gives one line and raises EOFError at the end of input."""

    __slots__ = ("_line", "_remember")

    def __init__(self, line: Line, remember: Remember) -> None:
        self._line = line
        self._remember = remember

    def text(self) -> str | None:
        r"""The next text; None at the end of input.

        A line that ends with ``\`` goes on in the next one, and what stands between two lines of ``\"\"\"`` is one text.
        """
        try:
            first = self._line(SIGN)
        except EOFError:
            return None
        text = "\n".join(self._block() if first.strip() == QUOTES else self._continued(first))
        if text.strip():
            self._remember(text)
        return text

    def _continued(self, line: str) -> Iterator[str]:
        with contextlib.suppress(EOFError):
            while line.endswith("\\"):
                yield line[:-1]
                line = self._line(MORE)
            yield line

    def _block(self) -> Iterator[str]:
        with contextlib.suppress(EOFError):
            while (line := self._line(MORE)).strip() != QUOTES:
                yield line


def completions(word: str, before: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """What ``word`` can be completed to, with ``before`` in front of it: the names of commands, at a line's beginning.

    >>> completions("/t", "", ("tools", "todo", "undo")), completions("/t", "see ", ("tools",))
    (('/tools ', '/todo '), ())
    """
    return () if before.strip() or not word.startswith("/") else tuple(f"/{name} " for name in names if name.startswith(word[1:]))


@contextlib.contextmanager
def line_editor(history: Path, names: tuple[str, ...]) -> Iterator[Editor]:
    """An editor on standard input and output, as long as the block runs; it remembers in the file ``history``, for this person alone."""
    try:
        import readline
    except ImportError:  # a Python without it
        yield Editor(input, lambda text: None)
        return
    readline.clear_history()
    readline.set_auto_history(False)
    for entry in remembered(history):
        readline.add_history(entry)
    readline.set_completer_delims(" \t\n")
    readline.set_completer(_completer(readline, names))
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")

    def remember(text: str) -> None:
        count = readline.get_current_history_length()
        if text != (readline.get_history_item(count) if count else None):
            readline.add_history(text)
            remember_in(history, text)

    try:
        yield Editor(input, remember)
    finally:
        readline.set_completer(None)
        readline.clear_history()
        readline.set_auto_history(True)


def _completer(readline: ModuleType, names: tuple[str, ...]) -> Callable[[str, int], str | None]:
    def complete(word: str, number: int) -> str | None:
        found = completions(word, readline.get_line_buffer()[: readline.get_begidx()], names)
        return found[number] if number < len(found) else None

    return complete


def remembered(history: Path) -> tuple[str, ...]:
    """The texts that the file holds, the last ones; what is none is passed over, and a file that has grown long is cut."""
    try:
        lines = history.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ()
    kept = tuple(text for line in lines[-HISTORY - 1 :] if (text := _entry(line)))
    if len(lines) > 2 * HISTORY:
        with contextlib.suppress(OSError):
            made = history.with_name(f"{history.name}.{os.getpid()}")
            made.unlink(missing_ok=True)
            for text in kept:
                remember_in(made, text)
            made.replace(history)
    return kept


def _entry(line: str) -> str:
    try:
        text = json.loads(line)
    except ValueError:
        return ""
    return text if isinstance(text, str) else ""


def remember_in(history: Path, text: str) -> None:
    """``text`` at the end of the file, which only this person can read; nothing where it can't be written."""
    with contextlib.suppress(OSError):
        history.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(history, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, json.dumps(text).encode() + b"\n")
        finally:
            os.close(descriptor)

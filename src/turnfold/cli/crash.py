"""Errors that ended the command: what the machine refused is one sentence; anything else is a bug of ours, with its traceback in a file."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path

from turnfold.shell.clock import SystemClock
from turnfold.shell.environment import SECRET_WORDS
from turnfold.shell.folders import find_folders
from turnfold.shell.masking import Secret, mask_of
from turnfold.shell.ports import JournalError

LEAST_CHARS = 4  # a shorter value would mask half of every text


def told(error: Exception, environ: Mapping[str, str]) -> str:
    """One sentence about ``error``; for a bug, the traceback is written to a file, which the sentence names."""
    if isinstance(error, JournalError):
        return error.problem.message
    place = _written(error, environ)
    where = f"The traceback is in {place}" if place else "Its traceback could not be written"
    what = masked(f"{type(error).__name__}: {error}", environ)
    if isinstance(error, OSError):
        return f"the machine refused something ({what[:300]}). If this is no full disk and no missing permission, it is a bug. {where}"
    return f"this is a bug, please report it ({what[:300]}). {where}"


def masked(text: str, environ: Mapping[str, str]) -> str:
    """``text`` without the values of variables that are called like secrets."""
    hidden = (Secret(name, value) for name, value in environ.items() if any(word in name.upper() for word in SECRET_WORDS))
    return mask_of(hidden, LEAST_CHARS).text(text)


def _written(error: Exception, environ: Mapping[str, str]) -> Path | None:
    clock = SystemClock()
    try:
        path = find_folders(environ).data / "crashes" / f"{clock.new_id()}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(masked("".join(traceback.format_exception(error)), environ))
    except OSError:
        return None
    return path

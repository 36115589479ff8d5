"""The folder that a command is about."""

from __future__ import annotations

from pathlib import Path

from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.textlines import clipped


def find_workspace(folder: str) -> Path | Problem:
    """The folder to work in, absolute and without links, or what is wrong with it."""
    try:
        path = Path(folder or ".").expanduser().resolve(strict=True)
        found = path.is_dir()  # which raises where a folder above may not be entered
    except (OSError, RuntimeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        name = clipped(folder) or "(the current folder)"
        return caller_problem("bad-workspace", f"The workspace {name} can't be used: {why.rstrip('.')}.")
    if not found:
        return caller_problem("bad-workspace", f"The workspace {path} is no folder: name the folder to work in.")
    return path

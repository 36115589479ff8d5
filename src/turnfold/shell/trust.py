"""Folders whose project files the person trusts, kept in ``trusted.json``: a project may grant and start things only there.

A folder covers the project file that stands in exactly it, or in its ``.turnfold``, and no file of a folder below.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import final

from attrs import frozen
from returns.result import Failure

from turnfold.core.json import JsonObject, loads_untrusted
from turnfold.core.problem import Problem, world_problem
from turnfold.shell.folders import Folders
from turnfold.shell.whole_file import locked, replace_whole

FILE = "trusted.json"
KEY = "folders"
LIMIT_BYTES = 10_000_000
NEW_MODE = 0o600


@final
@frozen
class Trusted:
    """The folders that are trusted; ``problem`` where the file that names them can't be used, and nothing is trusted."""

    folders: tuple[str, ...] = ()
    problem: Problem | None = None


def read_trusted(folders: Folders) -> Trusted:
    """All folders that the person trusts."""
    path = folders.data / FILE
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return Trusted()
    except OSError as error:
        return Trusted(problem=_unusable(path, error.strerror or str(error)))
    parsed = loads_untrusted(data)
    found = None if isinstance(parsed, Failure) else parsed.unwrap()
    names = found.get(KEY) if isinstance(found, JsonObject) else None
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        return Trusted(problem=_unusable(path, "it is damaged"))
    return Trusted(tuple(str(name) for name in names))


def trusted(folders: Folders, folder: Path) -> bool:
    """Whether the person trusts the project file in ``folder``."""
    return resolved(folder) in read_trusted(folders).folders


def trust(folders: Folders, folder: Path) -> Problem | None:
    """Trust the project file in ``folder`` from now on."""
    return _changed(folders, resolved(folder), add=True)


def distrust(folders: Folders, folder: Path) -> Problem | None:
    """Trust the project file in ``folder`` no more."""
    return _changed(folders, resolved(folder), add=False)


def resolved(folder: Path) -> str:
    """The folder without links and dots, as it is kept."""
    return os.path.realpath(folder)


def _changed(folders: Folders, name: str, *, add: bool) -> Problem | None:
    path = folders.data / FILE
    try:
        with locked(path.with_name(path.name + ".lock")):
            known = read_trusted(folders)
            if known.problem is not None:
                return known.problem
            rest = tuple(each for each in known.folders if each != name)
            data = json.dumps({KEY: (*rest, name) if add else rest}, indent=1) + "\n"
            replace_whole(path, data.encode(), NEW_MODE)
    except OSError as error:
        return _unusable(path, error.strerror or str(error))
    return None


def _unusable(path: Path, why: str) -> Problem:
    message = f"The file of trusted folders, {path}, can't be used ({why}), so no folder is trusted: mend it, or remove it and trust again."
    return world_problem("bad-trust", message)

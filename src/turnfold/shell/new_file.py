"""A new file of bytes, made where its path leads and nowhere else."""

from __future__ import annotations

import contextlib
import os

from turnfold.core.problem import Problem, model_problem
from turnfold.core.world.requests import WriteFile
from turnfold.shell.beneath import FOLDER, Place, real_path, walked
from turnfold.shell.bounds import Bounds
from turnfold.shell.file_problems import os_problem


def put_new(path: str, data: bytes, bounds: Bounds) -> Problem | None:
    """``data`` put into the file at the absolute ``path``, folders made as needed; a Problem where that goes too far, or one is there."""
    try:
        with walked(path) as place:
            fault = bounds.fault(WriteFile(path=path, text="", expected_digest=""), place.path, real_path)
            if fault is None:
                _put(place, data)
            return fault
    except FileExistsError:
        return model_problem("exists", f"There is a file {path} already: name another one.", "$.target")
    except OSError as error:
        return os_problem(error, path, "written")


def _put(place: Place, data: bytes) -> None:
    folder = os.dup(place.folder)
    try:
        for name in place.missing:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
            below = os.open(name, FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(place.name, flags, 0o666, dir_fd=folder), "wb") as file:
            file.write(data)
    finally:
        os.close(folder)

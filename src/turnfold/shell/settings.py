"""Settings from this machine: the person's file, the project's file and the environment, read once. Reading writes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import frozen
from returns.result import Failure

from turnfold.core.codec.settings import PREFIX, read_config_untrusted, read_project_untrusted, read_variables_untrusted
from turnfold.core.config.layers import Config, ProjectConfig
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.shell.real import Folders

LIMIT_BYTES = 1_000_000
CONFIG = "config.toml"
PROJECT_FILES = ("turnfold.toml", ".turnfold/config.toml")  # in a folder, the first that is there


@final
@frozen(kw_only=True)
class Settings:
    """The layers below a conversation, and the files that they were read from."""

    project: ProjectConfig
    files: tuple[Path, ...]


def load_settings(folders: Folders, workspace: Path, environ: Mapping[str, str]) -> Settings | tuple[Problem, ...]:
    """The layers for a conversation in ``workspace`` (absolute); every fault of the first file that has any, else of the environment."""
    own = folders.config / CONFIG
    text = _text(own)
    if isinstance(text, Problem):
        return (text,)
    config = read_config_untrusted(text or "", str(own))
    if isinstance(config, Failure):
        faults: tuple[Problem, ...] = config.failure()
        return faults
    place = project_file(workspace)
    project = _project(place, config.unwrap())
    if isinstance(project, tuple):
        return project
    variables = tuple((name, environ[name]) for name in sorted(environ) if name.startswith(PREFIX))
    laid = read_variables_untrusted(variables, project)
    if isinstance(laid, Failure):
        wrong: tuple[Problem, ...] = laid.failure()
        return wrong
    read = (own if text is not None else None, place)
    return Settings(project=laid.unwrap(), files=tuple(path for path in read if path is not None))


def _project(place: Path | None, base: Config) -> ProjectConfig | tuple[Problem, ...]:
    text = None if place is None else _text(place)
    if isinstance(text, Problem):
        return (text,)
    read = read_project_untrusted(text or "", str(place), base)
    return read.failure() if isinstance(read, Failure) else read.unwrap()


def project_file(workspace: Path) -> Path | None:
    """The project's file: in ``workspace`` or the nearest folder above it that has one; None where there is none."""
    for folder in (workspace, *workspace.parents):
        for name in PROJECT_FILES:
            if os.path.lexists(folder / name):
                return folder / name
    return None


def _text(path: Path) -> str | Problem | None:
    """What the file holds; None where there is no such file."""
    try:
        status = path.stat()
        problem = _unfit(path, status)
        if problem is not None:
            return problem
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None if not path.is_symlink() else _unreadable(path, "it is a link that leads nowhere")
    except OSError as error:
        return _unreadable(path, error.strerror or str(error))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return caller_problem("bad-settings", f"{path}:{line}: this is not UTF-8 text: save the file as UTF-8.")


def _unfit(path: Path, status: os.stat_result) -> Problem | None:
    if stat.S_ISDIR(status.st_mode):
        return caller_problem("bad-settings", f"{path} is a folder where a config file should be: rename it, or put a file in its place.")
    if not stat.S_ISREG(status.st_mode):
        return caller_problem("bad-settings", f"{path} is no ordinary file: put a config file in its place, or remove it.")
    if status.st_size > LIMIT_BYTES:
        message = (
            f"{path} has {status.st_size:,} bytes, more than any config file needs ({LIMIT_BYTES:,}): is it another file under this name?"
        )
        return caller_problem("bad-settings", message)
    return None


def _unreadable(path: Path, why: str) -> Problem:
    return world_problem("bad-settings", f"The config file {path} can't be read ({why}): mend its permissions, or move it away.")

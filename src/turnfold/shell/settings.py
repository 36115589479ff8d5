"""Settings from this machine: the person's files, the project's files and the environment, read once. Reading writes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import frozen
from returns.result import Failure

from turnfold.core.codec.toml_values import Problems
from turnfold.core.codec.variables import PREFIX, read_variables_untrusted
from turnfold.core.config.layers import Config, Overrides, ProjectConfig
from turnfold.core.problem import Problem
from turnfold.shell.folders import Folders
from turnfold.shell.settings_files import Loaded, Reading, load_file
from turnfold.shell.trust import read_trusted, resolved

CONFIG = "config.toml"
PROJECT_FILES = ("turnfold.toml", ".turnfold/config.toml")  # in a folder, the first that is there


@final
@frozen(kw_only=True)
class Settings:
    """The layers below a conversation, the files that they were read from, and what was left out, since the folder is not trusted."""

    project: ProjectConfig
    files: tuple[Path, ...]
    withheld: Problems = ()


def load_settings(
    folders: Folders, workspace: Path, environ: Mapping[str, str], shipped: tuple[Overrides, ...] = ()
) -> Settings | tuple[Problem, ...]:
    """The layers for a conversation in ``workspace`` (absolute), or every fault of every file and variable.

    ``shipped`` are the defaults that turnfold brings along; they lie at the very bottom.
    """
    own = _own(folders, environ)
    base = Config(files=(*own.layers, *shipped))
    file = project_file(workspace)
    project = Loaded() if file is None else _of_project(folders, file, environ, tuple(provider.name for provider in base.providers))
    said = tuple((name, environ[name]) for name in sorted(environ) if name.startswith(PREFIX))
    variables = read_variables_untrusted(said)
    problems = (*own.problems, *project.problems, *(variables.failure() if isinstance(variables, Failure) else ()))
    if problems or isinstance(variables, Failure):
        return problems
    return Settings(
        project=ProjectConfig(base, variables=variables.unwrap(), files=project.layers),
        files=(*own.files, *project.files),
        withheld=project.withheld,
    )


def _own(folders: Folders, environ: Mapping[str, str]) -> Loaded:
    """The person's files, the private one over the other."""
    reading = Reading(layer="user", home=environ.get("HOME", ""))
    file = folders.config / CONFIG
    return load_file(local_of(file), reading) + load_file(file, reading)


def _of_project(folders: Folders, file: Path, environ: Mapping[str, str], known: tuple[str, ...]) -> Loaded:
    """The project's files, the private one over the other."""
    kept = read_trusted(folders)
    folder = project_folder(file)
    reading = Reading(layer="project", home=environ.get("HOME", ""), folder=folder, trusted=resolved(folder) in kept.folders, known=known)
    told = Loaded(withheld=() if kept.problem is None else (kept.problem,))
    return told + load_file(local_of(file), reading) + load_file(file, reading)


def project_file(workspace: Path) -> Path | None:
    """The project's file: in ``workspace`` or the nearest folder above it that has one; None where there is none."""
    for folder in (workspace, *workspace.parents):
        for name in PROJECT_FILES:
            if os.path.lexists(folder / name):
                return folder / name
    return None


def project_folder(file: Path) -> Path:
    """The folder that a project's file speaks for: the one that is trusted, or not.

    >>> project_folder(Path("/w/.turnfold/config.toml")).as_posix(), project_folder(Path("/w/turnfold.toml")).as_posix()
    ('/w', '/w')
    """
    return file.parent.parent if file.name == CONFIG else file.parent


def local_of(file: Path) -> Path:
    """The file beside ``file`` that lies over it and holds what is private.

    >>> local_of(Path("/w/turnfold.toml")).as_posix()
    '/w/turnfold.local.toml'
    """
    return file.with_name(f"{file.stem}.local.toml")

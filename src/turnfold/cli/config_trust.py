"""``turnfold config trust``: shows what a project's file would be granted, and asks before it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from turnfold.cli.arguments import Configuring
from turnfold.cli.config_rows import rows
from turnfold.cli.config_text import Done, Row, seen, toml_text
from turnfold.cli.exits import Exit
from turnfold.core.config.explain import said_keys
from turnfold.core.config.layers import Config, ProjectConfig
from turnfold.core.json import JsonValue
from turnfold.core.problem import Problem
from turnfold.shell.catalogue import catalogue
from turnfold.shell.folders import Folders
from turnfold.shell.settings import PROJECT_FILES, Settings, load_settings, local_of, project_file, project_folder
from turnfold.shell.settings_files import Reading, load_file
from turnfold.shell.trust import distrust, read_trusted, resolved, trust, trusted


def give_trust(plan: Configuring, folders: Folders, workspace: Path, environ: Mapping[str, str]) -> Done:
    """Trust the project of ``workspace``, or list or remove what is trusted."""
    kept = read_trusted(folders)
    if kept.problem is not None:
        return Done(err=(kept.problem.message,), code=Exit.FAILED)
    if plan.list:
        return Done(out=("".join(f"{folder}\n" for folder in kept.folders) or "No folder is trusted.\n",))
    file = project_file(workspace)
    folder = workspace if file is None else project_folder(file)
    if plan.remove:
        return _removed(folders, folder if resolved(workspace) not in kept.folders else workspace)
    if file is None:
        message = f"there is no {PROJECT_FILES[0]} or {PROJECT_FILES[1]} in {workspace} or above it, so there is nothing to trust"
        return Done(err=(message,), code=Exit.USAGE)
    if trusted(folders, folder):
        return Done(out=(f"{folder} is trusted already.\n",))
    settings = load_settings(folders, workspace, environ, (catalogue(),))
    if isinstance(settings, tuple):
        return Done(err=tuple(str(problem) for problem in settings), code=Exit.USAGE)
    return _given(plan, folders, folder, _granted(file, settings, environ))


def _removed(folders: Folders, folder: Path) -> Done:
    if not trusted(folders, folder):
        return Done(err=(f"{folder} is not trusted",), code=Exit.USAGE)
    problem = distrust(folders, folder)
    return _failed(problem) if problem is not None else Done(out=(f"{folder} is trusted no more.\n",))


def _granted(file: Path, settings: Settings, environ: Mapping[str, str]) -> str:
    """What the project's files say and may not say yet, as TOML."""
    base = settings.project.base
    known = tuple(provider.name for provider in base.providers)
    reading = Reading(layer="project", home=environ.get("HOME", ""), folder=project_folder(file), known=known)
    loaded = load_file(local_of(file), reading) + load_file(file, reading)
    with_trust = ProjectConfig(Config(), files=loaded.layers)
    now = ProjectConfig(Config(), files=settings.project.files)
    seen = tuple(_same(row) for row in rows(now, said_keys(now)))
    return toml_text(row for row in rows(with_trust, said_keys(with_trust)) if _same(row) not in seen)


def _same(row: Row) -> tuple[str, str, JsonValue, str]:
    """What tells a line from others: a rule is the same at another place among the rules."""
    return (row.table.partition("#")[0], row.name, row.value, row.source)


def _given(plan: Configuring, folders: Folders, folder: Path, granted: str) -> Done:
    shown = (
        f"The project in {folder} would then also say:\n\n{granted}\n"
        if granted
        else f"The project in {folder} asks for nothing that needs it.\n"
    )
    sys.stdout.write(seen(shown))
    sys.stdout.flush()
    if not plan.yes:
        if sys.stdin is None or not sys.stdin.isatty():
            return Done(err=("nobody can be asked here, so nothing was changed; --yes says yes",), code=Exit.PAUSED)
        sys.stdout.write("Whoever can change this file can then do so, too. Trust it? [y/N] ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return Done(out=("Nothing was changed.\n",))
    problem = trust(folders, folder)
    return _failed(problem) if problem is not None else Done(out=(f"{folder} is trusted from now on.\n",))


def _failed(problem: Problem) -> Done:
    return Done(err=(problem.message,), code=Exit.FAILED)

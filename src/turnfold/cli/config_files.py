"""The files of settings by their weight, and turnfold's folders: ``turnfold config paths``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from turnfold.cli.arguments import Configuring
from turnfold.shell.catalogue import catalogue
from turnfold.shell.folders import Folders
from turnfold.shell.settings import CONFIG, PROJECT_FILES, load_settings, local_of, project_file


def paths_text(folders: Folders, workspace: Path, environ: Mapping[str, str]) -> str:
    """Every file that is read, or would be if it were there, the one that counts most first; and turnfold's folders."""
    settings = load_settings(folders, workspace, environ, (catalogue(),))
    read = () if isinstance(settings, tuple) else settings.files
    variables = () if isinstance(settings, tuple) else tuple(each.origin.place for each in settings.project.variables)
    lines = [f"variable  {name}" for name in variables]
    for kind, path in candidates(folders, workspace):
        lines.append(f"{kind:9} {path}{'' if os.path.lexists(path) else '  (not there)'}")
        if path in read:
            lines += [f"{'  extends':9} {each}" for each in _extended(path, read, folders, workspace)]
    if isinstance(settings, tuple):
        lines.append("Some of them have faults, so what they extend is not listed: turnfold config check")
    lines += [f"data      {folders.data}", f"cache     {folders.cache}"]
    return "".join(f"{line}\n" for line in lines)


def candidates(folders: Folders, workspace: Path) -> tuple[tuple[str, Path], ...]:
    """The files that are looked for: whose each is, and where, the highest first."""
    found = project_file(workspace)
    projects = (found,) if found is not None else tuple(workspace / name for name in PROJECT_FILES)
    own = folders.config / CONFIG
    return (*(("project", path) for file in projects for path in (local_of(file), file)), ("yours", local_of(own)), ("yours", own))


def _extended(path: Path, read: tuple[Path, ...], folders: Folders, workspace: Path) -> tuple[Path, ...]:
    """The files that were read for ``path``, after it."""
    known = tuple(each for _, each in candidates(folders, workspace))
    after = read[read.index(path) + 1 :]
    end = next((index for index, each in enumerate(after) if each in known), len(after))
    return after[:end]


def target_of(plan: Configuring, folders: Folders, workspace: Path) -> Path:
    """The file that ``edit`` is about."""
    file = (project_file(workspace) or workspace / PROJECT_FILES[0]) if plan.project else folders.config / CONFIG
    return local_of(file) if plan.local else file

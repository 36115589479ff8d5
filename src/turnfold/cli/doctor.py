"""``turnfold doctor``: what was found on this machine, and which model would be used. Writes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import frozen

from turnfold.cli.models import found_lines
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.problem import Problem
from turnfold.core.tools.preview import visible
from turnfold.core.world.confinement import confinement_of, confinement_told
from turnfold.shell.catalogue import catalogue, with_catalogue
from turnfold.shell.environment import base_environment
from turnfold.shell.folders import Folders, find_folders
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.ports import JournalError
from turnfold.shell.sandbox.sandboxes import BackEnd, LocalSandboxes
from turnfold.shell.secrets import EnvironmentSecrets
from turnfold.shell.settings import CONFIG, load_settings, project_file
from turnfold.shell.survey import survey


@final
@frozen
class Finding:
    """One line of the report; ``good`` is False where something must be mended before turnfold can work."""

    name: str
    text: str
    good: bool = True


def report(findings: tuple[Finding, ...]) -> str:
    """The findings, one a line, those to be mended marked."""
    width = max(len(each.name) for each in findings)
    return "".join(f"{'  ' if each.good else '✗ '}{each.name:{width}}  {visible(each.text)}\n" for each in findings)


def examine(version: str, workspace: Path, environ: Mapping[str, str]) -> tuple[Finding, ...]:
    """What is found for ``workspace``."""
    folders = find_folders(environ)
    bash = shutil.which("bash", path=environ.get("PATH"))
    settings = load_settings(folders, workspace, environ, (catalogue(),))
    wrong = settings if isinstance(settings, tuple) else ()
    left_out = () if isinstance(settings, tuple) else settings.withheld
    project = ProjectConfig(Config()) if isinstance(settings, tuple) else settings.project
    return (
        Finding("turnfold", version),
        Finding("python", f"{platform.python_version()} ({sys.executable})"),
        Finding("platform", f"{platform.system()} {platform.release()} {platform.machine()}"),
        Finding("bash", bash or "not found: the shell tool needs it, install bash", good=bash is not None),
        *_sandboxes(ChatConfig(project, workspace=workspace.as_posix()), environ),
        Finding("workspace", str(workspace)),
        *_config(folders, workspace),
        *(Finding("config fault", str(problem), good=False) for problem in wrong),
        *(Finding("left out", str(problem)) for problem in left_out),
        Finding("cache folder", str(folders.cache)),
        _journal(folders),
        *_models(with_catalogue(ChatConfig(project)), folders, environ),
    )


def _sandboxes(cfg: ChatConfig, environ: Mapping[str, str]) -> tuple[Finding, ...]:
    """Which back ends work here, each really tried, and what commands are in."""
    here = LocalSandboxes(base_environment(environ))
    tried = tuple(Finding(each.value, f"no: {fault}" if (fault := here.fault(each)) else "works") for each in BackEnd)
    confinement = confinement_of(cfg)
    if confinement is None:
        return (*tried, Finding("sandbox", "off: commands run with all your rights (sandbox.profile)"))
    told = confinement_told(confinement)
    which = here.choice(confinement)
    if which is None and confinement.required:
        return (*tried, Finding("sandbox", f"none works, so no command will run ({told}): install bubblewrap or sandlock", good=False))
    return (
        *tried,
        Finding("sandbox", f"none works, so commands run with all your rights ({told})" if which is None else f"{which.value}: {told}"),
    )


def _config(folders: Folders, workspace: Path) -> tuple[Finding, ...]:
    own = folders.config / CONFIG
    project = project_file(workspace)
    return (
        Finding("your config", str(own) if os.path.lexists(own) else f"{own} (not there, which is fine)"),
        Finding("project config", "none here or above" if project is None else str(project)),
    )


def _journal(folders: Folders) -> Finding:
    path = folders.journal
    try:
        if path.exists():
            journal = SqliteJournal(path)
            count = len(journal.find())
            journal.close()
            return Finding("journal", f"{path} ({count} conversations)")
    except JournalError as error:
        return Finding("journal", error.problem.message, good=False)
    except OSError as error:
        return Finding("journal", f"{path} can't be used: {error.strerror}: mend its permissions", good=False)
    above = next((folder for folder in path.parents if folder.exists()), Path("/"))
    if os.access(above, os.W_OK | os.X_OK) and above.is_dir():
        return Finding("journal", f"{path} (will be made)")
    return Finding(
        "journal", f"{path} can't be made, since {above} can't be written: mend its permissions, or set TURNFOLD_HOME", good=False
    )


def _models(cfg: ChatConfig, folders: Folders, environ: Mapping[str, str]) -> tuple[Finding, ...]:
    found = survey(cfg, EnvironmentSecrets(environ), folders.weights)
    good = not isinstance(found.chosen, Problem)
    return tuple(Finding(name, text, good=good or name != "model") for name, text in found_lines(found))

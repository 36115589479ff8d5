"""``turnfold config``: what is set and where, what is wrong, which files count. Reading writes nothing; only ``edit`` and ``trust`` write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from turnfold.cli.arguments import Configuring
from turnfold.cli.config_check import check
from turnfold.cli.config_edit import Target, edit
from turnfold.cli.config_files import paths_text, target_of
from turnfold.cli.config_rows import every_key, rows
from turnfold.cli.config_text import Done, explained_json, explained_text, toml_text
from turnfold.cli.config_trust import give_trust
from turnfold.cli.exits import Exit
from turnfold.cli.workspace import find_workspace
from turnfold.core.config.explain import Explained, explain, said_keys
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import thaw
from turnfold.core.problem import Problem
from turnfold.core.tools.preview import visible
from turnfold.shell.catalogue import catalogue
from turnfold.shell.folders import NOWHERE, find_folders
from turnfold.shell.settings import Settings, load_settings


def configure(plan: Configuring, environ: Mapping[str, str]) -> Done:
    """Carry the plan out."""
    if plan.action == "schema":
        return _schema()
    folders = find_folders(environ)
    if folders.config.is_relative_to(NOWHERE) and not plan.project and plan.action in ("edit", "trust"):
        return Done(
            err=("there is no home folder to keep settings in: set HOME, or TURNFOLD_HOME to a folder of your own",), code=Exit.USAGE
        )
    workspace = find_workspace(plan.subject if plan.action == "trust" else plan.workspace)
    if isinstance(workspace, Problem):
        return Done(err=(workspace.message,), code=Exit.USAGE)
    match plan.action:
        case "edit":
            return edit(Target(target_of(plan, folders, workspace), folders.data, "project" if plan.project else "user"), environ)
        case "trust":
            return give_trust(plan, folders, workspace, environ)
        case "paths":
            return Done(out=(visible(paths_text(folders, workspace, environ)),))
        case "check":
            found = check(folders, workspace, environ)
            return Done(out=(visible(found.text),), code=Exit.USAGE if found.faults else Exit.DONE)
        case _:
            return _told(plan, load_settings(folders, workspace, environ, (catalogue(),)), workspace)


def _schema() -> Done:
    from turnfold.core.codec.json_schema import settings_schema

    return Done(out=(json.dumps(thaw(settings_schema()), indent=2, ensure_ascii=False) + "\n",))


def _told(plan: Configuring, settings: Settings | tuple[Problem, ...], workspace: Path) -> Done:
    if isinstance(settings, tuple):
        return Done(err=tuple(str(problem) for problem in settings), code=Exit.USAGE)
    cfg = ChatConfig(settings.project)
    if plan.action == "explain":
        found = explain(cfg, plan.subject)
        if isinstance(found, Problem):
            return Done(err=(found.message,), code=Exit.USAGE)
        return Done(out=(explained_json(found) if plan.json else explained_text(found),))
    keys = tuple(every_key(cfg)) if plan.all else said_keys(cfg, shipped=False)
    if plan.json:
        told = (explain(cfg, key) for key in keys)
        return Done(
            out=tuple(explained_json(each) for each in told if isinstance(each, Explained) and (plan.all or each.layer != "default"))
        )
    text = toml_text(rows(cfg, keys, defaults=plan.all))
    return Done(out=(text or f"# nothing is set for {workspace}: every value is the default (turnfold config show --all)\n",))

"""A new conversation's briefing, as the command reads it: what is left out of it is told once, on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from turnfold.cli.arguments import Talk
from turnfold.cli.dry_run import DryProcesses
from turnfold.cli.screen import Streams, say
from turnfold.core.config.layers import ChatConfig
from turnfold.shell.briefing import read_briefing
from turnfold.shell.folders import Folders
from turnfold.shell.trust import read_trusted
from turnfold.shell.world import World


def briefed(plan: Talk, streams: Streams, folders: Folders, environ: Mapping[str, str], world: World, cfg: ChatConfig) -> ChatConfig:
    """``cfg`` with its briefing, for which a dry run runs no command."""
    home = environ.get("HOME")
    doing = evolve(world, processes=DryProcesses()) if plan.dry_run else world
    read = read_briefing(cfg, doing, folders, home=Path(home) if home else None, trusted=read_trusted(folders).folders)
    for problem in read.problems:
        say(streams, f"turnfold: {problem.message}")
    return evolve(cfg, briefing=read.briefing)

"""``perform``: one request, acted out by the port that it is for. The one place that catches ``Exception``.

Permission is decided on paths as they are written, by text alone. So a path in the workspace must not lead by a link out of it,
or to what a rule denies: else a link that came with a project would have anything read unasked. What it leads to can be
asked for by its own path, which permission sees.
"""

from __future__ import annotations

from typing import assert_never

from attrs import evolve

from turnfold.core.agent.effects import Perform
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, model_problem, world_problem
from turnfold.core.tools.paths import resolve
from turnfold.core.world.answers import Answer, FilesListed, ProcessEnded
from turnfold.core.world.permission import Deny, permit, readable_roots, relative
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, RunProcess, RunPython, WriteFile
from turnfold.shell.ports import Files
from turnfold.shell.scope import Scope, never_began
from turnfold.shell.world import World


def perform(due: Perform, cfg: ChatConfig, world: World, scope: Scope) -> Answer | Problem:
    """What came of ``due``; never raises but for what ends the process. Chunks go to ``scope.emit`` before.

    What was cancelled before it began, in the queue of an executor, is not done at all, whatever its port does about cancels.
    """
    if scope.cancelled:
        return never_began()
    try:
        return _storable(_perform(due, cfg, world, scope))
    except Exception as error:  # noqa: BLE001 - a port that raises is a bug; the conversation must hear of it and go on
        name = type(due.request).__name__
        message = f"{name} failed inside turnfold: {type(error).__name__}: {error}. This is a bug; please report it."
        return _storable(world_problem("port-failed", message))


def _perform(due: Perform, cfg: ChatConfig, world: World, scope: Scope) -> Answer | Problem:
    request = due.request
    if isinstance(request, (ReadFile, WriteFile, ListFiles)) and (wrong := astray(request, cfg, world.files)) is not None:
        return wrong
    match request:
        case CallModel():
            return world.models.stream(request, due.body, scope)
        case ReadFile():
            return world.files.read(request)
        case WriteFile():
            return world.files.write(request)
        case ListFiles():
            return world.files.list(request)
        case RunProcess():
            return world.processes.run(request, scope)
        case RunPython():
            return world.pythons.run(cfg.conversation, request, scope)
        case _:
            assert_never(request)


def astray(request: ReadFile | WriteFile | ListFiles, cfg: ChatConfig, files: Files) -> Problem | None:
    """The Problem of a path in the workspace that leads out of it by a link, or to what a rule denies; None for all others.

    What may be read below an extra root or a skill's folder must stay there in the same way.
    """
    name = relative(request.path, cfg.workspace)
    if not name.startswith("/"):
        return _led_astray(request, cfg.workspace, cfg, files)
    if isinstance(request, WriteFile):
        return None  # it was asked for, or allowed by a rule, under this very path
    above = tuple(root for root in readable_roots(cfg) if root.startswith("/") and not relative(name, root).startswith("/"))
    faults = tuple(_led_astray(request, root, cfg, files) for root in above)
    stays = None in faults
    return next((each for each in faults if each is not None and (each.code == "denied" or not stays)), None)


def _led_astray(request: ReadFile | WriteFile | ListFiles, root: str, cfg: ChatConfig, files: Files) -> Problem | None:
    """The Problem of a path below ``root`` that leads out of it, or to what a rule denies."""
    name = relative(request.path, root)
    there = relative(files.real(request.path), files.real(root))
    if there.startswith("/"):
        where = "the workspace" if root == cfg.workspace else root
        message = f"{name} leads to {there}, outside of {where}, by a link: write that path itself, and the user is asked."
        return model_problem("leads-outside", message, "$.path")
    if there != name and isinstance(permit(evolve(request, path=resolve(there, cfg, root)), cfg), Deny):
        return model_problem("denied", f"{name} leads to {there}, which a rule of the configuration denies: go on without it.", "$.path")
    return None


def _storable(outcome: Answer | Problem) -> Answer | Problem:
    """``outcome`` without what no UTF-8 can hold: names of files may be any bytes, and come as lone surrogates."""
    match outcome:
        case FilesListed(entries=entries):
            return evolve(outcome, entries=tuple(evolve(entry, name=scalar_text(entry.name)) for entry in entries))
        case ProcessEnded(cwd=cwd):
            return evolve(outcome, cwd=scalar_text(cwd))
        case Problem(message=message, path=path):
            return evolve(outcome, message=scalar_text(message), path=scalar_text(path))
        case _:
            return outcome

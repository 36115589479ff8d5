"""``perform``: one request, acted out by the port that it is for. The one place that catches ``Exception``."""

from __future__ import annotations

from typing import assert_never

from turnfold.core.agent.effects import Perform
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import Answer
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, RunProcess, RunPython, WriteFile
from turnfold.shell.scope import Scope
from turnfold.shell.world import World


def perform(due: Perform, conversation: str, world: World, scope: Scope) -> Answer | Problem:
    """What came of ``due``; never raises but for what ends the process. Chunks go to ``scope.emit`` before."""
    try:
        return _perform(due, conversation, world, scope)
    except Exception as error:  # noqa: BLE001 - a port that raises is a bug; the conversation must hear of it and go on
        name = type(due.request).__name__
        return world_problem(
            "port-failed", f"{name} failed inside turnfold: {type(error).__name__}: {error}. This is a bug; please report it."
        )


def _perform(due: Perform, conversation: str, world: World, scope: Scope) -> Answer | Problem:
    request = due.request
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
            return world.pythons.run(conversation, request, scope)
        case _:
            assert_never(request)

"""``perform``: one request, acted out by the port that it is for. The one place that catches ``Exception``."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TypeAlias, assert_never

from turnfold.core.agent.effects import Perform
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.answers import Answer, Waited
from turnfold.core.world.requests import (
    AskHuman,
    AskJob,
    CallMcp,
    CallModel,
    CallPython,
    ChangeFiles,
    FetchUrl,
    Filing,
    ListFiles,
    ReadFile,
    ReadImage,
    RunProcess,
    RunPython,
    SearchChats,
    SearchFiles,
    SearchIndex,
    StartChild,
    StartJob,
    UseBrowser,
    Wait,
    WriteFile,
)
from turnfold.shell.bounds import Bounds
from turnfold.shell.children import child_ended
from turnfold.shell.hygiene import clean, known_mask, with_secrets
from turnfold.shell.masking import Mask, MaskedEmit
from turnfold.shell.ports import AsyncModels, Files
from turnfold.shell.scope import Scope, never_began
from turnfold.shell.telling import Telling
from turnfold.shell.world import World


def perform(
    due: Perform, tools: tuple[ToolSpec, ...], cfg: ChatConfig, world: World, scope: Scope, mask: Mask | None = None
) -> Answer | Problem:
    """What came of ``due``; never raises but for what ends the process. Chunks go to ``scope.emit`` before: a model's, or what is printed meanwhile.

    No value of a secret that ``mask`` knows (by default: of those that ``cfg`` knows) is in the outcome.
    ``tools``: those of the conversation, for a child of it. What was cancelled before it began, in the queue of an executor, is not
    done at all, whatever its port does about cancels.
    """
    if scope.cancelled:
        return never_began()
    known = known_mask(cfg, world.secrets) if mask is None else mask
    telling = None if isinstance(due.request, CallModel) else Telling(scope.emit, known)
    if telling is not None:
        scope.emit = telling.received
    try:
        return clean(_perform(due, tools, cfg, world, scope, known), known)
    except Exception as error:  # noqa: BLE001 - a port that raises is a bug; the conversation must hear of it and go on
        return clean(_bug(due, error), known)
    finally:
        if telling is not None:
            telling.end()


async def perform_async(
    due: Perform, request: CallModel, models: AsyncModels, emit: Callable[[bytes], None], mask: Mask
) -> Answer | Problem:
    """As :func:`perform`, for a call of a model on the running event loop; a cancel of the task goes through."""
    passing = MaskedEmit(emit, mask) if mask.secrets else None
    try:
        outcome = await models.stream(request, mask.data(due.body), emit if passing is None else passing.received)
    except Exception as error:  # noqa: BLE001 - as in perform
        outcome = _bug(due, error)
    if passing is not None:
        passing.received(b"")
    return clean(outcome, mask)


def _bug(due: Perform, error: Exception) -> Problem:
    name = type(due.request).__name__
    return world_problem("port-failed", f"{name} failed inside turnfold: {type(error).__name__}: {error}. This is a bug; please report it.")


def _perform(due: Perform, tools: tuple[ToolSpec, ...], cfg: ChatConfig, world: World, scope: Scope, mask: Mask) -> Answer | Problem:
    request = due.request
    match request:
        case CallModel():
            return _streamed(request, mask.data(due.body), world, scope, mask)
        case Wait(delay_ms):
            return _waited(world.clock.seconds(delay_ms), scope)
        case ReadFile() | ReadImage() | WriteFile() | ChangeFiles() | ListFiles():
            return _file(request, cfg, world.files, mask)
        case RunProcess():
            return world.processes.run(request, scope)
        case RunPython():
            return world.pythons.run(cfg.conversation, request, scope)
        case AskHuman():
            return world_problem("not-performed", "A question to a person is never performed: it waits for its answer.")
        case StartChild():
            return child_ended(due, request, tools, cfg, world, scope)
        case _:
            return _acted(request, cfg, world, scope)


def _waited(delay_s: float, scope: Scope) -> Waited | Problem:
    over = Event()
    with scope.stopping(over.set):
        cut = over.wait(delay_s)
    return world_problem("cancelled", "The wait was cancelled.") if cut else Waited()


def _streamed(request: CallModel, body: bytes, world: World, scope: Scope, mask: Mask) -> Answer | Problem:
    """A model called; what its server says of a secret does not go on, either."""
    if not mask.secrets:
        return world.models.stream(request, body, scope)
    passing = MaskedEmit(scope.emit, mask)
    scope.emit = passing.received
    outcome = world.models.stream(request, body, scope)
    passing.received(b"")
    return outcome


def _file(request: Filing, cfg: ChatConfig, files: Files, mask: Mask) -> Answer | Problem:
    """A request to the file system, acted out where its path leads nowhere that it must not."""
    bounds = Bounds(cfg)
    match request:
        case ReadFile():
            return files.read(request, bounds)
        case ReadImage():
            return files.read_image(request, bounds)
        case WriteFile():
            return files.write(with_secrets(request, files, mask), bounds)
        case ChangeFiles():
            return files.change(with_secrets(request, files, mask), bounds)
        case ListFiles():
            return files.list(request, bounds)
        case _:
            assert_never(request)


Acted: TypeAlias = StartJob | AskJob | SearchFiles | SearchIndex | SearchChats | FetchUrl | UseBrowser | CallPython | CallMcp


def _acted(request: Acted, cfg: ChatConfig, world: World, scope: Scope) -> Answer | Problem:
    match request:
        case StartJob() | AskJob():
            return world.jobs.act(request, cfg, scope)
        case SearchFiles():
            return world.finder.act(request, cfg, scope)
        case SearchIndex():
            return world.index.act(request, cfg, scope)
        case SearchChats():
            return world.chats.act(request, cfg, scope)
        case FetchUrl():
            return world.web.act(request, cfg, scope)
        case UseBrowser():
            return world.browsers.act(request, cfg, scope)
        case CallPython():
            return world.functions.act(request, cfg, scope)
        case CallMcp():
            return world.mcp.act(request, cfg, scope)
        case _:
            assert_never(request)

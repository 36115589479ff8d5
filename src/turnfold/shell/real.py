"""The real world: this machine's files, commands, clock and models, and a journal on its disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Protocol, TypeVar

from turnfold.shell.async_models import HttpAsyncModels
from turnfold.shell.browsers import LocalBrowsers
from turnfold.shell.chats import LocalChats
from turnfold.shell.clock import SystemClock
from turnfold.shell.discovery import Chosen
from turnfold.shell.embedded.weights import Progress
from turnfold.shell.environment import base_environment
from turnfold.shell.exporting.local import LocalExporters
from turnfold.shell.files import LocalFiles
from turnfold.shell.finder import LocalFinder
from turnfold.shell.folders import Folders, find_folders
from turnfold.shell.hooks import WITHIN
from turnfold.shell.index import LocalIndex
from turnfold.shell.jobs import LocalJobs
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.mcp.servers import McpServers
from turnfold.shell.people import Nobody
from turnfold.shell.ports import Human
from turnfold.shell.processes import LocalProcesses
from turnfold.shell.pythons import LocalPythons
from turnfold.shell.routed_models import RoutedModels
from turnfold.shell.sandbox.sandboxes import LocalSandboxes
from turnfold.shell.secrets import EnvironmentSecrets
from turnfold.shell.web import LocalWeb
from turnfold.shell.world import World

NOBODY = Nobody()


class _Living(Protocol):
    """A port that keeps something alive."""

    __slots__ = ()

    def close_all(self) -> None: ...


L = TypeVar("L", bound=_Living)


def unheard(chosen: Chosen) -> None:
    """Tell nobody which model was chosen."""


def unseen(done_bytes: int, total_bytes: int) -> None:
    """Show nobody how far the weights are."""


@contextmanager
def real_world(
    *,
    human: Human = NOBODY,
    environ: Mapping[str, str] | None = None,
    folders: Folders | None = None,
    tell: Callable[[Chosen], None] = unheard,
    progress: Progress = unseen,
) -> Iterator[World]:
    """This machine as a ``World``, until the block ends; then no process, connection or file of it is left open.

    ``human`` (by default nobody, and a run ends paused) is asked what no rule allows. ``environ`` is read here, once. Raises ``JournalError``.
    """
    variables = dict(os.environ if environ is None else environ)
    places, base = folders or find_folders(variables), base_environment(variables)
    secrets, files = EnvironmentSecrets(variables), LocalFiles()
    finder = LocalFinder(base, files)
    with ExitStack() as stack:
        journal = stack.enter_context(closing(SqliteJournal(places.journal)))
        sandboxes = LocalSandboxes(base, tuple(map(str, (places.config, places.data, places.cache))))
        models = stack.enter_context(closing(RoutedModels(secrets, places.weights, tell, progress)))
        yield World(
            files=files,
            processes=LocalProcesses(base, sandboxes),
            pythons=_closed_by(stack, LocalPythons(base, sandboxes=sandboxes)),
            jobs=_closed_by(stack, LocalJobs(base, sandboxes)),
            models=models,
            async_models=stack.enter_context(closing(HttpAsyncModels(secrets, models))),
            clock=SystemClock(),
            secrets=secrets,
            human=human,
            journal=journal,
            chats=LocalChats(journal),
            mcp=_closed_by(stack, McpServers(base, secrets)),
            web=LocalWeb(variables),
            browsers=_closed_by(stack, LocalBrowsers(variables)),
            finder=finder,
            index=LocalIndex(places.indexes, finder),
            exporters=LocalExporters(secrets, places.traces),
            hooked=WITHIN not in variables,
        )


def _closed_by(stack: ExitStack, port: L) -> L:
    """``port``, with all that lives in it ended when ``stack`` is closed."""
    stack.callback(port.close_all)
    return port

"""The world as a value: a frozen record of ports, made once by the caller and passed along."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.world.requests import (
    AskJob,
    CallPython,
    FetchUrl,
    SearchChats,
    SearchFiles,
    SearchIndex,
    StartJob,
    UseBrowser,
)
from turnfold.shell.absent import ABSENT, UNTRACED
from turnfold.shell.ports import AsyncModels, Clock, Exporters, Files, Human, Journal, Models, Port, Processes, Pythons, Secrets, Servers


@final
@frozen(kw_only=True)
class World:
    """Everything that a run may touch. Nothing is shared behind it: two worlds know nothing of each other.

    What a world can do without is absent by default, and says so when it is asked. ``hooked``: whether commands of the settings are run
    when something has happened; they are not by a turnfold that is run within one.
    """

    files: Files
    processes: Processes
    pythons: Pythons
    models: Models
    clock: Clock
    secrets: Secrets
    human: Human
    journal: Journal
    jobs: Port[StartJob | AskJob] = ABSENT
    finder: Port[SearchFiles] = ABSENT
    index: Port[SearchIndex] = ABSENT
    web: Port[FetchUrl] = ABSENT
    browsers: Port[UseBrowser] = ABSENT
    chats: Port[SearchChats] = ABSENT
    functions: Port[CallPython] = ABSENT
    mcp: Servers = ABSENT
    exporters: Exporters = UNTRACED
    async_models: AsyncModels | None = None  # in the place of models, where a run is driven on an event loop
    hooked: bool = True

"""The dry run: a world that reads, talks to models, and does nothing else; and a journal that is gone with the process."""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen
from typing_extensions import override

from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import Event, Started
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import (
    FileRead,
    FilesChanged,
    FilesListed,
    FileWritten,
    ImageRead,
    ProcessEnded,
    PythonEnded,
)
from turnfold.core.world.described import described
from turnfold.core.world.requests import (
    ChangeFiles,
    ListFiles,
    ReadFile,
    ReadImage,
    Request,
    RunProcess,
    RunPython,
    WriteFile,
)
from turnfold.shell.absent import Idle
from turnfold.shell.bounds import FREE, Bounds
from turnfold.shell.ports import Files, Human, Journal, JournalError, Kept, Processes, Pythons
from turnfold.shell.scope import Scope
from turnfold.shell.world import World


def dry_world(world: World, human: Human) -> World:
    """``world`` with reads, searches of files and conversations, and models only; nothing that happens in it is kept."""
    return evolve(
        world,
        files=DryFiles(world.files),
        processes=DryProcesses(),
        pythons=DryPythons(),
        human=human,
        journal=DryJournal(world.journal),
        jobs=DRY,
        index=DRY,  # which would be kept
        web=DRY,
        browsers=DRY,
        functions=DRY,
        mcp=DRY,
        hooked=False,
    )


def not_done(what: str) -> Problem:
    """What a request is answered with that was not performed."""
    return world_problem("dry-run", f"Not done: this is a dry run, so {what}. Say what you would have done, and end here.")


@final
@frozen(eq=False)
class DryFiles(Files):
    """Files that can be read only."""

    files: Files

    @override
    def read(self, request: ReadFile, bounds: Bounds = FREE) -> FileRead | Problem:
        return self.files.read(request, bounds)

    @override
    def write(self, request: WriteFile, bounds: Bounds = FREE) -> FileWritten | Problem:
        return not_done(f"{request.path} was not written")

    @override
    def read_image(self, request: ReadImage, bounds: Bounds = FREE) -> ImageRead | Problem:
        return self.files.read_image(request, bounds)

    @override
    def change(self, request: ChangeFiles, bounds: Bounds = FREE) -> FilesChanged | Problem:
        return not_done("no file was changed")

    @override
    def list(self, request: ListFiles, bounds: Bounds = FREE) -> FilesListed | Problem:
        return self.files.list(request, bounds)

    @override
    def real(self, path: str) -> str:
        return self.files.real(path)


@final
@frozen(eq=False)
class DryProcesses(Processes):
    """No commands."""

    @override
    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        return not_done("the command was not run")


@final
@frozen(eq=False)
class DryPythons(Pythons):
    """No Python."""

    @override
    def run(self, conversation: str, request: RunPython, scope: Scope) -> PythonEnded | Problem:
        return not_done("the code was not run")

    @override
    def close(self, conversation: str) -> None:
        """Nothing runs."""

    @override
    def close_all(self) -> None:
        """Nothing runs."""


def nothing_of(request: Request) -> Problem:
    """What an act of any other kind is answered with."""
    about = described(request)
    return not_done(f"nothing of this happened: {about.kind} {about.subject}")


DRY = Idle(nothing_of)


@final
@frozen(eq=False)
class DryJournal(Journal):
    """Reads what is kept, keeps nothing."""

    journal: Journal

    @override
    def append(self, conversation: str, records: tuple[Record, ...]) -> None:
        """Nothing is kept; a fork, which is nothing else, is refused."""
        if isinstance(records[-1].event, Started):
            raise JournalError(not_done("no fork was kept"))

    @override
    def load(self, conversation: str) -> tuple[Event, ...]:
        return self.journal.load(conversation)

    @override
    def keep(self, digest: str, cfg: ChatConfig) -> None:
        """Nothing is kept."""

    @override
    def config(self, digest: str) -> ChatConfig:
        return self.journal.config(digest)

    @override
    def find(self) -> tuple[Kept, ...]:
        return self.journal.find()

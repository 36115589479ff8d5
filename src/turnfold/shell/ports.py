"""The ports: everything that the shell needs of the outside, each a protocol of at most five methods.

A port acts, and answers with an ``Answer`` or a ``Problem``; what it raises besides is a bug that ``perform`` reports.
Ports are called from any thread, several at once for one conversation. A request that can last takes a ``Scope``: it
stops when the scope is cancelled, leaving nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, final

from attrs import frozen

from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import Decided
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Exporter
from turnfold.core.problem import Problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.trace.exported import Exported
from turnfold.core.world.answers import (
    Answer,
    FileRead,
    FilesChanged,
    FilesListed,
    FileWritten,
    ImageRead,
    ProcessEnded,
    PythonEnded,
    StreamEnded,
)
from turnfold.core.world.requests import (
    CallMcp,
    CallModel,
    ChangeFiles,
    ListFiles,
    ReadFile,
    ReadImage,
    RunProcess,
    RunPython,
    WriteFile,
)
from turnfold.shell.bounds import FREE, Bounds
from turnfold.shell.scope import Scope

R_contra = TypeVar("R_contra", contravariant=True)


@final
@frozen(kw_only=True)
class Kept:
    """What a journal says of one conversation without loading it; times are milliseconds since 1970 (UTC).

    ``workspace`` is empty where the conversation's config can't be read; then it can't be resumed, either.
    """

    conversation: str
    name: str
    workspace: str
    started_ms: int
    changed_ms: int
    events: int
    title: str


class JournalError(Exception):
    """The journal could not be written or read; ``problem`` says what and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Port(Protocol[R_contra]):
    """Whatever acts out requests of one kind for the conversation of ``cfg``; the answer is of the kind that the request asks for.

    What lives on between two requests (a browser, a connection) belongs to a conversation, until it is closed. The request stops
    when ``scope`` is cancelled.
    """

    __slots__ = ()

    def act(self, request: R_contra, cfg: ChatConfig, scope: Scope) -> Answer | Problem: ...
    def close(self, conversation: str) -> None: ...
    def close_all(self) -> None: ...


@final
@frozen(kw_only=True)
class Offered:
    """The tools that servers offer, and what keeps others from doing so."""

    tools: tuple[ToolSpec, ...] = ()
    problems: tuple[Problem, ...] = ()


class Servers(Port[CallMcp], Protocol):
    """The MCP servers of a conversation's config."""

    __slots__ = ()

    def offered(self, cfg: ChatConfig, scope: Scope) -> Offered:
        """Their tools, now: the servers that are enabled are connected to, side by side, and stay so until the conversation is closed."""
        ...


class Files(Protocol):
    """The file system. Where a path leads is judged by ``bounds``, and nothing else is opened."""

    __slots__ = ()

    def read(self, request: ReadFile, bounds: Bounds = FREE) -> FileRead | Problem: ...
    def read_image(self, request: ReadImage, bounds: Bounds = FREE) -> ImageRead | Problem: ...
    def write(self, request: WriteFile, bounds: Bounds = FREE) -> FileWritten | Problem: ...
    def change(self, request: ChangeFiles, bounds: Bounds = FREE) -> FilesChanged | Problem: ...
    def list(self, request: ListFiles, bounds: Bounds = FREE) -> FilesListed | Problem: ...

    def real(self, path: str) -> str:
        """Where the absolute ``path`` leads, links followed; what is not there is taken as it is written."""
        ...


class Processes(Protocol):
    """Commands."""

    __slots__ = ()

    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem: ...


class Pythons(Protocol):
    """Python workers, one a conversation."""

    __slots__ = ()

    def run(self, conversation: str, request: RunPython, scope: Scope) -> PythonEnded | Problem: ...
    def close(self, conversation: str) -> None: ...
    def close_all(self) -> None: ...


class Models(Protocol):
    """Model servers. ``stream`` gives the reply's bytes to ``scope.emit`` as they come.

    ``choose`` names a model where ``cfg`` names none, and gives it all that a conversation must know of models.
    """

    __slots__ = ()

    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem: ...
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem: ...
    def close(self) -> None: ...


class AsyncModels(Protocol):
    """Model servers, on the running event loop: ``stream`` gives the reply's bytes to ``emit`` as they come, in the loop's thread.

    A cancel of its task ends it, and leaves nothing behind. ``serves``: whether this port is for ``request`` in a world whose other
    port is ``models``; what it does not serve goes there, on a thread. One object may serve several loops at once.
    """

    __slots__ = ()

    def serves(self, request: CallModel, models: Models) -> bool: ...
    async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem: ...
    def close(self) -> None: ...


class Clock(Protocol):
    """Time and chance."""

    __slots__ = ()

    def now_ms(self) -> int: ...
    def new_id(self) -> str: ...

    def seconds(self, delay_ms: int) -> float:
        """How long whoever waits for ``delay_ms`` has to wait; a test's clock lets nobody wait."""
        ...

    def chance(self) -> float:
        """A number of 0 to 1, another one each time: two conversations that fail together do not come back together."""
        ...


class Human(Protocol):
    """A person who can be asked; None leaves the question open, and the run ends paused. Children side by side may ask at the same time."""

    __slots__ = ()

    def decide(self, question: Question) -> Decided | None: ...


class Journal(Protocol):
    """Where conversations are kept. Every method raises ``JournalError`` when it can't do what it says."""

    __slots__ = ()

    def append(self, conversation: str, records: tuple[Record, ...]) -> None: ...
    def load(self, conversation: str) -> tuple[Event, ...]: ...
    def keep(self, digest: str, cfg: ChatConfig) -> None: ...
    def config(self, digest: str) -> ChatConfig: ...
    def find(self) -> tuple[Kept, ...]: ...


class Secrets(Protocol):
    """Values of secrets, by name; None where there is none. ``names``: of all that have one, sorted."""

    __slots__ = ()

    def value(self, name: str) -> str | None: ...
    def names(self) -> tuple[str, ...]: ...


@final
@frozen(kw_only=True)
class Batch:
    """Spans that have ended, each after those within it. ``dropped``: how many there was no room for since the batch before."""

    spans: tuple[Exported, ...]
    dropped: int = 0


@final
@frozen
class NotSent:
    """Why a batch was not taken, and whether to try it ``again``; ``spans``: how many of it, where the others were."""

    problem: Problem
    again: bool = False
    spans: int | None = None


class Sink(Protocol):
    """A receiver of one run's spans, called from one thread at a time, which is not the run's. It may wait, until ``scope`` is cancelled."""

    __slots__ = ()

    def send(self, batch: Batch, scope: Scope) -> NotSent | None: ...

    def close(self) -> None:
        """Nothing more is sent by this run."""
        ...


@final
@frozen
class Tap:
    """An exporter of a run: how it is set, and where its spans go."""

    settings: Exporter
    sink: Sink


class Exporters(Protocol):
    """Who gets the traces of runs."""

    __slots__ = ()

    def taps(self, cfg: ChatConfig) -> tuple[Tap, ...]:
        """The exporters of one run of ``cfg``, made for it alone."""
        ...

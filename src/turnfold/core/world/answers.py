"""Answers: what came of a request that was performed."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.config.values import Environment
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.world.images import Image
from turnfold.core.world.requests import (
    AskHuman,
    AskJob,
    CallMcp,
    CallModel,
    CallPython,
    ChangeFiles,
    FetchUrl,
    ListFiles,
    ReadFile,
    ReadImage,
    Request,
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
from turnfold.core.world.usage import Usage


@final
@frozen
class StreamEnded:
    """The model's stream is over; its chunks came before as inputs."""


@final
@frozen(kw_only=True)
class FileRead:
    """A file's text, and the SHA-256 (hex) of its bytes."""

    text: str
    digest: str


@final
@frozen
class FileWritten:
    """The file holds what was asked; ``digest`` is the SHA-256 (hex) of its bytes now."""

    digest: str


@final
@frozen
class ImageRead:
    """A picture, and the SHA-256 (hex) of its file's bytes."""

    image: Image
    digest: str


@final
@frozen
class FilesChanged:
    """All changes are made; the SHA-256 (hex) of each file's bytes now, in the order of the changes, empty for one that is gone."""

    digests: tuple[str, ...]


class EntryKind(Enum):
    """What a name in a folder stands for."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@final
@frozen(kw_only=True)
class Entry:
    """One name in a folder; ``size_bytes`` is 0 for what is no file."""

    name: str
    kind: EntryKind
    size_bytes: int = 0


@final
@frozen(kw_only=True)
class FilesListed:
    """The entries of a folder, sorted by name; ``omitted`` counts those beyond the limit."""

    entries: tuple[Entry, ...]
    omitted: int = 0


@final
@frozen(kw_only=True)
class ProcessEnded:
    """A script's end: standard output and error as one text in order, and what the script left behind.

    ``exit_code`` is negative for a signal; ``cut_bytes`` counts what was left out in the middle of ``output``;
    ``environment`` holds the exported variables that differ from the world's own. ``sandbox``: what confined it; empty: nothing.
    """

    exit_code: int
    output: str
    cwd: str
    environment: Environment = ()
    cut_bytes: int = 0
    timed_out: bool = False
    sandbox: str = ""


@final
@frozen(kw_only=True)
class PythonEnded:
    """What one piece of Python printed, with the value of its last expression or the traceback it ended in.

    ``fresh``: the worker was started for this piece, so nothing defined earlier is there. ``worker_died``: it is gone
    (time-out, exit or crash), and the next piece starts another. ``sandbox``: what confines the worker; empty: nothing.
    """

    output: str
    failed: bool = False
    cut_bytes: int = 0
    timed_out: bool = False
    fresh: bool = False
    worker_died: bool = False
    sandbox: str = ""


@final
@frozen(kw_only=True)
class Match:
    """A file that was found, by its path from the root; in a search for lines its line (from 1) and that line's text, else 0 and nothing."""

    path: str
    line: int = 0
    text: str = ""


@final
@frozen(kw_only=True)
class FilesSearched:
    """What was found, sorted by path and line; ``omitted`` counts what is beyond the limit, ``skipped`` the files that could not be read."""

    found: tuple[Match, ...]
    omitted: int = 0
    skipped: int = 0


@final
@frozen(kw_only=True)
class Passage:
    """A piece of a file that fits: its path from the root, the lines that it spans (from 1) and their text."""

    path: str
    first: int
    last: int
    text: str


@final
@frozen(kw_only=True)
class IndexSearched:
    """The passages that fit, the best first; ``files`` counts what the index holds."""

    passages: tuple[Passage, ...]
    files: int


@final
@frozen
class JobStarted:
    """The script runs, as the conversation's job ``job``; ``sandbox``: what confines it; empty: nothing."""

    job: str
    sandbox: str = ""


@final
@frozen(kw_only=True)
class JobTold:
    """How a job is: ``exit_code`` is None while it runs, negative for a signal; ``output`` is what it printed.

    ``cut_bytes`` counts what was left out in the middle of it.
    """

    job: str
    output: str
    exit_code: int | None = None
    cut_bytes: int = 0


@final
@frozen(kw_only=True)
class UrlFetched:
    """What an address holds, as text: ``url`` is where the redirects led; ``cut_bytes`` counts what was not read, where that is known."""

    url: str
    status: int
    media_type: str
    text: str
    cut_bytes: int = 0


@final
@frozen(kw_only=True)
class BrowserSeen:
    """Where the browser is now, and what was asked for: the page's text, or the name of the picture's file."""

    url: str
    title: str
    text: str = ""
    cut_bytes: int = 0


@final
@frozen
class HumanSaid:
    """What the person said, by the names of the fields: text, or a list of texts."""

    values: JsonObject


@final
@frozen(kw_only=True)
class ChatFound:
    """A past conversation that fits: its id, its title, when it was last changed (milliseconds since 1970), and a piece of it that fits."""

    conversation: str
    title: str
    changed_ms: int
    text: str


@final
@frozen
class ChatsFound:
    """The conversations that fit, the best first."""

    chats: tuple[ChatFound, ...]


@final
@frozen(kw_only=True)
class ChildEnded:
    """A child conversation's end: its id, what it said last, whether it came to a good end, and what it cost."""

    conversation: str
    text: str
    ok: bool
    usage: Usage = Usage()


@final
@frozen(kw_only=True)
class Returned:
    """What a function or a server's tool gave back; ``ok`` is whether it did what was asked."""

    text: str
    ok: bool = True
    images: tuple[Image, ...] = ()


@final
@frozen
class Waited:
    """The time is over."""


Filed: TypeAlias = FileRead | ImageRead | FileWritten | FilesChanged | FilesListed
Searched: TypeAlias = FilesSearched | IndexSearched | ChatsFound
Ran: TypeAlias = ProcessEnded | PythonEnded | JobStarted | JobTold
Reached: TypeAlias = UrlFetched | BrowserSeen | Returned
Answer: TypeAlias = StreamEnded | Waited | Filed | Searched | Ran | Reached | HumanSaid | ChildEnded

ANSWERS: tuple[tuple[type[Request], type[Answer]], ...] = (
    (CallModel, StreamEnded),
    (Wait, Waited),
    (ReadFile, FileRead),
    (ReadImage, ImageRead),
    (WriteFile, FileWritten),
    (ChangeFiles, FilesChanged),
    (ListFiles, FilesListed),
    (SearchFiles, FilesSearched),
    (SearchIndex, IndexSearched),
    (SearchChats, ChatsFound),
    (RunProcess, ProcessEnded),
    (RunPython, PythonEnded),
    (StartJob, JobStarted),
    (AskJob, JobTold),
    (FetchUrl, UrlFetched),
    (UseBrowser, BrowserSeen),
    (CallPython, Returned),
    (CallMcp, Returned),
    (AskHuman, HumanSaid),
    (StartChild, ChildEnded),
)  # which kind of answer each request has; a test holds it complete


def answers(request: Request, answer: Answer) -> bool:
    """Whether ``answer`` is of the kind that ``request`` asks for.

    >>> answers(ListFiles(path="/", limit=1), FilesListed(entries=()))
    True
    """
    return any(isinstance(request, asked) and isinstance(answer, told) for asked, told in ANSWERS)


@final
@frozen
class Exchange:
    """A request that was closed, and what came of it."""

    request: Request
    outcome: Answer | Problem


def images_of(answer: Answer | Problem) -> tuple[Image, ...]:
    """The pictures that ``answer`` holds.

    >>> images_of(ImageRead(Image("image/png", ""), digest=""))
    (Image(media_type='image/png', data=''),)
    """
    if isinstance(answer, ImageRead):
        return (answer.image,)
    return answer.images if isinstance(answer, Returned) else ()

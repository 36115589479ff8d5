"""A world small enough to be a value: some files, and plausible answers to every request."""

from __future__ import annotations

import hashlib
import posixpath
from typing import assert_never, final

from attrs import evolve, frozen

from turnfold.core.config.values import Variable
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import (
    Answer,
    BrowserSeen,
    ChatFound,
    ChatsFound,
    ChildEnded,
    Entry,
    EntryKind,
    FileRead,
    FilesChanged,
    FilesListed,
    FilesSearched,
    FileWritten,
    ImageRead,
    IndexSearched,
    JobStarted,
    JobTold,
    Match,
    Passage,
    ProcessEnded,
    PythonEnded,
    Returned,
    UrlFetched,
)
from turnfold.core.world.images import Image
from turnfold.core.world.requests import (
    AskHuman,
    AskJob,
    CallMcp,
    CallPython,
    ChangeFiles,
    DeleteFile,
    FetchUrl,
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
    WorldRequest,
    WriteFile,
)


@final
@frozen
class Disk:
    """Files as pairs of absolute path and text."""

    files: tuple[tuple[str, str], ...] = (("/w/a.txt", "alpha\n"), ("/w/b.txt", "beta\n"))

    def text_at(self, path: str) -> str | None:
        """What the file at ``path`` holds; None where there is none."""
        return dict(self.files).get(path)

    def with_file(self, path: str, text: str) -> Disk:
        """The disk with that file."""
        return Disk(tuple(sorted((dict(self.files) | {path: text}).items())))


@final
@frozen
class Came:
    """What came of a request, and the disk after it."""

    outcome: Answer | Problem
    disk: Disk


def digest_of_text(text: str) -> str:
    """The SHA-256 (hex) of a text's UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def outcome_of(request: WorldRequest, disk: Disk) -> Came:
    """What ``disk`` answers to ``request``.

    >>> outcome_of(ReadFile(path="/w/none", limit_bytes=1), Disk()).outcome.code
    'not-found'
    """
    match request:
        case ReadFile(path=path):
            text = disk.text_at(path)
            return Came(_missing(path) if text is None else FileRead(text=text, digest=digest_of_text(text)), disk)
        case WriteFile():
            return _written(request, disk)
        case ListFiles(path=path):
            names = [posixpath.relpath(each, path) for each, _ in disk.files if each.startswith(path.rstrip("/") + "/")]
            entries = tuple(Entry(name=name, kind=EntryKind.FILE) for name in names if "/" not in name)
            return Came(FilesListed(entries=entries), disk)
        case RunProcess():
            return Came(_ran(request), disk)
        case RunPython(code=code):
            return Came(PythonEnded(output=f"ran {code}\n", failed="raise" in code), disk)
        case ChangeFiles(changes):
            return _changed(changes, disk)
        case _:
            return Came(_plausible(request), disk)


def _changed(changes: tuple[WriteFile | DeleteFile, ...], disk: Disk) -> Came:
    """All of the changes, or none."""
    for each in changes:
        old = disk.text_at(each.path)
        if (digest_of_text(old) if old is not None else "") != each.expected_digest:
            return Came(world_problem("changed", f"{each.path} is not what it was."), disk)
    files = dict(disk.files)
    for each in changes:
        if isinstance(each, WriteFile):
            files[each.path] = each.text
        else:
            files.pop(each.path, None)
    texts = tuple(files.get(each.path) for each in changes)
    return Came(FilesChanged(tuple("" if text is None else digest_of_text(text) for text in texts)), Disk(tuple(sorted(files.items()))))


def _plausible(
    request: ReadImage
    | SearchFiles
    | SearchIndex
    | SearchChats
    | StartJob
    | AskJob
    | FetchUrl
    | UseBrowser
    | CallPython
    | CallMcp
    | AskHuman
    | StartChild,
) -> Answer | Problem:
    """An answer that is always the same, for acts that leave no trace on the disk."""
    match request:
        case ReadImage():
            return ImageRead(Image("image/png", "iVBORw0KGgo="), digest="0" * 64)
        case SearchFiles():
            return FilesSearched(found=(Match(path="a.txt", line=1, text="alpha"),))
        case SearchIndex():
            return IndexSearched(passages=(Passage(path="a.txt", first=1, last=1, text="alpha"),), files=2)
        case SearchChats():
            return ChatsFound((ChatFound(conversation="c", title="t", changed_ms=0, text="alpha"),))
        case StartJob():
            return JobStarted("1")
        case AskJob(job=job, stop=stop):
            return JobTold(job=job, output="working\n", exit_code=-15 if stop else None)
        case FetchUrl(url=url):
            return UrlFetched(url=url, status=200, media_type="text/html", text="a page\n")
        case UseBrowser(target=target):
            return BrowserSeen(url=target, title="a page", text="a page\n")
        case CallPython() | CallMcp():
            return Returned(text="returned\n")
        case AskHuman():
            return world_problem("not-performed", "A question to a person is never performed.")
        case StartChild(task=task):
            return ChildEnded(conversation="child", text=f"did {task}", ok=True)
        case _:
            assert_never(request)


def _missing(path: str) -> Problem:
    return world_problem("not-found", f"There is no file {path}.")


def _written(request: WriteFile, disk: Disk) -> Came:
    old = disk.text_at(request.path)
    if (digest_of_text(old) if old is not None else "") != request.expected_digest:
        return Came(world_problem("changed", f"{request.path} is not what it was."), disk)
    return Came(FileWritten(digest_of_text(request.text)), disk.with_file(request.path, request.text))


def _ran(request: RunProcess) -> ProcessEnded:
    """``cd X`` and ``export A=…`` do what they say; everything else only says that it ran."""
    ended = ProcessEnded(exit_code=0, output=f"ran {request.script} in {request.cwd}\n", cwd=request.cwd, environment=request.environment)
    verb, _, rest = request.script.partition(" ")
    if verb == "cd":
        return evolve(ended, cwd=posixpath.normpath(posixpath.join(request.cwd, rest)), output="")
    if verb == "export":
        name, _, value = rest.partition("=")
        return evolve(ended, environment=(*request.environment, Variable(name or "A", value)))
    return evolve(ended, exit_code=1) if verb == "false" else ended


def filled_form(request: AskHuman) -> JsonObject:
    """An answer that fits every field of ``request``.

    >>> from turnfold.core.world.requests import FormField
    >>> filled_form(AskHuman(question="?", fields=(FormField(name="a"), FormField(name="b", choices=("x",), several=True))))
    JsonObject.of(a='so I say', b=('x',))
    """
    return JsonObject(
        tuple((each.name, each.choices[:1] if each.several and each.choices else (*each.choices, "so I say")[0]) for each in request.fields)
    )

"""A tiny pure world: files by absolute path, scripted ends of processes; each request gives an answer and the next world."""

from __future__ import annotations

import hashlib
from typing import cast, final

from attrs import evolve, frozen
from hypothesis import strategies as st

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Limits, Variable
from turnfold.core.json import JsonObject
from turnfold.core.problem import Blame, Problem, model_problem
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec
from turnfold.core.world.answers import (
    ANSWERS,
    Answer,
    Entry,
    EntryKind,
    Exchange,
    FileRead,
    FilesChanged,
    FilesListed,
    FileWritten,
    ProcessEnded,
    PythonEnded,
)
from turnfold.core.world.permission import Ask, permit
from turnfold.core.world.requests import (
    ChangeFiles,
    DeleteFile,
    ListFiles,
    ReadFile,
    RunProcess,
    RunPython,
    WorldRequest,
    WriteFile,
)
from turnfold.testing.strategies import values

MAX_ROUNDS = 4
SILENT = ProcessEnded(exit_code=0, output="", cwd="/w")
NOTHING = PythonEnded(output="")


def config(workspace: str = "/w", *, limits: Limits | None = None, environment: tuple[Variable, ...] = ()) -> ChatConfig:
    return ChatConfig(ProjectConfig(Config()), workspace=workspace, limits=limits or Limits(), environment=environment)


@final
@frozen(kw_only=True)
class TinyWorld:
    """``files``: path → text, or None for one that is no text. ``folders`` are listed even when empty."""

    files: tuple[tuple[str, str | None], ...] = ()
    folders: tuple[str, ...] = ()
    process: ProcessEnded | Problem = SILENT
    python: PythonEnded | Problem = NOTHING
    writes: int = 0

    def text(self, path: str) -> str | None:
        return dict(self.files).get(path)


@final
@frozen
class Played:
    end: Done | Refuse
    world: TinyWorld
    exchanges: tuple[Exchange, ...]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def answer(request: WorldRequest, world: TinyWorld) -> tuple[Answer | Problem, TinyWorld]:
    match request:
        case ReadFile(path=path):
            return _read(path, world), world
        case WriteFile():
            return _write(request, world)
        case ChangeFiles(changes):
            return _change(changes, world)
        case ListFiles(path=path, limit=limit):
            return _list(path, limit, world), world
        case RunProcess():
            return world.process, world
        case RunPython():
            return world.python, world
        case _:
            return model_problem("absent", "A tiny world can't do that."), world


def _read(path: str, world: TinyWorld) -> FileRead | Problem:
    files = dict(world.files)
    if path in files:
        text = files[path]
        return model_problem("not-text", f"{path} is no text.") if text is None else FileRead(text=text, digest=digest(text))
    if path in world.folders or any(each.startswith(path.rstrip("/") + "/") for each in files):
        return model_problem("is-directory", f"{path} is a folder.")
    return model_problem("not-found", f"There is no {path}.")


def _write(request: WriteFile, world: TinyWorld) -> tuple[FileWritten | Problem, TinyWorld]:
    old = world.text(request.path)
    if request.expected_digest != ("" if old is None else digest(old)):
        return model_problem("changed", f"{request.path} changed."), world
    files = {**dict(world.files), request.path: request.text}
    return FileWritten(digest(request.text)), evolve(world, files=tuple(files.items()), writes=world.writes + 1)


def _change(changes: tuple[WriteFile | DeleteFile, ...], world: TinyWorld) -> tuple[FilesChanged | Problem, TinyWorld]:
    files = dict(world.files)
    for change in changes:
        old = world.text(change.path)
        if change.expected_digest != ("" if old is None else digest(old)):
            return model_problem("changed", f"{change.path} changed."), world
        if isinstance(change, WriteFile):
            files[change.path] = change.text
        else:
            del files[change.path]
    texts = tuple(files.get(change.path) for change in changes)
    digests = tuple("" if text is None else digest(text) for text in texts)
    return FilesChanged(digests), evolve(world, files=tuple(files.items()), writes=world.writes + 1)


def _list(path: str, limit: int, world: TinyWorld) -> FilesListed | Problem:
    root = path.rstrip("/") + "/"
    inside = {each.removeprefix(root).split("/")[0]: "/" in each.removeprefix(root) for each, _ in world.files if each.startswith(root)}
    if not inside and path not in world.folders:
        return model_problem("not-found", f"There is no {path}.")
    entries = tuple(Entry(name=name, kind=EntryKind.FOLDER if inside[name] else EntryKind.FILE, size_bytes=1) for name in sorted(inside))
    return FilesListed(entries=entries[:limit], omitted=max(len(entries) - limit, 0))


def play(
    tool: ToolSpec, arguments: JsonObject, cfg: ChatConfig, world: TinyWorld, *, memory: JsonObject | None = None, ask: bool = True
) -> Played:
    """The call played to its end; without ``ask``, what permission would ask of a person about the outside is denied."""
    call = Call(arguments, (), memory or JsonObject())
    for _ in range(MAX_ROUNDS + 1):
        match tool.advance(call, cfg):
            case Need(requests):
                assert requests
                for request in requests:
                    outcome, world = answer(request, world)
                    permission = permit(request, cfg)
                    if not ask and isinstance(permission, Ask) and "outside" in permission.reason:
                        return Played(Refuse(model_problem("denied", permission.reason)), world, call.exchanges)
                    call = evolve(call, exchanges=(*call.exchanges, Exchange(request, outcome)))
            case (Done() | Refuse()) as end:
                return Played(end, world, call.exchanges)
    raise AssertionError(f"more than {MAX_ROUNDS} rounds")


TEXTS = st.text(max_size=200) | st.lists(st.sampled_from(("a", "  b", "", "c \t", "# ...", "=======", "x = 1\r")), max_size=12).map(
    "\n".join
)
CODES = st.sampled_from(("not-found", "is-directory", "not-text", "too-large", "changed", "not-allowed", "no-space", "no-bash", "lost"))
PROBLEMS = st.builds(Problem, code=CODES | st.text(max_size=5), message=TEXTS, blame=st.sampled_from(Blame), path=st.text(max_size=5))
ENTRIES = st.builds(Entry, name=st.text(max_size=10), kind=st.sampled_from(EntryKind), size_bytes=st.integers(min_value=0))
VARIABLES = st.lists(st.builds(Variable, name=st.text(max_size=4), value=st.none() | st.text(max_size=4)), max_size=5).map(tuple)
COUNTS = st.integers(min_value=0, max_value=10**7)
LIMITS = st.builds(Limits, output_bytes=st.integers(min_value=0, max_value=300), command_s=st.floats(min_value=0, max_value=9))


@st.composite
def outcomes(draw: st.DrawFn, request: WorldRequest) -> Answer | Problem:
    """Any answer of the kind that ``request`` asks for, or any Problem."""
    if draw(st.integers(0, 3)) == 0:
        return draw(PROBLEMS)
    match request:
        case ReadFile():
            return FileRead(text=draw(TEXTS), digest=draw(st.text(max_size=3)))
        case WriteFile():
            return FileWritten(draw(st.text(max_size=3)))
        case ListFiles():
            return FilesListed(entries=draw(st.lists(ENTRIES, max_size=12).map(tuple)), omitted=draw(COUNTS))
        case RunProcess():
            return ProcessEnded(
                exit_code=draw(st.integers(-9, 255)),
                output=draw(TEXTS),
                cwd=draw(st.sampled_from(("/w", "/w/sub", "")) | st.text(max_size=9)),
                environment=draw(VARIABLES),
                cut_bytes=draw(COUNTS),
                timed_out=draw(st.booleans()),
            )
        case RunPython():
            return PythonEnded(
                output=draw(TEXTS),
                failed=draw(st.booleans()),
                cut_bytes=draw(COUNTS),
                timed_out=draw(st.booleans()),
                fresh=draw(st.booleans()),
                worker_died=draw(st.booleans()),
            )
        case _:
            told = next(told for asked, told in ANSWERS if isinstance(request, asked))
            return cast(Answer, draw(values(told)))

"""What a person sees of a request before it is performed: the act itself, safe to print on a terminal."""

from __future__ import annotations

import re
from typing import assert_never

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import dumps
from turnfold.core.tools.diff import diff_lines
from turnfold.core.tools.output import counted, limit_text
from turnfold.core.tools.textlines import clipped, line_count
from turnfold.core.world.answers import Exchange, FileRead
from turnfold.core.world.confinement import confinement_told
from turnfold.core.world.described import described
from turnfold.core.world.permission import relative
from turnfold.core.world.requests import (
    AskHuman,
    AskJob,
    CallMcp,
    CallModel,
    CallPython,
    ChangeFiles,
    DeleteFile,
    FetchUrl,
    FormField,
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

LIMIT_BYTES = 16_000
UNBOUNDED = 1 << 40  # for whoever wants to see all of it
CUT = "too long to be shown whole"
MAX_VARIABLES = 40
LINE_CHARS = 1000

# controls (escape sequences begin with one), marks that turn the direction of writing or show nothing, and line
# separators that are no newline: what is printed must be what will be done
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def preview(request: Request, exchanges: tuple[Exchange, ...], cfg: ChatConfig, limit_bytes: int = LIMIT_BYTES) -> str:
    """What performing ``request`` would do; ``exchanges`` are those of its call so far. Each text in it is bounded, and says what is cut.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> cfg = ChatConfig(ProjectConfig(Config()), workspace="/w")
    >>> print(preview(WriteFile(path="/w/a.txt", text="hi\\n", expected_digest=""), (), cfg))
    Create a.txt (1 line):
    +hi
    """
    match request:
        case WriteFile():
            return _write(request, exchanges, cfg, limit_bytes)
        case ChangeFiles(changes):
            return "\n".join(
                _write(each, exchanges, cfg, limit_bytes) if isinstance(each, WriteFile) else _delete(each, cfg) for each in changes
            )
        case RunProcess():
            return _act("a command", request.script, request, limit_bytes)
        case StartJob():
            return _act("a command in the background", request.script, request, limit_bytes)
        case RunPython():
            return _act("Python", request.code, request, limit_bytes)
        case AskHuman(question=question, fields=fields):
            return "\n".join((_block(question, limit_bytes), *(_line(f"  {_asked(each)}") for each in fields)))
        case StartChild(task=task, agent=agent):
            return f"Have {_line(agent) if agent else 'another conversation'} do:\n{_block(task, limit_bytes)}"
        case CallPython(name, arguments):
            return f"Call {_line(name)} with:\n{_block(dumps(arguments), limit_bytes)}"
        case CallMcp(server=server, tool=tool, arguments=arguments):
            return f"Call {_line(f'{tool} of the server {server}')} with:\n{_block(dumps(arguments), limit_bytes)}"
        case _:
            return _line(_told(request, cfg), limit_bytes)


def _told(
    request: CallModel | Wait | ReadFile | ReadImage | ListFiles | SearchFiles | SearchIndex | AskJob | FetchUrl | UseBrowser | SearchChats,
    cfg: ChatConfig,
) -> str:
    """What a request that fits into one line would do."""
    match request:
        case CallModel():
            return f"Ask {request.provider.name}/{request.model} for a reply ({request.provider.base_url})"
        case Wait():
            return f"Wait {described(request).subject}"
        case ReadFile(path=path):
            return f"Read {relative(path, cfg.workspace)}"
        case ReadImage(path=path):
            return f"Look at {relative(path, cfg.workspace)}"
        case ListFiles(path=path):
            return f"List {relative(path, cfg.workspace)}"
        case SearchFiles(root=root, names=names, pattern=pattern):
            what = f"for {pattern}" if pattern else "for files"
            return f"Search {relative(root, cfg.workspace)} {what}{' in ' + ', '.join(names) if names else ''}"
        case SearchIndex(root=root, query=query):
            return f"Look up {query} in {relative(root, cfg.workspace)}"
        case AskJob(job=job, stop=stop):
            return f"{'Stop' if stop else 'Look at'} job {job}" if job else "List the background jobs"
        case FetchUrl(url=url):
            return f"Fetch {url}"
        case UseBrowser(action=action, target=target, text=text):
            return " ".join(part for part in ("In the browser:", action.value, target, text) if part)
        case SearchChats(query=query, conversation=conversation):
            return f"Read your conversation {conversation}" if conversation else f"Search your conversations for {query}"
        case _:
            assert_never(request)


def _asked(field: FormField) -> str:
    return f"{field.label or field.name}{': ' + ' / '.join(field.choices) if field.choices else ''}"


def _delete(request: DeleteFile, cfg: ChatConfig) -> str:
    return f"Delete {_line(relative(request.path, cfg.workspace))}"


def visible(text: str) -> str:
    r"""``text`` with every character that a terminal obeys, or does not show, written as an escape; newlines and tabs stay.

    >>> visible("a\x1b[2J\u202eb\n")
    'a\\x1b[2J\\u202eb\n'
    """
    return UNSEEN.sub(lambda found: ascii(found.group())[1:-1], text)


def _line(text: str, limit_bytes: int = LIMIT_BYTES) -> str:
    return visible(clipped(text, LINE_CHARS) if limit_bytes <= LIMIT_BYTES else text).replace("\n", "\\n").replace("\t", "\\t")


def _block(text: str, limit_bytes: int) -> str:
    return visible(limit_text(text, limit_bytes, CUT))


def _act(what: str, text: str, request: RunProcess | StartJob | RunPython, limit_bytes: int) -> str:
    """Where and with what comes first, so that no line of ``text`` can pass itself off as it."""
    around = tuple(f"  {each}" for each in surroundings(request))
    return "\n".join((f"Run {what} in {_line(request.cwd)}", *around, _block(text.rstrip("\n"), limit_bytes)))


def surroundings(request: RunProcess | StartJob | RunPython) -> tuple[str, ...]:
    """What a command or code runs with, a line each: changes of the environment, and the sandbox that is in force.

    >>> from turnfold.core.config.values import Variable
    >>> surroundings(RunProcess(script="ls", cwd="/w", environment=(Variable("A", "1"),), timeout_s=9, output_bytes=9))
    ('with A=1',)
    >>> surroundings(RunProcess(script="sort", cwd="/w", environment=(), timeout_s=9, output_bytes=9, stdin="b\\na"))
    ('reading: b\\\\na',)
    """
    shown, hidden = request.environment[:MAX_VARIABLES], request.environment[MAX_VARIABLES:]
    variables = tuple(f"without {each.name}" if each.value is None else f"with {each.name}={each.value}" for each in shown)
    more = (f"and {counted(len(hidden), 'more variable')}",) if hidden else ()
    confined = () if request.confinement is None else (f"in a sandbox: {confinement_told(request.confinement)}",)
    read = (f"reading: {request.stdin}",) if isinstance(request, RunProcess) and request.stdin else ()
    return tuple(_line(each) for each in (*confined, *read, *variables, *more))


def _write(request: WriteFile, exchanges: tuple[Exchange, ...], cfg: ChatConfig, limit_bytes: int) -> str:
    name = _line(relative(request.path, cfg.workspace))
    size = counted(line_count(request.text), "line")
    old = _text_before(request, exchanges)
    if old is not None:
        changes = "\n".join(diff_lines(old, request.text)) or "(no change)"
        return f"Change {name}:\n{_block(changes, limit_bytes)}"
    added = "\n".join(diff_lines("", request.text)[1:]) or "(empty)"
    what = f"Replace {name}, whose text was not read, by {size}" if request.expected_digest else f"Create {name} ({size})"
    return f"{what}:\n{_block(added, limit_bytes)}"


def _text_before(request: WriteFile, exchanges: tuple[Exchange, ...]) -> str | None:
    """The text that is to be replaced: what was read last under this path, if it is what the write expects."""
    for exchange in reversed(exchanges):
        if isinstance(exchange.request, ReadFile) and exchange.request.path == request.path:
            read = exchange.outcome
            return read.text if isinstance(read, FileRead) and read.digest == request.expected_digest else None
    return None

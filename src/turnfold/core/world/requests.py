"""Requests: the primitive acts in the world, and nothing else that happens.

A request says everything that the act needs (absolute paths, working directory, environment, limits), so performing it
reads no ambient state, and a person who is shown it sees exactly what would happen.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.config.values import Environment, Provider
from turnfold.core.json import JsonObject
from turnfold.core.world.confinement import Confinement


class Purpose(Enum):
    """What a model is called for."""

    REPLY = "reply"  # the conversation's next message
    SUMMARY = "summary"  # a summary of its beginning
    GUARDRAIL = "guardrail"  # a verdict on something that was said or is to be done


@final
@frozen(kw_only=True)
class CallModel:
    """Ask ``provider`` for a reply of ``model`` to the conversation as it was at event ``upto``.

    A reference: the body, of ``size_bytes`` (each picture counted as what it costs), goes with ``Perform`` and is never stored. Answered by ``StreamEnded`` after
    chunks of an OpenAI-compatible event stream.
    """

    provider: Provider
    model: str
    upto: int
    purpose: Purpose = Purpose.REPLY
    size_bytes: int = 0


@final
@frozen
class Wait:
    """Let ``delay_ms`` go by before a model is asked again. → ``Waited``."""

    delay_ms: int


@final
@frozen(kw_only=True)
class ReadFile:
    """Read the UTF-8 text of the file at the absolute ``path``; a file over ``limit_bytes`` is a Problem. → ``FileRead``."""

    path: str
    limit_bytes: int


@final
@frozen(kw_only=True)
class ReadImage:
    """Read the picture at the absolute ``path`` (PNG, JPEG, GIF or WebP), of at most ``limit_bytes``. → ``ImageRead``."""

    path: str
    limit_bytes: int


@final
@frozen(kw_only=True)
class WriteFile:
    """Put ``text`` into the file at the absolute ``path``, atomically, making folders as needed. → ``FileWritten``.

    ``expected_digest`` is the SHA-256 (hex) of the bytes that are to be replaced, or empty where there must be no file
    yet; if the file is otherwise, nothing is written and the answer is a Problem.
    """

    path: str
    text: str
    expected_digest: str


@final
@frozen(kw_only=True)
class DeleteFile:
    """Remove the file at the absolute ``path``, whose bytes have the SHA-256 ``expected_digest``; a part of ``ChangeFiles``."""

    path: str
    expected_digest: str


@final
@frozen
class ChangeFiles:
    """Make all of these changes, one a path, or none: where one can't be made, all is as it was. → ``FilesChanged``."""

    changes: tuple[WriteFile | DeleteFile, ...]


@final
@frozen(kw_only=True)
class ListFiles:
    """List the folder at the absolute ``path``, at most ``limit`` entries. → ``FilesListed``."""

    path: str
    limit: int


@final
@frozen(kw_only=True)
class SearchFiles:
    """Find files below the absolute folder ``root``, or lines in them. → ``FilesSearched``.

    ``names``: globs, one of which a file's path from ``root`` must match; none: all files. ``pattern``: a regular expression that a line
    must hold; empty: the files themselves are found. What .gitignore files leave out is left out; so is what is ``hidden``, unless asked
    for. At most ``limit`` are found.
    """

    root: str
    names: tuple[str, ...] = ()
    pattern: str = ""
    ignore_case: bool = False
    hidden: bool = False
    limit: int


@final
@frozen(kw_only=True)
class SearchIndex:
    """Find the passages of files below the absolute folder ``root`` that fit ``query`` best, by an index of them. → ``IndexSearched``.

    ``names``: globs, as in ``SearchFiles``. The index is brought up to date first; it is kept apart for each root.
    """

    root: str
    query: str
    names: tuple[str, ...] = ()
    limit: int


@final
@frozen(kw_only=True)
class RunProcess:
    """Run the bash ``script`` in ``cwd`` with ``environment`` laid over the world's own. → ``ProcessEnded``.

    One process group: when ``timeout_s`` is over or the request is cancelled, all of it is killed. The output beyond
    ``output_bytes`` is cut in the middle. The directory and the exported variables that the script ends with come back
    with the answer. ``confinement``: None for all rights of the person. ``stdin``: what it reads from its standard input.
    """

    script: str
    cwd: str
    environment: Environment
    timeout_s: float
    output_bytes: int
    confinement: Confinement | None = None
    stdin: str = ""


@final
@frozen(kw_only=True)
class RunPython:
    """Run ``code`` in this conversation's Python worker, started in ``cwd`` when there is none yet. → ``PythonEnded``."""

    code: str
    cwd: str
    environment: Environment
    timeout_s: float
    output_bytes: int
    confinement: Confinement | None = None


@final
@frozen(kw_only=True)
class StartJob:
    """Start the bash ``script`` as ``RunProcess`` would, and go on while it runs. → ``JobStarted``.

    It belongs to the conversation and ends with it. Of its output ``output_bytes`` are kept, from its beginning and its end.
    """

    script: str
    cwd: str
    environment: Environment
    output_bytes: int
    confinement: Confinement | None = None


@final
@frozen(kw_only=True)
class AskJob:
    """Tell how the conversation's job ``job`` is, and what it printed; ``stop``: after ending it, with all its children. → ``JobTold``.

    Of no job: a line for each that there is.
    """

    job: str
    stop: bool = False
    output_bytes: int


@final
@frozen(kw_only=True)
class FetchUrl:
    """Get ``url`` (http or https) as readable text. → ``UrlFetched``.

    Every redirect is checked as the first address is: one on a private or loopback network is refused, unless its host matches a glob in
    ``private_hosts``. Of the body at most ``limit_bytes`` are read.
    """

    url: str
    limit_bytes: int
    timeout_s: float
    private_hosts: tuple[str, ...] = ()


class Browsing(Enum):
    """What the conversation's browser shall do."""

    OPEN = "open"  # the address ``target``
    CLICK = "click"  # the element ``target``
    TYPE = "type"  # ``text`` into the element ``target``
    TEXT = "text"  # tell the page's text
    SCREENSHOT = "screenshot"  # into the file ``target``


@final
@frozen(kw_only=True)
class UseBrowser:
    """Do one thing in the conversation's browser, started when there is none yet. → ``BrowserSeen``.

    ``private_hosts``: as in ``FetchUrl``; they hold for everything that a page loads.
    """

    action: Browsing
    target: str = ""
    text: str = ""
    timeout_s: float
    output_bytes: int
    private_hosts: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class FormField:
    """One thing to be said by a person: free text, or, where there are ``choices``, one of them (or several)."""

    name: str
    label: str = ""
    choices: tuple[str, ...] = ()
    several: bool = False
    required: bool = True


@final
@frozen(kw_only=True)
class AskHuman:
    """Ask the person ``question``, with at least one field. Never performed: it waits for ``Decided``. → ``HumanSaid``."""

    question: str
    fields: tuple[FormField, ...]


@final
@frozen(kw_only=True)
class SearchChats:
    """Find the person's past conversations that fit ``query``, the best first; or read ``conversation`` alone. → ``ChatsFound``.

    The conversation that asks is not among them, nor are children.
    """

    query: str
    limit: int
    conversation: str = ""


@final
@frozen(kw_only=True)
class StartChild:
    """Have ``task`` done by a conversation of its own, with its own journal, and wait for its end. → ``ChildEnded``.

    ``agent``: who leads it; empty for this conversation's. ``tools``: those of this conversation's that it may use; None for all.
    ``generations``, ``tokens`` and ``usd`` bound it; None for what this conversation has left.
    """

    task: str
    agent: str = ""
    tools: tuple[str, ...] | None = None
    generations: int | None = None
    tokens: int | None = None
    usd: float | None = None


@final
@frozen
class CallPython:
    """Call the function ``name`` of the table that the shell was handed. → ``Returned``."""

    name: str
    arguments: JsonObject


@final
@frozen(kw_only=True)
class CallMcp:
    """Call ``tool`` of the conversation's session with the MCP server ``server``. → ``Returned``.

    ``traceparent``: the span that it is performed for, where the server is to know; the journal never has it.
    """

    server: str
    tool: str
    arguments: JsonObject
    timeout_s: float
    traceparent: str = ""


Searching: TypeAlias = SearchFiles | SearchIndex | SearchChats
Running: TypeAlias = RunProcess | RunPython | StartJob | AskJob
Filing: TypeAlias = ReadFile | ReadImage | WriteFile | ChangeFiles | ListFiles
Reaching: TypeAlias = FetchUrl | UseBrowser | CallPython | CallMcp
WorldRequest: TypeAlias = Filing | Searching | Running | Reaching | AskHuman | StartChild
Request: TypeAlias = CallModel | Wait | WorldRequest

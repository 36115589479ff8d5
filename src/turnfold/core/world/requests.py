"""Requests: the primitive acts in the world, and nothing else that happens.

A request says everything that the act needs (absolute paths, working directory, environment, limits), so performing it
reads no ambient state, and a person who is shown it sees exactly what would happen.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.config.values import Environment, Provider


class Purpose(Enum):
    """What a model is called for."""

    REPLY = "reply"  # the conversation's next message
    SUMMARY = "summary"  # a summary of its beginning


@final
@frozen(kw_only=True)
class CallModel:
    """Ask ``provider`` for a reply of ``model`` to the conversation as it was at event ``upto``.

    A reference: the body, of ``size_bytes``, goes with ``Perform`` and is never stored. Answered by ``StreamEnded`` after
    chunks of an OpenAI-compatible event stream.
    """

    provider: Provider
    model: str
    upto: int
    purpose: Purpose = Purpose.REPLY
    size_bytes: int = 0


@final
@frozen(kw_only=True)
class ReadFile:
    """Read the UTF-8 text of the file at the absolute ``path``; a file over ``limit_bytes`` is a Problem. → ``FileRead``."""

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
class ListFiles:
    """List the folder at the absolute ``path``, at most ``limit`` entries. → ``FilesListed``."""

    path: str
    limit: int


@final
@frozen(kw_only=True)
class RunProcess:
    """Run the bash ``script`` in ``cwd`` with ``environment`` laid over the world's own. → ``ProcessEnded``.

    One process group: when ``timeout_s`` is over or the request is cancelled, all of it is killed. The output beyond
    ``output_bytes`` is cut in the middle. The directory and the exported variables that the script ends with come back
    with the answer.
    """

    script: str
    cwd: str
    environment: Environment
    timeout_s: float
    output_bytes: int


@final
@frozen(kw_only=True)
class RunPython:
    """Run ``code`` in this conversation's Python worker, started in ``cwd`` when there is none yet. → ``PythonEnded``."""

    code: str
    cwd: str
    environment: Environment
    timeout_s: float
    output_bytes: int


WorldRequest: TypeAlias = ReadFile | WriteFile | ListFiles | RunProcess | RunPython
Request: TypeAlias = CallModel | WorldRequest

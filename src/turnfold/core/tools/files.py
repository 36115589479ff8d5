"""What the tools that work on one file have in common: which file, what to say when it can't be had, how to write it."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Blame, Problem, model_problem
from turnfold.core.tools.arguments import text_argument
from turnfold.core.tools.generator import Asked, Script, Sent, asked
from turnfold.core.tools.patching.replacing import is_placeholder
from turnfold.core.tools.paths import resolve
from turnfold.core.tools.spec import Done, Refuse
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import FileRead, FileWritten
from turnfold.core.world.requests import ReadFile, WriteFile

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
WRITE_ADVICE: tuple[tuple[str, str], ...] = (
    ("not-text", "Nothing was written; if it is to be replaced, remove it with shell first."),
    ("too-large", "Nothing was written; change it with shell (`sed`, a script)."),
    ("changed", "Nothing was written; read it, then repeat the change."),
)

FileStep: TypeAlias = Generator[Asked, Sent, FileRead | Problem]


@final
@frozen
class Target:
    """The file that a call is about: its absolute path, and its name as the model wrote it."""

    path: str
    name: str


def find_target(arguments: JsonObject, cfg: ChatConfig) -> Target | Problem:
    """The file that ``arguments`` name as ``path``, or why that can't be a file's name.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> find_target(JsonObject.of(path="./a.txt"), ChatConfig(ProjectConfig(Config()), workspace="/w"))
    Target(path='/w/a.txt', name='./a.txt')
    """
    name = text_argument(arguments, "path")
    if not name:
        return model_problem("bad-path", "The path is empty; give the path of a file.", "$.path")
    if CONTROL.search(name):
        message = f"The path {clipped(ascii(name))} holds a control character; write it on one line, as it is in the listing."
        return model_problem("bad-path", message, "$.path")
    if name == "~" or name.startswith("~/"):
        message = f"The path {clipped(name)} begins with ~, which nothing replaces here: write it in full, or ./~ for that very name."
        return model_problem("bad-path", message, "$.path")
    return Target(resolve(name, cfg), clipped(name))


def file_text(target: Target, cfg: ChatConfig) -> FileStep:
    """The step that reads ``target``.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> next(file_text(Target("/w/a.txt", "a.txt"), ChatConfig(ProjectConfig(Config()))))
    ReadFile(path='/w/a.txt', limit_bytes=2000000)
    """
    return asked(ReadFile(path=target.path, limit_bytes=cfg.limits.file_bytes), FileRead)


def write_text(target: Target, text: str, expected_digest: str, said: str) -> Script:
    """The last step of a tool that writes: ``said`` is what the model is told when it is done.

    >>> next(write_text(Target("/w/a.txt", "a.txt"), "hi", "", "Saved."))
    WriteFile(path='/w/a.txt', text='hi', expected_digest='')
    """
    written = yield from asked(WriteFile(path=target.path, text=text, expected_digest=expected_digest), FileWritten)
    return Refuse(not_written(written)) if isinstance(written, Problem) else Done(said)


def not_written(problem: Problem) -> Problem:
    """``problem`` of a file that was to be written, with what the model can do about it where its code is known.

    >>> not_written(Problem(code="changed", message="It changed.", blame=Blame.WORLD)).message
    'It changed. Nothing was written; read it, then repeat the change.'
    """
    for code, what in WRITE_ADVICE:
        if problem.code == code:
            return evolve(problem, message=f"{problem.message} {what}", blame=Blame.MODEL)
    return problem


def left_out(content: str, instead: str) -> Problem | None:
    """The Problem of a ``content`` with lines like ``# ... rest of the code``, which would lose what they stand for.

    >>> left_out("x = 1\\n# ... rest of the code\\n", "use patch").message
    'Line 2 is a placeholder (`# ... rest of the code`); write the whole text, or use patch; nothing was written. If the line is meant as it is, write the file with shell.'
    """
    for number, line in enumerate(content.split("\n"), start=1):
        if is_placeholder(line):
            message = f"Line {number} is a placeholder (`{clipped(line.strip())}`); write the whole text, or {instead}; nothing was written. If the line is meant as it is, write the file with shell."
            return model_problem("placeholder", message, "$.content")
    return None

"""Other arguments for a call that asks: what a person writes means (pure), and where they write it: in their editor, else on one line."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from returns.result import Failure, Result, Success

from turnfold.cli.asking import Terminal
from turnfold.core.agent.asked import Question
from turnfold.core.agent.inputs import Decided
from turnfold.core.json import JsonObject, dumps, loads_untrusted, thaw
from turnfold.core.tools.preview import visible
from turnfold.core.tools.schema import check_untrusted
from turnfold.shell.scope import Scope

TRIES = 5
LINE = "Other arguments, as JSON on one line (empty to leave them): "


def rewritten(question: Question, terminal: Terminal, scope: Scope, at_ms: int) -> Decided | None:
    """The call done with what the person writes; None where they leave its arguments as they are, so that they are asked again."""
    if question.arguments is None:
        return None
    editor = named_editor(os.environ)
    text = pretty(question.arguments)
    for _ in range(TRIES):
        written = _in_editor(editor, text, terminal) if editor else _on_line(question.arguments, terminal, scope)
        if written is None or not written.strip():
            return None
        read = arguments_untrusted(written, question)
        if not isinstance(read, Failure):
            same = read.unwrap() == question.arguments
            return None if same else Decided(question.request_id, allowed=True, at_ms=at_ms, arguments=read.unwrap())
        terminal.say(visible(read.failure()) + "\n")
        if editor and not (terminal.ask("Edit it again? [y/n] ", scope) or "").strip().lower().startswith("y"):
            return None
        text = written
    return None


def arguments_untrusted(text: str, question: Question) -> Result[JsonObject, str]:
    """The arguments that ``text`` spells, where the call's tool takes them; or what is wrong with them.

    >>> from turnfold.core.agent.ids import RequestId
    >>> from turnfold.core.world.requests import ListFiles
    >>> asked = Question(request_id=RequestId(1, 1, 0, 0), request=ListFiles(path="/", limit=1), reason="", preview="")
    >>> arguments_untrusted('{"path": "a"}', asked).unwrap(), arguments_untrusted("[]", asked).failure()
    (JsonObject.of(path='a'), 'Arguments are a JSON object, such as {"name": "value"}.')
    """
    read = loads_untrusted(text)
    if isinstance(read, Failure):
        fault = read.failure()
        return Failure(f"That is no JSON: {fault.message}, line {fault.line}, column {fault.column}.")
    value = read.unwrap()
    if not isinstance(value, JsonObject):
        return Failure('Arguments are a JSON object, such as {"name": "value"}.')
    checked = Success(value) if question.parameters is None else check_untrusted(value, question.parameters)
    return checked.alt(lambda problem: problem.message)


def pretty(arguments: JsonObject) -> str:
    """Arguments as a person edits them."""
    return json.dumps(thaw(arguments), ensure_ascii=False, indent=2) + "\n"


def named_editor(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The words of the editor that the person named; none where they named none.

    >>> named_editor({"EDITOR": "code --wait"}), named_editor({})
    (('code', '--wait'), ())
    """
    for name in ("VISUAL", "EDITOR"):
        try:
            words = tuple(shlex.split(environ.get(name, "")))
        except ValueError:
            continue
        if words:
            return words
    return ()


def _in_editor(editor: tuple[str, ...], text: str, terminal: Terminal) -> str | None:
    """What the person left in the editor; None where it could not be used, or failed."""
    try:
        with tempfile.TemporaryDirectory(prefix="turnfold-arguments-") as folder:
            file = Path(folder, "arguments.json")
            file.write_text(text, encoding="utf-8")
            device = terminal.descriptor
            code = subprocess.run([*editor, str(file)], stdin=device, stdout=device, stderr=device, check=False).returncode
            return file.read_text(encoding="utf-8", errors="replace") if code == 0 else None
    except OSError as error:
        terminal.say(f"The editor {visible(editor[0])} can't be used: {error.strerror}.\n")
        return None


def _on_line(arguments: JsonObject, terminal: Terminal, scope: Scope) -> str | None:
    terminal.say(visible(dumps(arguments)) + "\n")
    return terminal.ask(LINE, scope)

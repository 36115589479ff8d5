"""``turnfold config edit``: a copy is edited and checked, and written only if the file is still what was copied.

The editor works on a copy in a folder of its own. Whoever writes takes turnfold's lock, looks whether the file has still the bytes
that were copied, and replaces it as a whole; a link is followed, the mode is kept. If somebody else changed the file meanwhile, it
stays as they left it, and the edited text is put beside it: neither change is lost.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import frozen
from returns.result import Failure

from turnfold.cli.config_text import Done
from turnfold.cli.exits import Exit
from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.codec.toml_values import Problems
from turnfold.core.config.layer import LayerName
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.core.tools.preview import visible
from turnfold.shell.whole_file import locked, replace_whole

EDITORS = ("sensible-editor", "editor", "nano", "vim", "vi")
NEW_MODE = 0o600
TEMPLATE = """\
# Settings of turnfold. What is commented out is an example; `turnfold config explain KEY` says what holds, docs/config.md what there is.
# model = "openai/gpt-5-mini"       # PROVIDER/NAME, or an alias
# tools = ["-python"]               # a list, or +NAME and -NAME

# [limits]
# usd = 2.0

# [[rules]]
# verdict = "allow"                 # allow, ask or deny
# kind = "run"
# pattern = "git status*"
"""


@final
@frozen
class Target:
    """The file to edit, turnfold's folder for its lock, and the layer that the file belongs to."""

    path: Path
    data: Path
    layer: LayerName


@final
@frozen
class _Edited:
    """What the person made of the copy; ``problem``: why there is nothing to write."""

    text: bytes = b""
    problem: Problem | None = None


def edit(target: Target, environ: Mapping[str, str]) -> Done:
    """Let the person edit the file, and write what they made of it."""
    original = _bytes(target.path)
    if isinstance(original, Problem):
        return _wrong(original)
    editor = _editor(environ)
    if editor is None:
        return _wrong(caller_problem("no-editor", f"There is no editor: set EDITOR to one, or edit {target.path} yourself."))
    try:
        folder = Path(tempfile.mkdtemp(prefix="turnfold-config-"))
        copy = folder / target.path.name
        copy.write_bytes(TEMPLATE.encode() if original is None else original)
        copy.chmod(NEW_MODE)
    except OSError as error:
        return _wrong(
            world_problem("no-copy", f"There is no room for a copy to edit: {error.strerror}. Set TMPDIR to a folder that can be written.")
        )
    begun = copy.read_bytes()
    done = _written(target, original, _edited(editor, copy, target), copy)
    if done.code == Exit.DONE or (copy.exists() and copy.read_bytes() == begun):
        shutil.rmtree(folder, ignore_errors=True)
    return done


def _edited(editor: tuple[str, ...], copy: Path, target: Target) -> _Edited:
    """What the editor left in the copy, once it has no fault."""
    while True:
        try:
            code = subprocess.run([*editor, str(copy)], check=False).returncode
            text = copy.read_bytes()
        except OSError as error:
            message = f"The editor {editor[0]} can't be used: {error.strerror}. Set EDITOR to another; {target.path} is as it was."
            return _Edited(problem=caller_problem("no-editor", message))
        if code:
            message = f"The editor {editor[0]} ended with {code}, so {target.path} is as it was. What you wrote, if anything, is {copy}."
            return _Edited(problem=caller_problem("editor-failed", message))
        faults = _faults(text, target)
        if not faults:
            return _Edited(text)
        sys.stderr.write(visible("".join(f"✗ {fault}\n" for fault in faults)))
        if not _again():
            kept = f"{target.path} is as it was. What you wrote is kept in {copy}"
            return _Edited(problem=caller_problem("bad-settings", f"The file has {len(faults)} fault{'s'[: len(faults) > 1]}, so {kept}."))


def _faults(text: bytes, target: Target) -> Problems:
    try:
        toml = text.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        return (caller_problem("bad-settings", f"{target.path}:{line}: this is not UTF-8 text: save the file as UTF-8."),)
    read = read_file_untrusted(toml, str(target.path), target.layer)
    problems: Problems = read.failure() if isinstance(read, Failure) else ()
    return problems


def _again() -> bool:
    """Whether the person, if one is there, wants to go on editing."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    sys.stderr.write("Edit it again? [Y/n] ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return bool(line) and not line.strip().lower().startswith("n")


def _written(target: Target, original: bytes | None, edited: _Edited, copy: Path) -> Done:
    if edited.problem is not None:
        return _wrong(edited.problem)
    if edited.text == (TEMPLATE.encode() if original is None else original):
        return Done(out=(f"Nothing was changed in {target.path}.\n",))
    try:
        path = Path(os.path.realpath(target.path))
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.data / "config.lock"):
            if _bytes(path) != original:
                beside = _beside(path, edited.text)
                return Done(
                    err=(
                        f"{path} was changed by somebody else meanwhile, and is as they left it; what you wrote is {beside}: put the two together.",
                    ),
                    code=Exit.FAILED,
                )
            replace_whole(path, edited.text, NEW_MODE)
    except OSError as error:
        message = f"{target.path} can't be written: {error.strerror}. What you wrote is kept in {copy}."
        return _wrong(world_problem("not-written", message))
    return Done(out=(f"{target.path} is written.\n",))


def _bytes(path: Path) -> bytes | Problem | None:
    """What the file holds; None where there is none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return caller_problem("bad-settings", f"{path} is no ordinary file: rename it, and edit again.")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return world_problem(
            "bad-settings", f"The config file {path} can't be read ({error.strerror}): mend its permissions, or move it away."
        )


def _beside(path: Path, text: bytes) -> Path:
    """A new file beside ``path`` that holds the text."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.edited-", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return Path(name)


def _editor(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """The person's editor with its arguments, else one that is there; without a terminal only one that is named."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = tuple(shlex.split(environ.get(name, "")))
        except ValueError:
            continue
        if words:
            return words
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    found = next((each for each in EDITORS if shutil.which(each, path=environ.get("PATH"))), None)
    return None if found is None else (found,)


def _wrong(problem: Problem) -> Done:
    return Done(err=(problem.message,), code=Exit.FAILED if problem.code == "not-written" else Exit.USAGE)

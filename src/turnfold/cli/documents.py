"""Documents: a text that a command hands to the person, as a new file."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from turnfold.core.agent.effects import Document, Notice
from turnfold.core.json import scalar_text
from turnfold.core.problem import Blame, Problem, caller_problem
from turnfold.core.tools.output import counted
from turnfold.core.tools.textlines import line_count
from turnfold.core.world.requests import WriteFile
from turnfold.shell.ports import Files


def kept_document(document: Document, folder: Path, files: Files) -> Notice | Problem:
    """``document`` as the new file that it names, seen from ``folder``, whole or not at all; what is there is never written over."""
    try:
        path = folder.absolute() / Path(document.path).expanduser()
    except RuntimeError:  # no home for ~
        path = folder.absolute() / document.path
    written = files.write(WriteFile(path=str(path), text=scalar_text(document.text), expected_digest=""))
    if not isinstance(written, Problem):
        return Notice(f"Wrote {document.path} ({counted(line_count(document.text), 'line')}).")
    if written.code == "changed":
        return caller_problem("file-exists", f"{document.path} is there already, and was left as it is: name another file.")
    return evolve(written, blame=Blame.CALLER)  # nobody else can choose another place

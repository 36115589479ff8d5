"""The tool ``patch``: parts of a file replaced, found by their text."""

from __future__ import annotations

from attrs import evolve
from returns.pipeline import is_successful

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.files import Target, file_text, find_target, not_written, write_text
from turnfold.core.tools.generator import Script, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.patching.applying import Patched, apply_update
from turnfold.core.tools.patching.changes import Add, Patch, Section, Update
from turnfold.core.tools.patching.reading import parse_patch_untrusted
from turnfold.core.tools.paths import resolve
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.tools.textlines import clipped, line_count
from turnfold.core.world.answers import FileRead


def _patch(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Apply the whole patch or nothing of it; one that can't be read is refused before anything is asked."""
    target = find_target(arguments, cfg)
    if isinstance(target, Problem):
        return Refuse(target)
    parsed = parse_patch_untrusted(text_argument(arguments, "patch"))
    if not is_successful(parsed):
        return Refuse(evolve(parsed.failure(), path="$.patch"))
    change = _change_of(parsed.unwrap(), target, cfg)
    if isinstance(change, Problem):
        return Refuse(change)
    old = yield from file_text(target, cfg)
    if isinstance(change, Add):
        return (yield from _create(change, old, target))
    if isinstance(old, Problem):
        missing = old.code == "not-found"
        return Refuse(evolve(old, message=f"{old.message} Make a file with save.") if missing else not_written(old))
    applied = apply_update(change, old.text)
    if not is_successful(applied):
        return Refuse(_refused(applied.failure(), target))
    new = applied.unwrap()
    if new.text == old.text:
        return Done(f"{target.name} already is as the patch wants it; nothing was written.")
    return (yield from write_text(target, new.text, old.digest, _said(change, new, target)))


def _change_of(patch: Patch, target: Target, cfg: ChatConfig) -> Update | Add | Problem:
    """What ``patch`` does to the one file that the call is about, or why it does something else."""
    other = next((each.path for each in patch.files if each.path and not _is_about(each.path, target, cfg)), None)
    if other is not None:
        message = f"The patch is for {clipped(other)}, and the call for {target.name}: name one file, or change several with patch_many."
        return model_problem("other-file", message, "$.patch")
    updates = tuple(each for each in patch.files if isinstance(each, Update) and not each.moved_to)
    if len(updates) == len(patch.files):
        return evolve(updates[0], parts=tuple(part for each in updates for part in each.parts))
    first = patch.files[0]
    if isinstance(first, Add) and len(patch.files) == 1:
        return first
    return model_problem("other-file", "patch changes the lines of one file: move or delete files with patch_many.", "$.patch")


def _is_about(path: str, target: Target, cfg: ChatConfig) -> bool:
    """Whether a heading's ``path`` means ``target``; a part of its path will do, for the call has named it."""
    return target.path == resolve(path, cfg) or target.path.endswith("/" + path.removeprefix("./"))


def _create(change: Add, old: FileRead | Problem, target: Target) -> Script:
    if isinstance(old, Problem) and old.code == "not-found":
        return (yield from write_text(target, change.text, "", f"Created {target.name} ({counted(line_count(change.text), 'line')})."))
    if isinstance(old, Problem):
        return Refuse(not_written(old))
    message = f"There is a file {target.name} already, which was not changed: write which of its lines go and which come."
    return Refuse(model_problem("exists", message, "$.patch"))


def _refused(problem: Problem, target: Target) -> Problem:
    return evolve(problem, message=f"{target.name} was not changed. {problem.message}", path="$.patch")


def _said(change: Update, new: Patched, target: Target) -> str:
    noun = "section" if any(isinstance(part, Section) for part in change.parts) else "block"
    places = ", ".join(str(line) for line in new.lines)
    where = f"line {places}" if len(new.lines) == 1 else f"lines {places}"
    return f"Patched {target.name}: {counted(len(new.lines), noun)} applied at {where}."


EXAMPLE = "<<<<<<< ORIGINAL\nx = 1\n=======\nx = 2\n>>>>>>> UPDATED"

PATCH: ToolSpec = ToolSpec(
    name="patch",
    description=(
        "Change parts of a file: each block has the lines as they are now, exactly and with enough of them to fit at one place only, "
        "and the lines that replace them. Several blocks are applied in order, all or none."
    ),
    parameters=parameters(
        ("path", "patch"),
        path=text_parameter("The file, relative to the workspace.", least=1),
        patch=text_parameter("Blocks of: <<<<<<< ORIGINAL, the old lines, =======, the new lines, >>>>>>> UPDATED.", least=1),
    ),
    advance=from_generator(_patch),
    header=("path",),
    body="patch",
    examples=(Example("Set x to 2 in config.py.", JsonObject.of(path="config.py", patch=EXAMPLE)),),
)

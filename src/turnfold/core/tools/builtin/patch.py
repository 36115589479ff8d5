"""The tool ``patch``: parts of a file replaced, found by their text."""

from __future__ import annotations

from attrs import evolve
from returns.pipeline import is_successful

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.files import Target, file_text, find_target, not_written, write_text
from turnfold.core.tools.generator import Script, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.patching import Patched, apply_patch, parse_patch_untrusted
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec


def _patch(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Apply all blocks or none; a patch that can't be read is refused before anything is asked."""
    target = find_target(arguments, cfg)
    if isinstance(target, Problem):
        return Refuse(target)
    parsed = parse_patch_untrusted(text_argument(arguments, "patch"))
    if not is_successful(parsed):
        return Refuse(evolve(parsed.failure(), path="$.patch"))
    old = yield from file_text(target, cfg)
    if isinstance(old, Problem):
        missing = old.code == "not-found"
        return Refuse(evolve(old, message=f"{old.message} Make a file with save.") if missing else not_written(old))
    applied = apply_patch(parsed.unwrap(), old.text)
    if not is_successful(applied):
        return Refuse(_refused(applied.failure(), target))
    new = applied.unwrap()
    if new.text == old.text:
        return Done(f"{target.name} already is as the patch wants it; nothing was written.")
    return (yield from write_text(target, new.text, old.digest, _said(new, target)))


def _refused(problem: Problem, target: Target) -> Problem:
    return evolve(problem, message=f"{target.name} was not changed. {problem.message}", path="$.patch")


def _said(new: Patched, target: Target) -> str:
    places = ", ".join(str(line) for line in new.lines)
    where = f"line {places}" if len(new.lines) == 1 else f"lines {places}"
    return f"Patched {target.name}: {counted(len(new.lines), 'block')} applied at {where}."


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

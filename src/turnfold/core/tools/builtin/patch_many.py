"""The tool ``patch_many``: several files changed, added, removed and moved, all of it or nothing."""

from __future__ import annotations

from collections.abc import Generator

from attrs import evolve
from returns.pipeline import is_successful

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.files import Target, find_target
from turnfold.core.tools.generator import Asked, Script, Sent, asked, from_generator
from turnfold.core.tools.output import counted
from turnfold.core.tools.patching.changes import FileChange, Patch, Update
from turnfold.core.tools.patching.drafts import Draft, drafted, sources
from turnfold.core.tools.patching.reading import parse_patch_untrusted
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import FileRead, FilesChanged
from turnfold.core.world.requests import ChangeFiles, ReadFile

MAX_FILES = 50
UNNAMED = "The patch does not say for which file: begin each with a line `*** Update File: PATH`, or use patch."


def _patch_many(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    """Read all files, make all texts, and only then ask for one change of all of them."""
    parsed = parse_patch_untrusted(text_argument(arguments, "patch"))
    if not is_successful(parsed):
        return Refuse(evolve(parsed.failure(), path="$.patch"))
    patch = _with_paths(parsed.unwrap(), cfg)
    if isinstance(patch, Problem):
        return Refuse(_refused(patch))
    files = yield from _files(patch, cfg)
    if isinstance(files, Problem):
        return Refuse(_refused(files))
    drafts = drafted(patch, files, cfg.workspace)
    if isinstance(drafts, Problem):
        return Refuse(_refused(drafts))
    changes = drafts.changes()
    if not changes:
        return Done("All files already are as the patch wants them; nothing was written.")
    changed = yield from asked(ChangeFiles(changes), FilesChanged)
    if isinstance(changed, Problem):
        return Refuse(_refused(changed))
    said = "".join(f"\n{each}" for each in drafts.said)
    return Done(f"Changed {counted(len(changes), 'file')}, all at once:{said}")


def _with_paths(patch: Patch, cfg: ChatConfig) -> Patch | Problem:
    """``patch`` with absolute paths."""
    if len(patch.files) > MAX_FILES:
        return model_problem("bad-patch", f"The patch is for more than {MAX_FILES} files; write several patches.")
    files: tuple[FileChange, ...] = ()
    for change in patch.files:
        if not change.path:
            return model_problem("bad-patch", UNNAMED)
        target = _target(change.path, cfg)
        goal = _target(change.moved_to, cfg) if isinstance(change, Update) and change.moved_to else Target("", "")
        if isinstance(target, Problem):
            return target
        if isinstance(goal, Problem):
            return goal
        moved_to = goal.path if goal.path != target.path else ""
        files += (evolve(change, path=target.path, moved_to=moved_to) if isinstance(change, Update) else evolve(change, path=target.path),)
    return Patch(files)


def _target(name: str, cfg: ChatConfig) -> Target | Problem:
    return find_target(JsonObject.of(path=name), cfg)


def _files(patch: Patch, cfg: ChatConfig) -> Generator[Asked, Sent, tuple[Draft, ...] | Problem]:
    """The files that are there before, all read in one round."""
    paths = sources(patch)
    if not paths:
        return ()
    outcomes = yield tuple(ReadFile(path=path, limit_bytes=cfg.limits.file_bytes) for path in paths)
    drafts: tuple[Draft, ...] = ()
    for path, outcome in zip(paths, outcomes if isinstance(outcomes, tuple) else (outcomes,), strict=True):
        if isinstance(outcome, Problem):
            return outcome
        if not isinstance(outcome, FileRead):
            return model_problem("wrong-answer", f"{path} could not be read.")
        drafts += (Draft(path=path, before=outcome.text, digest=outcome.digest, after=outcome.text),)
    return drafts


def _refused(problem: Problem) -> Problem:
    return evolve(problem, message=f"No file was changed. {problem.message}", path="$.patch")


EXAMPLE = """*** Update File: app.py
<<<<<<< ORIGINAL
from config import x
=======
from settings import x
>>>>>>> UPDATED
*** Update File: config.py
*** Move to: settings.py
*** Add File: notes.txt
+config.py is settings.py now."""

PATCH_MANY: ToolSpec = ToolSpec(
    name="patch_many",
    description=(
        "Change, add, delete and move several files, all or none. Each file has a heading (*** Update File: PATH, *** Add File: PATH with "
        "+ before each line, *** Delete File: PATH); below an update stand blocks as for patch, or *** Move to: PATH. "
        "Unified diffs are read as well."
    ),
    parameters=parameters(("patch",), patch=text_parameter("The headings, each with its blocks or lines below it.", least=1)),
    advance=from_generator(_patch_many),
    body="patch",
    examples=(Example("Rename config.py to settings.py and say so in notes.txt.", JsonObject.of(patch=EXAMPLE)),),
    optional=True,
)

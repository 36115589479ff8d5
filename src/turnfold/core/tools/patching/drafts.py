"""A patch over several files, applied to their texts: what each file was, and what it will be.

Pure: nothing is written until every part of every file fits, so a patch with one part that is refused changes nothing.
"""

from __future__ import annotations

from typing import assert_never, final

from attrs import evolve, frozen
from returns.pipeline import is_successful

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.output import counted
from turnfold.core.tools.patching.applying import apply_update
from turnfold.core.tools.patching.changes import Add, FileChange, Patch, Remove, Update
from turnfold.core.tools.textlines import clipped, line_count
from turnfold.core.world.permission import relative
from turnfold.core.world.requests import DeleteFile, WriteFile


@final
@frozen(kw_only=True)
class Draft:
    """One file: its text and digest as it was read (None and empty: there is none), and its text now (None: there is none)."""

    path: str
    before: str | None = None
    digest: str = ""
    after: str | None = None


@final
@frozen(kw_only=True)
class Drafts:
    """The files of a patch, one a path, in the order in which it names them, and what was done to them, told."""

    files: tuple[Draft, ...]
    said: tuple[str, ...] = ()

    def find(self, path: str) -> Draft:
        """The file at ``path``; there is none where the patch has not named one."""
        return next((draft for draft in self.files if draft.path == path), Draft(path=path))

    def with_text(self, path: str, text: str | None, said: str = "") -> Drafts:
        """The same with ``text`` at ``path`` from now on."""
        draft = evolve(self.find(path), after=text)
        known = any(each.path == path for each in self.files)
        files = tuple(draft if each.path == path else each for each in self.files) if known else (*self.files, draft)
        return evolve(self, files=files, said=(*self.said, said) if said else self.said)

    def changes(self) -> tuple[WriteFile | DeleteFile, ...]:
        """What has to be written and removed, so that the files are as the patch wants them; none where they are."""
        changed = tuple(draft for draft in self.files if draft.after != draft.before)
        return tuple(
            DeleteFile(path=each.path, expected_digest=each.digest)
            if each.after is None
            else WriteFile(path=each.path, text=each.after, expected_digest=each.digest)
            for each in changed
        )


def sources(patch: Patch) -> tuple[str, ...]:
    """The paths that must be read before ``patch`` can be applied: each once, in order, but for those that it makes itself.

    >>> sources(Patch((Add("a", ""), Update(path="a", parts=()), Remove("b"))))
    ('b',)
    """
    made: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    for change in patch.files:
        if not isinstance(change, Add) and change.path not in (*found, *made):
            found += (change.path,)
        made += (change.path,) if isinstance(change, Add) else (change.moved_to,) if isinstance(change, Update) else ()
    return found


def drafted(patch: Patch, files: tuple[Draft, ...], workspace: str) -> Drafts | Problem:
    r"""``files`` with all of ``patch`` (its paths absolute) done, or the Problem of the first part that does not fit, with the file's name.

    >>> made = drafted(Patch((Add("/w/a.txt", "x\n"),)), (), "/w")
    >>> made.changes(), made.said
    ((WriteFile(path='/w/a.txt', text='x\n', expected_digest=''),), ('added a.txt (1 line)',))
    """
    drafts = Drafts(files=files)
    for change in patch.files:
        done = _done(change, drafts, workspace)
        if isinstance(done, Problem):
            return evolve(done, message=f"{clipped(relative(change.path, workspace))}: {done.message}")
        drafts = done
    return drafts


def _done(change: FileChange, drafts: Drafts, workspace: str) -> Drafts | Problem:
    name = clipped(relative(change.path, workspace))
    old = drafts.find(change.path).after
    match change:
        case Add(path=path, text=text):
            if old is not None:
                return _taken()
            return drafts.with_text(path, text, f"added {name} ({counted(line_count(text), 'line')})")
        case Remove(path=path, parts=parts):
            left = _updated(Update(path=path, parts=parts), old)
            if isinstance(left, str) and left and parts:
                return model_problem("not-empty", "The patch says that it goes, and leaves lines of it: remove all of them, or keep it.")
            return left if isinstance(left, Problem) else drafts.with_text(path, None, f"deleted {name}")
        case Update():
            return _moved(change, _updated(change, old), drafts, workspace)
        case _:
            assert_never(change)


def _updated(change: Update, old: str | None) -> str | Problem:
    if old is None:
        return model_problem("not-found", "It is gone by then: the patch deletes or moves it before.")
    applied = apply_update(change, old)
    return applied.unwrap().text if is_successful(applied) else applied.failure()


def _moved(change: Update, text: str | Problem, drafts: Drafts, workspace: str) -> Drafts | Problem:
    if isinstance(text, Problem):
        return text
    parts = counted(len(change.parts), "change") if change.parts else ""
    name, goal = (clipped(relative(path, workspace)) for path in (change.path, change.moved_to))
    if not change.moved_to:
        return drafts.with_text(change.path, text, f"patched {name} ({parts})")
    if drafts.find(change.moved_to).after is not None:
        return _taken()
    said = f"moved {name} to {goal}{f' ({parts})' if parts else ''}"
    return drafts.with_text(change.path, None).with_text(change.moved_to, text, said)


def _taken() -> Problem:
    return model_problem("exists", "There is such a file already: update it, or choose another name.")

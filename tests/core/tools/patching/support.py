"""Patches in all forms, as text, and what comes of them."""

from __future__ import annotations

from returns.pipeline import is_successful
from returns.result import Result

from turnfold.core.problem import Problem
from turnfold.core.tools.patching.applying import Patched, apply_update
from turnfold.core.tools.patching.changes import FileChange, Update
from turnfold.core.tools.patching.reading import parse_patch_untrusted


def block(original: str, updated: str) -> str:
    return f"<<<<<<< ORIGINAL\n{original}\n=======\n{updated}\n>>>>>>> UPDATED"


def read(patch: str) -> tuple[FileChange, ...]:
    return parse_patch_untrusted(patch).unwrap().files


def outcome(patch: str, text: str) -> Result[Patched, Problem]:
    """What comes of a patch of one file."""

    def applied(files: tuple[FileChange, ...]) -> Result[Patched, Problem]:
        (update,) = files
        assert isinstance(update, Update)
        return apply_update(update, text)

    return parse_patch_untrusted(patch).bind(lambda found: applied(found.files))


def patched(patch: str, text: str) -> str:
    return outcome(patch, text).unwrap().text


def refused(patch: str, text: str = "") -> tuple[str, str]:
    """Code and message of the Problem."""
    done = outcome(patch, text)
    assert not is_successful(done), done
    return done.failure().code, done.failure().message

"""The back ends that work on this machine, for tests; one that does not is skipped, and says why."""

from __future__ import annotations

import os

import pytest

from turnfold.shell.sandbox.sandboxes import BackEnd, LocalSandboxes

BASE = (("HOME", "/nonexistent"), ("LANG", "C.UTF-8"), ("PATH", os.environ["PATH"]))
HERE = LocalSandboxes(BASE)
EACH = pytest.mark.parametrize(
    "back_end",
    [pytest.param(each, marks=pytest.mark.skipif(bool(HERE.fault(each)), reason=f"{each.value}: {HERE.fault(each)}")) for each in BackEnd],
    ids=lambda back_end: back_end.value,
)


def only(back_end: BackEnd | None, own: tuple[str, ...] = ()) -> LocalSandboxes:
    """The sandboxes of a machine on which nothing but ``back_end`` works."""
    made = LocalSandboxes(BASE, own)
    for each in BackEnd:
        if each is not back_end:
            made._faults[each] = "not on this machine"
    return made

"""The same run by every driver, under this Python and the newest other one that is found: the same journals.

Looked for are ``python3.11`` and later ones on the PATH and with pyenv, and those that TURNFOLD_PYTHONS names (paths, separated as in PATH),
which are all taken. They use what this Python has of what turnfold needs. With none but this one, the drivers are compared under it
alone, and the test says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

PROJECT = Path(__file__).resolve().parents[2]
NEWEST_MINOR = 20
NAMED = "TURNFOLD_PYTHONS"
Version: TypeAlias = tuple[int, ...]
IDENTITY = "import sys; print(sys.implementation.name, *sys.version_info[:3])"


def named() -> Iterator[str]:
    """Interpreters that whoever runs the tests wants to be looked at."""
    yield from filter(None, os.environ.get(NAMED, "").split(os.pathsep))


def found() -> Iterator[str]:
    """Interpreters that are there."""
    for minor in range(11, NEWEST_MINOR):
        yield from filter(None, (shutil.which(f"python3.{minor}"),))
    yield from map(str, Path.home().glob(".pyenv/versions/3.*/bin/python"))


def version(python: str) -> Version | None:
    """Which CPython it is; None where it is none of ours, or can't be run (a shim of a version manager that has none)."""
    done = subprocess.run([python, "-c", IDENTITY], capture_output=True, text=True, check=False)
    name, *numbers = done.stdout.split() or [""]
    known = tuple(map(int, numbers))
    return known if done.returncode == 0 and name == "cpython" and known >= (3, 11) else None


def others() -> dict[Version, str]:
    """All that are named, else the newest that is found, but for the one that runs this."""
    this = version(sys.executable)
    known = {which: python for python in (tuple(named()) or tuple(found())) if (which := version(python)) is not None and which != this}
    return known if any(named()) else {which: known[which] for which in sorted(known)[-1:]}


def journals(python: str) -> list[str]:
    """What each driver journals under ``python``: a line a driver."""
    path = os.pathsep.join((str(PROJECT / "src"), sysconfig.get_path("purelib")))
    environ = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "random"}
    program = str(PROJECT / "tests" / "shell" / "every_driver.py")
    done = subprocess.run([python, program], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, f"{python}: {done.stderr[-2000:]}"
    return done.stdout.splitlines()


@pytest.mark.filterwarnings("default")
def test_every_driver_under_every_python_keeps_the_same_journal() -> None:
    expected, *more = journals(sys.executable)
    assert len(more) == 3
    assert set(more) == {expected}
    assert "All is done." in expected
    besides = others()
    for which, python in besides.items():
        assert set(journals(python)) == {expected}, which
    if not besides:
        warnings.warn(f"There is no other Python here: set {NAMED} to compare with one.", stacklevel=1)

"""What the tools that search files have in common: where, among which files, and how what was found is told."""

from __future__ import annotations

import posixpath
import re
from typing import final

from attrs import frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.tools.arguments import text_argument
from turnfold.core.tools.files import CONTROL, Target, find_target
from turnfold.core.tools.output import counted
from turnfold.core.world.answers import FilesSearched

WILD = frozenset("*?[")
BRACES = re.compile(r"([^{}]*)\{([^{}]*,[^{}]*)\}([^{}]*)\Z")
WHERE = "A folder, a file, or a glob such as *.py or src/**/*.{js,ts}; the workspace where left out."


@final
@frozen
class Scope:
    """The folder (or file) to be searched, and globs of the files that are meant; none: all."""

    target: Target
    names: tuple[str, ...] = ()


def find_scope(arguments: JsonObject, cfg: ChatConfig) -> Scope | Problem:
    """What ``arguments`` name as ``path``: a glob is searched for in the folder before its first wildcard.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> cfg = ChatConfig(ProjectConfig(Config()), workspace="/w")
    >>> find_scope(JsonObject.of(path="src/*.py"), cfg)
    Scope(target=Target(path='/w/src', name='src'), names=('/*.py',))
    >>> find_scope(JsonObject.of(path="*.{a,b}"), cfg)
    Scope(target=Target(path='/w', name='.'), names=('*.a', '*.b'))
    """
    path = text_argument(arguments, "path").strip() or "."
    parts = path.split("/")
    wild = next((at for at, part in enumerate(parts) if not WILD.isdisjoint(part)), len(parts))
    folder, glob = "/".join(parts[:wild]), "/".join(parts[wild:])
    root = folder or ("/" if path.startswith("/") else ".")
    target = find_target(JsonObject.of(path=root), cfg)
    if isinstance(target, Problem):
        return target
    anchored = glob if not wild and "/" not in glob else "/" + glob
    return Scope(target, _alternatives(anchored) if glob else ())


def _alternatives(glob: str) -> tuple[str, ...]:
    """What ``glob`` stands for, one group of braces spelt out: globs as .gitignore has them know none."""
    found = BRACES.match(glob)
    names = tuple(found[1] + each + found[3] for each in found[2].split(",")) if found is not None else (glob,)
    return tuple("\\" + name if name.startswith(("!", "#")) else name for name in names)


def shown_path(path: str, scope: Scope) -> str:
    """The ``path`` of a file that was found, as a model would write it.

    >>> shown_path("a.py", Scope(Target("/w/src", "src"))), shown_path(".", Scope(Target("/w/a.py", "a.py")))
    ('src/a.py', 'a.py')
    """
    whole = posixpath.normpath(posixpath.join(scope.target.name, path))
    return ascii(whole) if CONTROL.search(whole) else whole


def told(lines: tuple[str, ...], searched: FilesSearched, what: str, cfg: ChatConfig) -> str:
    """``lines``, one for each that was found, as far as there is room, and exactly how many there are besides; ``what`` they are called.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> print(told(("a", "b"), FilesSearched(found=(), omitted=2), "file", ChatConfig(ProjectConfig(Config()))))
    a
    b
    [2 files more: write a narrower glob, or search a folder below]
    """
    shown: list[str] = []
    room = cfg.limits.output_bytes
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        shown.append(line)
    omitted = len(lines) - len(shown) + searched.omitted
    notes: tuple[str, ...] = ()
    if omitted:
        notes += (f"[{counted(omitted, what)} more: write a narrower glob, or search a folder below]",)
    if searched.skipped:
        notes += (f"[not searched: {counted(searched.skipped, 'file')} that can't be read, no text or too long]",)
    return "\n".join((*shown, *notes))

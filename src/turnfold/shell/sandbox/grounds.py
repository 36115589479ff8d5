"""Grounds: a confinement as this machine has it, with real paths of what is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import final

from attrs import frozen

from turnfold.core.world.confinement import Confinement


@final
@frozen(kw_only=True)
class Grounds:
    """What a back end enforces: all paths are absolute, real and there; ``temporary`` is a folder of its own, and writable.

    ``hidden_folders`` and ``hidden_files``: what can't be read, but for what is writable below them.
    """

    writable: tuple[str, ...]
    hidden_folders: tuple[str, ...]
    hidden_files: tuple[str, ...]
    network: bool
    hosts: tuple[str, ...]
    memory_bytes: int | None
    processes: int | None
    temporary: str


def grounds_of(confinement: Confinement, home: str, own: tuple[str, ...], temporary: str) -> Grounds:
    """``confinement`` on this machine; ``own``: folders of ours, which are hidden always. What is not there is left out."""
    hidden = _real((*confinement.hidden, *own), home)
    return Grounds(
        writable=tuple(path for path in _real(confinement.writable, home) if Path(path).is_dir()),
        hidden_folders=tuple(path for path in hidden if Path(path).is_dir()),
        hidden_files=tuple(path for path in hidden if not Path(path).is_dir()),
        network=confinement.network,
        hosts=confinement.hosts,
        memory_bytes=confinement.memory_bytes,
        processes=confinement.processes,
        temporary=temporary,
    )


def _real(paths: tuple[str, ...], home: str) -> tuple[str, ...]:
    """Where ``paths`` lead, each once, sorted: a folder comes before what is in it. A home that nobody has names nothing."""
    said = (f"{home}{path[1:]}" if path == "~" or path.startswith("~/") else path for path in paths)
    real = {os.path.realpath(path) for path in said if path.startswith("/") and "\0" not in path}
    return tuple(sorted(path for path in real if os.path.lexists(path)))

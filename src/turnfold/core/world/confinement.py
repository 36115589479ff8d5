"""Confinement: how far a command or a piece of code may reach, as data; the shell finds what enforces it."""

from __future__ import annotations

import posixpath
from typing import final

from attrs import frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import SandboxProfile


@final
@frozen(kw_only=True)
class Confinement:
    """What a process and all its children may touch; what is not mentioned here can be read, not written.

    ``writable``: folders below which may be written. ``hidden``: what can't be read. Both are absolute paths, or begin with ``~/``, the
    home of whoever runs the command, which the shell knows. ``network``: whether any host can be reached; where it is, and ``hosts`` is
    not empty, only those. ``memory_bytes`` and ``processes``: the most of all together. ``required``: whether nothing is run where
    nothing on the machine can enforce this.
    """

    writable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    network: bool = False
    hosts: tuple[str, ...] = ()
    memory_bytes: int | None = None
    processes: int | None = None
    required: bool = True


def confinement_of(cfg: ChatConfig) -> Confinement | None:
    """How far a command of this conversation may reach; None for all rights of the person.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.config.tables import Sandbox
    >>> sandbox = Sandbox(profile=SandboxProfile.WORKSPACE, writable=("build", "~/.cache"), hidden=())
    >>> confinement_of(ChatConfig(ProjectConfig(Config(sandbox=sandbox)), workspace="/w")).writable
    ('/w', '/w/build', '~/.cache')
    """
    said = cfg.sandbox
    if said.profile is SandboxProfile.OFF:
        return None
    own = (cfg.workspace, *cfg.roots) if said.profile is SandboxProfile.WORKSPACE else ()
    return Confinement(
        writable=tuple(_placed(path, cfg) for path in (*own, *said.writable)),
        hidden=tuple(_placed(path, cfg) for path in said.hidden),
        network=said.network,
        hosts=said.hosts,
        memory_bytes=said.memory_bytes,
        processes=said.processes,
        required=not said.unconfined,
    )


def _placed(path: str, cfg: ChatConfig) -> str:
    return path if path == "~" or path.startswith("~/") else posixpath.normpath(posixpath.join(cfg.workspace, path))


def confinement_told(confinement: Confinement) -> str:
    """What a confinement leaves, in a few words for a person.

    >>> confinement_told(Confinement(writable=("/w",)))
    'writes below /w only, no network'
    >>> confinement_told(Confinement(network=True, hosts=("pypi.org",), memory_bytes=2_000_000, processes=9, required=False))
    'writes nothing, network: pypi.org only, at most 2,000,000 bytes of memory, at most 9 processes; without one where none works'
    """
    reached = f"network: {', '.join(confinement.hosts)} only" if confinement.hosts else "network"
    parts = (
        f"writes below {', '.join(confinement.writable)} only" if confinement.writable else "writes nothing",
        reached if confinement.network else "no network",
        "" if confinement.memory_bytes is None else f"at most {confinement.memory_bytes:,} bytes of memory",
        "" if confinement.processes is None else f"at most {confinement.processes:,} processes",
    )
    return ", ".join(part for part in parts if part) + ("" if confinement.required else "; without one where none works")

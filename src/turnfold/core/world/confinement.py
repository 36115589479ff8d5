"""Confinement: how far a command or a piece of code may reach, as data; the shell finds what enforces it."""

from __future__ import annotations

from typing import final

from attrs import frozen


@final
@frozen(kw_only=True)
class Confinement:
    """What a process and all its children may touch; what is not mentioned here can be read, not written.

    ``writable``: absolute folders below which may be written. ``hidden``: absolute paths that can't be read. ``network``: whether any host
    can be reached; where it is, and ``hosts`` is not empty, only those. ``memory_bytes`` and ``processes``: the most of all together.
    """

    writable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    network: bool = False
    hosts: tuple[str, ...] = ()
    memory_bytes: int | None = None
    processes: int | None = None

"""Kin: the processes that belong together, found in /proc; none where there is no /proc.

Whoever starts a process does not learn of its grandchildren. They are known by their session, by their parents, and where
they have left both (a daemon does), by a mark in the environment that they were started with, which is handed down.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import final

from attrs import frozen

MARK = "TURNFOLD_COMMAND"  # a variable of every process that we start, and so of its children


@final
@frozen(kw_only=True)
class Kin:
    """One process, as /proc tells of it."""

    pid: int
    parent: int
    group: int
    session: int


def every(above: int = 0) -> tuple[Kin, ...]:
    """All processes with ids over ``above`` that are no zombies."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return ()
    found = (_kin(int(name)) for name in names if name.isdigit() and int(name) > above)
    return tuple(each for each in found if each is not None)


def _kin(pid: int) -> Kin | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    state, parent, group, session = stat.rpartition(b")")[2].split()[:4]
    return None if state in b"ZX" else Kin(pid=pid, parent=int(parent), group=int(group), session=int(session))


def descendants(pid: int, among: Collection[Kin]) -> Mapping[int, int]:
    """The children of ``pid`` and theirs, each with its distance from it (1 for a child)."""
    children: dict[int, list[int]] = {}
    for each in among:
        children.setdefault(each.parent, []).append(each.pid)
    found: dict[int, int] = {}
    edge = [(child, 1) for child in children.get(pid, ())]
    while edge:
        child, depth = edge.pop()
        if child not in found:
            found[child] = depth
            edge += [(each, depth + 1) for each in children.get(child, ())]
    return found


def family(leader: int, mark: str, above: int = 0) -> frozenset[int]:
    """Whoever belongs to ``leader``, itself left out: its session, its descendants, and who bears ``mark``; of ids over ``above``."""
    living = every(above)
    own = {each.pid for each in living if each.session == leader or (mark and _bears(each.pid, mark))}
    for each in (leader, *tuple(own)):
        own |= descendants(each, living).keys()
    return frozenset(own - {leader, os.getpid()})


def _bears(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # another user's
        return False

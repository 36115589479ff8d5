"""Turns taken back, and there again: what undo and redo make of the past."""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.state import Past, Taken


def rewound(past: Past, to: int, files: tuple[str, ...] | None) -> Past:
    """The past without turn ``to`` and all after it; ``files``: those that were put back, None where they stay."""
    kept = 0
    while kept < len(past.marks) and past.marks[kept].turn < to:
        kept += 1
    if kept == len(past.marks):
        return past
    mark = past.marks[kept]
    taken = Taken(
        log=past.log,
        memories=past.memories,
        overrides=past.overrides,
        marks=past.marks,
        summary=past.summary,
        told=past.told,
        writes=past.writes,
        files=files or (),
    )
    return evolve(
        past,
        log=past.log.take(mark.log_length),
        memories=mark.memories,
        overrides=mark.overrides,
        summary=mark.summary,
        told=mark.told,
        marks=past.marks.take(kept),
        undone=(taken, *past.undone),
        turn=None,
        writes=past.writes.upto(past.marks[kept - 1].turn if kept else 0) if files is not None else past.writes,
    )


def redone(past: Past) -> Past:
    """The past with what the last rewind took back; unchanged where something was begun since."""
    if not past.undone or past.turn is not None:
        return past
    taken, *rest = past.undone
    return evolve(
        past,
        log=taken.log,
        memories=taken.memories,
        overrides=taken.overrides,
        marks=taken.marks,
        summary=taken.summary,
        told=taken.told,
        writes=taken.writes,
        undone=tuple(rest),
    )

"""Sections of diffs, applied.

Every section is found in the text as it was before all of them. What goes must be there as it is written, white space at the ends of
lines apart; what stays only tells the place. So a section is looked for in these readings, and the first that fits counts:

1. all its old lines as they are;
2. the lines that stay with other indentation;
3. the lines from its first change to its last alone, where at least half of what stays is near them: for a text that changed
   meanwhile around the place. Here nothing else can choose between places;
4. each of its changes on its own, with the lines that stay around it, in order.

Where a reading of all old lines fits at several places, a hint decides, if it names one of them exactly: the line number (if all numbers
of the sections do), the end of the file, or the anchors (the place just below the last one, or the only place in the block that it begins). Two anchors or more that are
not in the text are no hint but an error: the place is meant to be inside of something that is not there.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.core.problem import Problem
from turnfold.core.tools.patching.changes import Line, Mark, Section
from turnfold.core.tools.patching.places import Places, Scene, anchored_blocks, bare_places, loose_places, scene_of
from turnfold.core.tools.patching.refusals import ambiguous, lazy, no_place, not_found, overlapping
from turnfold.core.tools.patching.replacing import is_placeholder
from turnfold.core.tools.textlines import clipped, line_end

MAX_CHANGES = 10  # of one section, that are looked for one by one
DRIFT = 20  # lines around a place that count as near


@final
@frozen
class Edit:
    """The lines from ``start`` to before ``stop`` (from 0) are replaced by ``added``."""

    start: int
    stop: int
    added: tuple[str, ...]


@final
@frozen(kw_only=True)
class Spliced:
    """The new text, and for each section the line (from 0) of its first change, as counted before all of them."""

    text: str
    lines: tuple[int, ...]


@final
@frozen
class _Many:
    """A section fits at all of these lines (from 0), and perhaps at more."""

    lines: Places


_Placed: TypeAlias = tuple[Edit, ...] | _Many | None  # what a section changes; None: it fits nowhere


def spliced(sections: tuple[Section, ...], text: str, names: tuple[str, ...], eol: str) -> Spliced | Problem:
    r"""``text`` with all ``sections`` applied, or the first Problem; ``eol`` ends the lines of a text that has none.

    >>> section = Section(lines=(Line(Mark.KEPT, "a"), Line(Mark.REMOVED, "b"), Line(Mark.ADDED, "c")))
    >>> spliced((section,), "a\nb\na\n", ("Section 1",), "\n")
    Spliced(text='a\nc\na\n', lines=(1,))
    """
    scene = scene_of(text)
    if not all(_is_at_its_line(section, scene) for section in sections if section.line):
        sections = tuple(evolve(section, line=0) for section in sections)  # the lines have moved: none of the numbers can be trusted
    edits: tuple[Edit, ...] = ()
    starts: tuple[int, ...] = ()
    for section, name in zip(sections, names, strict=True):
        found = _edits(section, scene, name)
        if isinstance(found, Problem):
            return found
        edits += found
        starts += (found[0].start,)
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.stop))
    for before, after in itertools.pairwise(ordered):
        if after.start < before.stop or (before.start, before.stop) == (after.start, after.stop):
            return overlapping(after.start)
    ended = next((section.ended for section in reversed(sections) if section.ended is not None), None)
    return Spliced(text=_joined(scene, tuple(ordered), ended, eol), lines=starts)


def _edits(section: Section, scene: Scene, name: str) -> tuple[Edit, ...] | Problem:
    """What ``section`` changes, or why that can't be told."""
    old = _old(section)
    left_out = next((each.text for each in section.lines if each.mark is Mark.ADDED and is_placeholder(each.text)), None)
    if left_out is not None and all(line.text != left_out for line in old):
        return lazy(left_out, name)
    if len(section.anchors) > 1 and not anchored_blocks(section.anchors, scene):
        anchor = next(each for each in section.anchors if each)
        return not_found((anchor,), "".join(scene.lines), f"The place of {name}", f"`{clipped(anchor)}`")
    if not old:
        return _edits_without_context(section, scene, name)
    placed = _placed(section, scene)
    if placed is None:
        placed = _placed_one_by_one(section, scene)
    match placed:
        case _Many(lines=lines):
            return ambiguous(lines, name)
        case None:
            what = "what it removes" if any(line.mark is Mark.REMOVED for line in old) else "what it keeps"
            return not_found(tuple(line.text for line in old), "".join(scene.lines), name, what)
        case _:
            return placed


def _old(section: Section) -> tuple[Line, ...]:
    return tuple(line for line in section.lines if line.mark is not Mark.ADDED)


def _is_at_its_line(section: Section, scene: Scene) -> bool:
    old = tuple(line.text.rstrip() for line in _old(section))
    return scene.bare[section.line - 1 : section.line - 1 + len(old)] == old


def _edits_without_context(section: Section, scene: Scene, name: str) -> tuple[Edit, ...] | Problem:
    """Lines that are added nowhere in particular: to an empty text, at its end, or below an anchor that is there once."""
    blocks = anchored_blocks(section.anchors, scene) if section.anchors else ()
    if len(blocks) > 1:
        return ambiguous(tuple(block.start - 1 for block in blocks), name)
    if blocks:
        at = blocks[0].start
    elif section.at_end or not scene.lines:
        at = len(scene.lines)
    else:
        return no_place(name)
    return (Edit(at, at, tuple(line.text for line in section.lines)),)


def _placed(section: Section, scene: Scene) -> _Placed:
    """The section in the first of the readings 1 to 3 that fits."""
    old = tuple(line.text for line in _old(section))
    removed = tuple(index for index, line in enumerate(_old(section)) if line.mark is Mark.REMOVED)
    for places in (bare_places(old, scene), loose_places(old, removed, scene)):
        chosen = _chosen(places, section, scene)
        if chosen:
            return _edits_at(section, chosen[0]) if len(chosen) == 1 else _Many(chosen)
    first, stop = _core(section)
    if not any(text.strip() for text in old[first:stop]):
        return None
    places = loose_places(old[first:stop], tuple(index - first for index in removed), scene)
    if len(places) > 1:
        return _Many(places)
    kept = tuple(line.text for line in section.lines if line.mark is Mark.KEPT)
    near = len(places) == 1 and _is_near(kept, places[0], stop - first, scene)
    return _edits_at(section, places[0] - first) if near else None


def _chosen(places: Places, section: Section, scene: Scene) -> Places:
    """The one of ``places`` that a hint names exactly, else all of them."""
    if len(places) < 2:
        return places
    old = tuple(line.text.rstrip() for line in _old(section))
    size = len(old)
    if section.line:
        return (section.line - 1,)
    if section.at_end and scene.bare[len(scene.bare) - size :] == old:
        return (len(scene.bare) - size,)
    blocks = anchored_blocks(section.anchors, scene) if section.anchors else ()
    below = tuple(block.start for block in blocks if scene.bare[block.start : block.start + size] == old)
    inside = tuple(place for place in places if any(place in block for block in blocks))
    return next((each for each in (below, inside) if len(each) == 1), places)


def _core(section: Section) -> tuple[int, int]:
    """Which old lines the changes stand between: from the first that goes, or is beside a new one, to the last."""
    first, stop, at = len(section.lines), 0, 0
    size = len(_old(section))
    for line, before, after in zip(section.lines, (None, *section.lines), (*section.lines[1:], None), strict=False):
        if line.mark is Mark.REMOVED:
            first, stop = min(first, at), max(stop, at + 1)
        elif line.mark is Mark.ADDED and not _beside_removed(before, after):
            first, stop = min(first, max(at - 1, 0)), max(stop, min(at + 1, size))
        at += line.mark is not Mark.ADDED
    return first, stop


def _beside_removed(before: Line | None, after: Line | None) -> bool:
    return any(line is not None and line.mark is not Mark.KEPT for line in (before, after))


def _is_near(kept: tuple[str, ...], place: int, size: int, scene: Scene) -> bool:
    """Whether at least half of the lines ``kept`` that say something are near the ``size`` lines from ``place`` on, or among them."""
    wanted = Counter(line.strip() for line in kept if line.strip())
    reach = len(kept) + DRIFT
    there = Counter(scene.loose[max(place - reach, 0) : place + size + reach])
    return 2 * (wanted & there).total() >= wanted.total()


def _edits_at(section: Section, line: int) -> tuple[Edit, ...]:
    """The changes of ``section`` where its old lines begin at ``line``: runs of lines that go and come."""
    edits: list[Edit] = []
    start = stop = line
    added: list[str] = []
    for each in (*section.lines, Line(Mark.KEPT, "")):
        if each.mark is Mark.ADDED:
            added.append(each.text)
        elif each.mark is Mark.REMOVED:
            stop += 1
        else:
            if added or stop > start:
                edits.append(Edit(start, stop, tuple(added)))
            start, stop, added = stop + 1, stop + 1, []
    return tuple(edits)


def _placed_one_by_one(section: Section, scene: Scene) -> tuple[Edit, ...] | None:
    """Each change of ``section`` on its own; None where one has no place, or they are not in order."""
    changes = _changes(section)
    if not 1 < len(changes) <= MAX_CHANGES:
        return None
    edits: tuple[Edit, ...] = ()
    for change in changes:
        placed = _placed(change, scene) if _old(change) else None
        if not isinstance(placed, tuple) or (edits and placed[0].start < edits[-1].stop):
            return None
        edits += placed
    return edits


def _changes(section: Section) -> tuple[Section, ...]:
    """The changes of ``section``, each with the lines that stay before and after it."""
    kept = tuple(line.mark is Mark.KEPT for line in section.lines)
    starts = tuple(at for at in range(len(kept)) if not kept[at] and (at == 0 or kept[at - 1]))
    stops = tuple(next((at for at in range(start, len(kept)) if kept[at]), len(kept)) for start in starts)
    firsts, lasts = (0, *stops[:-1]), (*starts[1:], len(kept))
    return tuple(evolve(section, lines=section.lines[first:last], line=0, at_end=False) for first, last in zip(firsts, lasts, strict=True))


def _joined(scene: Scene, edits: tuple[Edit, ...], ended: bool | None, eol: str) -> str:
    """The text of ``scene`` with ``edits``, in order, made; its last line ends as ``ended`` says of new ones, else as it did."""
    lines = scene.lines
    default = (line_end(lines[0]) if lines else "") or eol
    pieces: list[str] = []
    at = 0
    for edit in edits:
        end = (line_end(lines[min(edit.start, len(lines) - 1)]) if lines else "") or default
        pieces.extend((*lines[at : edit.start], *(text + end for text in edit.added)))
        at = edit.stop
    pieces.extend(lines[at:])
    if not pieces:
        return ""
    last = pieces[-1]
    if edits and at == len(lines) and (edits[-1].added or ended is not None):
        is_open = not ended if ended is not None else bool(lines) and not line_end(lines[-1])
        last = last.removesuffix(line_end(last)) + ("" if is_open else line_end(last) or default)
    return "".join(piece if line_end(piece) else piece + default for piece in pieces[:-1]) + last

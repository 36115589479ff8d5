"""Where lines are in a text: equal but for white space at their ends (*bare*), or at both ends (*loose*).

A search is `str.find` over the whole text, which is linear, and repeated for a bounded number of places.
"""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.tools.textlines import split_lines

MAX_PLACES = 64
MAX_LOOKED = 1000  # places where more than white space may differ

Places: TypeAlias = tuple[int, ...]  # lines, from 0


@final
@frozen(kw_only=True)
class Scene:
    """A text as its lines with their ends, and as it is searched: both forms with a newline before and after each line."""

    lines: tuple[str, ...]
    bare: tuple[str, ...]
    loose: tuple[str, ...]
    bare_text: str
    loose_text: str


def scene_of(text: str) -> Scene:
    r"""``text`` ready to be searched; linear.

    >>> scene_of(" a \nb\n").bare_text
    '\n a\nb\n'
    """
    lines = split_lines(text)
    bare = tuple(line.rstrip() for line in lines)
    loose = tuple(line.lstrip() for line in bare)
    return Scene(lines=lines, bare=bare, loose=loose, bare_text=joined(bare), loose_text=joined(loose))


def joined(lines: tuple[str, ...]) -> str:
    r"""``lines`` as they are searched for, and in.

    >>> joined(("a", "b"))
    '\na\nb\n'
    """
    return "\n" + "".join(line + "\n" for line in lines)


def bare_places(lines: tuple[str, ...], scene: Scene) -> Places:
    r"""Where ``lines`` (at least one) are, white space at their ends apart.

    >>> bare_places(("a ",), scene_of("a\nb\na\n a\n"))
    (0, 2)
    """
    return _found(joined(tuple(line.rstrip() for line in lines)), scene.bare_text, MAX_PLACES)


def loose_places(lines: tuple[str, ...], exact: tuple[int, ...], scene: Scene) -> Places:
    r"""Where ``lines`` (at least one) are, white space at both ends apart, but for those at ``exact``.

    >>> loose_places(("a", "b"), (1,), scene_of("  a\nb\n  a\n  b\n"))
    (0,)
    """
    found = _found(joined(tuple(line.strip() for line in lines)), scene.loose_text, MAX_LOOKED)
    wanted = tuple((index, lines[index].rstrip()) for index in exact)
    fitting = tuple(place for place in found if all(scene.bare[place + index] == text for index, text in wanted))
    return found if len(found) == MAX_LOOKED and len(fitting) == 1 else fitting  # there may be a second


def _found(needle: str, text: str, most: int) -> Places:
    found: Places = ()
    line = counted = 0
    place = text.find(needle)
    while place >= 0 and len(found) < most:
        line, counted = line + text.count("\n", counted, place), place
        found += (line,)
        place = text.find(needle, place + 1)
    return found


def block_below(line: int, scene: Scene) -> range:
    r"""The lines below ``line`` that are deeper than it: the block that it begins.

    >>> block_below(0, scene_of("def f():\n    a\n\n    b\nc\n"))
    range(1, 4)
    """
    depth = _depth(scene.bare[line])
    stop = len(scene.bare)
    end = next((at for at in range(line + 1, stop) if scene.bare[at] and _depth(scene.bare[at]) <= depth), stop)
    return range(line + 1, end)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def anchored_blocks(anchors: tuple[str, ...], scene: Scene) -> tuple[range, ...]:
    r"""The blocks below the last of ``anchors``, each of which stands in a block below the one before it.

    >>> anchored_blocks(("class B:", "def f():"), scene_of("class A:\n def f():\n  x\nclass B:\n def f():\n  x\n"))
    (range(5, 6),)
    """
    blocks: tuple[range, ...] = (range(len(scene.lines)),)
    for anchor in anchors:
        if anchor:
            lines = sorted({line for block in blocks for line in block if scene.loose[line] == anchor.strip()})
            blocks = tuple(block_below(line, scene) for line in lines[:MAX_PLACES])
    return blocks

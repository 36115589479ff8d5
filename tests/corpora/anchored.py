"""Edits by line numbers and hashes, said as what turnfold has in their place: lines that go and come, in a unified diff.

The same meaning: the lines that an operation names by number or by hash are the lines of the file that it is applied to.
"""

from __future__ import annotations

import hashlib
import re
from typing import final

from attrs import frozen

from turnfold.core.json import JsonObject, JsonValue

OPERATION = re.compile(r"(?P<verb>PUT|CUT) (?P<side>[<>]?)(?P<first>\d+)(?:\.=(?P<last>\d+))?:?\Z")


@final
@frozen
class Edit:
    """``removed`` lines from ``line`` (from 1) on give way to ``added``; with ``kept`` instead, these stand before or after it."""

    line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def diff(edits: tuple[Edit, ...]) -> str:
    """The unified diff of ``edits``."""
    return "".join(map(_hunk, edits))


def _hunk(edit: Edit) -> str:
    size = len(edit.before) + len(edit.removed) + len(edit.after)
    said = [f"@@ -{edit.line},{size} +{edit.line},{size - len(edit.removed) + len(edit.added)} @@"]
    for mark, lines in ((" ", edit.before), ("-", edit.removed), ("+", edit.added), (" ", edit.after)):
        said += [mark + line for line in lines]
    return "".join(line + "\n" for line in said)


def lines_of(text: str) -> tuple[str, ...]:
    return tuple(line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")) if text else ()


def anchors(text: str) -> tuple[str, ...]:
    """The anchor of each line, as the reference makes them: a hash of the line and its neighbours, and the how-manieth of these it is."""
    lines = lines_of(text)
    digests: list[str] = []
    for before, line, after in zip(("", *lines), lines, (*lines[1:], ""), strict=False):
        digests.append(hashlib.blake2s(f"{before}\x00{line}\x00{after}".encode(), digest_size=8).hexdigest())
    return tuple(f"{digest}:{digests[: at + 1].count(digest)}" for at, digest in enumerate(digests))


def by_anchor(text: str, operations: tuple[JsonValue, ...]) -> tuple[Edit, ...]:
    """Operations on lines that are named by hash; a hash that is not there is a line that is not."""
    return tuple(_anchored(lines_of(text), anchors(text), each) for each in operations if isinstance(each, JsonObject))


def _anchored(lines: tuple[str, ...], known: tuple[str, ...], said: JsonObject) -> Edit:
    anchor, kind, expected = said["anchor"], said["op"], said.get("expected")
    at = known.index(anchor) if anchor in known else -1
    line = lines[at] if at >= 0 else f"no line has the anchor {anchor}"
    text = said.get("text")
    new = lines_of(text) if isinstance(text, str) else ()
    if kind == "insert_before":
        return Edit(at + 1, (), new, after=(line,))
    if kind == "insert_after":
        return Edit(at + 1, (), new, before=(line,))
    return Edit(at + 1, (str(expected) if isinstance(expected, str) else line,), new)


def by_number(text: str, operations: tuple[JsonValue, ...]) -> tuple[Edit, ...]:
    """Operations on lines that are named by number; what a register holds is the lines that were cut into it."""
    lines = lines_of(text)
    known = tuple(each for each in operations if isinstance(each, JsonObject))
    registers = {
        each["register_name"]: lines[_number(each, "start") - 1 : _number(each, "end")] for each in known if each["kind"] == "delete"
    }
    return tuple(_numbered(lines, each, registers.get(each["register_name"], ())) for each in known)


def _numbered(lines: tuple[str, ...], said: JsonObject, register: tuple[str, ...]) -> Edit:
    start, end, text = _number(said, "start"), _number(said, "end"), said["text"]
    new = tuple(text.split("\n")) if isinstance(text, str) else register
    match said["kind"]:
        case "insert_before":
            return Edit(start, (), new, after=lines[start - 1 : start])
        case "insert_after":
            return Edit(start, (), new, before=lines[start - 1 : start])
        case "delete":
            return Edit(start, lines[start - 1 : end], ())
        case _:
            return Edit(start, lines[start - 1 : end], new)


def _number(said: JsonObject, name: str) -> int:
    value = said[name]
    assert isinstance(value, int)
    return value


def written(text: str, edits: str) -> tuple[Edit, ...]:
    """What the reference's own writing of such operations says (``PUT 1.=3:`` and ``+`` lines, ``CUT 2``)."""
    operations: list[JsonValue] = []
    for line in edits.splitlines()[1:]:
        found = OPERATION.match(line)
        if found is not None:
            kind = {"<": "insert_before", ">": "insert_after", "": "replace" if found["verb"] == "PUT" else "delete"}[found["side"]]
            start = int(found["first"])
            operations.append(JsonObject.of(kind=kind, start=start, end=int(found["last"] or start), text=None, register_name=None))
        elif line.startswith("+"):
            last = operations[-1]
            assert isinstance(last, JsonObject)
            before = last["text"]
            operations[-1] = last.with_member("text", line[1:] if before is None else f"{before}\n{line[1:]}")
    return by_number(text, tuple(operations))

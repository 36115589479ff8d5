"""What a TOML file says, read with types that are never coerced; every fault is a Problem with file, line and path."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias, TypeVar, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from turnfold.core.codec.toml_lines import Path, line_of
from turnfold.core.config.missing import MISSING, Missing
from turnfold.core.json import JsonObject, JsonValue, scalar_text
from turnfold.core.problem import Problem, caller_problem, did_you_mean, path_text

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

Problems: TypeAlias = tuple[Problem, ...]
Read: TypeAlias = Result[T, Problems]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@final
@frozen
class Source:
    """The text that settings were read from, and what a person calls it; empty text where there are no lines."""

    place: str
    text: str = field(default="", repr=False)


@final
@frozen(eq=False)
class Node:
    """One value in a file: what it is (None: a date or time, which no setting takes), where it stands, and in which file."""

    value: JsonValue
    path: Path
    source: Source

    def fault(self, sentence: str) -> Problem:
        """A Problem with this value: ``file:line: sentence @ $.path``."""
        line = line_of(self.source.text, self.path)
        place = f"{self.source.place}:{line}" if line else self.source.place
        return caller_problem("bad-settings", f"{place}: {sentence}", path_text(self.path))

    def refused(self, sentence: str) -> Failure[Problems]:
        """The value refused, with that sentence."""
        return Failure((self.fault(sentence),))

    def child(self, step: str | int, value: JsonValue) -> Node:
        """A value inside of this one."""
        return Node(value, (*self.path, step), self.source)


def settled(value: object) -> JsonValue:
    """What ``tomllib`` read, as a value that can't change; a date or time is None."""
    if isinstance(value, Mapping):
        return JsonObject(tuple((str(name), settled(item)) for name, item in value.items()))
    if isinstance(value, list):
        return tuple(settled(item) for item in value)
    return value if isinstance(value, (str, bool, int, float)) else None


Reader: TypeAlias = Callable[[Node], Read[T]]


def kind_of(value: JsonValue) -> str:
    """What a person calls a TOML value of this type."""
    names = (
        (bool, "true or false"),
        (str, "text"),
        (int, "a whole number"),
        (float, "a number"),
        (JsonObject, "a table"),
        (tuple, "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a date or time")


def text(node: Node) -> Read[str]:
    """Any text."""
    if isinstance(node.value, str):
        return Success(scalar_text(node.value))
    return node.refused(f"{_name(node)} takes text in quotes, not {kind_of(node.value)}.")


def some_text(node: Node) -> Read[str]:
    """Text that is not empty."""
    read = text(node)
    if read == Success(""):
        return node.refused(f"{_name(node)} is empty: write a value, or leave the line out.")
    return read


def truth(node: Node) -> Read[bool]:
    """``true`` or ``false``."""
    if isinstance(node.value, bool):
        return Success(node.value)
    return node.refused(f"{_name(node)} takes true or false, not {kind_of(node.value)}.")


def whole(least: int) -> Reader[int]:
    """A whole number from ``least`` on."""

    def read(node: Node) -> Read[int]:
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            return node.refused(f"{_name(node)} takes a whole number, not {kind_of(node.value)}.")
        if not least <= node.value < 2**63:
            return node.refused(f"{_name(node)} takes a whole number from {least} on, not {str(node.value)[:40]}.")
        return Success(node.value)

    return read


def number(least: float, most: float = math.inf, *, open_below: bool = False) -> Reader[float]:
    """A finite number from ``least`` (itself not, where ``open_below``) to ``most``."""

    def read(node: Node) -> Read[float]:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            return node.refused(f"{_name(node)} takes a number, not {kind_of(node.value)}.")
        good = math.isfinite(node.value) and least <= node.value <= most and not (open_below and node.value == least)
        if not good or abs(node.value) > 2**63:
            span = f"over {least:g}" if open_below else f"from {least:g}"
            upto = "" if math.isinf(most) else f" to {most:g}"
            return node.refused(f"{_name(node)} takes a number {span}{upto}, not {str(node.value)[:40]}.")
        return Success(float(node.value))

    return read


def one_of(kind: type[E]) -> Reader[E]:
    """The value of a member of an enum."""

    def read(node: Node) -> Read[E]:
        for member in kind:
            if member.value == node.value and isinstance(node.value, str):
                return Success(member)
        return node.refused(_no_choice(node, tuple(str(member.value) for member in kind)))

    return read


def word_of(words: tuple[str, ...]) -> Reader[str]:
    """One of these words."""

    def read(node: Node) -> Read[str]:
        if isinstance(node.value, str) and node.value in words:
            return Success(node.value)
        return node.refused(_no_choice(node, words))

    return read


def _no_choice(node: Node, words: tuple[str, ...]) -> str:
    choices = ", ".join(f'"{word}"' for word in words)
    if not isinstance(node.value, str):
        return f"{_name(node)} takes one of {choices}, not {kind_of(node.value)}."
    return f"{_name(node)} takes one of {choices}, not {node.value[:60]!r}{did_you_mean(node.value, words) or '.'}"


def array(item: Reader[T]) -> Reader[tuple[T, ...]]:
    """A list, each of whose items ``item`` reads; all faults at once."""

    def read(node: Node) -> Read[tuple[T, ...]]:
        if not isinstance(node.value, tuple):
            return node.refused(f"{_name(node)} takes a list in brackets, not {kind_of(node.value)}.")
        return gathered(tuple(item(node.child(index, each)) for index, each in enumerate(node.value)))

    return read


def gathered(read: tuple[Read[T], ...]) -> Read[tuple[T, ...]]:
    """All of them, or all their faults."""
    problems = faults(*read)
    return Failure(problems) if problems else Success(tuple(each.unwrap() for each in read))


def faults(*read: Result[object, Problems]) -> Problems:
    """The faults of all, in order."""
    return tuple(problem for each in read if isinstance(each, Failure) for problem in each.failure())


def members(node: Node) -> Read[tuple[tuple[str, Node], ...]]:
    """The names of a table and their values."""
    if not isinstance(node.value, JsonObject):
        return node.refused(f"{_name(node)} takes a table, not {kind_of(node.value)}.")
    return Success(tuple((name, node.child(name, value)) for name, value in node.value.members))


@final
@frozen(eq=False)
class Table:
    """A table whose names are known; ``unknown`` are the faults of those that are not."""

    node: Node
    values: tuple[tuple[str, Node], ...]
    unknown: Problems

    def said(self, name: str, read: Reader[T]) -> Result[T | Missing, Problems]:
        """What the table says of ``name``, MISSING where it does not mention it."""
        for known, node in self.values:
            if known == name:
                return read(node).map(_widened)
        return Success(MISSING)

    def due(self, name: str, read: Reader[T]) -> Read[T]:
        """What the table says of ``name``, which it has to mention."""
        for known, node in self.values:
            if known == name:
                return read(node)
        return self.node.refused(f"{_name(self.node)} needs {name} = ….")


def _widened(value: T) -> T | Missing:
    return value


def table(node: Node, names: tuple[str, ...]) -> Read[Table]:
    """``node`` as a table of these names."""
    return members(node).map(lambda found: Table(node, found, tuple(_unknown(each, names) for name, each in found if name not in names)))


def _unknown(node: Node, names: tuple[str, ...]) -> Problem:
    name = str(node.path[-1])
    hint = did_you_mean(name, names) or f"; known are {', '.join(names)}."
    return node.fault(f"there is no setting {name[:60]!r} here{hint}")


def _name(node: Node) -> str:
    return "This file" if not node.path else path_text(node.path).removeprefix("$.")

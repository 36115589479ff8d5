"""One value of a config file: what it is, where it stands, and the words for what is wrong with it. Nothing is ever coerced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, TypeVar, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from turnfold.core.codec.toml_lines import Path, Place
from turnfold.core.json import MAX_DEPTH, JsonObject, JsonValue
from turnfold.core.problem import Problem, caller_problem, did_you_mean, path_text

T = TypeVar("T")

Problems: TypeAlias = tuple[Problem, ...]
Read: TypeAlias = "Result[T, Faults]"

MOST = 100  # faults of one file that are told one by one


@final
@frozen
class Source:
    """What settings were read from, as a person calls it; where each stands in it (nothing where there are no lines).

    ``withheld``: what is left out, since a project may not decide it. ``nulls``: None is the null of JSON, not a date of TOML.
    """

    place: str
    lines: tuple[Place, ...] = field(default=(), repr=False)
    withheld: frozenset[Path] = frozenset()
    nulls: bool = False


@final
@frozen
class Fault:
    """What is wrong at a path; ``name`` was written and is near one of ``names``, perhaps, which the sentence ends with then."""

    path: Path
    sentence: str
    name: str = ""
    names: tuple[str, ...] = ()
    otherwise: str = ""


Faults: TypeAlias = tuple[Fault, ...]


@final
@frozen(eq=False)
class Node:
    """One value: what it is (None: a date or time, which no setting takes), its path, and what it was read from."""

    value: JsonValue
    path: Path
    source: Source

    @property
    def name(self) -> str:
        """What errors call it."""
        return path_text(self.path).removeprefix("$.") if self.path else "This file"

    def fault(self, sentence: str) -> Fault:
        """That something is wrong with this value."""
        return Fault(self.path, sentence)

    def refused(self, sentence: str) -> Failure[Faults]:
        """The value refused, with that sentence."""
        return Failure((self.fault(sentence),))

    def unfit(self, takes: str) -> Failure[Faults]:
        """The value refused, since it is of another type than the setting takes."""
        return self.refused(f"{self.name} takes {takes}, not {self.kind}.")

    @property
    def kind(self) -> str:
        """What a person calls a value of this type."""
        names = (
            (bool, "true or false"),
            (str, "text"),
            (int, "a whole number"),
            (float, "a number"),
            (JsonObject, "a table"),
            (tuple, "a list"),
        )
        nothing = "null" if self.source.nulls else "a date or time"
        return next((name for kind, name in names if isinstance(self.value, kind)), nothing)

    def child(self, step: str | int, value: JsonValue) -> Node:
        """A value inside of this one."""
        return Node(value, (*self.path, step), self.source)

    @property
    def members(self) -> tuple[tuple[str, Node], ...]:
        """The names of a table and their values, without what is withheld; nothing where it is no table."""
        found = self.value.members if isinstance(self.value, JsonObject) else ()
        return tuple((name, node) for name, value in found if (node := self.child(name, value)).counts)

    def member(self, name: str) -> Node | None:
        """The value of that name in a table; None where there is none."""
        if not isinstance(self.value, JsonObject) or name not in self.value:
            return None
        found = self.child(name, self.value[name])
        return found if found.counts else None

    @property
    def items(self) -> tuple[Node, ...]:
        """The values of a list, without what is withheld; nothing where it is no list."""
        found = self.value if isinstance(self.value, tuple) else ()
        return tuple(node for index, value in enumerate(found) if (node := self.child(index, value)).counts)

    @property
    def counts(self) -> bool:
        """Whether it is not withheld."""
        return not self.source.withheld or self.path not in self.source.withheld


def settled(value: object, depth: int = 0) -> JsonValue:
    """What ``tomllib`` read, as a value that can't change; a date or time is None. ``RecursionError`` where it is nested too deep."""
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, Mapping):
        return JsonObject(tuple((str(name), settled(item, depth + 1)) for name, item in value.items()))
    if isinstance(value, list):
        return tuple(settled(item, depth + 1) for item in value)
    return value if isinstance(value, (str, bool, int, float)) else None


def gathered(read: tuple[Read[T], ...]) -> Read[tuple[T, ...]]:
    """All of them, or all their faults."""
    problems = faults(*read)
    return Failure(problems) if problems else Success(tuple(each.unwrap() for each in read))


def faults(*read: Result[object, Faults]) -> Faults:
    """The faults of all, in order."""
    return tuple(problem for each in read if isinstance(each, Failure) for problem in each.failure())


def unknown(node: Node, names: tuple[str, ...]) -> Fault:
    """That there is no setting of this node's name; those that there are."""
    name = str(node.path[-1])
    return Fault(node.path, f"there is no setting {name[:60]!r} here", name, names, f"; known are {', '.join(names)}.")


def no_choice(node: Node, words: tuple[str, ...]) -> Failure[Faults]:
    """The value refused, since it is none of these words."""
    choices = ", ".join(f'"{word}"' for word in words)
    if not isinstance(node.value, str):
        return node.unfit(f"one of {choices}")
    return Failure((Fault(node.path, f"{node.name} takes one of {choices}, not {node.value[:60]!r}", node.value, words, "."),))


def told(faults: Faults, source: Source, code: str = "bad-settings") -> Problems:
    """The faults as Problems, ``file:line: sentence @ $.path``, by line; of very many the first ones, and how many there are.

    Lines and near misses are looked for only here, so that a file full of faults costs no more than it is long.
    """
    lines = {place.path: place.line for place in reversed(source.lines)}
    for place in source.lines:  # a table that only stands in the names of others, such as a in [a.b]
        for depth in range(1, len(place.path)):
            lines.setdefault(place.path[:depth], place.line)
    shown = sorted(((_line(fault, lines), fault) for fault in faults[:MOST]), key=lambda each: each[0])
    problems = tuple(_problem(fault, source.place, line, code) for line, fault in shown)
    if len(faults) <= MOST:
        return problems
    return (*problems, caller_problem(code, f"{source.place}: there are {len(faults) - MOST:,} more of these."))


def _line(fault: Fault, lines: Mapping[Path, int]) -> int:
    """The line of a fault, or of the innermost thing around it that has one; else 0."""
    return next((lines[fault.path[:depth]] for depth in range(len(fault.path), 0, -1) if fault.path[:depth] in lines), 0)


def _problem(fault: Fault, place: str, line: int, code: str) -> Problem:
    hint = (did_you_mean(fault.name, fault.names) if fault.name else "") or fault.otherwise
    return caller_problem(
        code, f"{place}:{line}: {fault.sentence}{hint}" if line else f"{place}: {fault.sentence}{hint}", path_text(fault.path)
    )

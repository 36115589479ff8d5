"""A value of a config file, read as the table of shapes says; all faults at once."""

from __future__ import annotations

import math
from typing import TypeAlias, assert_never, cast

from returns.result import Failure, Success

from turnfold.core.codec.forms import VARIABLE, entry_name, pairs, secret, text, texts
from turnfold.core.codec.shapes import (
    Anything,
    Choice,
    Key,
    Named,
    Number,
    Pairs,
    Rules,
    Secret,
    Shape,
    Table,
    Text,
    Texts,
    Truth,
    Variables,
)
from turnfold.core.codec.toml_values import Faults, Node, Read, faults, gathered, no_choice, unknown
from turnfold.core.config.said import MemberValue, saying
from turnfold.core.config.values import Rule, Variable, Verdict
from turnfold.core.json import JsonObject

LARGEST = 2**63  # beyond it, no counter and no clock of any system

Values: TypeAlias = tuple[tuple[str, object], ...]


def value_of(node: Node, shape: Shape) -> Read[object]:
    """The value of one setting."""
    match shape:
        case Text(form=form):
            return text(node, form)
        case Number():
            return _number(node, shape)
        case Truth():
            return Success(node.value) if isinstance(node.value, bool) else node.unfit("true or false")
        case Choice(members=members):
            found = next((each for each in members if isinstance(node.value, str) and each.value == node.value), None)
            return no_choice(node, tuple(str(each.value) for each in members)) if found is None else Success(found)
        case Secret():
            return secret(node)
        case Texts(form=form):
            return texts(node, form)
        case Anything(reserved=reserved):
            return _anything(node, reserved)
        case Pairs():
            return pairs(node)
        case Table() | Named() | Rules() | Variables():
            return _tables(node, shape)
        case _:
            assert_never(shape)


def _tables(node: Node, shape: Table | Named | Rules | Variables) -> Read[object]:
    match shape:
        case Rules(table=table):
            if not isinstance(node.value, tuple):
                return node.unfit("tables, each under [[rules]]")
            return gathered(tuple(_rule(item, table) for item in node.items))
        case _ if not isinstance(node.value, JsonObject):
            return node.unfit("a table")
        case Table():
            return members_of(node, shape).map(_said)
        case Named(table=table, by=by):
            return gathered(tuple(_entry(name, each, table, by) for name, each in node.members))
        case Variables():
            return gathered(tuple(_variable(name, each) for name, each in node.members))
        case _:
            assert_never(shape)


def members_of(node: Node, table: Table, more: tuple[str, ...] = ()) -> Read[Values]:
    """What a table says of its settings, by name; ``more`` names are let pass, and not read."""
    if not isinstance(node.value, JsonObject):
        return node.unfit("a table")
    known = {key.name: key for key in table.keys}
    names = (*more, *known)
    read = tuple(_member(each, known[name]) for name, each in node.members if name in known)
    strange = tuple(unknown(each, names) for name, each in node.members if name not in names)
    missing = tuple(node.fault(f"{node.name} needs {key.name} = ….") for key in table.keys if key.due and key.name not in node.value)
    wrong = (*faults(*read), *strange, *missing)
    return Failure(wrong) if wrong else Success(tuple(each.unwrap() for each in read))


def _member(node: Node, key: Key) -> Read[tuple[str, object]]:
    return value_of(node, key.shape).map(lambda value: (key.name, value))


def _said(values: Values) -> object:
    return saying(cast("tuple[tuple[str, MemberValue], ...]", values))


def _entry(name: str, node: Node, table: Table, by: str) -> Read[object]:
    wrong = entry_name(node, name, by)
    if wrong is not None:
        return wrong
    return members_of(node, table).map(lambda values: _said(((by, name), *values)))


def _rule(node: Node, table: Table) -> Read[Rule]:
    return members_of(node, table).map(_rule_of)


def _rule_of(values: Values) -> Rule:
    said = dict(values)
    verdict, rest = said.pop("verdict"), {name: str(value) for name, value in said.items()}
    return Rule(cast(Verdict, verdict), **rest)


def _variable(name: str, node: Node) -> Read[Variable]:
    if VARIABLE.fullmatch(name) is None:
        return node.refused(f"{name[:60]!r} is no name of an environment variable.")
    if node.value is False:
        return Success(Variable(name, None))
    if not isinstance(node.value, str):
        return node.unfit("text in quotes, or false to remove it")
    if "\0" in node.value:
        return node.refused(f"{node.name} has a NUL character, which no variable can hold.")
    return Success(Variable(name, node.value))


def _number(node: Node, shape: Number) -> Read[int | float]:
    noun = "a whole number" if shape.whole else "a number"
    if isinstance(node.value, bool) or not isinstance(node.value, int if shape.whole else (int, float)):
        return node.unfit(noun)
    value = node.value
    if not _within(value, shape):
        return node.refused(f"{node.name} takes {noun} {span(shape)}, not {str(value)[:40]}.")
    return Success(value if shape.whole else float(value))


def _within(value: float, shape: Number) -> bool:
    return (
        math.isfinite(value)
        and abs(value) < LARGEST
        and (shape.least is None or value >= shape.least)
        and (shape.over is None or value > shape.over)
        and (shape.most is None or value <= shape.most)
    )


def span(shape: Number) -> str:
    """The bounds of a number in words.

    >>> span(Number(whole=True, least=0, most=2, over=None)), span(Number(whole=True, least=None, most=None, over=0))
    ('from 0 to 2', 'over 0')
    """
    start = f"over {shape.over:g}" if shape.over is not None else f"from {shape.least or 0:g}"
    if shape.most is not None:
        return f"{start} to {shape.most:g}"
    return f"{start} on" if shape.whole and shape.over is None else start


def _anything(node: Node, reserved: tuple[str, ...]) -> Read[JsonObject]:
    if not isinstance(node.value, JsonObject):
        return node.unfit("a table")
    taken = tuple(
        each.fault(f"{name} is no free parameter, since turnfold says it itself: take it out of here.")
        for name, each in node.members
        if name in reserved
    )
    problems = (*taken, *_not_json(node))
    return Failure(problems) if problems else Success(node.value)


def _not_json(node: Node) -> Faults:
    """What JSON has no word for: a date, a number that is none."""
    if node.value is None and not node.source.nulls:
        return (node.fault(f"{node.name} is a date or time, which JSON has no word for: write it as text."),)
    if isinstance(node.value, float) and not math.isfinite(node.value):
        return (node.fault(f"{node.name} is {node.value}, which JSON has no word for."),)
    inner = (*(each for _, each in node.members), *node.items)
    return tuple(fault for each in inner for fault in _not_json(each))

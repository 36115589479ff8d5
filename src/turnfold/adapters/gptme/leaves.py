"""A file of settings as its leaves, and rules that say of each leaf what becomes of it.

A *leaf* is a value that is no table: text, a number, a list of those. A table in a list stands under its ``name``, where it has one:
``mcp.servers[0].command`` is the leaf ``mcp · servers · docs · command``. Every leaf meets exactly one rule, the first whose pattern
fits: so nothing is lost in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, final

from attrs import frozen

from turnfold.adapters.gptme.left import Left
from turnfold.core.json import JsonObject, JsonValue

Keys: TypeAlias = tuple[str, ...]


@final
@frozen(kw_only=True)
class Leaf:
    """A value of a file: ``path`` as a person finds it, ``keys`` as rules see it."""

    path: str
    keys: Keys
    value: JsonValue


@final
@frozen
class Put:
    """The leaf at ``path`` becomes ``value`` at ``to`` in turnfold's file; no ``to``: it is told by a name, of a table or of the conversation.

    ``fallback``: it only completes another value, and gives way to whatever else is said there.
    """

    path: str
    to: Keys
    value: JsonValue
    fallback: bool = False


Found: TypeAlias = Put | Left
Act: TypeAlias = Callable[[Leaf], tuple[Found, ...]]


@final
@frozen
class Rule:
    """What becomes of a leaf: ``pattern`` has a word for each key, ``*`` for any, and a last ``**`` for any number of them."""

    pattern: str
    act: Act


def leaves(value: JsonObject) -> tuple[Leaf, ...]:
    """The leaves of a file, in its order; an empty table has none.

    >>> [leaf.path for leaf in leaves(JsonObject.of(a=1, b=JsonObject.of(c=(1, 2))))]
    ['a', 'b.c']
    """
    return tuple(_leaves(value, "", ()))


def _leaves(value: JsonValue, path: str, keys: Keys) -> Iterator[Leaf]:
    if isinstance(value, JsonObject):
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}" if path else name, (*keys, name))
    elif isinstance(value, tuple) and any(isinstance(each, JsonObject) for each in value):
        for index, each in enumerate(value):
            yield from _leaves(each, f"{path}[{index}]", (*keys, _name(each)))
    else:
        yield Leaf(path=path, keys=keys, value=value)


def _name(value: JsonValue) -> str:
    name = value.get("name") if isinstance(value, JsonObject) else None
    return name if isinstance(name, str) else ""


@final
@frozen
class Judged:
    """What becomes of a leaf, and the place of the rule that said so."""

    order: int
    found: tuple[Found, ...]


def judged(leaf: Leaf, rules: tuple[Rule, ...]) -> Judged:
    """What the first rule that fits makes of ``leaf``."""
    for order, rule in enumerate(rules):
        if fits(leaf.keys, tuple(rule.pattern.split("."))):
            return Judged(order, rule.act(leaf))
    return Judged(len(rules), (Left(leaf.path, "turnfold has no setting for it"),))


def fits(keys: Keys, pattern: Keys) -> bool:
    """Whether ``pattern`` speaks of ``keys``.

    >>> fits(("rag", "paths"), ("rag", "**")), fits(("a", "b"), ("*",))
    (True, False)
    """
    if pattern[-1:] == ("**",):
        return len(keys) >= len(pattern) and fits(keys[: len(pattern) - 1], pattern[:-1])
    return len(keys) == len(pattern) and all(word in ("*", key) for key, word in zip(keys, pattern, strict=True))


def left(why: str) -> Act:
    """Leave the leaf out, for this reason."""
    return lambda leaf: (Left(leaf.path, why),)


def tree_of(puts: Iterable[Put]) -> JsonObject:
    """The settings that ``puts`` make together.

    >>> tree_of((Put("a", ("user", "name"), "Ann"), Put("b", ("model",), "a/b")))
    JsonObject.of(user=JsonObject.of(name='Ann'), model='a/b')
    """
    whole = JsonObject()
    for put in puts:
        whole = _with(whole, put.to, put.value) if put.to else whole
    return whole


def _with(table: JsonObject, keys: Keys, value: JsonValue) -> JsonObject:
    head, *rest = keys
    if not rest:
        return table.with_member(head, value)
    below = table.get(head)
    return table.with_member(head, _with(below if isinstance(below, JsonObject) else JsonObject(), tuple(rest), value))

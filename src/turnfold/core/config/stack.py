"""What a stack of layers says of one setting, highest first: where each says it, does not, or puts it back to its default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, TypeVar, cast

from turnfold.core.config.missing import Missing
from turnfold.core.config.said import laid
from turnfold.core.config.selection import laid_tools, signed
from turnfold.core.config.values import Environment, Variable
from turnfold.core.json import JsonObject

T = TypeVar("T")
D = TypeVar("D")
Names: TypeAlias = tuple[str, ...]


def topmost(said: list[T | Missing], default: D) -> T | D:
    """What the highest layer says that says anything, else ``default``.

    >>> topmost([Missing(), "a", "b"], ""), topmost([Missing(mentioned=True), "b"], "")
    ('a', '')
    """
    for value in said:
        if not isinstance(value, Missing):
            return value
        if value.mentioned:
            return default
    return default


def whole_object(said: list[JsonObject | Missing]) -> JsonObject:
    """All names that the layers mention, with the highest layer's value.

    >>> sorted(whole_object([JsonObject.of(a=1), JsonObject.of(a=2, b=3)]).items())
    [('a', 1), ('b', 3)]
    """
    whole = JsonObject()
    for value in _until_default(said):
        whole = cast(JsonObject, laid(whole, value))
    return whole


def _until_default(said: list[T | Missing]) -> Iterator[T]:
    """What the layers say, down to the one that puts the setting back to its default."""
    for value in said:
        if not isinstance(value, Missing):
            yield value
        elif value.mentioned:
            return


def whole_tools(said: list[Names | Missing]) -> Names | None:
    """The list of the highest layer that has one, with what the layers above change of it.

    >>> whole_tools([("+shell",), ("read",)]), whole_tools([Missing()])
    (('read', 'shell'), None)
    """
    found: Names | None = None
    for value in _until_default(said):
        found = value if found is None else laid_tools(found, value)
        if not signed(found):
            break
    return found


def all_joined(said: list[tuple[T, ...] | Missing]) -> tuple[T, ...]:
    """Everything that the layers say, once, highest first; nothing puts it back, lest a deny be lost.

    >>> all_joined([(1, 2), Missing(mentioned=True), (2, 3)])
    (1, 2, 3)
    """
    return tuple(dict.fromkeys(item for value in said if not isinstance(value, Missing) for item in value))


def whole_environment(said: list[Environment | Missing]) -> Environment:
    """The variables that the layers mention, one a name, the highest layer's, sorted by name.

    >>> whole_environment([(Variable("B", "1"),), (Variable("A", "2"), Variable("B", None))])
    (Variable(name='A', value='2'), Variable(name='B', value='1'))
    """
    by_name: dict[str, Variable] = {}
    for value in _until_default(said):
        for each in value:
            by_name.setdefault(each.name, each)
    return tuple(by_name[name] for name in sorted(by_name))

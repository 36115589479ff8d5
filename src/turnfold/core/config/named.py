"""Entries that have a name, such as providers: merged by name, each field by field, the higher layer's first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from turnfold.core.config.missing import Missing
from turnfold.core.config.said import Said, filled, laid

T = TypeVar("T")


def name_of(entry: object, key: str) -> str:
    """What ``entry`` is called: what it says of the field ``key``, ``name`` or ``pattern``."""
    name = entry.name if isinstance(entry, Said) else getattr(entry, key)
    return name if isinstance(name, str) else ""


def laid_named(over: tuple[T, ...], under: tuple[T, ...], key: str) -> tuple[T, ...]:
    """The entries of both, one a name: those of ``over`` first, each over its namesake below.

    >>> from turnfold.core.config.values import Variable
    >>> laid_named((Variable("A", "1"),), (Variable("A", "2"), Variable("B", "3")), "name")
    (Variable(name='A', value='1'), Variable(name='B', value='3'))
    """
    by_name: dict[str, T] = {}
    for entry in (*over, *under):
        name = name_of(entry, key)
        by_name[name] = laid(by_name[name], entry) if name in by_name else entry  # type: ignore[assignment]  # laid keeps the kind
    return tuple(by_name.values())


def entries(blank: Callable[[str], T], said: Iterable[tuple[T | Said[T], ...] | Missing], key: str) -> tuple[T, ...]:
    """All entries that the layers (highest first) speak of, whole, one a name."""
    groups: dict[str, list[T | Said[T]]] = {}
    for layer in said:
        if isinstance(layer, Missing):
            if layer.mentioned:
                break
            continue
        for entry in layer:
            groups.setdefault(name_of(entry, key), []).append(entry)
    return tuple(filled(blank(name), group) for name, group in groups.items())


def entry(blank: Callable[[str], T], said: Iterable[tuple[T | Said[T], ...] | Missing], key: str, name: str) -> T | None:
    """The entry of that name, whole; None where no layer speaks of it."""
    found: list[T | Said[T]] = []
    for layer in said:
        if isinstance(layer, Missing):
            if layer.mentioned:
                break
            continue
        found += [each for each in layer if name_of(each, key) == name]
    return filled(blank(name), found) if found else None

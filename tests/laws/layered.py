"""Well-formed layers for the laws of config: few names, so that layers speak of the same things.

Well-formed is what files and `said` make: only what is no table is put back with DEFAULT, an optional table is said as a table or
not at all, entries have one name each, and a list of tools is signed throughout or not at all.
"""

from __future__ import annotations

import typing
from functools import cache
from types import NoneType
from typing import Any, cast

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from turnfold.core.config.layer import Layer, Merge, key_of, merge_of, settings
from turnfold.core.config.layers import Overrides
from turnfold.core.config.missing import DEFAULT
from turnfold.core.config.said import Said, saying
from turnfold.core.config.values import Rule, Variable
from turnfold.core.json import JsonObject
from turnfold.testing.strategies import values

NAMES = ("a", "b", "c")
SETTINGS = settings()
HINTS = typing.get_type_hints(Layer)


def names(least: int = 0) -> SearchStrategy[tuple[str, ...]]:
    """Some of the names, each once."""
    return st.lists(st.sampled_from(NAMES), min_size=least, max_size=len(NAMES), unique=True).map(tuple)


def objects() -> SearchStrategy[JsonObject]:
    """Tables of free names, some of which hold tables."""
    leaf = st.integers(0, 2) | st.just(JsonObject()) | st.just(JsonObject.of(a=1)) | st.just(JsonObject.of(b=2))
    return st.dictionaries(st.sampled_from(NAMES), leaf, max_size=2).map(lambda members: JsonObject(tuple(members.items())))


def leaves(hint: object) -> SearchStrategy[Any]:
    """Values of a field that is no table."""
    few: tuple[tuple[object, SearchStrategy[Any]], ...] = (
        (str, st.sampled_from(("", *NAMES))),
        (int, st.integers(1, 3)),
        (float, st.sampled_from((0.5, 1.0, 2.0))),
        (bool, st.booleans()),
        (JsonObject, objects()),
        (tuple[str, ...], names()),
    )
    found = next((strategy for kind, strategy in few if kind == hint), None)
    return values(hint) if found is None else found


def members(hint: object) -> SearchStrategy[Any]:
    """What a table says of one field."""
    options = tuple(option for option in typing.get_args(hint) or (hint,) if option is not NoneType) if _is_union(hint) else (hint,)
    if any(option is JsonObject or typing.get_origin(option) is Said for option in options):
        (option,) = options
        return objects() if option is JsonObject else tables(cast(type[Any], typing.get_args(option)[0]))
    said = st.one_of(*(leaves(option) for option in options)) | st.just(DEFAULT)
    return said | st.none() if _is_union(hint) and NoneType in typing.get_args(hint) else said


def _is_union(hint: object) -> bool:
    return typing.get_origin(hint) is not None and typing.get_origin(hint) not in (tuple, Said)


def tables(kind: type[Any], key: str = "") -> SearchStrategy[Said[Any]]:
    """Some fields of a table."""
    hints = typing.get_type_hints(kind)
    fields = {field.name: members(hints[field.name]) for field in attrs.fields(kind) if field.name != key}
    chosen = st.lists(st.sampled_from(tuple(fields)), max_size=3, unique=True)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({name: fields[name] for name in some})).map(lambda said: saying(said.items()))


def wholes(kind: type[Any]) -> SearchStrategy[Any]:
    """Whole values, mostly as their defaults are."""
    hints = typing.get_type_hints(kind)
    fields = {field.name: _whole_field(hints[field.name]) for field in attrs.fields(kind) if field.default is not attrs.NOTHING}
    chosen = st.lists(st.sampled_from(tuple(fields)), max_size=2, unique=True)
    required = {field.name: leaves(hints[field.name]) for field in attrs.fields(kind) if field.default is attrs.NOTHING}
    return chosen.flatmap(lambda some: st.builds(kind, **required, **{name: fields[name] for name in some}))


def _whole_field(hint: object) -> SearchStrategy[Any]:
    return members(hint).map(lambda value: None if value == DEFAULT else value) if _optional(hint) else leaves(hint)


def _optional(hint: object) -> bool:
    return _is_union(hint) and NoneType in typing.get_args(hint)


def entries(kind: type[Any], key: str) -> SearchStrategy[tuple[Any, ...]]:
    """Entries with a name each, whole or in part."""

    def named(name: str) -> SearchStrategy[Any]:
        said: SearchStrategy[Any] = tables(kind, key).map(
            lambda table: saying([(key, name), *((each.name, each.value) for each in table.members)])
        )
        return said | wholes(kind).map(lambda value: attrs.evolve(value, **{key: name}))

    return names(1).flatmap(lambda some: st.tuples(*map(named, some)))


@cache
def mentions(setting: attrs.Attribute[object]) -> SearchStrategy[Any]:
    """What a layer can say of a setting."""
    options = typing.get_args(HINTS[setting.name])[:-1]  # the last is Missing
    match merge_of(setting):
        case Merge.TOOLS:
            signed = st.dictionaries(st.sampled_from(NAMES), st.sampled_from("+-"), min_size=1)
            return names() | signed.map(lambda signs: tuple(f"{sign}{name}" for name, sign in signs.items()))
        case Merge.JOINED:
            return st.lists(st.builds(Rule, values(typing.get_type_hints(Rule)["verdict"]), st.just("*"), st.sampled_from(NAMES)),
                            max_size=3, unique=True).map(tuple)  # fmt: skip
        case Merge.NAMED if setting.alias == "environment":
            return names(1).flatmap(
                lambda some: st.tuples(*(st.builds(Variable, st.just(name), st.none() | st.sampled_from("01")) for name in some))
            )
        case Merge.NAMED:
            kind = next(
                each for each in typing.get_args(typing.get_args(options[0])[0]) if attrs.has(each) and typing.get_origin(each) is None
            )
            return entries(kind, key_of(setting.alias or ""))
        case Merge.REPLACE | Merge.WHOLE:
            return _replacing(options)


def _replacing(options: tuple[Any, ...]) -> SearchStrategy[Any]:
    if options == (JsonObject,):
        return objects()
    if len(options) > 1:
        return wholes(options[0]) | tables(options[0])
    return leaves(options[0]) | st.just(DEFAULT)


def layers(most: int = 4) -> SearchStrategy[Overrides]:
    """A layer that mentions some settings."""
    mentioned = {setting.alias or "": mentions(setting) for setting in SETTINGS}
    chosen = st.lists(st.sampled_from(tuple(mentioned)), max_size=most, unique=True)
    return chosen.flatmap(lambda some: st.builds(Overrides, **{name: mentioned[name] for name in some}))

"""A layer of settings as the text of a config file."""

from __future__ import annotations

from enum import Enum
from typing import cast

import attrs

from turnfold.core.codec.shapes import DEFAULTS, SETTINGS, Key, Named, Rules, Table, Variables
from turnfold.core.config.layer import Layer, settings
from turnfold.core.config.missing import Missing
from turnfold.core.config.said import Said
from turnfold.core.config.values import SecretRef, Variable
from turnfold.core.json import JsonObject


def settings_toml(layer: Layer) -> str:
    """What ``layer`` itself mentions, as TOML that reads back as the same layer, up to the order of names in a table.

    A whole value (a ``Provider`` rather than some fields of one) is written as what differs from its defaults.

    >>> print(settings_toml(Layer(model="a/b", tools=())), end="")
    model = "a/b"
    tools = []
    """
    import tomli_w

    said = {field.alias or field.name: getattr(layer, field.name) for field in settings()}
    mentioned = {key.name: said[key.name] for key in SETTINGS.keys if said[key.name] != Missing()}
    put_back = [name for name, value in mentioned.items() if isinstance(value, Missing)]
    tables = {name: value for name, value in mentioned.items() if isinstance(value, Said)}
    put_back += [f"{name}.{member.name}" for name, value in tables.items() for member in value.members if isinstance(member.value, Missing)]
    written: dict[str, object] = {DEFAULTS: put_back} if put_back else {}
    for key in SETTINGS.keys:
        if key.name in mentioned and not isinstance(mentioned[key.name], Missing):
            written[key.name] = _plain(mentioned[key.name], key)
    return tomli_w.dumps(written)


def _plain(value: object, key: Key) -> object:
    """A value as ``tomli_w`` takes it."""
    match key.shape:
        case Table():
            return _table(value, key.shape)
        case Named(table=table, by=by):
            entries = cast("tuple[Said[object] | attrs.AttrsInstance, ...]", value)
            return {_field(entry, by): _table(entry, table) for entry in entries}
        case Rules(table=table):
            return [_table(rule, table) for rule in cast("tuple[object, ...]", value)]
        case Variables():
            return {each.name: False if each.value is None else each.value for each in cast("tuple[Variable, ...]", value)}
        case _:
            return _bare(value)


def _field(entry: object, name: str) -> str:
    return str(entry.get(name) if isinstance(entry, Said) else getattr(entry, name))


def _table(value: object, table: Table) -> dict[str, object]:
    """A table's settings that are said; of a whole value, those that are not as by default."""
    if isinstance(value, Said):
        said = {member.name: member.value for member in value.members}
    else:
        fields = attrs.fields(type(cast(attrs.AttrsInstance, value)))
        said = {field.name: getattr(value, field.name) for field in fields if getattr(value, field.name) != _default(field)}
    known = {name: (each, key) for name, each in said.items() if (key := table.key(name)) is not None}
    return {name: _plain(each, key) for name, (each, key) in known.items() if each is not None and not isinstance(each, Missing)}


def _default(field: attrs.Attribute[object]) -> object:
    return JsonObject() if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]  # a class at run time


def _bare(value: object) -> object:
    """A value without names of ours in it; of a JSON object, what TOML has words for: it has none for null."""
    if isinstance(value, JsonObject):
        return {name: _bare(each) for name, each in value.members if each is not None}
    if isinstance(value, tuple):
        return [_bare(each) for each in value if each is not None]
    if isinstance(value, Enum):
        return value.value
    return value.name if isinstance(value, SecretRef) else value

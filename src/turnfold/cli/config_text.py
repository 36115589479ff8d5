"""Settings as text: TOML with where each value comes from, lines for ``explain``, JSON for machines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, cast, final

import attrs
from attrs import frozen

from turnfold.cli.exits import Exit
from turnfold.core.config.explain import Explained, SettingValue, dotted, hidden, split_key
from turnfold.core.config.missing import Missing
from turnfold.core.config.notes import note_of
from turnfold.core.config.said import Said
from turnfold.core.config.values import SecretRef, Variable
from turnfold.core.json import JsonObject, JsonValue, dumps, quoted
from turnfold.core.tools.preview import UNSEEN

MASK = "***"
COMMENT_COLUMN = 48


@final
@frozen(kw_only=True)
class Done:
    """What the command says on standard output and on standard error, and how it ended."""

    out: tuple[str, ...] = ()
    err: tuple[str, ...] = ()
    code: Exit = Exit.DONE


@final
@frozen
class Row:
    """One line of TOML: the table that it stands in, the name, the value, and where it comes from."""

    table: str
    name: str
    value: JsonValue
    source: str


def source_text(layer: str, place: str) -> str:
    """Where a value comes from, for people.

    >>> source_text("project", "turnfold.toml:3"), source_text("default", ""), source_text("chat", "")
    ('turnfold.toml:3', 'default', 'chat')
    """
    return place or layer


def as_json(value: SettingValue | Missing, *, whole: bool = False) -> JsonValue:
    """A setting's value as JSON, with what a config file would say of it: a table's members that differ from their defaults.

    ``whole``: of a table all members that are set, those at their defaults, too.
    """
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, SecretRef):
        return value.name
    if isinstance(value, JsonObject | str | bool | int | float | None):
        return value
    if isinstance(value, tuple):
        variables = [each for each in value if isinstance(each, Variable)]
        if variables:
            return JsonObject(tuple((each.name, False if each.value is None else each.value) for each in variables))
        return tuple(as_json(cast(SettingValue, each)) for each in value)
    return JsonObject(tuple((name, as_json(member)) for name, member in _members(value, whole=whole)))


def _members(value: object, *, whole: bool = False) -> Iterator[tuple[str, SettingValue]]:
    if isinstance(value, Said):
        for each in value.members:
            if not isinstance(each.value, Missing):
                yield each.name, cast(SettingValue, each.value)
    elif not isinstance(value, Missing):
        for field in attrs.fields(type(cast(attrs.AttrsInstance, value))):
            inner = getattr(value, field.name)
            required = field.default is attrs.NOTHING
            if required or (note_of(field) is not None and (whole or inner != _default(field.default))):
                yield field.name, inner


def _default(default: object) -> object:
    return cast(Any, default).factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]  # it is a class at run time


def masked(parts: tuple[str, ...], value: JsonValue) -> JsonValue:
    """The value, without texts that look like secrets: of variables and headers that are called so.

    >>> masked(("environment", "API_TOKEN"), "abc"), masked(("providers", "x", "secret"), "WORK_KEY")
    ('***', 'WORK_KEY')
    """
    if isinstance(value, JsonObject):
        return JsonObject(tuple((name, masked((*parts, name), inner)) for name, inner in value.members))
    if isinstance(value, tuple):
        return tuple(masked(parts, inner) for inner in value)
    return MASK if isinstance(value, str) and hidden(parts) else value


def toml_value(value: JsonValue) -> str:
    """The value as TOML writes it; what JSON has and TOML has not, null, is left out of tables and lists.

    >>> toml_value(JsonObject.of(a=(1, "x"), b=True))
    '{ a = [1, "x"], b = true }'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return seen(quoted(value))
    if isinstance(value, tuple):
        return f"[{', '.join(toml_value(each) for each in value if each is not None)}]"
    if isinstance(value, JsonObject):
        inner = ", ".join(f"{dotted((name,))} = {toml_value(each)}" for name, each in value.members if each is not None)
        return f"{{ {inner} }}" if inner else "{}"
    return str(value)


def seen(text: str) -> str:
    r"""``text`` with what a terminal obeys, or does not show, as TOML escapes it: nothing that a file says can hide what it asks for.

    >>> seen('name = "a\x9bb\u202e"')
    'name = "a\\u009bb\\u202e"'
    """
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}" if found[0] <= "\uffff" else f"\\U{ord(found[0]):08x}", text)


def toml_text(rows: Iterable[Row]) -> str:
    """The rows as TOML, each with its source as a comment; the rows of a table stand together."""
    tables: dict[str, list[Row]] = {"": []}
    for row in rows:
        tables.setdefault(row.table, []).append(row)
    lines: list[str] = []
    for table, inner in tables.items():
        if table:
            lines += ["", table.partition("#")[0] if table.startswith("[[") else table]
        lines += [_line(row) for row in inner if row.name]
    return seen("".join(f"{line}\n" for line in lines).lstrip("\n"))


def _line(row: Row) -> str:
    if row.value is None:
        return f"# {row.name} is not set"
    return f"{dotted((row.name,))} = {toml_value(row.value)}".ljust(COMMENT_COLUMN) + f"  # {' '.join(row.source.split())}"


def explained_text(found: Explained) -> str:
    """The value, where it comes from and what it lies over, a line each."""
    parts = split_key(found.key)
    value = masked(parts, as_json(found.value, whole=found.layer == "default"))
    lines = [f"{found.key} {'is not set' if value is None else f'= {toml_value(value)}'}", f"  from {_from(found.layer, found.place)}"]
    for each in found.overrode:
        lower = masked(parts, as_json(each.value))
        lines.append(f"  over {'nothing' if lower is None else toml_value(lower)} from {_from(each.layer, each.place)}")
    return seen("".join(f"{line}\n" for line in lines))


def _from(layer: str, place: str) -> str:
    if not place:
        return "turnfold's own defaults" if layer == "default" else f"the {layer} layer"
    return f"{place} ({layer})"


def explained_json(found: Explained) -> str:
    """The same as one JSON object."""
    parts = split_key(found.key)
    overrode = tuple(JsonObject.of(value=masked(parts, as_json(each.value)), layer=each.layer, place=each.place) for each in found.overrode)
    value = masked(parts, as_json(found.value, whole=found.layer == "default"))
    return dumps(JsonObject.of(key=found.key, value=value, layer=found.layer, place=found.place, overrode=overrode)) + "\n"

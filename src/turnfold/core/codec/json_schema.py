"""The JSON Schema of config files, so that editors complete and check them; made from the table that the reader uses.

What a schema can't say is left to the reader: that 1.0 is no whole number, that a setting is not set and put back in one file.
"""

from __future__ import annotations

from collections.abc import Iterator
from re import Pattern
from typing import assert_never

from turnfold.core.codec.forms import ENTRY, HEADER_NAME, HEADER_TEXT, URL, VARIABLE
from turnfold.core.codec.shapes import (
    SETTINGS,
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
    names_to_put_back,
)
from turnfold.core.config.notes import Form
from turnfold.core.config.values import KINDS
from turnfold.core.json import JsonObject, JsonValue

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> JsonObject:
    """The schema of a config file.

    >>> settings_schema()["properties"]["limits"]["properties"]["usd"]["minimum"]
    0
    """
    whole = _table(SETTINGS)
    own = JsonObject.of(extends=_extends(), defaults=_defaults())
    properties = whole["properties"]
    members = properties.members if isinstance(properties, JsonObject) else ()
    head = JsonObject((("$schema", DIALECT), ("title", "turnfold's config")))
    return JsonObject((*head.members, *whole.with_member("properties", JsonObject((*own.members, *members))).members))


def _extends() -> JsonObject:
    name = JsonObject.of(type="string", minLength=1)
    about = "config files that lie under this one, from its folder; of several, a later one lies over an earlier one"
    return JsonObject.of(description=about, anyOf=(name, JsonObject.of(type="array", items=name)))


def _defaults() -> JsonObject:
    about = "settings that are put back to their defaults, whatever the layers below say"
    return JsonObject.of(description=about, type="array", items=JsonObject.of(enum=names_to_put_back()))


def _table(table: Table) -> JsonObject:
    due = tuple(key.name for key in table.keys if key.due)
    made = JsonObject.of(
        type="object", properties=JsonObject(tuple((key.name, _key(key)) for key in table.keys)), additionalProperties=False
    )
    return made.with_member("required", due) if due else made


def _key(key: Key) -> JsonObject:
    """The schema of a setting, with what it means and its default."""
    schema = _shape(key.shape).with_member("description", _about(key))
    return schema if key.default is None else schema.with_member("default", key.default)


def _about(key: Key) -> str:
    granted = "; from a project's file only in a folder that you trust" if key.note.granted else ""
    awaits = f" (read and kept, but nothing uses it before there is: {key.note.awaits})" if key.note.awaits else ""
    return f"{key.note.about}{granted}{awaits}"


def _shape(shape: Shape) -> JsonObject:
    match shape:
        case Text(form=form):
            return _text(form)
        case Number():
            return _number(shape)
        case Truth():
            return JsonObject.of(type="boolean")
        case Choice(members=members):
            return JsonObject.of(enum=tuple(str(each.value) for each in members))
        case Secret():
            return JsonObject.of(type="string", pattern=_pattern(VARIABLE))
        case Texts(form=form):
            return _tools() if form is Form.TOOL else JsonObject.of(type="array", items=_text(form))
        case Table() | Rules():
            return _table(shape) if isinstance(shape, Table) else JsonObject.of(type="array", items=_table(shape.table))
        case Named() | Anything() | Pairs() | Variables():
            return _free(shape)
        case _:
            assert_never(shape)


def _free(shape: Named | Anything | Pairs | Variables) -> JsonObject:
    """A table of free names."""
    match shape:
        case Anything(reserved=reserved):
            names = JsonObject.of(**{"not": JsonObject.of(enum=reserved)})
            return JsonObject.of(type="object", propertyNames=names) if reserved else JsonObject.of(type="object")
        case Named(table=table, by=by):
            names = JsonObject.of(minLength=1, maxLength=200) if by == "pattern" else JsonObject.of(pattern=_pattern(ENTRY))
            return JsonObject.of(type="object", propertyNames=names, additionalProperties=_table(table))
        case Variables():
            return _pairs(VARIABLE, JsonObject.of(type="string"), JsonObject.of(const=False))
        case Pairs():
            name = JsonObject.of(type="string", pattern=_pattern(VARIABLE))
            properties = JsonObject.of(secret=name)
            kept = JsonObject.of(type="object", properties=properties, required=("secret",), additionalProperties=False)
            return _pairs(HEADER_NAME, JsonObject.of(type="string", pattern=_pattern(HEADER_TEXT)), kept)
        case _:
            assert_never(shape)


def _pairs(names: Pattern[str], *values: JsonValue) -> JsonObject:
    schema = JsonObject.of(anyOf=values)
    return JsonObject.of(type="object", propertyNames=JsonObject.of(pattern=_pattern(names)), additionalProperties=schema)


def _text(form: Form) -> JsonObject:
    match form:
        case Form.ANY | Form.PAIRS | Form.PARAMETERS:
            return JsonObject.of(type="string")
        case Form.PATTERN:
            return JsonObject.of(type="string", format="regex")
        case Form.KIND:
            return JsonObject.of(enum=KINDS)
        case Form.SOME | Form.MODEL | Form.PATH | Form.TOOL:
            return JsonObject.of(type="string", minLength=1)
        case Form.URL | Form.NAME:
            return JsonObject.of(type="string", pattern=_pattern(URL if form is Form.URL else ENTRY))
        case _:
            assert_never(form)


def _tools() -> JsonObject:
    """Names of tools, or changes of a list of them."""
    lists = (JsonObject.of(type="array", items=JsonObject.of(type="string", pattern=pattern)) for pattern in ("^[^+-]", "^[+-]."))
    return JsonObject.of(anyOf=tuple(lists))


def _number(shape: Number) -> JsonObject:
    return JsonObject((("type", "integer" if shape.whole else "number"), *_bounds(shape)))


def _bounds(shape: Number) -> Iterator[tuple[str, JsonValue]]:
    bounds = (("minimum", shape.least), ("exclusiveMinimum", shape.over), ("maximum", shape.most))
    return ((name, bound) for name, bound in bounds if bound is not None)


def _pattern(expression: Pattern[str]) -> str:
    return f"^(?:{expression.pattern})$"

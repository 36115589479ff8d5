"""What a JSON Schema says that nobody can mean: a schema is forgiving, so a slip of the pen in it would let everything pass.

Only where a person wrote the schema is this asked; what a server says of its tools is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from turnfold.core.json import JsonObject, JsonSchema, JsonValue, dumps
from turnfold.core.problem import did_you_mean
from turnfold.core.tools.schema import leads_to

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
NAMED = ("properties", "$defs", "definitions")  # a schema for each name
LISTED = ("anyOf", "oneOf", "allOf")


def oddities(schema: JsonSchema, place: str) -> Iterator[str]:
    """A sentence for each part of ``schema``, which stands at ``place``, that checks nothing: a type that there is not, a reference to nowhere.

    >>> next(oddities(JsonObject.of(type="objekt"), "output"))
    "output.type takes one of object, array, string, integer, number, boolean, null, not 'objekt'; did you mean object? @ $.output.type"
    """
    yield from _odd(schema, schema, place)


def _odd(schema: JsonValue, root: JsonObject, place: str) -> Iterator[str]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, JsonObject):
        yield f"{place} takes a schema, which is a table, not {dumps(schema)[:60]}. @ $.{place}"
        return
    kinds = schema.get("type", ())
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if kind not in TYPES:
            hint = (did_you_mean(kind, TYPES) if isinstance(kind, str) else "") or "."
            yield f"{place}.type takes one of {', '.join(TYPES)}, not {str(kind)[:60]!r}{hint} @ $.{place}.type"
    if "$ref" in schema and leads_to(schema["$ref"], root) is None:
        yield f"{place}.$ref leads to no schema in there: {dumps(schema['$ref'])[:60]}. @ $.{place}.$ref"
    for name, part in _parts(schema):
        yield from _odd(part, root, f"{place}.{name}")


def _parts(schema: JsonObject) -> Iterator[tuple[str, JsonValue]]:
    """The schemas within ``schema``, each with its place in it; what should hold some and can't is given as if it were one."""
    for key in NAMED:
        named = schema.get(key, JsonObject())
        yield from ((f"{key}.{name}", part) for name, part in named.members) if isinstance(named, JsonObject) else ((key, named),)
    for key in LISTED:
        listed = schema.get(key, ())
        yield from ((f"{key}[{number}]", part) for number, part in enumerate(listed)) if isinstance(listed, tuple) else ((key, (listed,)),)
    yield from ((key, schema[key]) for key in ("items", "additionalProperties") if key in schema)

"""Strict schemas, as providers want them for calls that are held to their schema while they are written.

Every object is closed and all its properties are required; ``oneOf`` is ``anyOf``; ``allOf`` of one entry, and a ``$ref``
with words beside it, are merged with what they stand for. What can't be said so without changing what is accepted is
refused: an open object, a root that is no plain object, keywords that contradict each other, a reference that leads out.
"""

from __future__ import annotations

from typing import final
from urllib.parse import unquote

from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.core.json import MAX_DEPTH, JsonObject, JsonSchema, JsonValue
from turnfold.core.problem import Problem, caller_problem, path_text

NOTES = frozenset(
    {"title", "description", "default", "examples", "deprecated", "discriminator", "$comment", "$schema", "$defs", "definitions"}
)
# a keyword that narrows on its own, whatever stands beside it
SIMPLE = frozenset({"type", "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"})
CLOSED = False  # additionalProperties of an object that has no other members
Path = tuple[str | int, ...]


class _NotStrictError(ValueError):
    """A schema that can't be made strict; never leaves this module."""

    def __init__(self, what: str, path: Path) -> None:
        super().__init__(what)
        self.what = what
        self.path = path


@final
@frozen
class _Place:
    """Where a schema stands: its path, the references that led there, and whether it lies within a schema with an ``$id`` of its own."""

    path: Path = ()
    through: tuple[str, ...] = ()
    owned: bool = False

    def below(self, *steps: str | int) -> _Place:
        return _Place((*self.path, *steps), self.through, self.owned)


def strict_schema(schema: JsonSchema) -> Result[JsonSchema, Problem]:
    """``schema`` made strict, or why that can't be.

    >>> strict_schema(JsonObject.of(type="object", properties=JsonObject.of(a=JsonObject.of(type="string")))).unwrap()["required"]
    ('a',)
    >>> print(strict_schema(JsonObject.of(type="object", additionalProperties=True)).failure().message)
    An object with members of any name can't be in a strict schema: name its properties, or do without strict.
    """
    if not schema.members:
        return Success(JsonObject.of(type="object", properties=JsonObject(), required=(), additionalProperties=False))
    try:
        return Success(_checked_root(_strict(schema, schema, _Place())))
    except _NotStrictError as refused:
        return Failure(caller_problem("not-strict", refused.what, path_text(refused.path)))


def _checked_root(made: JsonObject) -> JsonObject:
    if "anyOf" in made:
        raise _NotStrictError("A strict schema can't be a choice (anyOf, oneOf) at its root: make it a property of an object.", ())
    if isinstance(made.get("type"), tuple):
        raise _NotStrictError("A strict schema is of type object at its root, and of no other.", ())
    return made


def _strict(schema: JsonObject, root: JsonObject, place: _Place) -> JsonObject:
    """``schema`` with all that it holds made strict."""
    if len(place.path) > MAX_DEPTH:
        raise _NotStrictError(f"The schema is nested more than {MAX_DEPTH} levels deep.", place.path[:3])
    owned = _Place(place.path, place.through, place.owned or (bool(place.path) and "$id" in schema))
    plain, here = _merged_ref(*_merged_all(schema, root, owned), root)
    members = tuple((name, _member(name, value, root, here)) for name, value in plain.members if (name, value) != ("default", None))
    return _closed(_with_one_choice(JsonObject(members)), here)


def _member(name: str, value: JsonValue, root: JsonObject, place: _Place) -> JsonValue:
    """One keyword's value, where it holds schemas."""
    if name in {"properties", "$defs", "definitions"} and isinstance(value, JsonObject):
        return JsonObject(tuple((each, _part(part, root, place.below(name, each))) for each, part in value.members))
    if name in {"anyOf", "oneOf", "allOf"} and isinstance(value, tuple):
        return tuple(_part(part, root, place.below(name, index)) for index, part in enumerate(value))
    return _part(value, root, place.below(name)) if name == "items" else value


def _part(value: JsonValue, root: JsonObject, place: _Place) -> JsonValue:
    return _strict(value, root, place) if isinstance(value, JsonObject) else value


def _with_one_choice(schema: JsonObject) -> JsonObject:
    """``schema`` with ``anyOf`` in the place of ``oneOf``."""
    one, any_ = schema.get("oneOf"), schema.get("anyOf")
    if not isinstance(one, tuple):
        return schema
    rest = JsonObject(tuple(member for member in schema.members if member[0] != "oneOf"))
    return rest.with_member("anyOf", (*any_, *one) if isinstance(any_, tuple) else one)


def _closed(schema: JsonObject, place: _Place) -> JsonObject:
    """An object with no members but its properties, and with all of these; anything else as it is."""
    said = schema.get("type", "object" if "properties" in schema or "additionalProperties" in schema else "")
    if "object" not in (said if isinstance(said, tuple) else (said,)):
        return schema
    if schema.get("additionalProperties", False) is not False:
        what = "An object with members of any name can't be in a strict schema: name its properties, or do without strict."
        raise _NotStrictError(what, place.path)
    closed = schema.with_member("type", said).with_member("additionalProperties", CLOSED)
    properties = schema.get("properties")
    return closed.with_member("required", tuple(properties)) if isinstance(properties, JsonObject) else closed


def _merged_all(schema: JsonObject, root: JsonObject, place: _Place) -> tuple[JsonObject, _Place]:
    """``schema`` with the one entry of its ``allOf`` in place of it."""
    entries = schema.get("allOf")
    if not isinstance(entries, tuple) or len(entries) != 1 or not isinstance(entries[0], JsonObject) or "$ref" in schema:
        return schema, place
    rest = _without(schema, "allOf")
    entry, there = entries[0], place
    if "$ref" in entry:
        target, there = _target(entry, root, place)
        entry = _merged(_without(entry, "$ref"), target, place)
    return _merged(rest, entry, place), there


def _merged_ref(schema: JsonObject, place: _Place, root: JsonObject) -> tuple[JsonObject, _Place]:
    """``schema`` with what its ``$ref`` leads to, where something stands beside it; one that stands alone stays."""
    if "$ref" not in schema:
        return schema, place
    if len(schema) == 1:
        if place.owned:
            raise _crossing(place)
        return schema, place
    target, there = _target(schema, root, place)
    return _merged(_without(schema, "$ref"), target, place), there


def _merged(over: JsonObject, under: JsonObject, place: _Place) -> JsonObject:
    """Both as one schema that accepts what both accept."""
    for name, value in over.members:
        if name not in NOTES and not (name not in under and name in SIMPLE) and not _same(value, under.get(name)):
            raise _NotStrictError(f'"{name}" contradicts the schema that is merged with it: write one schema in their place.', place.path)
    made = under
    for name, value in over.members:
        made = made.with_member(name, value)
    return made


def _same(one: JsonValue, other: JsonValue) -> bool:
    """Equality that tells ``true`` from ``1``, at any depth."""
    return one == other and repr(one) == repr(other)


def _without(schema: JsonObject, name: str) -> JsonObject:
    return JsonObject(tuple(member for member in schema.members if member[0] != name))


def _target(schema: JsonObject, root: JsonObject, place: _Place) -> tuple[JsonObject, _Place]:
    """The schema that the ``$ref`` of ``schema`` leads to, by a JSON pointer from the root, and the place from which it is read on."""
    reference = schema["$ref"]
    if not isinstance(reference, str) or not reference.startswith("#/"):
        raise _NotStrictError("A reference in a strict schema leads to a place in the same schema (#/$defs/…).", place.path)
    if place.owned:
        raise _crossing(place)
    if reference in place.through:
        raise _NotStrictError(f"{reference} leads back to itself, with other keywords beside it: let it stand alone.", place.path)
    found: JsonValue = root
    for token in reference[2:].split("/"):
        name = unquote(token).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, JsonObject) else None
        if isinstance(found, JsonObject) and "$id" in found:
            raise _crossing(place)
    if not isinstance(found, JsonObject):
        raise _NotStrictError(f"There is nothing at {reference[:60]} in the schema.", place.path)
    following = _Place(place.path, (*place.through, reference))
    if "$ref" not in found:
        return found, following
    target, there = _target(found, root, following)
    return _merged(_without(found, "$ref"), target, place), there


def _crossing(place: _Place) -> _NotStrictError:
    return _NotStrictError("A reference can't lead into, or out of, a schema with an $id of its own.", place.path)

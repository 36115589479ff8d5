"""Types as JSON schemas: what a parameter's annotation accepts, said so that a model can write it.

``str int float bool None``; ``list tuple Sequence``, also with a place for each item; ``dict Mapping`` with text as keys; ``Literal`` and
enums of plain values; unions; attrs classes, dataclasses, ``TypedDict`` and ``NamedTuple`` as objects of their fields; ``Annotated``
with a text (what it means) or bounds (``annotated_types``); ``Any`` and ``object`` for any JSON. A class that holds itself becomes a
definition that is referred to. What else there is has no one form in JSON: it is refused where the tool is made, not when it is called.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from inspect import Parameter
from typing import Annotated, Any, Literal, Union, final, get_args, get_origin, is_typeddict

import attrs
from attrs import frozen

from turnfold.core.json import JsonObject, JsonSchema, JsonValue, freeze
from turnfold.shell.functions.docs import read_doc
from turnfold.shell.functions.encoding import UnfitError, encoded

MISSING = Parameter.empty  # no default
PLAIN: tuple[tuple[object, str], ...] = ((str, "string"), (bool, "boolean"), (int, "integer"), (float, "number"), (types.NoneType, "null"))
LISTS = (list, Sequence)
OBJECTS = (dict, Mapping)
BOUNDS = (("ge", "minimum"), ("gt", "exclusiveMinimum"), ("le", "maximum"), ("lt", "exclusiveMaximum"))
SIZES = (("min_length", "min"), ("max_length", "max"))


@final
@frozen
class Field:
    """A member of an object: its name in JSON, its type, its default (``MISSING``: it must be there) and what it means."""

    name: str
    type: object
    default: object = MISSING
    required: bool = True


def schema_of(annotation: object) -> JsonSchema:
    """The schema of all JSON values that ``annotation`` accepts; raises ``UnfitError`` for a type that has none.

    >>> schema_of(list[int | None])
    JsonObject.of(type='array', items=JsonObject.of(anyOf=(JsonObject.of(type='integer'), JsonObject.of(type='null'))))
    """
    writer = Writer()
    return writer.with_definitions(writer.schema(annotation))


@final
class Writer:
    """Writes schemas that share their definitions; used by one thread, for one signature."""

    __slots__ = ("_named",)

    def __init__(self) -> None:
        self._named: dict[str, type] = {}

    def with_definitions(self, schema: JsonSchema) -> JsonSchema:
        """``schema`` with the definitions of all classes that were referred to."""
        made: dict[str, JsonSchema] = {}
        while left := [name for name in self._named if name not in made]:
            made[left[0]] = self._object(self._named[left[0]], (self._named[left[0]],))
        return schema.with_member("$defs", JsonObject(tuple(made.items()))) if made else schema

    def schema(self, annotation: object, within: tuple[type, ...] = ()) -> JsonSchema:
        """The schema of ``annotation``, which stands in a field of the classes ``within``."""
        kind = plain_type(annotation)
        if get_origin(kind) is Annotated:
            return self._annotated(kind, within)
        if kind is Any or kind is object:
            return JsonObject()
        for each, name in PLAIN:
            if kind is each or (kind is None and each is types.NoneType):
                return JsonObject.of(type=name)
        if is_union(kind):
            return JsonObject.of(anyOf=tuple(self.schema(each, within) for each in get_args(kind)))
        if get_origin(kind) is Literal:
            return _choice(get_args(kind))
        if isinstance(kind, type) and issubclass(kind, Enum):
            return _choice(tuple(member.value for member in kind))
        return self._container(kind, within)

    def _annotated(self, annotation: object, within: tuple[type, ...]) -> JsonSchema:
        base, *notes = get_args(annotation)
        schema = self.schema(base, within)
        for name, value in _bounds(notes, schema.get("type")):
            schema = schema.with_member(name, value)
        about = about_of(notes)
        return schema.with_member("description", about) if about else schema

    def _container(self, kind: object, within: tuple[type, ...]) -> JsonSchema:
        origin, arguments = get_origin(kind) or kind, get_args(kind)
        if origin in LISTS:
            return _array(self.schema(arguments[0], within) if arguments else JsonObject())
        if origin is tuple:
            return self._tuple(arguments, within)
        if origin in OBJECTS:
            return self._mapping(arguments, within)
        if isinstance(kind, type) and fields_of(kind) is not None:
            return self._referred(kind) if kind in within else self._object(kind, (*within, kind))
        raise UnfitError(f"{shown_type(kind)} has no form in JSON: take text, numbers, lists, dicts or a class of fields, and convert them")

    def _tuple(self, items: tuple[object, ...], within: tuple[type, ...]) -> JsonSchema:
        if not items or items[-1] is Ellipsis:
            return _array(self.schema(items[0], within) if items else JsonObject())
        places = () if items == ((),) else items
        prefix = JsonObject.of(prefixItems=tuple(self.schema(each, within) for each in places)) if places else JsonObject()
        exact = JsonObject.of(type="array", items=False, minItems=len(places), maxItems=len(places))
        return JsonObject((*exact.members, *prefix.members))

    def _mapping(self, arguments: tuple[object, ...], within: tuple[type, ...]) -> JsonSchema:
        if arguments and plain_type(arguments[0]) is not str:
            raise UnfitError(f"the names of a JSON object are text, not {shown_type(arguments[0])}: take a dict[str, …]")
        value = self.schema(arguments[1], within) if arguments else JsonObject()
        return JsonObject.of(type="object", additionalProperties=value) if value else JsonObject.of(type="object")

    def _referred(self, kind: type) -> JsonSchema:
        name = kind.__name__
        if self._named.setdefault(name, kind) is not kind:
            raise UnfitError(f"there are two classes {name}: rename one of them")
        return JsonObject((("$ref", f"#/$defs/{name}"),))

    def _object(self, kind: type, within: tuple[type, ...]) -> JsonSchema:
        doc = read_doc(kind)
        fields = fields_of(kind) or ()
        members = tuple((each.name, _described(self.schema(each.type, within), doc.of(each.name), each.default)) for each in fields)
        required: tuple[JsonValue, ...] = tuple(each.name for each in fields if each.required)
        schema = JsonObject.of(type="object", properties=JsonObject(members), required=required, additionalProperties=False)
        return schema.with_member("description", doc.about) if doc.about else schema


def _described(schema: JsonSchema, about: str, default: object) -> JsonSchema:
    """``schema`` with what a docstring says, which wins over an ``Annotated`` text, and with the default where JSON can say it."""
    if about:
        schema = schema.with_member("description", about)
    if default is not MISSING:
        try:
            return schema.with_member("default", encoded(default))
        except UnfitError:
            return schema
    return schema


described = _described


def plain_type(annotation: object) -> object:
    """``annotation`` without what says nothing of its values: a new type's name, an alias, ``Required``."""
    while True:
        if isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = getattr(annotation, "__value__", annotation)
        elif getattr(get_origin(annotation), "_name", "") in {"Required", "NotRequired", "ReadOnly"}:
            annotation = get_args(annotation)[0]
        else:
            return annotation


def is_union(kind: object) -> bool:
    """Whether ``kind`` is a union, however it is written."""
    return get_origin(kind) in {Union, types.UnionType}


def fields_of(kind: type) -> tuple[Field, ...] | None:
    """The fields of a class that is an object in JSON; None for any other."""
    if attrs.has(kind):
        hints = _hints(kind)
        return tuple(_attrs_field(each, hints.get(each.name, Any)) for each in attrs.fields(kind) if each.init)
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return tuple(_dataclass_field(each, hints.get(each.name, Any)) for each in dataclasses.fields(kind) if each.init)
    if is_typeddict(kind):
        return tuple(Field(name, hint, MISSING, _required(kind, name, hint)) for name, hint in _hints(kind).items())
    if issubclass(kind, tuple) and hasattr(kind, "_field_defaults"):
        defaults: Mapping[str, object] = kind._field_defaults
        return tuple(Field(name, hint, defaults.get(name, MISSING), name not in defaults) for name, hint in _hints(kind).items())
    return None


def _required(kind: type, name: str, hint: object) -> bool:
    """Whether a member of a TypedDict must be there; what its type says goes first, for annotations that were text."""
    said = getattr(get_origin(hint), "_name", "")
    required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
    return said == "Required" or (said != "NotRequired" and name in required)


def _attrs_field(field: attrs.Attribute[Any], hint: object) -> Field:
    wanted = field.default is attrs.NOTHING
    default = MISSING if wanted or isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]  # Factory is a class
    return Field(field.alias or field.name, hint, default, wanted)


def _dataclass_field(field: dataclasses.Field[Any], hint: object) -> Field:
    made = field.default_factory is not dataclasses.MISSING
    default = MISSING if field.default is dataclasses.MISSING else field.default
    return Field(field.name, hint, default, default is MISSING and not made)


def _hints(kind: type) -> dict[str, object]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except NameError as error:
        raise UnfitError(f"{kind.__name__} names a type that can't be found ({error}): define it in the module, above") from error


def about_of(notes: Sequence[object]) -> str:
    """What the notes of an ``Annotated`` say in words: the first text, or a ``description``."""
    found = (note if isinstance(note, str) else getattr(note, "description", None) for note in notes)
    return next((text for text in found if isinstance(text, str)), "")


def _bounds(notes: Sequence[object], kind: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """The keywords for the bounds among ``notes``; those that may be grouped, as pydantic does, too."""
    for note in notes:
        yield from _bounds(tuple(getattr(note, "metadata", ())), kind)
        if kind in {"integer", "number"}:
            yield from ((word, _number(value)) for name, word in BOUNDS if (value := getattr(note, name, None)) is not None)
        noun = {"string": "Length", "array": "Items"}.get(str(kind))
        if noun is not None:
            yield from ((side + noun, int(value)) for name, side in SIZES if isinstance(value := getattr(note, name, None), int))


def _number(value: object) -> JsonValue:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return freeze(value)
    raise UnfitError(f"the bound {value!r} is no number")


def _array(items: JsonSchema) -> JsonSchema:
    return JsonObject.of(type="array", items=items) if items else JsonObject.of(type="array")


def _choice(values: tuple[object, ...]) -> JsonSchema:
    allowed: list[JsonValue] = []
    for value in values:
        member = value.value if isinstance(value, Enum) else value
        if member is not None and not isinstance(member, (str, int, float)):
            raise UnfitError(f"{member!r} has no form in JSON: choose among texts or numbers")
        allowed.append(freeze(member))
    kinds = {next(name for each, name in PLAIN if isinstance(value, each)) for value in allowed if not isinstance(value, bool)}  # type: ignore[arg-type]
    whole = JsonObject.of(enum=tuple(allowed))
    single = len(kinds) == 1 and not any(isinstance(value, bool) for value in allowed)
    return JsonObject((("type", kinds.pop()), *whole.members)) if single else whole


def shown_type(kind: object) -> str:
    """``kind`` as one would write it.

    >>> shown_type(int), shown_type(list[int])
    ('int', 'list[int]')
    """
    return kind.__qualname__ if isinstance(kind, type) and not get_args(kind) else str(kind)

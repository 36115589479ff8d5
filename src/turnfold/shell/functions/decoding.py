"""JSON as the values that annotations name: a cattrs converter that coerces nothing, and says where something does not fit.

It takes exactly what the schema of ``annotations`` accepts, ``"12"`` being no 12 and ``true`` no 1; ``3.0`` is the integer 3, as JSON
Schema says. A union gives the first of its types that fits. What a class checks itself when it is made is a fault of its place, too.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias, final, get_args, get_origin, is_typeddict

import attrs
from attrs import frozen
from cattrs import Converter
from cattrs.cols import namedtuple_dict_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn
from returns.result import Success

from turnfold.core.json import MAX_DEPTH, JsonObject, freeze
from turnfold.core.tools.schema import check_untrusted
from turnfold.shell.functions.annotations import LISTS, OBJECTS, fields_of, is_union, plain_type, schema_of

Path: TypeAlias = tuple[str | int, ...]
Hook: TypeAlias = Callable[[Any, Any], Any]
FORBID_EXTRA = True
MAX_EXACT = 2**1000  # an int that is larger is left as it is where a float is wanted


@final
@frozen
class Misfit:
    """One thing that does not fit: where, and what is wrong with it."""

    path: Path
    message: str


class MisfitError(ValueError):
    """A value that its type does not take; its text is the end of a sentence."""


def new_converter() -> Converter:
    """A converter that reads JSON (as ``json.loads`` gives it) strictly; each signature has its own."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook_func(_is_anything, lambda value, _: value)
    converter.register_structure_hook_func(_is_null, _plain(types.NoneType, "null"))
    for kind, hook in ((str, _plain(str, "a string")), (bool, _plain(bool, "true or false")), (int, _int), (float, _float)):
        converter.register_structure_hook(kind, _or_enum(hook))
    converter.register_structure_hook_func(_is_literal, lambda value, kind: _chosen(value, get_args(kind)))
    converter.register_structure_hook_func(_is_enum, lambda value, kind: _chosen(value, tuple(kind)))
    containers: tuple[tuple[Callable[[Any], bool], Callable[[Converter], Hook]], ...] = (
        (lambda kind: (get_origin(kind) or kind) in LISTS, _list),
        (lambda kind: (get_origin(kind) or kind) is tuple, _tuple),
        (lambda kind: (get_origin(kind) or kind) in OBJECTS, _mapping),
        (is_union, _union),
        (is_typeddict, _typed_dict),
        (lambda kind: get_origin(kind) is Annotated, _annotated),
        (lambda kind: plain_type(kind) is not kind, _renamed),
    )
    for predicate, made in containers:
        converter.register_structure_hook_func(predicate, made(converter))
    converter.register_structure_hook_factory(_is_record, _record)
    return converter


def _is_null(kind: object) -> bool:
    return kind is None or kind is types.NoneType


def _is_literal(kind: object) -> bool:
    origin: object = get_origin(kind)
    return origin is Literal


def _is_anything(kind: object) -> bool:
    return kind is Any or kind is object


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and not is_typeddict(kind) and fields_of(kind) is not None


def _plain(kind: type, noun: str) -> Hook:
    def hook(value: object, _: object) -> object:
        if isinstance(value, kind):
            return value
        raise MisfitError(f"must be {noun}")

    return hook


def _or_enum(hook: Hook) -> Hook:
    """``hook``, and for enums of its type, which cattrs takes for the type itself, what is right for them."""
    return lambda value, kind: _chosen(value, tuple(kind)) if _is_enum(kind) else hook(value, kind)


def _int(value: object, _: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise MisfitError("must be an integer")


def _float(value: object, _: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if abs(value) < MAX_EXACT else value
    raise MisfitError("must be a number")


def _chosen(value: object, allowed: tuple[Any, ...]) -> object:
    """The one of ``allowed`` that JSON says as ``value``: 1.0 is 1, and no True."""
    for each in allowed:
        said = each.value if isinstance(each, Enum) else each
        if said == value and isinstance(said, bool) == isinstance(value, bool):
            return each
    raise MisfitError(f"must be one of {', '.join(repr(each.value if isinstance(each, Enum) else each) for each in allowed)}")


def _list(converter: Converter) -> Hook:
    def hook(value: object, kind: Any) -> list[Any]:
        arguments = get_args(kind)
        item = arguments[0] if arguments else Any
        return [*_items(converter, _array(value), lambda _: item)]

    return hook


def _tuple(converter: Converter) -> Hook:
    def hook(value: object, kind: Any) -> tuple[Any, ...]:
        arguments = get_args(kind)
        items = _array(value)
        if not arguments or arguments[-1] is Ellipsis:
            item = arguments[0] if arguments else Any
            return (*_items(converter, items, lambda _: item),)
        places = () if arguments == ((),) else arguments
        if len(items) != len(places):
            raise MisfitError(f"must have {len(places)} items, not {len(items)}")
        return (*_items(converter, items, lambda index: places[index]),)

    return hook


def _array(value: object) -> Sequence[Any]:
    if isinstance(value, (list, tuple)):
        return value
    raise MisfitError("must be an array")


def _mapping(converter: Converter) -> Hook:
    def hook(value: object, kind: Any) -> dict[str, Any]:
        arguments = get_args(kind)
        item = arguments[1] if arguments else Any
        members = _object(value)
        made = _items(converter, tuple(members.values()), lambda _: item, tuple(members))
        return dict(zip(members, made, strict=True))

    return hook


def _object(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise MisfitError("must be an object")


def _items(converter: Converter, values: Sequence[Any], kind: Callable[[int], Any], names: tuple[str, ...] = ()) -> list[Any]:
    """Each of ``values`` read as its kind; all that do not fit are told together, by their indices or names."""
    made: list[Any] = []
    errors: list[Exception] = []
    for index, value in enumerate(values):
        try:
            made.append(converter.structure(value, kind(index)))
        except Exception as error:  # noqa: BLE001 - a class of the tool's own may raise anything; it is told as a fault of its place
            errors.append(_at(names[index] if names else index, error))
    if errors:
        raise IterableValidationError("items", errors, list)
    return made


def _typed_dict(converter: Converter) -> Hook:
    """A hook of our own: that of cattrs sees no ``NotRequired`` where annotations are text."""

    def hook(value: object, kind: Any) -> dict[str, Any]:
        members, fields = _object(value), {field.name: field for field in fields_of(kind) or ()}
        known = tuple(name for name in members if name in fields)
        made = _items(converter, tuple(members[name] for name in known), lambda index: fields[known[index]].type, known)
        wrong = [(name, "is unknown") for name in members if name not in fields]
        wrong += [(name, "is missing") for name, field in fields.items() if field.required and name not in members]
        if wrong:
            raise IterableValidationError("members", [_at(name, MisfitError(what)) for name, what in wrong], kind)
        return dict(zip(known, made, strict=True))

    return hook


def _at(place: str | int, error: Exception) -> Exception:
    """``error`` with the place where it arose, as cattrs notes it."""
    error.add_note(IterableValidationNote(f"@ {place}", place, object))
    return error


def _union(converter: Converter) -> Hook:
    def hook(value: object, kind: Any) -> object:
        errors: list[Exception] = []
        for each in get_args(kind):
            try:
                return converter.structure(value, each)
            except Exception as error:  # noqa: BLE001 - as in _items: the next type may take it
                errors.append(error)
        deep = [error for error in errors if isinstance(error, BaseValidationError)]
        if len(deep) == 1:
            raise deep[0]  # the one of this shape: what is wrong lies within
        raise MisfitError("fits none of the allowed forms")

    return hook


def _renamed(converter: Converter) -> Hook:
    def hook(value: object, kind: Any) -> object:
        meant: Any = plain_type(kind)
        return converter.structure(value, meant)

    return hook


def _annotated(converter: Converter) -> Hook:
    def hook(value: object, kind: Any) -> object:
        checked = check_untrusted(JsonObject.of(it=freeze(value)), JsonObject.of(properties=JsonObject.of(it=schema_of(kind))))
        if not isinstance(checked, Success):
            raise MisfitError(checked.failure().message.split("\n")[1].removeprefix("- $.it "))
        return converter.structure(value, get_args(kind)[0])

    return hook


def _record(kind: Any, converter: Converter) -> Hook:
    """The hook of a class of fields, made by cattrs."""
    if attrs.has(kind):
        attrs.resolve_types(kind, include_extras=True)
    if issubclass(kind, tuple):
        read: Hook = namedtuple_dict_structure_factory(kind, converter, "from_converter", FORBID_EXTRA)
    else:
        read = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_use_alias=True)

    def hook(value: object, asked: Any) -> object:
        return read(_object(value), asked)

    return hook


def misfits(error: BaseException, path: Path = ()) -> Iterator[Misfit]:
    """Everything that ``error``, raised in reading what stands at ``path``, says."""
    if len(path) > MAX_DEPTH or not isinstance(error, BaseValidationError):
        yield from _told(error, path)
        return
    for each in error.exceptions:
        notes = tuple(
            note for note in getattr(each, "__notes__", ()) if isinstance(note, (AttributeValidationNote, IterableValidationNote))
        )
        if not notes:
            yield from misfits(each, path)
            continue
        # the innermost note is this group's; a note of a group further in was taken when that was split
        note = notes[-1]
        step = note.index if isinstance(note, IterableValidationNote) else note.name
        if isinstance(each, KeyError) and each.args == (step,):
            yield Misfit((*path, step), "is missing")
        else:
            yield from misfits(each, (*path, step))


def _told(error: BaseException, path: Path) -> Iterator[Misfit]:
    match error:
        case MisfitError():
            yield Misfit(path, str(error))
        case ForbiddenExtraKeysError():
            yield from (Misfit((*path, name), "is unknown") for name in sorted(error.extra_fields))
        case _:
            yield Misfit(path, f"is refused: {type(error).__name__}: {error}")

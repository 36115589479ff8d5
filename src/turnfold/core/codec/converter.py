"""How values look as JSON. One rule a kind of value, and no other.

* an attrs value is an object of its fields; where a union says which of several it is, ``"type"`` names the class;
* a setting that a layer does not mention is left out, one that it puts back is ``{"default": true}``; ``None`` is null;
* an enum is its value, a request id and a place their text, bytes are base64, a log and a tuple are arrays, a JsonObject is itself.

turnfold 0.1 wrote tables of settings whole and unnamed, and called ``models`` ``profiles``; its journals are read, too.

Reading is closed and strict: only classes that the unions name, no extra keys, nothing coerced, nothing imported by name.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from cattrs import BaseConverter, Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from turnfold.core.agent.ids import RequestId, parse_id_untrusted
from turnfold.core.agent.live import Live
from turnfold.core.config.layer import Layer
from turnfold.core.config.missing import DEFAULT, Missing
from turnfold.core.config.said import Said, saying
from turnfold.core.conversation.log import Log
from turnfold.core.json import JsonObject, freeze, thaw
from turnfold.core.stream.position import Position, parse_position_untrusted

TAG = "type"
T = TypeVar("T")

Reader: TypeAlias = Callable[[object, object], object]
Writer: TypeAlias = Callable[[object], object]


def _strict(kind: type[T]) -> Reader:
    """A hook that takes only a ``kind`` itself: an int is no bool, a str no int."""

    def hook(value: object, _: object) -> T:
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        raise ValueError(f"expected {kind.__name__}, not {type(value).__name__}")

    return hook


def _structure_float(value: object, _: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"expected a number, not {type(value).__name__}")


def _structure_bytes(value: object, _: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"expected base64 text, not {type(value).__name__}")
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError as error:  # binascii.Error is one
        raise ValueError(f"expected base64 text: {error}") from error
    if base64.b64encode(data).decode("ascii") != value:
        raise ValueError("expected base64 text as turnfold writes it")  # several texts spell the same bytes
    return data


def _structure_json_object(value: object, _: object) -> JsonObject:
    frozen = freeze(value)
    if isinstance(frozen, JsonObject):
        return frozen
    raise ValueError(f"expected an object, not {type(value).__name__}")


def _structure_position(value: object, _: object) -> Position:
    found = parse_position_untrusted(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected a place such as '17' or '17:120.340.0.0.0', not {value!r}")
    return found


def _structure_request_id(value: object, _: object) -> RequestId:
    found = parse_id_untrusted(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected a request id such as '1.1.m.0', not {value!r}")
    return found


def _structure_live(value: object, _: object) -> Live:
    if value is not None:
        raise ValueError(f"expected null, for nothing live is ever stored, not {type(value).__name__}")
    return Live()


def _structure_enum(value: object, kind: type[Enum]) -> Enum:
    for member in kind:
        if member.value == value:
            return member
    raise ValueError(f"expected one of {', '.join(repr(member.value) for member in kind)}, not {value!r}")


def _is_union(form: object) -> bool:
    return get_origin(form) in (Union, UnionType)


def _members(form: object) -> tuple[type, ...]:
    """The types that a value of the union can be, ``None`` and Missing apart."""
    return tuple(member for member in get_args(form) if member not in (NoneType, Missing))


def _is_enum(form: object) -> bool:
    return isinstance(form, type) and issubclass(form, Enum)


def _is_log(form: object) -> bool:
    return form is Log or get_origin(form) is Log


def _is_tuple(form: object) -> bool:
    """Whether ``form`` is ``tuple[T, ...]``, the only kind that values have."""
    return get_origin(form) is tuple


def _is_layer(form: object) -> bool:
    return isinstance(form, type) and issubclass(form, Layer)


def _put_back() -> dict[str, object]:
    """How ``DEFAULT`` is written."""
    return {"default": True}


def _puts_back(value: object) -> bool:
    return value == _put_back()


def _is_said(form: object) -> bool:
    return get_origin(form) is Said


def _said_reader(form: object, converter: BaseConverter) -> Reader:
    """A hook that reads some fields of a table, each after its own type."""
    hints = get_type_hints(get_args(form)[0])

    def hook(value: object, _: object) -> object:
        if not isinstance(value, dict):
            raise ValueError(f"expected an object, not {type(value).__name__}")
        unknown = tuple(name for name in value if name not in hints)
        if unknown:
            raise ValueError(f"there is no field {unknown[0]!r}; known are {', '.join(hints)}")
        return saying((name, DEFAULT if _puts_back(item) else converter.structure(item, hints[name])) for name, item in value.items())

    return hook


def _said_writer(form: object, converter: BaseConverter) -> Writer:
    hints = get_type_hints(get_args(form)[0])

    def hook(value: object) -> object:
        members = value.members if isinstance(value, Said) else ()
        return {
            each.name: _put_back() if each.value == DEFAULT else converter.unstructure(each.value, unstructure_as=hints[each.name])
            for each in members
        }

    return hook


def _union_reader(form: object, converter: BaseConverter) -> Reader:
    """A hook that reads a union: null, the one member there is, a str, or an object that names its class."""
    members = _members(form)
    by_name = {member.__name__: member for member in members if attrs.has(member) or _is_said(member)}
    nullable = NoneType in get_args(form)
    table = next((member for member in members if attrs.has(member)), None) if any(map(_is_said, members)) else None

    def hook(value: object, _: object) -> object:
        if value is None and nullable:
            return None
        if Missing in get_args(form) and _puts_back(value):
            return DEFAULT
        if len(members) == 1:
            return converter.structure(value, members[0])
        if str in members and isinstance(value, str):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"expected an object, not {type(value).__name__}")
        if table is not None and TAG not in value:
            return converter.structure(value, table)  # as turnfold 0.1 wrote it
        tag = value.get(TAG)
        kind = by_name.get(tag) if isinstance(tag, str) else None
        if kind is None:
            raise ValueError(f"expected {TAG!r} to be one of {', '.join(by_name)}, not {tag!r}")
        return converter.structure({key: item for key, item in value.items() if key != TAG}, kind)

    return hook


def _union_writer(form: object, converter: BaseConverter) -> Writer:
    """A hook that writes a union; the class is named where there is more than one."""
    named = len(_members(form)) > 1
    said = next((member for member in _members(form) if _is_said(member)), None)
    row = next((member for member in _members(form) if _is_tuple(member)), None)

    def hook(value: object) -> object:
        if isinstance(value, Missing):
            return _put_back()  # MISSING itself is left out
        if isinstance(value, tuple) and row is not None:
            items: object = converter.unstructure(value, unstructure_as=row)
            return items
        if isinstance(value, Said):
            members: dict[str, object] = converter.unstructure(value, unstructure_as=said)
            return {TAG: "Said", **members} if named else members
        written: object = converter.unstructure(value)
        if named and isinstance(written, dict) and attrs.has(type(value)):
            return {TAG: type(value).__name__, **written}
        return written

    return hook


def _items(value: object) -> list[object]:
    """The items of an array; cattrs alone would take any iterable, an empty object for no items."""
    if not isinstance(value, list):
        raise ValueError(f"expected an array, not {type(value).__name__}")
    return value


def _tuple_reader(form: object, converter: BaseConverter) -> Reader:
    item = get_args(form)[0]
    return lambda value, _: tuple(converter.structure(each, item) for each in _items(value))


def _log_reader(form: object, converter: BaseConverter) -> Reader:
    item = get_args(form)[0]
    return lambda value, _: Log.of(*(converter.structure(each, item) for each in _items(value)))


def _log_writer(form: object, converter: BaseConverter) -> Writer:
    item = get_args(form)[0]

    def hook(value: object) -> object:
        return [converter.unstructure(each, unstructure_as=item) for each in value] if isinstance(value, Log) else value

    return hook


def _today(layer: dict[str, object]) -> dict[str, object]:
    """A layer's settings under the names that they have today."""
    return {"models" if name == "profiles" else name: value for name, value in layer.items()}


def _class_reader(kind: type, converter: BaseConverter) -> Reader:
    read: Callable[[Mapping[str, object], object], object] = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_use_alias=True
    )

    def hook(value: object, _: object) -> object:
        if not isinstance(value, dict):
            raise ValueError(f"expected an object, not {type(value).__name__}")
        return read(_today(value) if _is_layer(kind) else value, kind)

    return hook


def _class_writer(kind: type, converter: BaseConverter) -> Writer:
    return make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=_is_layer(kind), _cattrs_use_alias=True)


def new_converter() -> Converter:
    """A converter with these rules; some milliseconds, and some more for each class at its first use."""
    converter = Converter(detailed_validation=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _strict(kind))
    converter.register_structure_hook(float, _structure_float)
    converter.register_structure_hook(bytes, _structure_bytes)
    converter.register_unstructure_hook(bytes, lambda data: base64.b64encode(data).decode("ascii"))
    converter.register_structure_hook_factory(attrs.has, _class_reader)
    converter.register_unstructure_hook_factory(attrs.has, _class_writer)
    converter.register_structure_hook_func(_is_enum, _structure_enum)
    converter.register_structure_hook_factory(_is_tuple, _tuple_reader)
    converter.register_structure_hook_factory(_is_said, _said_reader)
    converter.register_unstructure_hook_factory(_is_said, _said_writer)
    converter.register_structure_hook_factory(_is_log, _log_reader)
    converter.register_unstructure_hook_factory(_is_log, _log_writer)
    converter.register_structure_hook(JsonObject, _structure_json_object)
    converter.register_unstructure_hook(JsonObject, thaw)
    converter.register_structure_hook(RequestId, _structure_request_id)
    converter.register_unstructure_hook(RequestId, str)
    converter.register_structure_hook(Position, _structure_position)
    converter.register_unstructure_hook(Position, str)
    converter.register_structure_hook(Live, _structure_live)
    converter.register_unstructure_hook(Live, lambda live: None)
    converter.register_structure_hook_factory(_is_union, _union_reader)
    converter.register_unstructure_hook_factory(_is_union, _union_writer)
    return converter

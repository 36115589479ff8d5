"""Python values as JSON: what a function returns, and what a default is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

import attrs

from turnfold.core.json import MAX_DEPTH, JsonObject, JsonValue, scalar_text

AS_TEXT = (PurePath, date, time, timedelta, Decimal)


class UnfitError(TypeError):
    """A value or a type that has no form in JSON; its text says what to take instead."""


def encoded(value: object, depth: int = 0) -> JsonValue:
    """``value`` as JSON: a class of fields is an object, an enum its value, a path or a date its text. ``UnfitError`` for the rest.

    >>> from pathlib import PurePosixPath
    >>> encoded({"at": PurePosixPath("/w"), "found": [1, None]})
    JsonObject.of(at='/w', found=(1, None))
    """
    if depth > MAX_DEPTH:
        raise UnfitError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, Enum):
        return encoded(value.value, depth + 1)
    if value is None or isinstance(value, (bool, int)):
        return value if value is None or isinstance(value, bool) else int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return scalar_text(str(value))
    if isinstance(value, AS_TEXT):
        return scalar_text(str(value))
    return _structure(value, depth + 1)


def _structure(value: object, depth: int) -> JsonValue:
    if isinstance(value, JsonObject):
        return value
    if isinstance(value, Mapping):
        return _object({_key(name): encoded(item, depth) for name, item in value.items()})
    kind: Any = type(value)
    if attrs.has(kind):
        return _object({each.alias or each.name: encoded(getattr(value, each.name), depth) for each in attrs.fields(kind)})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _object({each.name: encoded(getattr(value, each.name), depth) for each in dataclasses.fields(value)})
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _object({name: encoded(item, depth) for name, item in value._asdict().items()})
    if isinstance(value, (list, tuple)):
        return tuple(encoded(item, depth) for item in value)
    if isinstance(value, (set, frozenset)):
        return tuple(sorted((encoded(item, depth) for item in value), key=repr))
    raise UnfitError(f"{type(value).__name__} has no form in JSON: make it text, numbers, lists or dicts")


def _object(members: dict[str, JsonValue]) -> JsonObject:
    return JsonObject(tuple(members.items()))


def _key(name: object) -> str:
    return scalar_text(str(name.value if isinstance(name, Enum) else name))

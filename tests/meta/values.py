"""Which types and values can change: what a field of core may be, and what a module may hold."""

from __future__ import annotations

import datetime
import importlib
import ipaddress
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import _lru_cache_wrapper, partial
from pathlib import PurePath
from typing import cast

import attrs

from tests.meta.source import within

SCALARS = (type(None), bool, int, float, complex, str, bytes, range)
CONTAINERS = (tuple, frozenset)
UNIONS = (typing.Union, types.UnionType)
OPAQUE = (Callable, typing.Literal, typing.ClassVar)  # what stands in their brackets is no value of the field


def modules(package: types.ModuleType) -> Iterator[types.ModuleType]:
    """The package and every module below it, imported; a ``__main__`` is not, since it acts."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def classes(module: types.ModuleType) -> Iterator[type[attrs.AttrsInstance]]:
    """The attrs classes that ``module`` defines, those inside of classes too."""
    seen: set[type] = set()
    waiting = [value for value in vars(module).values() if isinstance(value, type)]
    while waiting:
        each = waiting.pop()
        if each.__module__ == module.__name__ and each not in seen:
            seen.add(each)
            waiting += [value for value in vars(each).values() if isinstance(value, type)]
            if attrs.has(each):
                yield each


def mutable_fields(cls: type[attrs.AttrsInstance], namespace: Mapping[str, object] | None = None) -> Iterator[str]:
    """A sentence for each field of ``cls`` whose type can change, or lets something in that can.

    ``namespace``: names that its annotations use and its module does not hold.
    """
    hints = typing.get_type_hints(cls, localns=dict(namespace or {}))
    names = {**vars(importlib.import_module(cls.__module__)), **(namespace or {})}
    for field in attrs.fields(cls):
        if field.name not in hints:
            yield f"{cls.__module__}.{cls.__qualname__}.{field.name}: has no type"
        else:
            for bad in mutable_types(hints[field.name], names, frozenset()):
                yield f"{cls.__module__}.{cls.__qualname__}.{field.name}: {bad}"


def mutable_types(hint: object, names: Mapping[str, object], seen: frozenset[str]) -> Iterator[str]:
    """A sentence for each part of the type ``hint`` that can change; ``seen`` holds the recursive aliases being read."""
    if isinstance(hint, typing.ForwardRef | str):
        text = hint if isinstance(hint, str) else hint.__forward_arg__
        if text not in seen:  # a recursive alias, such as JsonValue: what it leads to is being read already
            yield from mutable_types(eval(text, dict(names)), names, seen | {text})
    elif (origin := typing.get_origin(hint)) is not None:
        if isinstance(origin, type) and origin not in (*CONTAINERS, *UNIONS, *OPAQUE):
            yield from mutable_types(origin, names, seen)
        for part in () if origin in OPAQUE else typing.get_args(hint):
            yield from mutable_types(part, names, seen)
    elif isinstance(hint, typing.TypeVar):
        for bound in (*hint.__constraints__, hint.__bound__):
            yield from mutable_types(bound, names, seen)
    elif not (hint in (None, Ellipsis, Callable) or (isinstance(hint, type) and is_frozen_type(hint))):
        yield f"{getattr(hint, '__qualname__', hint)} can change, or hold what can"


def is_frozen_type(cls: type) -> bool:
    """Whether values of exactly this class can't change, their fields apart (those are read at their own class).

    A bare ``tuple`` or ``frozenset`` says nothing of what it holds, so it isn't.
    """
    return cls in SCALARS or issubclass(cls, Enum | re.Pattern) or is_frozen_attrs(cls)


def is_frozen_attrs(cls: type) -> bool:
    """Whether ``cls`` is an attrs class that refuses to be written.

    Told from outside, by the method that attrs puts into frozen classes.
    """
    return attrs.has(cls) and cls.__setattr__ is not object.__setattr__ and cls.__setattr__.__name__ == "_frozen_setattrs"


def mutable_values(value: object, place: str) -> Iterator[str]:
    """A sentence for each part of a module's or class's value that can change."""
    if isinstance(value, CONTAINERS):
        for index, part in enumerate(value):
            yield from mutable_values(part, f"{place}[{index}]")
    elif isinstance(value, types.MappingProxyType):
        for key, part in value.items():
            yield from mutable_values(part, f"{place}[{key!r}]")
    elif isinstance(value, partial):
        yield from mutable_values((value.args, tuple(value.keywords.values())), place)
    elif is_frozen_attrs(type(value)):
        for field in attrs.fields(cast(type[attrs.AttrsInstance], type(value))):
            yield from mutable_values(getattr(value, field.name), f"{place}.{field.name}")
    elif not is_constant(value):
        yield f"{place} is a {type(value).__qualname__}, which can change"


def is_constant(value: object) -> bool:
    """Whether ``value`` is code, a type or a scalar."""
    if isinstance(value, _lru_cache_wrapper):  # urllib's urlsplit, for one; a cache of ours is another net's concern, and this one's
        return not within(value.__module__, "turnfold")
    code = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)
    typed = (types.UnionType, types.GenericAlias, typing.TypeVar, typing.ParamSpec, typing.ForwardRef)
    addresses = (ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network)
    data = (Enum, re.Pattern, PurePath, datetime.date, datetime.time, datetime.timedelta, datetime.timezone, *addresses)
    return isinstance(value, (*SCALARS, *code, *typed, *data)) or type(value).__module__ in (
        "typing",
        "typing_extensions",
        "__future__",
    )

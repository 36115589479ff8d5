"""JSON as immutable values: what a tool call's arguments and a tool's memory are made of.

``None``, ``bool``, ``int``, finite ``float`` and ``str`` stand for themselves, an array is a tuple, an object is a
:class:`JsonObject`. Text that is only passed on is never parsed; it stays text or bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias, final

from attrs import field, frozen
from returns.result import Failure, Result, Success
from typing_extensions import override

MAX_DEPTH = 100  # deeper values are refused, so that no later walk can run out of stack
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)  # json.dumps makes one for each call


@final
@frozen(repr=False)
class JsonObject(Mapping[str, "JsonValue"]):
    """A JSON object that cannot change; two are equal when they hold equal members in the same order.

    >>> JsonObject.of(path="a.txt")["path"]
    'a.txt'
    >>> JsonObject.of(path="a.txt")
    JsonObject.of(path='a.txt')
    """

    members: tuple[tuple[str, JsonValue], ...] = field(default=())

    @classmethod
    def of(cls, **members: JsonValue) -> JsonObject:
        """The object with these members, in this order."""
        return cls(tuple(members.items()))

    @override
    def __getitem__(self, key: str) -> JsonValue:
        for name, value in self.members:
            if name == key:
                return value
        raise KeyError(key)

    @override
    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.members)

    @override
    def __len__(self) -> int:
        return len(self.members)

    @override
    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" if name.isidentifier() else f"**{{{name!r}: {value!r}}}" for name, value in self.members)
        return f"JsonObject.of({inner})"

    def with_member(self, key: str, value: JsonValue) -> JsonObject:
        """The same object with ``key`` set: in its old place, or at the end.

        >>> JsonObject.of(a=1, b=2).with_member("a", 3)
        JsonObject.of(a=3, b=2)
        """
        if key in self:
            return JsonObject(tuple((name, value if name == key else old) for name, old in self.members))
        return JsonObject((*self.members, (key, value)))


JsonValue: TypeAlias = "None | bool | int | float | str | tuple[JsonValue, ...] | JsonObject"
JsonSchema: TypeAlias = JsonObject


@final
@frozen
class JsonFault:
    """Why a text is no JSON that we take: one sentence, with line and column (from 1; 0 where there is none)."""

    message: str
    line: int = 0
    column: int = 0


class _RefusedError(ValueError):
    """A value that JSON text can spell and we do not take; never leaves this module."""


def freeze(value: object, depth: int = 0) -> JsonValue:
    """``value`` (as :func:`json.loads` gives it) as an immutable value; ``ValueError`` for what JSON cannot hold.

    >>> freeze({"a": [1, {"b": None}]})
    JsonObject.of(a=(1, JsonObject.of(b=None)))
    """
    if depth > MAX_DEPTH:
        raise _RefusedError(f"it is nested more than {MAX_DEPTH} levels deep")
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return scalar_text(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _RefusedError(f"{value} is not a JSON number")
        return value
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item, depth + 1) for item in value)
    if isinstance(value, Mapping):
        members = {scalar_text(str(key)): freeze(item, depth + 1) for key, item in value.items()}  # two keys may become one
        return JsonObject(tuple(members.items()))
    raise _RefusedError(f"a {type(value).__name__} is not JSON")


def scalar_text(text: str) -> str:
    r"""``text`` with lone surrogates, which no UTF-8 can hold, replaced by U+FFFD.

    >>> scalar_text("a\ud800b")
    'a\ufffdb'
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def thaw(value: JsonValue) -> object:
    """``value`` as fresh dicts and lists, for a library that wants those; the caller owns them."""
    if isinstance(value, JsonObject):
        return {name: thaw(item) for name, item in value.members}
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    return value


def dumps(value: JsonValue) -> str:
    """``value`` as compact JSON text, members in their order, not escaped to ASCII.

    >>> dumps(JsonObject.of(a=(1, "ü")))
    '{"a":[1,"ü"]}'
    """
    return compact(thaw(value))


def compact(thawed: object) -> str:
    """Dicts, lists and scalars as compact JSON text; ``ValueError`` for a number that JSON has no word for."""
    return ENCODER.encode(thawed)


def quoted(text: str) -> str:
    r"""``text`` as a JSON string.

    >>> quoted('say "hi"')
    '"say \\"hi\\""'
    """
    return json.dumps(text, ensure_ascii=False)


def _no_constant(name: str) -> JsonValue:
    raise _RefusedError(f"{name} is not JSON")


def loads_untrusted(text: str | bytes, around: int = 0) -> Result[JsonValue, JsonFault]:
    """The value that ``text`` spells, or why it spells none; linear in the text.

    ``around``: so many levels more than ``MAX_DEPTH`` are taken, for a text that wraps values that deep.

    >>> loads_untrusted('{"a": [1.5, true]}')
    <Success: JsonObject.of(a=(1.5, True))>
    >>> loads_untrusted('{"a": ').failure()
    JsonFault(message='Expecting value', line=1, column=7)
    """
    try:
        return Success(freeze(json.loads(text, parse_constant=_no_constant), -around))
    except json.JSONDecodeError as error:
        return Failure(JsonFault(error.msg, error.lineno, error.colno))
    except RecursionError:
        return Failure(JsonFault(f"it is nested more than {MAX_DEPTH} levels deep"))
    except UnicodeDecodeError:
        return Failure(JsonFault("it is not UTF-8"))
    except ValueError as error:  # a refused value, or an integer of more digits than Python converts
        return Failure(JsonFault(str(error)))

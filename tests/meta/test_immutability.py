"""Law 12, by type: no list, dict or set is reachable from a value of core; and no module holds a value that can change."""

from __future__ import annotations

import enum
import functools
import types
import urllib.parse
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import attrs
import pytest

import turnfold
import turnfold.core
from tests.meta.values import classes, is_frozen_attrs, modules, mutable_fields, mutable_values
from turnfold.core.conversation.log import Log
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.tools.spec import ToolSpec


def full_name(cls: type) -> str:
    """The class by module and name."""
    return f"{cls.__module__}.{cls.__qualname__}"


CORE_CLASSES = tuple(dict.fromkeys(each for module in modules(turnfold.core) for each in classes(module)))
BASES = frozenset(base for each in CORE_CLASSES for base in each.__mro__[1:])

# Fields that say `object`, with the reason why no value of core can change through them.
EXEMPT = frozenset(
    {
        "turnfold.core.conversation.log.Log.root",  # no type says "tuples of tuples, n deep, of T"; only Log makes them, of tuples
        "turnfold.core.codec.codec.Codec.form",  # a class or a union of classes: code, which no type of Python's own names
        "turnfold.core.llm.chat_reply.Delta.details",  # as the next one
        "turnfold.core.llm.chat_reply.Delta.calls",  # parsed JSON of one event, read at once, and never part of what is folded
    }
)
POSITIONAL = 3  # values of so few fields may be given by place: ToolCall(name, arguments), Rule(verdict, kind, pattern)
BY_PLACE = frozenset({"turnfold.core.agent.ids.RequestId"})  # reads as its text does: RequestId(1, 2, 0, 3) is 1.2.0.3

# Module values that are neither data nor code, with the reason why they are no hidden state.
LIVING = frozenset(
    {
        "cattrs.converters.Converter",  # its hooks are set where it is made; then it only compiles
        "json.decoder.JSONDecoder",  # settings of a parser, read by its methods
        "json.encoder.JSONEncoder",  # the same, of a writer
        "tree_sitter.Language",  # the tables of a grammar, compiled into a library: nothing writes them
    }
)


def test_classes_are_found() -> None:
    assert {Log, JsonObject, ToolSpec} <= set(CORE_CLASSES)


@pytest.mark.parametrize("cls", CORE_CLASSES, ids=full_name)
def test_no_field_can_change(cls: type[attrs.AttrsInstance]) -> None:
    assert not [bad for bad in mutable_fields(cls) if bad.split(":")[0] not in EXEMPT]


@pytest.mark.parametrize("cls", CORE_CLASSES, ids=full_name)
def test_values_are_frozen_slotted_final_and_named(cls: type[attrs.AttrsInstance]) -> None:
    assert not shape_faults(cls, is_base=cls in BASES)


def test_every_exemption_is_needed() -> None:
    found = {bad.split(":")[0] for cls in CORE_CLASSES for bad in mutable_fields(cls)}
    assert found >= EXEMPT
    assert {full_name(cls) for cls in CORE_CLASSES} >= BY_PLACE


def test_no_module_holds_a_value_that_can_change() -> None:
    found = tuple(
        bad
        for module in modules(turnfold)
        for place, value in module_values(module)
        if full_name(type(value)) not in LIVING
        for bad in mutable_values(value, place)
    )
    assert not found, "\n".join(found)


def shape_faults(cls: type[attrs.AttrsInstance], *, is_base: bool) -> tuple[str, ...]:
    """What ``cls`` lacks of `@final @frozen(kw_only=True)`, slotted; a base of others isn't final."""
    required = tuple(each for each in attrs.fields(cls) if each.init and each.default is attrs.NOTHING and not each.kw_only)
    return tuple(
        sentence
        for wrong, sentence in (
            (not is_frozen_attrs(cls), "it is not frozen"),
            ("__slots__" not in vars(cls) or cls.__dictoffset__ != 0, "it is not slotted"),
            (not is_base and not getattr(cls, "__final__", False), "it is not @final"),
            (len(required) > POSITIONAL and full_name(cls) not in BY_PLACE, f"{len(required)} fields are given by place, not by name"),
        )
        if wrong
    )


def module_values(module: types.ModuleType) -> tuple[tuple[str, object], ...]:
    """The values of a module and of its own classes by place, without what Python, Enum and NamedTuple put there."""
    own = tuple(value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__)
    holders: tuple[types.ModuleType | type, ...] = (module, *own)
    return tuple(
        (f"{holder.__name__}.{name}", value)
        for holder in holders
        for name, value in vars(holder).items()
        if not (name.startswith("_") and name.endswith("_")) and name != "_field_defaults" and not _is_machinery(value)
    )


def _is_machinery(value: object) -> bool:
    """Descriptors: methods, properties, slots."""
    names = ("member_descriptor", "getset_descriptor", "_tuplegetter", "_abc_data")
    return isinstance(value, property | classmethod | staticmethod) or type(value).__name__ in names


# ── the nets catch what is planted ────────────────────────────────────────────────────────────────────────────────────

T = TypeVar("T")
Tree: TypeAlias = "int | tuple[Tree, ...]"
BadTree: TypeAlias = "int | list[BadTree]"


class Colour(enum.Enum):
    RED = "red"


@attrs.frozen
class Frozen:
    a: int


@attrs.define
class Thawed:
    a: int


@attrs.frozen
class Box(Generic[T]):
    item: T


class Plain: ...


GOOD_TYPES: tuple[object, ...] = (
    int,
    str | None,
    tuple[int, ...],
    tuple[tuple[str, JsonValue], ...],
    frozenset[str],
    Frozen,
    Box[int],
    Box[tuple[Frozen, ...]],
    Colour,
    T,
    Tree,
    Callable[[list[int]], dict[str, int]],
    Literal["a"],
    JsonValue,
)
BAD_TYPES: tuple[object, ...] = (
    list[int],
    list,
    dict[str, int],
    set[str],
    bytearray,
    Any,
    object,
    tuple,
    frozenset,
    tuple[list[int], ...],
    int | list[str],
    Box[list[int]],
    Thawed,
    tuple[Thawed, ...],
    Plain,
    BadTree,
    type,
)


def holder_of(hint: object) -> type[attrs.AttrsInstance]:
    """A class with one field of this type, as if this module had defined it."""
    made = attrs.make_class("Holder", ["field"], frozen=True, slots=True)
    made.__module__ = __name__
    made.__annotations__ = {"field": hint}
    return made


@pytest.mark.parametrize("hint", BAD_TYPES, ids=str)
def test_a_type_that_can_change_is_caught(hint: object) -> None:
    assert tuple(mutable_fields(holder_of(hint), globals()))


@pytest.mark.parametrize("hint", GOOD_TYPES, ids=str)
def test_a_type_that_cannot_change_is_let_through(hint: object) -> None:
    assert not tuple(mutable_fields(holder_of(hint), globals()))


def test_a_field_without_a_type_is_caught() -> None:
    made = attrs.make_class("Holder", ["field"], frozen=True)
    made.__module__ = __name__
    assert tuple(mutable_fields(made))


@pytest.mark.parametrize("value", [[], {}, set(), bytearray(), ([],), Thawed(1), (1, (Thawed(1),)), Box([]), Plain(), iter(())], ids=type)
def test_a_value_that_can_change_is_caught(value: object) -> None:
    assert tuple(mutable_values(value, "place"))


@pytest.mark.parametrize(
    "value", [1, "a", (1, ("b",)), Frozen(1), Colour.RED, frozenset({1}), Box((1,)), JsonObject.of(a=1), int, len], ids=repr
)
def test_a_value_that_cannot_change_is_let_through(value: object) -> None:
    assert not tuple(mutable_values(value, "place"))


def test_a_cache_of_ours_is_caught_and_one_of_pythons_own_is_not() -> None:
    def ours() -> None: ...

    ours.__module__ = "turnfold.core.planted"
    assert tuple(mutable_values(functools.lru_cache(ours), "place"))
    assert not tuple(mutable_values(urllib.parse.urlsplit, "place"))


def test_faults_of_shape_are_caught() -> None:
    assert "it is not frozen" in shape_faults(Thawed, is_base=False)
    assert "it is not @final" in shape_faults(Frozen, is_base=False)
    assert "it is not slotted" in shape_faults(attrs.frozen(slots=False)(type("Loose", (), {})), is_base=True)
    assert shape_faults(attrs.make_class("Wide", ["a", "b", "c", "d"], frozen=True), is_base=True)
    assert not shape_faults(Frozen, is_base=True)

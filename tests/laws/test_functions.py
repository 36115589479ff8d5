"""Laws of functions as tools: the schema of a signature says exactly what its reader takes, and what is written is read back."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, final

import annotated_types
import attrs
import jsonschema
import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Success

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.json import JsonObject, JsonValue, freeze, thaw
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.strict import strict_schema
from turnfold.shell.functions.docs import Doc
from turnfold.shell.functions.encoding import encoded
from turnfold.shell.functions.signature import Bound, Caller, Signature, read_signature
from turnfold.shell.scope import Scope

EXAMPLES = 300
TYPED_DICT: Any = TypedDict  # made of what is drawn, which no type checker sees
NAMED_TUPLE: Any = NamedTuple
CALLER = Caller(ChatConfig(ProjectConfig(Config())), Scope())
NAMES = st.sampled_from(("a", "b", "c", "count", "items", "_private", "class_"))
INTS = st.integers(-3, 12) | st.integers(-(2**70), 2**70)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)


class Colour(Enum):
    RED = "red"
    ONE = 1


class Size(Enum):
    SMALL = 1
    BIG = 2


@final
@frozen
class Typed:
    """A type, and the values that it has."""

    type: Any
    values: st.SearchStrategy[Any]


LEAVES: tuple[Typed, ...] = (
    Typed(str, TEXTS),
    Typed(int, INTS),
    Typed(float, FLOATS),
    Typed(bool, st.booleans()),
    Typed(None, st.none()),
    Typed(Literal["x", "y", 3], st.sampled_from(("x", "y", 3))),
    Typed(Colour, st.sampled_from(Colour)),
    Typed(Size, st.sampled_from(Size)),
    Typed(Annotated[int, annotated_types.Ge(0), annotated_types.Lt(10)], st.integers(0, 9)),
    Typed(Annotated[str, "what it is", annotated_types.Len(1, 3)], st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)),
)
# pairs of which no JSON value fits both, so that a union of them is read back as what it was
APART: tuple[tuple[int, int], ...] = ((0, 1), (0, 2), (0, 3), (1, 3), (1, 4), (0, 4), (2, 4), (0, 7), (4, 6), (3, 8))


@st.composite
def classes(draw: st.DrawFn, fields: st.SearchStrategy[Typed]) -> Typed:
    """A class of fields, of any kind; a default is a value of its type."""
    made = draw(st.dictionaries(NAMES, fields, min_size=1, max_size=3))
    names = {name: each for name, each in made.items() if not name.startswith("_")} or {"a": LEAVES[0]}
    hints = {name: each.type for name, each in names.items()}
    kind: Any
    match draw(st.sampled_from(("attrs", "dataclass", "typed dict", "named tuple"))):
        case "attrs":
            kind = attrs.make_class("Made", {name: attrs.field(type=each.type) for name, each in made.items()}, frozen=True)
            private = {name.lstrip("_"): each.values for name, each in made.items()}
            return Typed(kind, st.fixed_dictionaries(private).map(lambda values: kind(**values)))
        case "dataclass":
            kind = dataclasses.make_dataclass("Made", tuple(hints.items()), frozen=True)
        case "typed dict":
            kind = TYPED_DICT("Made", hints)
        case _:
            kind = NAMED_TUPLE("Made", tuple(hints.items()))
    return Typed(kind, st.fixed_dictionaries({name: each.values for name, each in names.items()}).map(lambda values: kind(**values)))


def containers(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.map(lambda each: Typed(list[each.type], st.lists(each.values, max_size=3))),  # type: ignore[name-defined]
        inner.map(lambda each: Typed(tuple[each.type, ...], st.lists(each.values, max_size=3).map(tuple))),  # type: ignore[name-defined]
        st.lists(inner, min_size=1, max_size=3).map(
            lambda each: Typed(tuple[tuple(one.type for one in each)], st.tuples(*(one.values for one in each)))  # type: ignore[misc]
        ),
        inner.map(lambda each: Typed(dict[str, each.type], st.dictionaries(TEXTS, each.values, max_size=3))),  # type: ignore[name-defined]
        inner.map(lambda each: Typed(Annotated[each.type, "a note"], each.values)),
        classes(inner),
    )


def apart() -> st.SearchStrategy[Typed]:
    return st.sampled_from(APART).map(
        lambda pair: (
            Typed(LEAVES[pair[0]].type | LEAVES[pair[1]].type, LEAVES[pair[0]].values | LEAVES[pair[1]].values)
            if LEAVES[pair[0]].type is not None
            else Typed(LEAVES[pair[1]].type | None, LEAVES[pair[1]].values | st.none())
        )
    )


FLAT = st.sampled_from(LEAVES) | apart()
ONE_DEEP = containers(FLAT)
TYPES = FLAT | ONE_DEEP | containers(FLAT | ONE_DEEP)  # mostly small: what goes wrong does so in a leaf
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.sampled_from((1.0, 3.0, 1.5, "x", "red", "", "12", "true", 2.0, 10**30)) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=3),
    max_leaves=4,
)


def plain(schema: JsonObject) -> Any:
    return thaw(schema)


def signature_of(typed: Typed, *, default: bool = False) -> Signature:
    def required(it: Any) -> None: ...
    def optional(it: Any = None) -> None: ...

    function = optional if default else required
    function.__annotations__ = {"it": typed.type, "return": None}
    return read_signature(function, Doc())


def taken(signature: Signature, value: JsonValue) -> Bound | None:
    read = signature.decoded(JsonObject.of(it=value), CALLER)
    return read.unwrap() if isinstance(read, Success) else None


def schema_takes(signature: Signature, value: JsonValue) -> bool:
    validator = jsonschema.Draft202012Validator(plain(signature.schema))
    return bool(validator.is_valid(thaw(JsonObject.of(it=value))))


@st.composite
def near(draw: st.DrawFn, value: Any) -> Any:
    """``value``, or with something in it changed."""
    change = draw(st.integers(0, 3))
    if change == 0:
        return value
    if change == 1:
        return draw(JSON)
    if isinstance(value, list) and value:
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(near(value[place])), *value[place + draw(st.integers(0, 1)) :]]
    if isinstance(value, dict):
        name = draw(st.sampled_from(sorted(value))) if value else "more"
        kept = {key: each for key, each in value.items() if key != name or draw(st.booleans())}
        return kept | ({draw(NAMES): draw(JSON)} if draw(st.booleans()) else {}) | ({name: draw(near(value[name]))} if name in kept else {})
    return draw(st.sampled_from(slips(value)))


def slips(value: Any) -> tuple[Any, ...]:
    """What a model writes in place of ``value``."""
    if isinstance(value, int) and abs(value) < 2**50:  # true and false are among them
        return (str(value), float(value), int(value), bool(value), value + 0.5, -value - 1)
    if isinstance(value, float):
        return (str(value), bool(value), int(value))
    if isinstance(value, str):
        return (value + "x", [value], list(value), {"a": value}, None, "12", 12, "true")
    return (0, 0.0, "", [], {}, "null", False)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_what_is_written_is_read_back(data: st.DataObject) -> None:
    typed = data.draw(TYPES)
    value = data.draw(typed.values)
    assert taken(signature_of(typed), encoded(value)) == Bound((value,))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_the_schema_takes_exactly_what_the_reader_takes(data: st.DataObject) -> None:
    typed = data.draw(TYPES)
    signature = signature_of(typed)
    value = freeze(data.draw(near(thaw(encoded(data.draw(typed.values))))))
    takes = schema_takes(signature, value)
    assert (taken(signature, value) is not None) is takes, (typed.type, value)
    assert isinstance(check_untrusted(JsonObject.of(it=value), signature.schema), Success) is takes


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_what_is_read_and_written_is_read_as_the_same(data: st.DataObject) -> None:
    typed = data.draw(TYPES)
    signature = signature_of(typed)
    read = taken(signature, freeze(data.draw(JSON)))
    assert read is None or taken(signature, encoded(read.positional[0])) == read


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(TYPES)
def test_a_schema_that_can_be_made_strict_takes_no_more_than_before(typed: Typed) -> None:
    signature = signature_of(typed)
    strict = strict_schema(signature.schema)
    if isinstance(strict, Success):
        made = strict.unwrap()
        assert strict_schema(made) == strict
        jsonschema.Draft202012Validator.check_schema(plain(made))


TRICKY: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    3,
    12,
    -1,
    9,
    10,
    10**30,
    0.0,
    1.0,
    3.0,
    9.5,
    1e300,
    "",
    "x",
    "12",
    "1",
    "3",
    "red",
    "true",
    "null",
    "four",
    [],
    {},
)


@pytest.mark.parametrize("typed", LEAVES, ids=lambda each: str(each.type))
def test_the_schema_of_a_simple_type_takes_what_its_reader_takes(typed: Typed) -> None:
    for kind in (typed.type, list[typed.type], dict[str, typed.type], tuple[typed.type, int]):  # type: ignore[name-defined]
        signature = signature_of(Typed(kind, typed.values))
        for each in TRICKY:
            for said in (each, [each], {"a": each}, [each, 1], [each, each]):
                value = freeze(said)
                takes = schema_takes(signature, value)
                assert (taken(signature, value) is not None) is takes, (kind, said)
                assert isinstance(check_untrusted(JsonObject.of(it=value), signature.schema), Success) is takes, (kind, said)

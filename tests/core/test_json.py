"""JSON as values: what comes in is frozen, or refused as a value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from turnfold.core.json import MAX_DEPTH, JsonObject, JsonValue, dumps, freeze, loads_untrusted, quoted, scalar_text, thaw

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text().map(scalar_text)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text().map(scalar_text), inner, max_size=4).map(freeze),
    max_leaves=12,
)


@given(value=VALUES)
def test_what_is_written_reads_as_it_was(value: JsonValue) -> None:
    assert loads_untrusted(dumps(value)) == Success(value)
    assert loads_untrusted(dumps(value).encode()) == Success(value)
    assert freeze(thaw(value)) == value


@given(text=st.text() | st.text(alphabet='{}[]",:-0e1ntrue\\\ud800') | st.binary())
def test_reading_is_total_and_what_it_reads_can_be_written(text: str | bytes) -> None:
    result = loads_untrusted(text)
    assert result.map(dumps).bind(loads_untrusted).value_or(None) == result.value_or(None)
    assert result.swap().map(lambda fault: bool(fault.message)).value_or(True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("NaN", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("1e999", "inf is not a JSON number"),
        ("[" * 1_000_000, "nested more than"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "nested more than"),
        ("1" * 10_000, "digits"),
        (b"\xff\xfe\xfa", "not UTF-8"),
        (b'"\xff"', "not UTF-8"),
    ],
    ids=range(9),
)
def test_what_is_refused_is_told(text: str | bytes, said: str) -> None:
    assert said in loads_untrusted(text).failure().message


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="a set is not JSON"):
        freeze({1})


def test_keys_that_become_the_same_are_one() -> None:
    assert loads_untrusted('{"\\ud800":1,"\\ud801":2}') == Success(JsonObject((("\ufffd", 2),)))


def test_an_object_is_a_mapping() -> None:
    value = JsonObject.of(a=1, b=(2, None))
    assert dict(value) == {"a": 1, "b": (2, None)}
    assert len(value) == 2
    assert value["b"] == (2, None)
    assert value.get("c") is None
    with pytest.raises(KeyError):
        value["c"]
    assert hash(value) == hash(JsonObject.of(a=1, b=(2, None)))
    assert value != JsonObject.of(b=(2, None), a=1)


@given(keys=st.lists(st.text(max_size=2), max_size=5), key=st.text(max_size=2))
def test_a_member_is_set_in_its_place_or_at_the_end(keys: list[str], key: str) -> None:
    before = freeze(dict.fromkeys(keys, 0))
    assert isinstance(before, JsonObject)
    after = before.with_member(key, 1)
    assert dict(after) == {**before, scalar_text(key) if scalar_text(key) == key else key: 1}
    assert tuple(after)[: len(before)] == tuple(before)


def test_repr_reads_back() -> None:
    value = freeze({"a b": {"d": [1, "x"]}, "c": None})
    assert eval(repr(value), {"JsonObject": JsonObject}) == value


@given(text=st.text())
def test_quoted_is_a_json_string(text: str) -> None:
    assert json.loads(quoted(text)) == text

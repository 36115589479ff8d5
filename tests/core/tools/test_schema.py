"""Arguments against schemas."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Failure, Success

from turnfold.core.json import JsonObject, JsonValue, freeze
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.schema import MAX_FAULTS, check_untrusted

KEYWORDS = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "allOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "patternProperties",
    "description",
]
NAMES = st.sampled_from((*KEYWORDS, "a", "b", "string", "integer", "null", "object", "array")) | st.text(max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.just(10**100) | st.just("\ud800")


def _nest(inner: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[JsonValue]:
    arrays = st.lists(inner, max_size=4).map(tuple)
    return arrays | st.lists(st.tuples(NAMES, inner), max_size=5).map(lambda members: JsonObject(tuple(members)))


VALUES: st.SearchStrategy[JsonValue] = st.recursive(LEAVES, _nest, max_leaves=20)
OBJECTS = st.lists(st.tuples(NAMES, VALUES), max_size=5).map(lambda members: JsonObject(tuple(members)))


def problem(arguments: object, schema: object) -> str:
    said, wanted = freeze(arguments), freeze(schema)
    assert isinstance(said, JsonObject)
    assert isinstance(wanted, JsonObject)
    result = check_untrusted(said, wanted)
    return "" if is_successful(result) else result.failure().message


def about(value: object, schema: object) -> str:
    """What is wrong with ``value`` as member ``a``; empty where nothing is."""
    said = problem({"a": value}, {"properties": {"a": schema}})
    return "\n".join(line[2:] for line in said.splitlines() if line.startswith("- "))


@given(OBJECTS, OBJECTS | st.sampled_from(BUILTIN_TOOLS).map(lambda tool: tool.parameters))
def test_any_arguments_and_any_schema_give_a_result(arguments: JsonObject, schema: JsonObject) -> None:
    result = check_untrusted(arguments, schema)
    if is_successful(result):
        assert result == Success(arguments)
    else:
        found = result.failure()
        assert isinstance(found, Problem)
        assert (found.code, found.blame) == ("bad-arguments", Blame.MODEL)
        found.message.encode()  # no lone surrogate


@given(OBJECTS)
def test_an_empty_schema_takes_everything(arguments: JsonObject) -> None:
    assert check_untrusted(arguments, JsonObject()) == Success(arguments)


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [
        (1, "integer", True),
        (1.0, "integer", True),
        (1.5, "integer", False),
        (True, "integer", False),
        ("1", "integer", False),
        (1, "number", True),
        (1.5, "number", True),
        (False, "number", False),
        ("a", "string", True),
        (1, "string", False),
        (True, "boolean", True),
        (0, "boolean", False),
        ([], "array", True),
        ({}, "array", False),
        ({}, "object", True),
        ([], "object", False),
        (None, "null", True),
        ("", "null", False),
        (None, ["string", "null"], True),
        (1, ["string", "null"], False),
        (1, ["string", "strange"], True),
        (1, 7, True),
    ],
)
def test_types_are_strict(value: object, kind: object, fits: bool) -> None:
    assert (about(value, {"type": kind}) == "") is fits


@pytest.mark.parametrize(
    ("value", "schema", "said"),
    [
        ("x", {"type": "integer"}, '$.a must be an integer, not the string "x"'),
        ("-3", {"type": "integer"}, '$.a must be an integer, not the string "-3": write -3 without quotes'),
        ("true", {"type": "boolean"}, '$.a must be true or false, not the string "true": write true without quotes'),
        (3, {"type": ["string", "null"]}, "$.a must be a string or null, not 3: write it in quotes"),
        (None, {"type": "string"}, "$.a must be a string, not null"),
        (True, {"type": "array"}, "$.a must be an array, not true"),
        (False, {"type": "array"}, "$.a must be an array, not false"),
        ([1], {"type": "object"}, "$.a must be an object, not an array of 1 items"),
        ({"b": 1}, {"type": "array"}, "$.a must be an array, not an object of 1 members"),
        (10**70, {"type": "array"}, "$.a must be an array, not a number of more than 60 digits"),
        ("x" * 99, {"type": "array"}, f'$.a must be an array, not the string "{"x" * 60}…"'),
        ("rde", {"enum": ["red", 1]}, '$.a must be one of the string "red", 1, not the string "rde"; did you mean red?'),
        (2, {"enum": ["red", 1]}, '$.a must be one of the string "red", 1, not 2'),
        (2, {"const": 1}, "$.a must be 1, not 2"),
        ("", {"minLength": 1}, "$.a must have at least 1 characters, not 0"),
        ("abc", {"maxLength": 2}, "$.a must have at most 2 characters, not 3"),
        ([], {"minItems": 1}, "$.a must have at least 1 items, not 0"),
        ([1, 2], {"maxItems": 1}, "$.a must have at most 1 items, not 2"),
        (0, {"minimum": 1}, "$.a must be at least 1, not 0"),
        (3, {"maximum": 2.5}, "$.a must be at most 2.5, not 3"),
        (1, {"exclusiveMinimum": 1}, "$.a must be more than 1, not 1"),
        (1, {"exclusiveMaximum": 1}, "$.a must be less than 1, not 1"),
        (1, False, "$.a is not allowed"),
        (1, True, ""),
        ([1, "x"], {"items": {"type": "integer"}}, '$.a[1] must be an integer, not the string "x"'),
        ([1], {"items": False}, "$.a[0] is not allowed"),
        ([1], {"items": 3}, ""),
        ({"x y": 1}, {"additionalProperties": {"type": "string"}}, '$.a["x y"] must be a string, not 1: write it in quotes'),
        ({"x": 1}, {"additionalProperties": False}, "$.a.x is unknown"),
        ({"x": 1}, {"additionalProperties": False, "patternProperties": {}}, ""),
        ({"x": 1}, {"additionalProperties": True}, ""),
        ({}, {"required": ["x", 3], "properties": {}}, "$.a.x is missing: any value"),
        ({}, {"required": ["x"], "properties": {"x": {"enum": ["p", "q"]}}}, '$.a.x is missing: one of the string "p", the string "q"'),
        ({}, {"required": ["x"], "properties": {"x": {"const": 4}}}, "$.a.x is missing: 4"),
        ({}, {"required": ["x"], "properties": {"x": {"description": "Why\n so."}}}, "$.a.x is missing: a value (Why so.)"),
        ({}, {"required": "x"}, ""),
        ([], {"anyOf": [{"type": "string"}, {"type": "null"}]}, "$.a must be a string or null, not an array of 0 items"),
        ("", {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]}, "$.a must have at least 1 characters, not 0"),
        (1, {"anyOf": [{"type": "string"}, {"type": "integer"}]}, ""),
        (1, {"oneOf": [{"type": "number"}, {"type": "integer"}]}, "$.a fits 2 of the allowed forms, and must fit one"),
        (1, {"oneOf": [{"type": "number"}, {"type": "null"}]}, ""),
        (1, {"anyOf": [False, {"type": "null"}]}, "$.a must be any value or null, not 1"),
        (1, {"allOf": [{"minimum": 2}, {"maximum": 0}]}, "$.a must be at least 2, not 1\n$.a must be at most 0, not 1"),
        (1, {"allOf": 3, "minimum": "x", "maximum": True, "enum": 4, "pattern": "("}, ""),
    ],
)
def test_each_fault_is_said_with_its_place(value: object, schema: object, said: str) -> None:
    assert about(value, schema) == said


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ([1], [1, 2], False),
        ([1], {"a": 1}, False),
        (None, None, True),
    ],
)
def test_equality_is_that_of_json(one: object, other: object, same: bool) -> None:
    assert (about(one, {"const": other}) == "") is same


def test_what_is_nested_too_deep_is_a_fault_and_no_crash() -> None:
    deep: JsonValue = 1
    schema: JsonValue = True
    for _ in range(5000):
        deep, schema = (deep,), JsonObject.of(items=schema)
    found = check_untrusted(JsonObject.of(a=deep), JsonObject.of(properties=JsonObject.of(a=schema)))
    assert "nested more than 100 levels deep" in found.failure().message
    assert not is_successful(check_untrusted(JsonObject.of(a=deep), JsonObject.of(properties=JsonObject.of(a=JsonObject.of(const=deep)))))


def test_a_number_too_long_to_be_written_is_named() -> None:
    assert "a number of more than 60 digits" in about(10**5000, {"type": "array"})


def test_a_million_faults_cost_a_few_sentences() -> None:
    schema = JsonObject.of(properties=JsonObject.of(a=JsonObject.of(items=JsonObject.of(type="string"))))
    message = check_untrusted(JsonObject.of(a=(1,) * 1_000_000), schema).failure().message
    assert message.count("\n- $") == MAX_FAULTS
    assert "- and more" in message


def test_nested_unions_cost_no_power() -> None:
    schema: JsonValue = JsonObject.of(type="string")
    for _ in range(40):
        schema = JsonObject.of(anyOf=(schema,))
    assert "must be a string" in check_untrusted(JsonObject.of(a=1), JsonObject.of(properties=JsonObject.of(a=schema))).failure().message


def test_every_fault_is_told_at_once_with_what_to_write() -> None:
    schema = {
        "type": "object",
        "properties": {"path": {"type": "string"}, "n": {"type": "integer"}},
        "required": ["path"],
        "additionalProperties": False,
    }
    assert problem({"pth": "a", "n": "1", "x" * 101: 1}, schema).splitlines() == [
        "The arguments don't fit:",
        "- $.pth is unknown; did you mean path?",
        '- $.n must be an integer, not the string "1": write 1 without quotes',
        f'- $["{"x" * 60}…"] is unknown',
        "- $.path is missing: a string",
        'Write {"path": string, "n": integer (optional)}.',
    ]


def test_items_have_schemas_of_their_own_at_the_beginning() -> None:
    pair = JsonObject.of(prefixItems=(JsonObject.of(type="integer"), JsonObject.of(type="string")), items=False)
    schema = JsonObject.of(properties=JsonObject.of(at=pair))
    assert isinstance(check_untrusted(JsonObject.of(at=(1, "x")), schema), Success)
    refused = check_untrusted(JsonObject.of(at=("1", "x", 2)), schema)
    assert isinstance(refused, Failure)
    assert "$.at[0] must be an integer" in refused.failure().message
    assert "$.at[2] is not allowed" in refused.failure().message


NODE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}, "n": {"type": "integer"}},
        }
    },
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/node"}},
}


def test_what_a_schema_refers_to_counts_at_any_depth() -> None:
    assert problem({"a": {"n": 1, "next": {"n": 2, "next": None}}}, NODE) == ""
    assert '$.a.next.n must be an integer, not the string "2"' in problem({"a": {"n": 1, "next": {"n": "2"}}}, NODE)
    assert "$.a must be an object" in problem({"a": 3}, NODE)


def test_what_stands_beside_a_reference_counts_too() -> None:
    text = {"$defs": {"text": {"type": "string"}}}
    wanted = {**text, "properties": {"a": {"$ref": "#/$defs/text", "minLength": 2}}}
    assert "at least 2 characters" in problem({"a": "x"}, wanted)
    assert "must be a string" in problem({"a": 5}, wanted)


@pytest.mark.parametrize("reference", ["#/$defs/none", "other.json", "#/$defs/a/b", 5, "#/type"])
def test_a_reference_that_leads_nowhere_accepts_anything(reference: object) -> None:
    assert problem({"a": 5}, {"$defs": {"a": {}}, "type": "object", "properties": {"a": {"$ref": reference}}}) == ""


def test_references_that_never_end_are_a_fault_and_no_wait() -> None:
    loop = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "properties": {"a": {"$ref": "#/$defs/a"}}}
    assert "$.a can't be checked: its schema refers back to itself" in problem({"a": 1}, loop)
    names = [f"d{number}" for number in range(60)]
    twice = {
        name: {"anyOf": [{"$ref": f"#/$defs/{after}"}, {"$ref": f"#/$defs/{after}", "title": "again"}]} for name, after in pairwise(names)
    }
    unfolding = {"$defs": {**twice, names[-1]: {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/d0"}}}
    assert "$.a" in problem({"a": 1}, unfolding)


def test_of_several_forms_of_an_object_the_nearest_says_what_is_wrong() -> None:
    forms = [
        {"type": "object", "properties": {"kind": {"const": kind}, size: {"type": "number"}}, "required": ["kind", size]}
        for kind, size in (("circle", "radius"), ("square", "side"))
    ]
    said = about({"kind": "square", "side": "3"}, {"anyOf": forms})
    assert "$.a fits none of its 2 forms; the nearest of them says:" in said
    assert '$.a.side must be a number, not the string "3"' in said
    assert "radius" not in said

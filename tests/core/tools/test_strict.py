"""Strict schemas: what the corpus does not show."""

from __future__ import annotations

import pytest
from returns.result import Failure, Success

from turnfold.core.json import JsonObject, JsonSchema, freeze
from turnfold.core.tools.strict import strict_schema


def made(said: object) -> JsonSchema | str:
    schema = freeze(said)
    assert isinstance(schema, JsonObject)
    result = strict_schema(schema)
    return result.unwrap() if isinstance(result, Success) else str(result.failure())


def frozen(said: object) -> object:
    return freeze(said)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"properties": {"a": {"$ref": "http://x/y", "description": "d"}}}, "leads to a place in the same schema"),
        ({"properties": {"a": {"$ref": "#/$defs/none", "title": "t"}}}, "There is nothing at #/$defs/none"),
        ({"properties": {"a": {"$ref": "#/properties/a/b", "title": "t"}}}, "There is nothing at"),
        ({"properties": {"a": {"$ref": 3, "title": "t"}}}, "leads to a place in the same schema"),
        ({"$defs": {"A": {"title": "x", "$ref": "#/$defs/A"}}, "properties": {"a": {"$ref": "#/$defs/A", "title": "t"}}}, "back to itself"),
        ({"properties": {"a": {"$id": "u", "properties": {"b": {"$ref": "#/properties/a"}}}}}, "$id of its own. @ $.properties.a"),
        ({"properties": {"a": {"$id": "u", "properties": {"b": {"$ref": "#/x", "title": "t"}}}}}, "$id of its own"),
        ({"properties": {"a": {"type": "object", "additionalProperties": {}}}}, "members of any name"),
    ],
)
def test_what_can_not_be_strict_says_why(said: object, what: str) -> None:
    assert what in str(made(said))


def test_a_schema_of_many_levels_is_refused() -> None:
    schema = JsonObject.of(type="string")
    for _ in range(102):
        schema = JsonObject.of(type="array", items=schema)
    assert "nested more than 100 levels" in str(strict_schema(JsonObject.of(properties=JsonObject.of(a=schema))).failure())


def test_a_reference_to_a_reference_is_followed() -> None:
    defs = {"A": {"$ref": "#/$defs/B", "title": "A"}, "B": {"type": "string", "minLength": 1}}
    assert made({"$defs": defs, "properties": {"a": {"$ref": "#/$defs/A", "maxLength": 3}}}) == frozen(
        {
            "$defs": {"A": {"type": "string", "minLength": 1, "title": "A"}, "B": {"type": "string", "minLength": 1}},
            "properties": {"a": {"type": "string", "minLength": 1, "title": "A", "maxLength": 3}},
            "type": "object",
            "additionalProperties": False,
            "required": ["a"],
        }
    )


def test_both_kinds_of_choice_become_one() -> None:
    assert made({"properties": {"a": {"anyOf": [{"type": "string"}], "oneOf": [{"type": "null"}, True]}}}) == frozen(
        {
            "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}, True]}},
            "type": "object",
            "additionalProperties": False,
            "required": ["a"],
        }
    )


def test_what_all_must_fit_stays_where_there_are_several() -> None:
    strict = made(
        {
            "properties": {
                "a": {"allOf": [{"minLength": 1}, {"maxLength": 2}]},
                "b": {"allOf": [{"description": "x", "$ref": "#/$defs/B"}]},
            },
            "$defs": {"B": {"type": "string"}},
        }
    )
    assert isinstance(strict, JsonObject)
    assert strict["properties"] == frozen(
        {"a": {"allOf": [{"minLength": 1}, {"maxLength": 2}]}, "b": {"type": "string", "description": "x"}}
    )


def test_an_object_that_may_be_null_is_closed_as_well() -> None:
    strict = made({"properties": {"a": {"type": ["object", "null"], "properties": {}}}})
    assert isinstance(strict, JsonObject)
    assert strict["properties"] == frozen(
        {"a": {"type": ["object", "null"], "properties": {}, "additionalProperties": False, "required": []}}
    )


def test_refusals_blame_the_caller() -> None:
    refused = strict_schema(JsonObject.of(type="object", additionalProperties=True))
    assert isinstance(refused, Failure)
    assert refused.failure().code == "not-strict"

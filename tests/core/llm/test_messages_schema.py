"""Schemas as Anthropic takes them."""

from __future__ import annotations

from turnfold.core.json import JsonObject, freeze
from turnfold.core.llm.messages_schema import input_schema, output_schema


def schema(**members: object) -> JsonObject:
    value = freeze(members)
    assert isinstance(value, JsonObject)
    return value


def test_a_tool_s_schema_is_an_object_s() -> None:
    good = schema(type="object", properties={"a": {"anyOf": []}})
    assert input_schema(good) == good
    assert input_schema(schema(type="string", allOf=[{}])) == schema(type="object")


def test_every_object_is_shut_wherever_it_stands() -> None:
    inner = {"type": ["object", "null"], "properties": {"b": {"type": "string"}}}
    told = output_schema(
        schema(
            type="object",
            properties={"a": inner, "minimum": True},
            items=[inner, True],
            anyOf=[{"properties": {}}],
            **{"$defs": {"D": inner}},
        )
    )
    shut = {**inner, "additionalProperties": False}
    assert told == schema(
        type="object",
        properties={"a": shut, "minimum": True},
        items=[shut, True],
        anyOf=[{"properties": {}, "additionalProperties": False}],
        **{"$defs": {"D": shut}},
        additionalProperties=False,
    )
    assert output_schema(schema(additionalProperties=True, type="object")) == schema(additionalProperties=False, type="object")


def test_limits_become_words_and_values_stay_values() -> None:
    told = output_schema(schema(type="string", minLength=1, pattern="a+", description="A name."))
    assert told == schema(type="string", description='A name. (minLength: 1, pattern: "a+")')
    chosen = schema(enum=["a", {"minimum": 1}], default={"maximum": 2})
    assert output_schema(chosen) == chosen
    assert output_schema(schema(items={"type": "integer", "maximum": 3})) == schema(
        items={"type": "integer", "description": "(maximum: 3)"}
    )

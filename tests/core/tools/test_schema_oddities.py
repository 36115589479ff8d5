"""What a person's JSON Schema says that checks nothing is told with its place; what is sound is not."""

from __future__ import annotations

import pytest

from turnfold.core.json import JsonObject, JsonSchema, loads_untrusted
from turnfold.core.tools.schema_oddities import oddities
from turnfold.shell.functions import output_of


def read(text: str) -> JsonSchema:
    schema = loads_untrusted(text).unwrap()
    assert isinstance(schema, JsonObject)
    return schema


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"type": 3}', "output.type"),
        ('{"type": ["string", "nil"]}', "output.type"),
        ('{"properties": ["a"]}', "output.properties"),
        ('{"properties": {"a": {"type": "strng"}}}', "output.properties.a.type"),
        ('{"items": {"$ref": "#/$defs/a"}}', "output.items.$ref"),
        ('{"$ref": "http://x/y"}', "output.$ref"),
        ('{"anyOf": [{"type": "string"}, 5]}', "output.anyOf[1]"),
        ('{"oneOf": {"type": "string"}}', "output.oneOf"),
        ('{"additionalProperties": "no"}', "output.additionalProperties"),
    ],
)
def test_what_checks_nothing_is_told_with_its_place(text: str, place: str) -> None:
    (told,) = oddities(read(text), "output")
    assert told.startswith(f"{place} ")
    assert told.endswith(f" @ $.{place}")


@pytest.mark.parametrize(
    "schema",
    [
        read("{}"),
        read('{"type": ["object", "null"], "additionalProperties": false, "items": true}'),
        read('{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#"}}}}}'),
        read('{"$ref": "#/$defs/a", "$defs": {"a": true}}'),
        output_of(list[dict[str, int | None]]).schema,
    ],
)
def test_a_sound_schema_is_not_told(schema: JsonSchema) -> None:
    assert not tuple(oddities(schema, "output"))

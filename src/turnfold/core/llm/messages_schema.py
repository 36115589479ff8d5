"""JSON Schemas as Anthropic takes them.

A tool's schema has to be an object's, without alternatives at its top. The schema of a reply (structured output) has to shut every
object (``additionalProperties: false``) and may not limit numbers, lengths and counts: such a limit moves to the description, where the
model reads it. Whether a reply fits the schema as it was written is for whoever wanted it to check.
"""

from __future__ import annotations

from turnfold.core.json import JsonObject, JsonValue, dumps

ALTERNATIVES = ("oneOf", "anyOf", "allOf")
SCHEMAS_BY_NAME = ("properties", "$defs", "definitions", "patternProperties")  # members whose members are schemas
# What a schema of a reply may not hold: Anthropic, "Structured outputs", "JSON Schema limitations".
LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip


def input_schema(parameters: JsonObject) -> JsonObject:
    """The schema of a tool's arguments: an object's, without alternatives at its top.

    >>> input_schema(JsonObject.of(anyOf=()))
    JsonObject.of(type='object')
    """
    kept = JsonObject(tuple((name, value) for name, value in parameters.members if name not in ALTERNATIVES))
    return kept if kept.get("type") == "object" else kept.with_member("type", "object")


def output_schema(schema: JsonObject) -> JsonObject:
    """The schema of a reply: every object shut, and its limits as words.

    >>> output_schema(JsonObject.of(type="integer", minimum=1))
    JsonObject.of(type='integer', description='(minimum: 1)')
    """
    kept = JsonObject(tuple((name, _inside(name, value)) for name, value in schema.members if name not in LIMITS))
    limits = ", ".join(f"{name}: {dumps(value)}" for name, value in schema.members if name in LIMITS)
    if limits:
        said = kept.get("description")
        kept = kept.with_member("description", f"{said} ({limits})" if isinstance(said, str) and said else f"({limits})")
    return kept.with_member("additionalProperties", value=False) if _is_object(kept) else kept


def _is_object(schema: JsonObject) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, tuple) and "object" in kind) or "properties" in schema


def _inside(name: str, value: JsonValue) -> JsonValue:
    """The member ``name`` of a schema, with the schemas that it holds as they have to be; what is no schema stays as it is."""
    if name in ("enum", "const", "default", "examples", "required"):
        return value
    if isinstance(value, tuple):
        return tuple(output_schema(each) if isinstance(each, JsonObject) else each for each in value)
    if not isinstance(value, JsonObject):
        return value
    if name in SCHEMAS_BY_NAME:
        return JsonObject(tuple((key, output_schema(each) if isinstance(each, JsonObject) else each) for key, each in value.members))
    return output_schema(value)

"""The arguments of a tool: how its schema declares them, and how it takes them.

Arguments fit the schema before a tool sees them; taking one is total all the same, so that a tool never raises.
"""

from __future__ import annotations

from turnfold.core.json import JsonObject, JsonSchema, JsonValue


def parameters(required: tuple[str, ...], **properties: JsonSchema) -> JsonSchema:
    """The schema of an object with these properties, those of ``required`` at least, and no other.

    >>> parameters((), a=JsonObject.of(type="string"))["additionalProperties"]
    False
    """
    members: tuple[tuple[str, JsonValue], ...] = tuple(properties.items())
    return JsonObject.of(type="object", properties=JsonObject(members), required=required, additionalProperties=False)


def text_parameter(description: str, least: int = 0) -> JsonSchema:
    """The schema of a string of at least ``least`` characters.

    >>> text_parameter("Why.")
    JsonObject.of(type='string', description='Why.')
    """
    schema = JsonObject.of(type="string", description=description)
    return schema.with_member("minLength", least) if least else schema


def line_parameter(description: str) -> JsonSchema:
    """The schema of a line number, from 1.

    >>> line_parameter("The first line.")
    JsonObject.of(type='integer', description='The first line.', minimum=1)
    """
    return JsonObject.of(type="integer", description=description, minimum=1)


def texts_parameter(description: str, most: int) -> JsonSchema:
    """The schema of a list of at most ``most`` strings.

    >>> texts_parameter("Why.", 2)["maxItems"]
    2
    """
    return JsonObject.of(type="array", description=description, items=JsonObject.of(type="string"), maxItems=most)


def text_argument(arguments: JsonObject, name: str) -> str:
    """The string called ``name``; empty where there is none.

    >>> text_argument(JsonObject.of(path="a.txt"), "path")
    'a.txt'
    """
    value = arguments.get(name)
    return value if isinstance(value, str) else ""


def texts_argument(arguments: JsonObject, name: str) -> tuple[str, ...]:
    """The strings in the list called ``name``; none where there is none.

    >>> texts_argument(JsonObject.of(names=("a", 3, "b")), "names")
    ('a', 'b')
    """
    value = arguments.get(name)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()


def integer_argument(arguments: JsonObject, name: str, default: int) -> int:
    """The integer called ``name`` (``3.0`` is one), or ``default``.

    >>> integer_argument(JsonObject.of(line=3.0), "line", 1)
    3
    """
    value = arguments.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else default

"""The arguments of a call as JSON text that a model wrote."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from turnfold.core.json import JsonFault, JsonObject, JsonValue, loads_untrusted
from turnfold.core.problem import Problem, model_problem

SHOWN = 60  # characters of a faulty line that are shown on either side of the fault


def pointed(text: str, fault: JsonFault) -> str:
    r"""The line of ``text`` that has the fault, with a ``^`` under it; a long line is cut to the place.

    >>> print(pointed('{"a": oops}', JsonFault("Expecting value", 1, 7)))
    {"a": oops}
          ^
    """
    lines = text.split("\n")
    line = lines[fault.line - 1]
    start = max(fault.column - 1 - SHOWN, 0)
    return f"{line[start : fault.column + SHOWN]}\n{' ' * (fault.column - 1 - start)}^"


def _not_json(tool: str, text: str, fault: JsonFault) -> Problem:
    write = f"Write the arguments of {tool} as one JSON object, with double quotes and \\n for a new line."
    if not fault.line:
        return model_problem("arguments-not-json", f"The arguments of {tool} can't be read: {fault.message}. {write}")
    where = f"line {fault.line}, column {fault.column}: {fault.message}"
    return model_problem("arguments-not-json", f"The arguments of {tool} are not JSON ({where}):\n{pointed(text, fault)}\n{write}")


def _object(tool: str, value: JsonValue) -> Result[JsonObject, Problem]:
    if isinstance(value, JsonObject):
        return Success(value)
    if isinstance(value, str) and isinstance(loads_untrusted(value).value_or(None), JsonObject):
        said = f"The arguments of {tool} are a JSON string that holds an object: write the object itself, without quotes around it."
        return Failure(model_problem("arguments-doubled", said))
    said = f'The arguments of {tool} are JSON, but not an object: write them by name, like {{"name": "value"}}.'
    return Failure(model_problem("arguments-not-object", said))


def read_object_untrusted(tool: str, text: str) -> Result[JsonObject, Problem]:
    """The object that ``text`` spells (empty text: the empty object), or a Problem that says what to write instead.

    >>> read_object_untrusted("read", '{"path": "a"}')
    <Success: JsonObject.of(path='a')>
    """
    if not text.strip():
        return Success(JsonObject())
    return loads_untrusted(text).alt(lambda fault: _not_json(tool, text, fault)).bind(lambda value: _object(tool, value))

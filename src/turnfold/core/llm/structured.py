"""A reply that has to be JSON: what the model is told, and the value read from what it wrote.

Models put JSON into fences and words around it, so the value is looked for where it may stand, in this order: the whole text, one fenced
block, one object among words. Where there are several, none is guessed. What is found is checked as a tool's arguments are, and what is
wrong is said with its places, so that the model can write it anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from returns.result import Failure, Result, Success

from turnfold.core.json import JsonObject, JsonSchema, JsonValue, dumps, loads_untrusted
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.schema import faults_of

OPENING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*(?:json)?[ \t]*", re.IGNORECASE)
MAX_TRIES = 20  # places where an object may begin: each that does not costs the rest of the text
CODE = "bad-output"


def told_schema(schema: JsonSchema) -> str:
    """What a model is told that has to end its turn with JSON.

    >>> print(told_schema(JsonObject.of(type="object")))
    When all is done, end your turn with a reply that is one JSON value and nothing else, as this JSON Schema describes it:
    {"type":"object"}
    """
    return (
        "When all is done, end your turn with a reply that is one JSON value and nothing else, as this JSON Schema describes it:\n"
        f"{dumps(schema)}"
    )


def told_again(problem: Problem) -> str:
    """What a model is told whose last reply was not what it had to be."""
    return f"{problem.message}\nWrite the whole reply again, as one JSON value and nothing else."


def read_output_untrusted(text: str, schema: JsonSchema) -> Result[JsonValue, Problem]:
    """The JSON value that the reply ``text`` is, where it fits ``schema``; else a Problem that says what is wrong, and where.

    >>> schema = JsonObject.of(type="object", properties=JsonObject.of(n=JsonObject.of(type="integer")), required=("n",))
    >>> read_output_untrusted('Here it is: {"n": 3}.', schema).unwrap()
    JsonObject.of(n=3)
    >>> print(read_output_untrusted('{"n": "3"}', schema).failure().message)
    The reply does not fit its schema:
    - $.n must be an integer, not the string "3": write 3 without quotes
    """
    found = _found_untrusted(text)
    if isinstance(found, Failure):
        return found
    value = found.unwrap()
    faults = faults_of(value, schema)
    if not faults:
        return Success(value)
    return Failure(model_problem(CODE, "\n".join(("The reply does not fit its schema:", *faults))))


def _found_untrusted(text: str) -> Result[JsonValue, Problem]:
    """The one JSON value in ``text``."""
    whole = loads_untrusted(text.strip())
    if not isinstance(whole, Failure):
        return Success(whole.unwrap())
    blocks = tuple(islice(_fenced(text), 2))
    block = loads_untrusted(blocks[0]) if len(blocks) == 1 else whole
    if not isinstance(block, Failure):
        return Success(block.unwrap())
    objects = tuple(islice(_objects(text), 2))
    if len(objects) == 1:
        return Success(objects[0])
    if objects:
        return Failure(model_problem(CODE, "The reply holds several JSON objects, and it has to be one."))
    fault = whole.failure()
    place = f" (line {fault.line}, column {fault.column})" if fault.line else ""
    return Failure(model_problem(CODE, f"The reply is not JSON: {fault.message}{place}."))


def _fenced(text: str) -> Iterator[str]:
    """The texts in fences that are JSON's, or nobody's; one that is not closed goes to the end."""
    mark, lines = "", [""]
    for line in text.split("\n"):
        opening = OPENING.fullmatch(line.rstrip("\r"))
        if not mark and opening is not None:
            mark, lines = opening[1], []
        elif mark and line.strip() == mark:
            yield "\n".join(lines)
            mark = ""
        elif mark:
            lines.append(line)
    if mark:
        yield "\n".join(lines)


def _objects(text: str) -> Iterator[JsonObject]:
    """The JSON objects that stand in ``text``, none within another."""
    decoder = json.JSONDecoder()
    at, tries = text.find("{"), 0
    while at >= 0 and tries < MAX_TRIES:
        tries += 1
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        value = loads_untrusted(text[at:end])
        found = value.unwrap() if not isinstance(value, Failure) else None
        if isinstance(found, JsonObject):
            yield found
        at = text.find("{", end)

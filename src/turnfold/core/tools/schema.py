"""Checks a call's arguments against its tool's schema, and says everything that is wrong with them at once.

The part of JSON Schema that tools use: type, enum, const, properties, required, additionalProperties, items, prefixItems,
minItems, maxItems, minLength, maxLength, minimum, maximum, exclusiveMinimum, exclusiveMaximum, anyOf, oneOf, allOf, ``$ref`` to a place
in the same schema (``#/$defs/…``), and the schemas ``true`` and ``false``. Any other keyword, and a keyword whose value makes no sense, is
ignored. Nothing is coerced: ``"3"`` is no integer and ``true`` no number; ``3.0`` is an integer, as JSON Schema says, and stays ``3.0``.

A schema may be anyone's, and one that refers to itself can unfold without end, so only so many references are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeAlias, final
from urllib.parse import unquote

from attrs import frozen
from returns.result import Failure, Result, Success
from typing_extensions import TypeIs

from turnfold.core.json import MAX_DEPTH, JsonObject, JsonSchema, JsonValue, quoted, scalar_text
from turnfold.core.problem import Problem, did_you_mean, model_problem

MAX_FAULTS = 20  # more would not help a model, and a million wrong items must not cost a million sentences
MAX_SHOWN = 60
MAX_WIDE = 30
MAX_REFERENCES = 20_000  # followed in one check: more than a reply has, and no long wait
MAX_HOPS = 100  # from one to the next

NOUNS: tuple[tuple[str, str], ...] = (
    ("string", "a string"),
    ("integer", "an integer"),
    ("number", "a number"),
    ("boolean", "true or false"),
    ("array", "an array"),
    ("object", "an object"),
    ("null", "null"),
)


@final
@frozen
class Fault:
    """One thing that is wrong: where (``$.a[0]``), and what."""

    path: str
    message: str


Follow: TypeAlias = Callable[[JsonObject], JsonValue]  # a schema that refers to what stands in its place; None for too many


def check_untrusted(arguments: JsonObject, schema: JsonSchema) -> Result[JsonObject, Problem]:
    """``arguments`` themselves where they fit ``schema``, else one Problem with every fault in it; raises nothing.

    >>> schema = JsonObject.of(
    ...     properties=JsonObject.of(path=JsonObject.of(type="string"), line=JsonObject.of(type="integer")),
    ...     required=("path",),
    ...     additionalProperties=False,
    ... )
    >>> check_untrusted(JsonObject.of(path="a.txt"), schema)
    <Success: JsonObject.of(path='a.txt')>
    >>> print(check_untrusted(JsonObject.of(pth="a.txt", line="3"), schema).failure().message)
    The arguments don't fit:
    - $.pth is unknown; did you mean path?
    - $.line must be an integer, not the string "3": write 3 without quotes
    - $.path is missing: a string
    Write {"path": string, "line": integer (optional)}.
    """
    said = faults_of(arguments, schema)
    if not said:
        return Success(arguments)
    shape = f"Write {_shape(schema)}."
    return Failure(model_problem("bad-arguments", "\n".join(["The arguments don't fit:", *said, shape])))


def faults_of(value: JsonValue, schema: JsonSchema) -> tuple[str, ...]:
    """Everything in ``value`` that does not fit ``schema``, a line each with its place; none where all fits.

    >>> faults_of((1, "2"), JsonObject.of(type="array", items=JsonObject.of(type="integer")))
    ('- $[1] must be an integer, not the string "2": write 2 without quotes',)
    """
    faults = tuple(islice(_faults(value, schema, "$", 0, _following(schema)), MAX_FAULTS + 1))
    said = tuple(f"- {fault.path} {fault.message}" for fault in faults[:MAX_FAULTS])
    return (*said, "- and more") if len(faults) > MAX_FAULTS else said


def _following(root: JsonObject) -> Follow:
    """How references into ``root`` are followed, ``MAX_REFERENCES`` of them; one that leads nowhere accepts anything."""
    left = iter(range(MAX_REFERENCES))

    def follow(schema: JsonObject) -> JsonValue:
        for _ in range(MAX_HOPS):
            if next(left, None) is None:
                return None
            target, beside = _target(schema["$ref"], root), JsonObject(tuple(member for member in schema.members if member[0] != "$ref"))
            if beside:
                return beside.with_member("allOf", (*_branches(beside, "allOf"), target))
            if not _refers(target):
                return target
            schema = target
        return None

    return follow


def _target(reference: JsonValue, root: JsonObject) -> JsonValue:
    """The schema that stands at ``reference`` in ``root``; ``True`` where none does."""
    found = leads_to(reference, root)
    return True if found is None else found


def leads_to(reference: JsonValue, root: JsonObject) -> JsonObject | bool | None:
    """The schema that stands at ``reference``, a JSON pointer into ``root``; None where nothing does that is a schema.

    >>> leads_to("#/$defs/a", JsonObject.of()) is None
    True
    """
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found: JsonValue = root
    for token in reference[1:].split("/")[1:]:
        name = unquote(token).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, JsonObject) else None
    return found if isinstance(found, (JsonObject, bool)) else None


def _refers(schema: JsonValue) -> TypeIs[JsonObject]:
    return isinstance(schema, JsonObject) and "$ref" in schema


def _faults(value: JsonValue, schema: JsonValue, path: str, depth: int, follow: Follow) -> Iterator[Fault]:
    if _refers(schema):
        schema = follow(schema)
        if schema is None:
            yield Fault(path, "can't be checked: its schema refers back to itself without end")
    if schema is False:
        yield Fault(path, "is not allowed")
    if not isinstance(schema, JsonObject):
        return
    if depth > MAX_DEPTH:
        yield Fault(path, f"is nested more than {MAX_DEPTH} levels deep")
        return
    types = _types(schema)
    if types and not any(_is(value, name) for name in types):
        yield Fault(path, f"must be {_nouns(types)}, not {_shown(value)}{_hint(value, types)}")
        return  # what else it says of such a value would only confuse
    yield from _value_faults(value, schema, path)
    if isinstance(value, JsonObject):
        yield from _object_faults(value, schema, path, depth, follow)
    elif isinstance(value, tuple):
        yield from _array_faults(value, schema, path, depth, follow)
    yield from _union_faults(value, schema, path, depth, follow)


def _value_faults(value: JsonValue, schema: JsonObject, path: str) -> Iterator[Fault]:
    allowed = schema.get("enum")
    if isinstance(allowed, tuple) and not any(_same(value, each, 0) for each in allowed):
        texts = tuple(each for each in allowed if isinstance(each, str))
        meant = did_you_mean(value, texts) if isinstance(value, str) else ""
        yield Fault(path, f"must be one of {', '.join(map(_shown, allowed[:MAX_WIDE]))}, not {_shown(value)}{meant}")
    if "const" in schema and not _same(value, schema["const"], 0):
        yield Fault(path, f"must be {_shown(schema['const'])}, not {_shown(value)}")
    if isinstance(value, str):
        yield from _size_faults(len(value), schema, path, ("minLength", "maxLength", "characters"))
    elif isinstance(value, tuple):
        yield from _size_faults(len(value), schema, path, ("minItems", "maxItems", "items"))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _range_faults(value, schema, path)


def _size_faults(size: int, schema: JsonObject, path: str, words: tuple[str, str, str]) -> Iterator[Fault]:
    least, most, noun = _number(schema, words[0]), _number(schema, words[1]), words[2]
    if least is not None and size < least:
        yield Fault(path, f"must have at least {_shown(least)} {noun}, not {size}")
    if most is not None and size > most:
        yield Fault(path, f"must have at most {_shown(most)} {noun}, not {size}")


def _range_faults(value: float, schema: JsonObject, path: str) -> Iterator[Fault]:
    least, most = _number(schema, "minimum"), _number(schema, "maximum")
    above, below = _number(schema, "exclusiveMinimum"), _number(schema, "exclusiveMaximum")
    if least is not None and value < least:
        yield Fault(path, f"must be at least {_shown(least)}, not {_shown(value)}")
    if most is not None and value > most:
        yield Fault(path, f"must be at most {_shown(most)}, not {_shown(value)}")
    if above is not None and value <= above:
        yield Fault(path, f"must be more than {_shown(above)}, not {_shown(value)}")
    if below is not None and value >= below:
        yield Fault(path, f"must be less than {_shown(below)}, not {_shown(value)}")


def _object_faults(value: JsonObject, schema: JsonObject, path: str, depth: int, follow: Follow) -> Iterator[Fault]:
    properties = _properties(schema)
    others = schema.get("additionalProperties")
    closed = others is False and "patternProperties" not in schema
    for name, item in value.members:
        if name in properties:
            yield from _faults(item, properties[name], _member(path, name), depth + 1, follow)
        elif closed:
            yield Fault(_member(path, name), f"is unknown{did_you_mean(name, properties)}")
        elif isinstance(others, JsonObject):
            yield from _faults(item, others, _member(path, name), depth + 1, follow)
    for name in _required(schema):
        if name not in value:
            yield Fault(_member(path, name), f"is missing: {_described(properties.get(name))}")


def _array_faults(value: tuple[JsonValue, ...], schema: JsonObject, path: str, depth: int, follow: Follow) -> Iterator[Fault]:
    items, first = schema.get("items"), _branches(schema, "prefixItems")
    for index, item in enumerate(value[: len(first)]):
        yield from _faults(item, first[index], f"{path}[{index}]", depth + 1, follow)
    if isinstance(items, (JsonObject, bool)):
        for index, item in enumerate(value[len(first) :], start=len(first)):
            yield from _faults(item, items, f"{path}[{index}]", depth + 1, follow)


def _union_faults(value: JsonValue, schema: JsonObject, path: str, depth: int, follow: Follow) -> Iterator[Fault]:
    for branch in _branches(schema, "allOf"):
        yield from _faults(value, branch, path, depth + 1, follow)
    for keyword in ("anyOf", "oneOf"):
        branches = tuple((follow(each) or each) if _refers(each) else each for each in _branches(schema, keyword))
        # each branch is walked once: walking again to report would cost 2 ** depth
        found = tuple(tuple(islice(_faults(value, branch, path, depth + 1, follow), MAX_FAULTS + 1)) for branch in branches)
        fitting = found.count(())
        if branches and not fitting:
            yield from _nearest_branch(value, branches, found, path)
        elif keyword == "oneOf" and fitting > 1:
            yield Fault(path, f"fits {fitting} of the allowed forms, and must fit one")


def _nearest_branch(value: JsonValue, branches: tuple[JsonValue, ...], found: tuple[tuple[Fault, ...], ...], path: str) -> Iterator[Fault]:
    """The faults of the one form that ``value`` was meant to have, or all forms by name where that is not plain."""
    meant = tuple(
        faults
        for branch, faults in zip(branches, found, strict=True)
        if len(branches) == 1 or (isinstance(branch, JsonObject) and any(_is(value, name) for name in _types(branch)))
    )
    if len(meant) == 1:
        yield from meant[0]
    elif meant and isinstance(value, JsonObject):
        yield Fault(path, f"fits none of its {len(branches)} forms; the nearest of them says:")
        yield from min(meant, key=len)
    else:
        forms = " or ".join(_described(branch) for branch in branches[:MAX_WIDE])
        yield Fault(path, f"must be {forms}, not {_shown(value)}")


def _types(schema: JsonObject) -> tuple[str, ...]:
    """The types that ``schema`` allows; empty for all."""
    said = schema.get("type")
    names = said if isinstance(said, tuple) else (said,)
    known = tuple(name for name in names if isinstance(name, str) and any(name == each for each, _ in NOUNS))
    return known if len(known) == len(names) else ()


def _is(value: JsonValue, name: str) -> bool:
    match name:
        case "string":
            return isinstance(value, str)
        case "integer":
            return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, tuple)
        case "object":
            return isinstance(value, JsonObject)
        case _:
            return value is None


def _same(one: JsonValue, other: JsonValue, depth: int) -> bool:
    """Equality as JSON has it: ``1`` is ``1.0`` but not ``true``, and members have no order."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(one, JsonObject) and isinstance(other, JsonObject):
        left, right = dict(one.members), dict(other.members)
        return left.keys() == right.keys() and all(_same(left[name], right[name], depth + 1) for name in left)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_same(a, b, depth + 1) for a, b in zip(one, other, strict=True))
    if isinstance(one, (JsonObject, tuple)) or isinstance(other, (JsonObject, tuple)):
        return False
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _properties(schema: JsonObject) -> dict[str, JsonValue]:
    said = schema.get("properties")
    return dict(said.members) if isinstance(said, JsonObject) else {}


def _required(schema: JsonObject) -> tuple[str, ...]:
    said = schema.get("required")
    return tuple(name for name in said if isinstance(name, str)) if isinstance(said, tuple) else ()


def _branches(schema: JsonObject, keyword: str) -> tuple[JsonValue, ...]:
    said = schema.get(keyword)
    return said if isinstance(said, tuple) else ()


def _number(schema: JsonObject, keyword: str) -> int | float | None:
    said = schema.get(keyword)
    return said if isinstance(said, (int, float)) and not isinstance(said, bool) else None


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() and len(name) <= MAX_SHOWN else f"{path}[{_shown_text(name)}]"


def _nouns(types: tuple[str, ...]) -> str:
    nouns = dict(NOUNS)
    return " or ".join(nouns[name] for name in types)


def _described(schema: JsonValue) -> str:
    """What a value of ``schema`` is, in a few words."""
    if not isinstance(schema, JsonObject):
        return "any value"
    allowed = schema.get("enum")
    if isinstance(allowed, tuple):
        return "one of " + ", ".join(map(_shown, allowed[:MAX_WIDE]))
    if "const" in schema:
        return _shown(schema["const"])
    description = schema.get("description")
    noun = _nouns(_types(schema)) or "a value"
    return f"{noun} ({_one_line(description)})" if isinstance(description, str) and description else noun


def _hint(value: JsonValue, types: tuple[str, ...]) -> str:
    """How to mend the two slips that models make most: a number in quotes, and one without."""
    if isinstance(value, str) and len(value) <= MAX_SHOWN and any(name in types for name in ("integer", "number", "boolean")):
        plain = value.strip()
        literal = plain in ("true", "false") if types == ("boolean",) else plain.lstrip("-").isdecimal() and plain.isascii()
        return f": write {plain} without quotes" if literal else ""
    if "string" in types and isinstance(value, (int, float)):
        return ": write it in quotes"
    return ""


def _shape(schema: JsonObject) -> str:
    required = _required(schema)
    shown = tuple(
        f"{_shown_text(name)}: {' or '.join(_types(each)) if isinstance(each, JsonObject) and _types(each) else 'value'}"
        + ("" if name in required else " (optional)")
        for name, each in islice(_properties(schema).items(), MAX_WIDE)
    )
    return "{" + ", ".join(shown) + "}"


def _shown(value: JsonValue) -> str:
    """``value`` in a few words, whatever its size."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the string {_shown_text(value)}"
    if isinstance(value, JsonObject):
        return f"an object of {len(value.members)} members"
    if isinstance(value, tuple):
        return f"an array of {len(value)} items"
    if isinstance(value, int):
        # Python refuses to write out integers of thousands of digits
        return str(value) if value.bit_length() <= 200 else "a number of more than 60 digits"
    return "null" if value is None else str(value)


def _shown_text(text: str) -> str:
    return quoted(scalar_text(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"))


def _one_line(text: str) -> str:
    return " ".join(text[: 2 * MAX_SHOWN].split())

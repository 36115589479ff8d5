"""Settings from variables of the environment: ``TURNFOLD_MODEL``, and of a table with two underscores: ``TURNFOLD_LIMITS__USD``."""

from __future__ import annotations

import re

from returns.result import Failure, Result, Success

from turnfold.core.codec.reading import value_of
from turnfold.core.codec.shapes import SETTINGS, Number, Shape, Texts, Truth, key_at, singles
from turnfold.core.codec.toml_values import Node, Problems, Source, told
from turnfold.core.config.layers import Origin, Overrides
from turnfold.core.config.said import saying
from turnfold.core.json import JsonValue, scalar_text
from turnfold.core.problem import Problem, caller_problem, near_misses

PREFIX = "TURNFOLD_"
OTHERS = (
    "TURNFOLD_HOME",
    "TURNFOLD_HOOK",
    "TURNFOLD_EVENT",
    "TURNFOLD_EVENT_NUMBER",
    "TURNFOLD_CONVERSATION",
    "TURNFOLD_PARENT",
)  # known to the shell, or said to a hook, and no settings
WITHIN = "__"

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}(\.[0-9]{0,19})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def variable_of(path: tuple[str, ...]) -> str:
    """The variable of a setting.

    >>> variable_of(("limits", "usd"))
    'TURNFOLD_LIMITS__USD'
    """
    return PREFIX + WITHIN.join(path).upper()


SETTABLE: tuple[tuple[str, ...], ...] = singles()
VARIABLES: tuple[str, ...] = tuple(variable_of(path) for path in SETTABLE)


def read_variables_untrusted(variables: tuple[tuple[str, str], ...]) -> Result[tuple[Overrides, ...], Problems]:
    """The settings in variables such as ``TURNFOLD_MODEL``, a layer for each; empty ones count for nothing, other names neither.

    A name that begins like ours, and is near one of ours, is a fault: a slip of the pen would be silent otherwise.

    >>> [layer.temperature for layer in read_variables_untrusted((("TURNFOLD_TEMPERATURE", "0.5"),)).unwrap()]
    [0.5]
    """
    read = tuple(_variable(name, value) for name, value in variables if value.strip() and name.startswith(PREFIX) and name not in OTHERS)
    problems = tuple(problem for each in read if isinstance(each, Failure) for problem in each.failure())
    return Failure(problems) if problems else Success(tuple(layer for each in read for layer in each.unwrap()))


def _variable(name: str, value: str) -> Result[tuple[Overrides, ...], Problems]:
    found = next((each for variable, each in zip(VARIABLES, SETTABLE, strict=True) if variable == name), None)
    key = None if found is None else key_at(found)
    if found is None or key is None:
        problem = _unknown(name)
        return Success(()) if problem is None else Failure((problem,))
    source = Source(name, nulls=True)
    read = value_of(Node(_spelled(scalar_text(value), key.shape), found, source), key.shape)
    return read.map(lambda said: (_layer(found, said, name),)).alt(lambda faults: told(faults, source))


def _layer(path: tuple[str, ...], value: object, place: str) -> Overrides:
    said = saying(((path[-1], value),)) if len(path) > 1 else value  # type: ignore[arg-type]  # the shape is made from its type
    return Overrides(**{path[0]: said}, origin=Origin(layer="environment", place=place))  # type: ignore[arg-type]  # the same


def _unknown(name: str) -> Problem | None:
    """That the name is none of ours, where it looks like one."""
    bare = name.removeprefix(PREFIX)
    near = near_misses(bare, tuple(variable.removeprefix(PREFIX) for variable in VARIABLES))[:1]
    root = bare.lower().split(WITHIN)[0]
    if not near and SETTINGS.key(root) is None:
        return None
    hint = f"did you mean {PREFIX}{near[0]}?" if near else f"{root} can be set in a config file only."
    return caller_problem("bad-settings", f"{name}: there is no setting of this name; {hint}", name)


def _spelled(value: str, shape: Shape) -> JsonValue:
    """What the text of a variable stands for; itself where it stands for no such thing."""
    bare = value.strip()
    if isinstance(shape, Texts):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if isinstance(shape, Truth):
        return bare.lower() == "true" if bare.lower() in ("true", "false") else value
    if isinstance(shape, Number) and _WHOLE.fullmatch(bare):
        return int(bare)
    if isinstance(shape, Number) and not shape.whole and _NUMBER.fullmatch(bare):
        return float(bare)
    return value

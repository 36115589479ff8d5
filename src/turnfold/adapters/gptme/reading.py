"""What a leaf of gptme's has to be so that it means something here: each reader gives turnfold's value, or why there is none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from returns.result import Failure, Result, Success

from turnfold.adapters.gptme.calls import PYTHON, PYTHON_BLOCKS
from turnfold.core.codec.forms import ENTRY, HEADER_TEXT, URL, VARIABLE
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.tools.builtin import BUILTIN_TOOLS

Reading: TypeAlias = Result[JsonValue, str]
Reader: TypeAlias = Callable[[JsonValue], Reading]

HEADER: Final = re.compile(r"[A-Za-z0-9_-]+")

_SECRET: Final = re.compile(
    r"(^|[_-])(api-?key|key|token|secret|password|passwd|credentials?|auth|authorization|cookie|dsn|pat)($|[_-])|apikey", re.IGNORECASE
)
_KEY: Final = re.compile(r"(sk|pk|ghp|gho|xox[a-z])[-_][\w-]{8,}|Bearer \S+|://[^/\s:@]+:[^/\s@]+@")


def taken(value: JsonValue) -> Reading:
    """Anything."""
    return Success(value)


def text(value: JsonValue) -> Reading:
    """Text that says something."""
    if not isinstance(value, str):
        return Failure("it is no text")
    return Success(value) if value.strip() else Failure("it is empty")


def flag(value: JsonValue) -> Reading:
    """True or false."""
    return Success(value) if isinstance(value, bool) else Failure("it is neither true nor false")


def line(value: JsonValue) -> Reading:
    """Text that can stand in a variable or a header."""
    said = text(value)
    if isinstance(value, str) and HEADER_TEXT.fullmatch(value) is None:
        return Failure("it has a line break or another control character")
    return said


def words(value: JsonValue) -> Reading:
    """A list of texts, none of them empty."""
    if not isinstance(value, tuple) or not all(isinstance(each, str) and each.strip() for each in value):
        return Failure("it is no list of texts that say something")
    return Success(value)


def arguments(value: JsonValue) -> Reading:
    """What a program is started with, where none of it looks like a key."""
    said = words(value)
    if isinstance(value, tuple) and any(secret("", each) for each in value):
        return Failure('one of them looks like a key: give it to the program as a variable, {secret = "NAME"} in environment')
    return said


def single(value: JsonValue) -> Reading:
    """A text, as a list of one."""
    return text(value).map(lambda said: (said,))


def url(value: JsonValue) -> Reading:
    """An address of a server, without questions, names and passwords."""
    if not isinstance(value, str) or URL.fullmatch(value) is None:
        return Failure("it is no address of the form https://HOST/PATH")
    return Success(value)


def name(value: JsonValue) -> Reading:
    """The name of a variable."""
    return Success(value) if isinstance(value, str) and VARIABLE.fullmatch(value) else Failure("it is no name of a variable")


def model(value: JsonValue) -> Reading:
    """A model as provider/name."""
    if not isinstance(value, str):
        return Failure("it is no text")
    provider, _, called = value.partition("/")
    if not (ENTRY.fullmatch(provider) and called.strip() and called == called.strip()):
        return Failure("turnfold names a model as PROVIDER/NAME")
    return Success(value)


def number(least: float, most: float = math.inf, *, open_below: bool = False) -> Reader:
    """A number within these bounds."""

    def read(value: JsonValue) -> Reading:
        said = _spelled(value)
        if said is None or not (least < said if open_below else least <= said) or said > most:
            return Failure(f"it is no number {'above' if open_below else 'from'} {least:g}" + (f" to {most:g}" if most < math.inf else ""))
        return Success(float(said))

    return read


def whole(least: int) -> Reader:
    """A whole number from ``least``; gptme's variables have it as text."""

    def read(value: JsonValue) -> Reading:
        said = _spelled(value)
        if said is None or said != int(said) or said < least or abs(said) > 2**53:
            return Failure(f"it is no whole number from {least}")
        return Success(int(said))

    return read


def _spelled(value: JsonValue) -> float | None:
    """A number, or the number that a text spells."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value.strip(), re.ASCII):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= 2**53 else None


def budget(value: JsonValue) -> Reading:
    """A part of the model's window."""
    said = _spelled(value)
    if said is not None and said > 1:
        return Failure("turnfold's compaction.at is a part of the model's window, from 0 to 1, not a number of tokens")
    return number(0, 1, open_below=True)(value)


def tool_format(value: JsonValue) -> Reading:
    """How calls are written."""
    known = {"tool": "native", "native": "native", "markdown": "markdown", "xml": "xml"}
    return (
        Success(known[value]) if isinstance(value, str) and value in known else Failure("turnfold's formats are native, markdown and xml")
    )


def tool_names(value: JsonValue) -> tuple[str, ...]:
    """The names in a list of tools, or in a text with commas."""
    if isinstance(value, str):
        value = tuple(value.split(","))
    return tuple(each.strip() for each in value if isinstance(each, str) and each.strip()) if isinstance(value, tuple) else ()


def tool_here(called: str) -> str:
    """What turnfold calls gptme's tool, with its sign; empty where there is none.

    >>> tool_here("ipython"), tool_here("+shell"), tool_here("computer")
    ('python', '+shell', '')
    """
    bare = called.lstrip("+-")
    here = PYTHON if bare in PYTHON_BLOCKS else bare
    return called[: len(called) - len(bare)] + here if here in tuple(tool.name for tool in BUILTIN_TOOLS) else ""


def secret(variable: str, value: JsonValue = None) -> bool:
    """Whether something of this name, or that looks so, is nobody's business.

    >>> secret("OPENAI_API_KEY"), secret("MAX_TOKENS"), secret("X", "sk-0123456789")
    (True, False, True)
    """
    return _SECRET.search(variable) is not None or (isinstance(value, str) and _KEY.search(value) is not None)


def of_secret(variable: str) -> JsonObject:
    """How a table names a secret."""
    return JsonObject.of(secret=variable)

"""What one event of a stream of Chat Completions holds, as JSON parsing gives it: read here, and never kept."""

from __future__ import annotations

import json
from typing import TypeAlias

Parsed: TypeAlias = "dict[object, object]"

DECODER = json.JSONDecoder()  # json.loads takes twice as long for a text as short as these are


def loaded(text: str) -> Parsed | None:
    """The object that ``text`` is as JSON; None for anything else.

    >>> loaded('{"a": 1}'), loaded("[1]"), loaded("{")
    ({'a': 1}, None, None)
    """
    try:
        found: tuple[object, int] = DECODER.raw_decode(text)
    except (ValueError, RecursionError):  # no JSON, or a blank before it; a number of too many digits; too deep
        return _loaded_at_length(text)
    value, end = found
    return value if end == len(text) and isinstance(value, dict) else _loaded_at_length(text)


def _loaded_at_length(text: str) -> Parsed | None:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def plain_delta(value: Parsed) -> Parsed | None:
    """The delta of an event that says nothing else; None for any other."""
    choices = value.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or value.get("usage") or value.get("error"):
        return None
    choice: object = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") or choice.get("index"):
        return None
    delta: object = choice.get("delta")
    return delta if isinstance(delta, dict) else None


def is_scalar(text: str) -> bool:
    """Whether UTF-8 can hold ``text``: whether it has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

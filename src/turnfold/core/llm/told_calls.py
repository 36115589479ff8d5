"""Calls as a history tells them to a provider that wants names, ids and arguments spelled its way.

Providers refuse a whole history for one call that is not as they want it, so what a model wrote wrongly is mended here: it was told
already what was wrong.
"""

from __future__ import annotations

import re

from turnfold.core.conversation.messages import BrokenCall, Invocation
from turnfold.core.json import JsonObject, dumps, loads_untrusted

NAME_CHARS = 64  # Anthropic and Google: letters, digits, "_" and "-", at most 64 (newer models: 128)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PLACE = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})", re.ASCII)
NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


def told_name(name: str) -> str:
    """The name of a tool as a history may hold it.

    >>> told_name("read file"), told_name("")
    ('read_file', 'unknown')
    """
    return NOT_IN_NAMES.sub("_", name)[:NAME_CHARS] or "unknown"


def told_id(call_id: str) -> str:
    """The id of a call without dots; two ids of one conversation stay two.

    >>> told_id("12.1.0")
    '12_1_0'
    """
    return NOT_IN_NAMES.sub("_", call_id)


def short_id(call_id: str) -> str:
    """The id of a call in nine letters and digits, as Mistral wants them; one that is no place, or a late one, in its own words.

    >>> short_id("12.1.0"), short_id("x")
    ('t00cg0100', 'x')
    """
    found = _PLACE.fullmatch(call_id)
    turn, generation, slot = (int(number) for number in found.groups()) if found is not None else (0, 0, 0)
    if found is None or turn >= 36**3 or generation >= 36**2 or slot >= 36**2:
        return told_id(call_id)
    return f"t{_base36(turn, 3)}g{_base36(generation, 2)}{_base36(slot, 2)}"


def _base36(number: int, digits: int) -> str:
    return "".join(DIGITS[number // 36**place % 36] for place in range(digits - 1, -1, -1))


def told_arguments(call: Invocation) -> str:
    """The arguments as the text of a JSON object; ``{}`` for what is none."""
    if not isinstance(call, BrokenCall):
        return dumps(call.arguments)
    value = loads_untrusted(call.text).value_or(None)
    return dumps(value) if isinstance(value, JsonObject) else "{}"

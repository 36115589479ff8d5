"""When a provider wants to be asked again, as it says with a refusal: in headers, or in the error's body.

``Retry-After`` is seconds or a date (RFC 9110, 10.2.3); a date is told apart from the reply's own ``Date``, so that no clock but the
server's counts. ``retry-after-ms`` is finer and comes first (OpenAI, Azure). Gemini says it in the body: ``"retryDelay": "39s"``.
"""

from __future__ import annotations

import math
import re

from turnfold.core.json import JsonObject, JsonValue, loads_untrusted

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?", re.ASCII)
_DATE = re.compile(r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT", re.ASCII)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DEEP = 4  # levels of an error's body that are looked at


def retry_after_untrusted(headers: tuple[tuple[str, str], ...], body: bytes) -> float | None:
    """The seconds from the reply until the provider wants to be asked again; None where it says nothing that can be read.

    >>> retry_after_untrusted((("Retry-After", "2"),), b"")
    2.0
    >>> retry_after_untrusted((("date", "Wed, 21 Oct 2015 07:28:00 GMT"), ("retry-after", "Wed, 21 Oct 2015 07:29:30 GMT")), b"")
    90.0
    """
    said = {name.lower(): value.strip() for name, value in headers}
    fine = _seconds(said.get("retry-after-ms", ""))
    if fine is not None:
        return fine / 1000
    told = said.get("retry-after", "")
    plain = _seconds(told)
    if plain is not None:
        return plain
    then, now = _date_s(told), _date_s(said.get("date", ""))
    if then is not None and now is not None:
        return float(max(then - now, 0))
    if b"retryDelay" not in body:
        return None
    value = loads_untrusted(body).value_or(None)
    return _delay(value, 0)


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text) is not None else None


def _date_s(text: str) -> int | None:
    """The seconds of a date since one that is the same for all; None for what is no date of HTTP."""
    found = _DATE.fullmatch(text)
    if found is None or found[2] not in MONTHS:
        return None
    year, month = int(found[3]), MONTHS.index(found[2]) + 1
    years = year - (month < 3)  # counted from March on, a leap day is the year's last
    days = 365 * years + years // 4 - years // 100 + years // 400 + (153 * ((month + 9) % 12) + 2) // 5 + int(found[1])
    return 86_400 * days + 3_600 * int(found[4]) + 60 * int(found[5]) + int(found[6])


def _delay(value: JsonValue, depth: int) -> float | None:
    """The ``retryDelay`` of an error, wherever it stands in it."""
    if depth > DEEP:
        return None
    if isinstance(value, tuple):
        return next((found for each in value if (found := _delay(each, depth + 1)) is not None), None)
    if not isinstance(value, JsonObject):
        return None
    told = value.get("retryDelay")
    own = _seconds(told.removesuffix("s")) if isinstance(told, str) else None
    return own if own is not None else _delay(tuple(each for _, each in value.members), depth)


def told_wait(seconds: float) -> str:
    """A time to wait, for a person.

    >>> told_wait(0.42), told_wait(12.3), told_wait(90), told_wait(7200)
    ('0.4 s', '13 s', '90 s', '2 h')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 7200 else f"{math.ceil(seconds / 3600)} h"

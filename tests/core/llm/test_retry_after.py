"""When a provider wants to be asked again, as providers write it."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.llm.retry_after import retry_after_untrusted, told_wait

NOW = "Wed, 21 Oct 2015 07:28:00 GMT"


def after(body: object = None, **headers: str) -> float | None:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return retry_after_untrusted(named, b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry_After": "30"}, 30.0),
        ({"retry_after": " 0.5 "}, 0.5),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        ({"retry_after_ms": "soon", "retry_after": "2"}, 2.0),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "1e9"}, None),
        ({"retry_after": "9" * 30}, None),
        ({"retry_after": "Wed, 21 Oct 2015 07:29:00 GMT", "date": NOW}, 60.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:00:00 GMT", "date": NOW}, 0.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:29:00 GMT"}, None),
        ({"retry_after": "Wed, 21 Okt 2015 07:29:00 GMT", "date": NOW}, None),
        ({"retry_after": "tomorrow", "date": NOW}, None),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert after(**headers) == seconds


def test_gemini_says_it_in_the_body() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "39.5s"}
    assert after({"error": {"code": 429, "details": [{"@type": "x"}, info]}}) == 39.5
    assert after([{"error": {"code": 429, "details": [info]}}]) == 39.5
    assert after({"error": {"retryDelay": 39}}) is None
    assert after({"a": [[[[[info]]]]]}) is None
    assert retry_after_untrusted((), b'{"retryDelay": ') is None


@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)), st.integers(0, 10**9))  # noqa: DTZ001 - of no zone but GMT
def test_dates_are_counted_as_the_calendar_counts(now: dt.datetime, seconds: int) -> None:
    then = now + dt.timedelta(seconds=seconds)
    form = "%a, %d %b %Y %H:%M:%S GMT"
    assert after(retry_after=then.strftime(form), date=now.strftime(form)) == float(seconds)


@given(st.lists(st.tuples(st.sampled_from(("retry-after", "date", "retry-after-ms")), st.text(max_size=40))), st.binary(max_size=60))
def test_any_headers_and_any_body_give_seconds_or_nothing(headers: list[tuple[str, str]], body: bytes) -> None:
    found = retry_after_untrusted(tuple(headers), b'"retryDelay"' + body)
    assert found is None or 0 <= found < 10**10


def test_a_time_is_told_in_whole_units() -> None:
    assert [told_wait(each) for each in (0, 9.94, 60, 119.5, 3600, 86_400)] == ["0.0 s", "9.9 s", "60 s", "120 s", "60 min", "24 h"]

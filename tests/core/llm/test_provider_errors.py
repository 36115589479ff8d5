"""Errors of providers, as they spell them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnfold.core.llm.provider_errors import QUOTED_CHARS, error_problem
from turnfold.core.problem import Blame, Problem


def problem(status: int, body: object, secret: str = "KEY") -> Problem:
    return error_problem(status, body if isinstance(body, bytes) else json.dumps(body).encode(), "acme", secret)


SHAPES = (
    {"error": {"message": "No such thing.", "type": "x", "param": None, "code": "y"}},
    {"error": "No such thing"},
    {"object": "error", "message": "No such thing", "code": 404},
    {"detail": "No such thing"},
    {"detail": [{"loc": ["body"], "msg": "No such thing", "type": "z"}]},
    [{"error": {"code": 404, "message": "No such\n thing"}}],
    b"No such thing",
)


@pytest.mark.parametrize("body", SHAPES)
def test_the_provider_s_own_words(body: object) -> None:
    assert "(404: No such thing)" in problem(404, body).message


def test_the_upstream_s_words_behind_a_router() -> None:
    raw = json.dumps({"error": {"message": "Input too weird."}})
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw, "provider_name": "Up"}}}
    assert "(400: Provider returned error: Input too weird)" in problem(400, body).message
    body["error"]["metadata"] = {"raw": "<html>"}
    assert "Provider returned error: <html>" in problem(400, body).message
    deep = {"error": {"error": {"message": "deep", "metadata": {"raw": "x"}}}}
    assert "(400: deep)" in problem(400, deep).message
    assert "400: gone" in problem(400, {"error": {"message": "gone", "metadata": {}}}).message


@pytest.mark.parametrize(
    ("status", "code", "blame", "says"),
    [
        (400, "refused", Blame.CALLER, "change what it names"),
        (401, "unauthorized", Blame.CALLER, "check the value of KEY"),
        (402, "refused", Blame.CALLER, "add credit"),
        (403, "unauthorized", Blame.CALLER, "what KEY may use"),
        (404, "not-found", Blame.CALLER, "model's name"),
        (408, "provider-failed", Blame.WORLD, "try again"),
        (413, "refused", Blame.CALLER, "too long for the model"),
        (418, "refused", Blame.CALLER, "(418)"),
        (429, "rate-limited", Blame.WORLD, "wait a little"),
        (500, "provider-failed", Blame.WORLD, "500 Internal Server Error"),
        (599, "provider-failed", Blame.WORLD, "try again"),
    ],
)
def test_codes_and_what_to_do_next(status: int, code: str, blame: Blame, says: str) -> None:
    found = problem(status, b"<html><h1>Oops</h1></html>")
    assert (found.code, found.blame) == (code, blame)
    assert says in found.message
    assert "Oops" not in found.message


def test_without_a_key_none_is_named() -> None:
    for status in (401, 403):
        assert "KEY" not in problem(status, b"", secret="").message


def test_a_conversation_that_is_too_long() -> None:
    body = {"error": {"message": "This model's maximum context length is 8192 tokens.", "code": "context_length_exceeded"}}
    assert "undo or shorten it" in problem(400, body).message


def test_words_that_are_wrapped_too_deep_are_not_looked_for() -> None:
    body: object = "deep"
    for _ in range(9):
        body = {"error": body}
    assert "(500 Internal" in problem(500, body).message


def test_long_words_are_cut() -> None:
    assert len(problem(500, {"error": "x" * 10_000}).message) < QUOTED_CHARS + 150


@settings(deadline=None)  # the machine may be busy
@given(st.one_of(st.binary(max_size=80), st.recursive(st.one_of(st.none(), st.text(max_size=3), st.integers()), lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(("error", "message", "detail", "msg", "metadata", "raw")), inner, max_size=3)))
    .map(lambda value: json.dumps(value).encode())), st.integers(300, 599))  # fmt: skip
def test_any_body_is_one_problem_on_one_line(body: bytes, status: int) -> None:
    found = error_problem(status, body, "acme", "KEY")
    assert "\n" not in found.message
    assert f"({status}" in found.message

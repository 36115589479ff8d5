"""Errors of providers, as they spell them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.provider_errors import QUOTED_CHARS, broken_off, error_problem
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
        (402, "no-credit", Blame.CALLER, "add credit"),
        (403, "unauthorized", Blame.CALLER, "what KEY may use"),
        (404, "not-found", Blame.CALLER, "model's name"),
        (408, "provider-failed", Blame.WORLD, "try again"),
        (413, "too-long", Blame.CALLER, "too long for the model"),
        (418, "refused", Blame.CALLER, "(418)"),
        (429, "rate-limited", Blame.WORLD, "wait a little"),
        (500, "provider-failed", Blame.WORLD, "500 Internal Server Error"),
        (503, "overloaded", Blame.WORLD, "503 Service Unavailable"),
        (529, "overloaded", Blame.WORLD, "529 Overloaded"),
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


TOO_LONG = (
    (400, "This model's maximum context length is 8192 tokens."),  # OpenAI Chat, vLLM, DeepSeek
    (400, "Your input exceeds the context window of this model. Please adjust your input and try again."),  # OpenAI Responses
    (400, "prompt is too long: 208310 tokens > 200000 maximum"),  # Anthropic
    (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length"),  # Anthropic
    (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),  # Gemini
    (400, "This model's maximum prompt length is 131072 but the request contains 537812 tokens."),  # xAI
    (422, "Input is too long for requested model."),  # Bedrock behind a router
    (500, "the request exceeds the available context size, try increasing it"),  # llama.cpp
)


@pytest.mark.parametrize(("status", "words"), TOO_LONG)
def test_a_conversation_that_is_too_long(status: int, words: str) -> None:
    found = problem(status, {"error": {"message": words}})
    assert (found.code, "undo or shorten it" in found.message) == ("too-long", True)
    assert broken_off(JsonObject.of(message=words)).code == "too-long"


def test_an_empty_account_is_no_limit_of_requests() -> None:
    said = {"message": "You exceeded your current quota, please check your plan and billing details."}
    assert problem(429, {"error": {**said, "type": "insufficient_quota", "code": "insufficient_quota"}}).code == "no-credit"
    assert problem(429, {"error": {**said, "status": "RESOURCE_EXHAUSTED", "code": 429}}).code == "rate-limited"
    assert problem(429, [{"error": {**said, "code": True}}]).code == "rate-limited"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JsonObject.of(type="overloaded_error", message="Overloaded"), "overloaded"),
        (JsonObject.of(type="error", error=JsonObject.of(type="rate_limit_error", message="Slow down")), "rate-limited"),
        (JsonObject.of(code="context_length_exceeded"), "too-long"),
        (JsonObject.of(code=429), "rate-limited"),
        (JsonObject.of(code=503, status="UNAVAILABLE", message="The model is overloaded."), "overloaded"),
        (JsonObject.of(code="502", message="Bad gateway"), "provider-failed"),
        (JsonObject.of(type="authentication_error", message="invalid x-api-key"), "unauthorized"),
        (JsonObject.of(type="invalid_request_error", message="messages: at least one"), "refused"),
        (JsonObject.of(type="api_error", message="Internal server error"), "provider-failed"),
        (JsonObject.of(code=200), "provider-failed"),
        ((JsonObject.of(type="overloaded_error"),), "overloaded"),
        ((), "provider-failed"),
        ("oops", "provider-failed"),
        (None, "provider-failed"),
    ],
)
def test_an_error_in_the_midst_of_a_stream_says_its_kind(error: JsonValue, code: str) -> None:
    found = broken_off(error)
    assert (found.code, found.message[:4]) == (code, "The ")


def test_an_error_that_is_wrapped_too_deep_has_no_kind() -> None:
    error = JsonObject.of(type="overloaded_error")
    for _ in range(9):
        error = JsonObject.of(error=error)
    assert broken_off(error).code == "provider-failed"


def test_when_to_come_back_is_told() -> None:
    found = error_problem(429, b"", "acme", "", (("Retry-After", "7"),))
    assert found.retry_after_s == 7.0
    assert problem(500, {}).retry_after_s is None


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

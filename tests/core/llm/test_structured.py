"""Replies that have to be JSON: found in fences and among words, checked, and never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure

from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.llm.structured import MAX_TRIES, read_output_untrusted, told_again, told_schema
from turnfold.testing.strategies import json_objects, json_values

ANY = JsonObject()
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters='{}`~[]"\\')).filter(lambda text: not text.strip().isdecimal())


def said(text: str) -> str:
    """What is wrong with ``text``."""
    return read_output_untrusted(text, ANY).failure().message


@given(json_values())
def test_json_alone_is_read_as_it_is(value: JsonValue) -> None:
    assert read_output_untrusted(dumps(value), ANY).unwrap() == value
    assert read_output_untrusted(f"\n  {dumps(value)}\n", ANY).unwrap() == value


@given(
    json_values(),
    st.sampled_from(("```json\n{}\n```", "Here:\n\n~~~\n{}\n~~~\nDone.", "```JSON\r\n{}\n```\r\nThat is it.", "So:\n````\n{}")),
)
def test_json_in_the_one_fence_is_read(value: JsonValue, form: str) -> None:
    assert read_output_untrusted(form.replace("{}", dumps(value)), ANY).unwrap() == value


@given(PLAIN, json_objects(), PLAIN)
def test_the_one_object_among_words_is_read(before: str, value: JsonObject, after: str) -> None:
    assert read_output_untrusted(f"{before} {dumps(value)} {after}", ANY).unwrap() == value


def test_a_brace_in_the_words_is_no_object() -> None:
    assert read_output_untrusted('For {x} in {{y}}: {"a": {"b": 1}}', ANY).unwrap() == JsonObject.of(a=JsonObject.of(b=1))


def test_what_only_looks_like_json_is_no_value() -> None:
    assert said('It is {"a": NaN}.').startswith("The reply is not JSON: ")


def test_of_several_values_none_is_guessed() -> None:
    assert said('Either {"a": 1} or {"a": 2}.') == "The reply holds several JSON objects, and it has to be one."
    assert said('```json\n{"a": 1}\n```\nor\n```json\n{"a": 2}\n```') == "The reply holds several JSON objects, and it has to be one."


def test_the_one_fence_may_hold_something_else() -> None:
    assert read_output_untrusted('```\nls -l\n```\nIt is {"a": 1}', ANY).unwrap() == JsonObject.of(a=1)
    assert said("```\nls -l\n```").startswith("The reply is not JSON: ")


@pytest.mark.parametrize("text", ["", "It is 3.", "{", '{"a": ', "{" * 200_000, "[" * 200_000, "```\n" * 100_001, '{"a":' * 50_000])
def test_what_is_no_json_says_so_without_a_wait(text: str) -> None:
    assert said(text).startswith("The reply is not JSON: ")


def test_behind_many_braces_nothing_is_looked_for() -> None:
    assert said("{ " * MAX_TRIES + '{"a": 1}').startswith("The reply is not JSON: ")


@given(st.text())
def test_any_text_gives_a_value_or_a_problem(text: str) -> None:
    read = read_output_untrusted(text, ANY)
    assert not isinstance(read, Failure) or read.failure().code == "bad-output"


def test_each_fault_has_its_place_and_the_model_is_told_to_write_it_again() -> None:
    city = JsonObject.of(
        type="object",
        properties=JsonObject.of(name=JsonObject.of(type="string"), people=JsonObject.of(type="integer")),
        required=("name", "people"),
        additionalProperties=False,
    )
    wrong = read_output_untrusted('{"nam": "Ulm", "people": "many"}', city).failure()
    assert told_again(wrong).splitlines() == [
        "The reply does not fit its schema:",
        "- $.nam is unknown; did you mean name?",
        '- $.people must be an integer, not the string "many"',
        "- $.name is missing: a string",
        "Write the whole reply again, as one JSON value and nothing else.",
    ]
    assert dumps(city) in told_schema(city)

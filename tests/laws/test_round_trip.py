"""Law 8: what is stored is read as what it was, and what is wrong with a text is a Problem, never another value."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from tests.laws.examples import examples
from turnfold.core.codec import codec as stored
from turnfold.core.codec.codec import Codec, decode_untrusted, encode
from turnfold.testing.strategies import json_values, texts, values

CODECS: tuple[Codec[object], ...] = (
    stored.EVENT,
    stored.INPUT,
    stored.EFFECT,
    stored.REQUEST,
    stored.ANSWER,
    stored.MESSAGE,
    stored.CONFIG,
    stored.PROJECT,
    stored.BRIEFING,
    stored.PAST,
    stored.STATE,
    stored.STEP,
    stored.ITEM,
    stored.QUESTION,
)  # type: ignore[assignment]  # a codec of one type is used as one of any: what it reads, it also writes
CASES = st.one_of(*(st.tuples(st.just(codec), values(codec.form)) for codec in CODECS))

DEFAULTS: tuple[object, ...] = ([], "", {})  # of a layer's settings: not written, and read all the same

Place = tuple[str | int, ...]


def test_every_codec_has_its_laws() -> None:
    assert set(CODECS) == {value for value in vars(stored).values() if isinstance(value, Codec)}


@given(CASES)
@examples(200)
def test_what_was_written_is_read_as_what_it_was(case: tuple[Codec[object], object]) -> None:
    codec, value = case
    text = encode(codec, value)
    assert "\n" not in text
    read = decode_untrusted(codec, text)
    assert read == Success(value)
    assert encode(codec, read.unwrap()) == text


def places(value: object, here: Place = ()) -> Iterator[Place]:
    """Every place of a JSON value."""
    yield here
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*here, key))


def mutated(value: object, place: Place, change: str, other: object) -> object:
    """``value`` with what lies at ``place`` changed: replaced, dropped, or given one key more."""
    if place:
        parts = dict(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
        if change == "drop" and len(place) == 1:
            del parts[place[0]]
        else:
            parts[place[0]] = mutated(parts[place[0]], place[1:], change, other)
        return parts if isinstance(value, dict) else list(parts.values())
    return {**value, "another": other} if change == "add" and isinstance(value, dict) else other


def within(mutant: object, read: object) -> bool:
    """Whether all that ``mutant`` says is in ``read``: nothing was dropped, coerced or taken for something else."""
    if isinstance(mutant, dict) and isinstance(read, dict):
        return all(within(part, read[key]) if key in read else part in DEFAULTS for key, part in mutant.items())
    if isinstance(mutant, list) and isinstance(read, list):
        return len(mutant) == len(read) and all(within(*pair) for pair in zip(mutant, read, strict=True))
    numbers = isinstance(mutant, (int, float)) and isinstance(read, (int, float)) and not isinstance(mutant, bool)
    return mutant == read and (numbers or type(mutant) is type(read))


@given(CASES, st.data(), st.sampled_from(("replace", "drop", "add")), json_values())
@examples(200)
def test_a_changed_text_is_a_problem_or_exactly_what_it_says(
    case: tuple[Codec[object], object], data: st.DataObject, change: str, other: object
) -> None:
    codec, value = case
    written = json.loads(encode(codec, value))
    place = data.draw(st.sampled_from(list(places(written))))
    mutant = json.loads(json.dumps(mutated(written, place, change, json.loads(_plain(other)))))
    read = decode_untrusted(codec, json.dumps(mutant)).value_or(None)
    if read is not None:
        assert within(mutant, json.loads(encode(codec, read)))


def _plain(value: object) -> str:
    return json.dumps(value, default=dict)


@given(st.sampled_from(CODECS), texts() | st.binary(max_size=30) | json_values().map(_plain))
def test_any_text_at_all_is_a_problem_or_a_value(codec: Codec[object], text: str | bytes) -> None:
    read = decode_untrusted(codec, text)
    assert read.failure().message if not isinstance(read, Success) else read.unwrap() is not None


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "5",
        "NaN",
        "{",
        '{"type": NaN}',
        "\ud800",
        '"\\ud800"',
        "[" * 5000,
        '{"a":' * 5000,
        '{"type":{"type":"x"}}',
        "1" * 5000,
        b"\xff",
    ],
    ids=range(14),
)
def test_rubbish_is_a_problem(codec: Codec[object], text: str | bytes) -> None:
    assert not isinstance(decode_untrusted(codec, text), Success)

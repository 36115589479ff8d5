"""Values of secrets in texts, bytes, streams and cut outputs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.shell.masking import STREAM_CHARS, Secret, mask_of, masked_chunk, restored

KEY, LONGER = Secret("A_KEY", "s3cret-value"), Secret("B_KEY", "s3cret-value-2")
values = st.lists(st.text("abcd", min_size=4), max_size=3)


def secrets_of(said: list[str]) -> list[Secret]:
    return [Secret(f"N{number}", value) for number, value in enumerate(said)]


@given(st.text(), values, st.text())
def test_no_value_is_left(before: str, said: list[str], after: str) -> None:
    mask, text = mask_of(secrets_of(said), 4), before + "".join(said) + after
    assert not any(value in mask.text(text) for value in said)
    assert mask.data(text.encode("utf-8", "replace")) == mask.text(text.encode("utf-8", "replace").decode()).encode()


@given(st.text("abcd x", max_size=40), values, st.integers(1, 5))
def test_a_stream_is_masked_however_it_is_cut(text: str, said: list[str], size: int) -> None:
    mask, data = mask_of(secrets_of(said), 4), text.encode()
    held, out = b"", b""
    for start in range(0, len(data), size):
        step = masked_chunk(held, data[start : start + size], mask)
        held, out = step.held, out + step.out
    out += masked_chunk(held, b"", mask).out
    assert not any(value.encode() in out for value in said)


def test_the_longest_value_counts_and_the_first_name_of_a_value() -> None:
    mask = mask_of((KEY, LONGER, Secret("TWIN", KEY.value)))
    assert mask.text("s3cret-value-2 s3cret-value") == "[secret B_KEY] [secret A_KEY]"


def test_a_mark_is_no_text_to_be_masked_again() -> None:
    assert mask_of((KEY, Secret("NAME", "secret A_KEY"))).text("s3cret-value") == "[secret A_KEY]"


def test_a_short_value_is_not_masked() -> None:
    mask = mask_of((Secret("A", "a cat"),))
    assert (mask.text("a cat"), mask.cut_text("a cat"), mask.secrets) == ("a cat", "a cat", ())
    assert masked_chunk(b"", b"a lump", mask_of((Secret("A", "a lump of 15 ch"),), STREAM_CHARS)).out == b"a lump"


def test_printing_shows_no_value() -> None:
    assert KEY.value not in f"{KEY} {mask_of((KEY,))}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key s3cret-v", "key [secret A_KEY]"),
        ("ret-value is it", "[secret A_KEY] is it"),
        ("key s3cre\n[… 1,234 bytes left out …]\nalue ok", "key s3cre\n[… 1,234 bytes left out …]\nalue ok"),
        ("key s3cret\n[… 1,234 bytes left out …]\n-value ok", "key [secret A_KEY]\n[… 1,234 bytes left out …]\n[secret A_KEY] ok"),
        ("s3cret-value\n[… 1 bytes left out …]\n", "[secret A_KEY]\n[… 1 bytes left out …]\n"),
    ],
)
def test_a_part_of_a_value_is_masked_where_a_text_was_cut(text: str, shown: str) -> None:
    assert mask_of((KEY,)).cut_text(text) == shown


@given(st.lists(st.sampled_from(("A=s3cret-value\n", "B=s3cret-value-2\n", "x\n", "s3cret"))))
def test_what_was_masked_is_restored_in_the_file_that_held_it(lines: list[str]) -> None:
    old, secrets = "".join(lines), (KEY, LONGER)
    assert restored(mask_of(secrets).text(old), old, secrets) == old


def test_a_value_goes_back_only_where_it_was() -> None:
    assert restored("[secret A_KEY] [secret B_KEY] [secret C]", "s3cret-value", (KEY, LONGER)) == "s3cret-value [secret B_KEY] [secret C]"
    assert restored("[secret A_KEY]", "", (KEY,)) == "[secret A_KEY]"


def test_a_long_text_costs_little() -> None:
    mask = mask_of(Secret(f"K{number}", f"sk-{number}-0123456789") for number in range(20))
    begin = time.process_time()
    assert mask.text("sk-1 0123 " * 200_000 + "sk-7-0123456789").endswith("[secret K7]")
    assert time.process_time() - begin < 5

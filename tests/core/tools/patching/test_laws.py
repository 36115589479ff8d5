"""Laws of patches: what is made by comparing two texts turns the first into the second, in every form."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from tests.core.tools.patching.diffs import LINES, WORDS, envelope, hunks, lines_of, text_of, texts, unified
from tests.core.tools.patching.support import block, outcome, patched
from tests.core.tools.worlds import TEXTS
from turnfold.core.tools.patching.reading import parse_patch_untrusted
from turnfold.core.tools.textlines import split_lines


@given(texts(), st.integers(1, 4), st.booleans())
def test_a_unified_diff_gives_the_second_text(pair: tuple[str, str], context: int, crlf: bool) -> None:
    old, new = pair
    assume(old != new)
    patch = unified(old, new, context)
    crlf = crlf if "\n" in old else "\r" in new  # a text without lines takes the patch's own ends
    assert patched(patch.replace("\n", "\r\n") if crlf else patch, old) == new


@given(texts())
def test_an_envelope_with_the_whole_text_around_its_changes_gives_the_second_text(pair: tuple[str, str]) -> None:
    old, new = pair
    assume(old != new)
    assert patched(envelope(old, new, 99).replace("\n", "\r\n" if "\r" in new else "\n"), old) == new


@given(texts(), st.integers(0, 3))
def test_an_envelope_with_less_around_gives_the_second_text_or_is_refused(pair: tuple[str, str], context: int) -> None:
    old, new = pair
    assume(old != new)
    done = outcome(envelope(old, new, context).replace("\n", "\r\n" if "\r" in new else "\n"), old)
    if is_successful(done):
        assert done.unwrap().text == new
    else:
        assert done.failure().code in ("ambiguous", "empty-original")


@given(
    st.data(),
    LINES.filter(lambda lines: any(line.strip() for line in lines)),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_block_gives_the_second_text_or_is_refused(
    data: st.DataObject, lines: list[str], new: list[str], context: int, ended: bool
) -> None:
    start = data.draw(st.integers(0, len(lines) - 1))
    stop = data.draw(st.integers(start + 1, len(lines)))
    before, after = lines[max(start - context, 0) : start], lines[stop : stop + context]
    patch = block("\n".join((*before, *lines[start:stop], *after)), "\n".join((*before, *new, *after)))
    done = outcome(patch, text_of(lines, "\n", ended=ended))
    if is_successful(done):
        got = [line.rstrip() for line in split_lines(done.unwrap().text)]
        want = [line.rstrip() for line in (*lines[:start], *new, *lines[stop:])]
        assert got == want or (not ended and [*got, ""] == want)  # a blank line at an open end is none
    else:
        assert done.failure().code in ("ambiguous", "empty-original")


@given(TEXTS | LINES.map("\n".join), TEXTS)
def test_any_text_is_a_patch_or_a_problem(patch: str, text: str) -> None:
    for each in (
        patch,
        f"--- a/x\n+++ b/x\n{patch}",
        f"*** Update File: x\n{patch}",
        f"@@ -1,2 +1 @@\n{patch}",
        f"-{patch}",
        f"*** Add File: x\n{patch}",
    ):
        parsed = parse_patch_untrusted(each)
        if is_successful(parsed) and len(parsed.unwrap().files) == 1 and not each.startswith("*** Add"):
            done = outcome(each, text) if hasattr(parsed.unwrap().files[0], "moved_to") else None
            assert done is None or is_successful(done) or done.failure().message


@given(LINES, st.sampled_from(("x = 1", "  return y")), LINES, LINES)
def test_lines_that_are_there_twice_are_not_removed(before: list[str], line: str, between: list[str], after: list[str]) -> None:
    text = "\n".join((*before, line, *between, line, *after))
    for patch in (
        block(line, "z"),
        f"@@\n-{line}\n+z",
        f"@@ -{len(text)},1 +1,1 @@\n-{line}\n+z",
        f"*** Update File: x\n@@ nowhere\n-{line}\n+z",
    ):
        done = outcome(patch, text)
        assert not is_successful(done)
        assert done.failure().code == "ambiguous"


ABOVE = st.lists(st.sampled_from(("new", "  newer", "")), max_size=4).map(lambda lines: "".join(line + "\n" for line in lines))


@given(texts(), ABOVE)
def test_an_envelope_for_a_text_that_has_grown_is_applied_where_it_belongs_or_refused(pair: tuple[str, str], above: str) -> None:
    old, new = pair
    assume(old != new and old and "\r" not in old + new)
    done = outcome(envelope(old, new), above + old)
    if is_successful(done):
        assert done.unwrap().text == above + new
    else:
        assert done.failure().code in ("ambiguous", "not-in-file", "empty-original")


@given(st.lists(st.integers(), min_size=2, max_size=12, unique=True), st.data(), ABOVE)
def test_wrong_line_numbers_do_no_harm(numbers: list[int], data: st.DataObject, above: str) -> None:
    lines = [f"{number}\n" for number in numbers]
    at = data.draw(st.integers(0, len(lines) - 1))
    old, new = "".join(lines), "".join((*lines[:at], *data.draw(st.sampled_from(((), ("one\n", "two\n")))), *lines[at + 1 :]))
    assert patched(unified(old, new), above + old) == above + new


@given(texts())
def test_what_the_law_compares_is_what_the_texts_are(pair: tuple[str, str]) -> None:
    old, new = pair
    assert tuple(lines_of(old)) == split_lines(old)
    assert bool(hunks(old, new, 3, numbers=True)) == (old != new)


@pytest.mark.parametrize("form", [unified, envelope])
def test_a_diff_is_applied_once(form: object) -> None:
    make = unified if form is unified else envelope
    old, new = "a\nb\nc\n", "a\nB\nc\n"
    assert not is_successful(outcome(make(old, new), new))

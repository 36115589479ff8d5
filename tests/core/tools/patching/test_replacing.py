"""Search/replace blocks: read, and applied."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from tests.core.tools.patching.support import block, outcome, patched, refused
from tests.core.tools.worlds import TEXTS
from turnfold.core.tools.nearest import nearest_place
from turnfold.core.tools.patching.blocks import MAX_DIVIDERS
from turnfold.core.tools.patching.changes import MAX_PARTS
from turnfold.core.tools.textlines import split_lines


@given(TEXTS, TEXTS)
def test_any_patch_and_any_text_give_a_result(patch: str, text: str) -> None:
    for each in (patch, block(patch, text), block(text[:9], patch)):
        done = outcome(each, text)
        assert is_successful(done) or done.failure().message


LINES = st.lists(st.sampled_from(("a", "b", "  c", "d \t", "", "=======")) | st.text("xyz ", max_size=3), min_size=1, max_size=12)


@given(st.data(), LINES, st.sampled_from(("\n", "\r\n")), st.booleans(), LINES)
def test_a_unique_original_is_replaced_and_nothing_else(
    data: st.DataObject, lines: list[str], eol: str, ended: bool, new: list[str]
) -> None:
    start = data.draw(st.integers(0, len(lines) - 1))
    stop = data.draw(st.integers(start + 1, len(lines)))
    old = lines[start:stop]
    bare = [line.rstrip() for line in lines]
    places = [at for at in range(len(lines)) if bare[at : at + len(old)] == bare[start:stop]]
    assume(places == [start] and any(bare[start:stop]) and "=======" not in (*old, *new))
    text = eol.join(lines) + (eol if ended else "")
    assume(ended or lines[-1])  # else the last line is none
    assume(eol in text)  # else there is no line end to be kept
    got = split_lines(patched(block("\n".join(old), "\n".join(new)), text))
    want = [*lines[:start], *new, *lines[stop:]]
    assert [line.rstrip() for line in got] == [line.rstrip() for line in want][: len(got)]
    assert got[:start] == split_lines(text)[:start]
    if stop < len(lines):
        assert got[len(got) - (len(lines) - stop) :] == split_lines(text)[stop:] or not ended
    assert all(line.endswith(eol) for line in got[:-1])


@pytest.mark.parametrize(
    ("original", "updated", "text", "result"),
    [
        ("b", "B", "a\nb\nc\n", "a\nB\nc\n"),
        ("b", "B", "a\nb", "a\nB"),
        ("b", "b\nc", "a\nb", "a\nb\nc"),
        ("b", "b\nc", "a\r\nb", "a\r\nb\r\nc"),
        ("b\nc", "b", "a\nb\nc", "a\nb\n"),
        ("b", "X\nY", "a\r\nb\r\nc\r\n", "a\r\nX\r\nY\r\nc\r\n"),
        ("a", "A", "\ufeffa\nb\n", "\ufeffA\nb\n"),
        ("b\r", "X\r", "a\nb\n", "a\nX\n"),
        ("a\nb\nc", "a\nB\nc", "a  \nb\nc\t\n", "a  \nB\nc\t\n"),
        ("b\n", "B\n", "a\nb\nc\n", "a\nB\nc\n"),
        ("\nb", "\nB", "a\nb\nc\n", "a\nB\nc\n"),
        ("", "a\nb", "", "a\nb\n"),
        ("", "", "", ""),
        ("b", "", "a\nb\nc\n", "a\n\nc\n"),
        ("Install\n=======\nold", "Install\n=======\nnew", "Install\n=======\nold\n", "Install\n=======\nnew\n"),
        (
            "def f():\n    # ...\n    return x",
            "def g():\n    # ...\n    return y",
            "def f():\n    x = 1\n    return x\n",
            "def g():\n    x = 1\n    return y\n",
        ),
        ("# ...\nb", "# ...\nB", "a\nb\n", "a\nB\n"),
        ("# ... kept\nb", "# ... kept\nB", "# ... kept\nb\n", "# ... kept\nB\n"),
    ],
)
def test_an_original_is_replaced(original: str, updated: str, text: str, result: str) -> None:
    assert patched(block(original, updated), text) == result


@given(st.lists(st.tuples(LINES, LINES), max_size=5), LINES, st.booleans())
def test_hunks_applied_together_are_hunks_applied_one_by_one(
    pairs: list[tuple[list[str], list[str]]], lines: list[str], ended: bool
) -> None:
    text = "\n".join(lines) + ("\n" if ended else "")
    blocks = [block("\n".join(old), "\n".join(new)) for old, new in pairs if "=======" not in (*old, *new)]
    done: list[str] = []
    for each in blocks:  # those that fit, in turn
        done += [each] if is_successful(outcome("\n".join((*done, each)), text)) else []
    step = text
    for each in done:
        step = patched(each, step)
    assert not done or patched("\n".join(done), text) == step


def test_no_lines_after_the_divider_remove_the_original() -> None:
    assert patched("<<<<<<< ORIGINAL\nb\n=======\n>>>>>>> UPDATED", "a\nb\nc\n") == "a\nc\n"


def test_blocks_are_applied_in_order_and_tell_their_lines() -> None:
    done = outcome(f"```\n{block('a', 'x' + chr(10) + 'y')}\n\n{block('c', 'z')}\n```\n", "a\nb\nc\n").unwrap()
    assert (done.text, done.lines) == ("x\ny\nb\nz\n", (1, 4))


def test_a_search_block_may_hold_the_marks_of_the_other_kind() -> None:
    inner = block("a", "b")
    assert patched(f"<<<<<<< SEARCH\n{inner}\n=======\nnew\n>>>>>>> REPLACE", f"{inner}\n") == "new\n"


@pytest.mark.parametrize(
    ("patch", "text", "code", "part"),
    [
        ("", "", "bad-patch", "holds no block"),
        ("hello\n" + block("a", "b"), "a", "bad-patch", "Line 1 of the patch, `hello`, stands outside of a block"),
        ("<<<<<<< ORIGINAL\na\n=======\nb", "a", "bad-patch", "block 1, which is not closed by a line `>>>>>>> UPDATED`"),
        ("<<<<<<< ORIGINAL\na\n=======\nb\n" + block("a", "b"), "a", "bad-patch", "not closed"),
        ("<<<<<<< ORIGINAL\na\n=======\nb\n>>>>>>> REPLACE", "a", "bad-patch", "not closed"),
        ("<<<<<<< SEARCH\na\n>>>>>>> REPLACE", "a", "bad-patch", "has no line `=======`"),
        (block("a", "\n".join(["======="] * MAX_DIVIDERS)), "a", "bad-patch", "has 9 dividers"),
        ("\n".join([block("a", "b")] * (MAX_PARTS + 1)), "a", "bad-patch", "more than 100 blocks"),
        (block("", "x"), "a\n", "empty-original", "empty original"),
        (block(" ", "x"), "a\n\nb\n", "empty-original", "empty original"),
        (block("a", "b"), "a\na\n", "ambiguous", "fits at 2 places (lines 1, 2)"),
        (block("a", "b"), "a\n" * 9, "ambiguous", "more than 5 places (lines 1, 2, 3, 4, 5 …)"),
        (block("a", "b"), "", "not-in-file", "Block 1 is not in the file"),
        (block("c", "b") + "\n" + block("zz", "b"), "c\n", "not-in-file", "Block 2 of 2 is not in the file"),
        (block("b = 2", "b = 3"), "a = 1\n    b = 2\n", "not-in-file", "line 2, where only the indentation differs:\n2\t    b = 2\n"),
        (block("a\nb", "# ... same\nB"), "a\nb\n", "placeholder", "`# ... same`"),
        (block("a\n# ...\nb", "A\n# ...\nB"), "b\na\n", "not-in-file", "is not in the file"),
        (block("a\n# ...", "A\n# ...\nB"), "a\nb\n", "not-in-file", "is not in the file"),
        (block("# ...\nq", "# ...\nr"), "a\nb\n", "not-in-file", "is not in the file"),
    ],
)
def test_a_refused_patch_says_why(patch: str, text: str, code: str, part: str) -> None:
    found, message = refused(patch, text)
    assert found == code
    assert part in message


def test_the_nearest_place_is_told_with_its_text() -> None:
    text = "import os\n\ndef first():\n    return 1\n\ndef second():\n    return 2\n"
    assert (
        nearest_place(("def second():", "    return 3"), text)
        == "lines 6-7:\n6\tdef second():\n7\t    return 2\nLine 7 differs: you wrote `    return 3`."
    )
    assert nearest_place(("def secnd():",), text) == "line 6:\n6\tdef second():\nLine 6 differs: you wrote `def secnd():`."
    assert nearest_place(("", "def secnd():"), text).startswith("lines 5-6:\n5\t\n6\tdef second():")
    assert nearest_place(("@@@@",), text) == ""
    assert nearest_place(("a",) * 20, "a\n" * 30).endswith("\n12\ta\n…")


@pytest.mark.parametrize("line", ["", "x", "x" * 50], ids=["blank", "short", "long"])
def test_a_big_file_of_equal_lines_costs_no_square(line: str) -> None:
    text = (line + "\n") * 40_000
    original = "\n".join([line] * 5_000 + ["other"])
    before = process_time()
    assert refused(block(original, "new"), text)[0] == "not-in-file"
    assert process_time() - before < 5

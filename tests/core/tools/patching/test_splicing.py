"""Sections of diffs, applied: where they belong, and nowhere else."""

from __future__ import annotations

from time import process_time

import pytest

from tests.core.tools.patching.support import outcome, patched, refused
from turnfold.core.tools.patching.splicing import MAX_CHANGES

CODE = (
    "class A:\n    def f(self):\n        return 1\n\nclass B:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
)


@pytest.mark.parametrize(
    ("patch", "text", "result"),
    [
        ("-b\n+B", "a\nb\nc\n", "a\nB\nc\n"),
        ("-b", "a\nb", "a\n"),
        (" b\n+c", "a\nb", "a\nb\nc"),
        ("+a\n b", "b\r\nc\r\n", "a\r\nb\r\nc\r\n"),
        ("-b \n+B", "a\nb\t\nc\n", "a\nB\nc\n"),
        ("-a\n-b", "a\nb\n", ""),
        ("-a\n+A", "\ufeffa\nb\n", "\ufeffA\nb\n"),
        ("@@ -0,0 +1 @@\n+a", "", "a\n"),
        ("+a\n*** End of File", "b\n", "b\na\n"),
        ("@@ b\n+c", "a\nb\nd\n", "a\nb\nc\nd\n"),
        ("-a\n\\ No newline\n+a\n", "a", "a\n"),
        (" a\n+b\n\\ No newline\n", "a\n", "a\nb"),
        ("-a\n+b\n c\n\\ No newline", "a\nc", "b\nc"),
    ],
)
def test_a_section_is_applied(patch: str, text: str, result: str) -> None:
    assert patched(patch, text) == result


@pytest.mark.parametrize(
    ("patch", "text", "result"),
    [
        # other indentation of what stays
        (
            "def f():\n     x = 1\n".replace("def", " def") + "-    return x\n+    return 2",
            "def f():\n    x = 1\n    return x\n",
            "def f():\n    x = 1\n    return 2\n",
        ),
        # what stays has changed, but half of it is near
        (" a\n b\n-c\n+C\n d", "a\nB\nc\nd\n", "a\nB\nC\nd\n"),
        # lines have come between what stays and what goes
        (" a\n b\n-c\n+C", "a\nb\nnew\nnewer\nc\n", "a\nb\nnew\nnewer\nC\n"),
        # a new line beside one that is there once
        (" gone\n a\n+b\n c", "a\nc\n", "a\nb\nc\n"),
        ("+b\n a\n gone", "a\nc\n", "b\na\nc\n"),
        # lines have come between two changes
        ("-a\n+A\n b\n-c\n+C", "a\nb\nnew\nc\n", "A\nb\nnew\nC\n"),
    ],
)
def test_what_stays_may_have_drifted(patch: str, text: str, result: str) -> None:
    assert patched(patch, text) == result


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("@@ -7,1 +7,1 @@", 7),
        ("@@ class B:", 7),
        ("@@ class A:", 3),
        ("@@ class B:\n@@ def f(self):", 7),
        ("@@ class A:\n@@\n@@     def f(self):", 3),
    ],
)
def test_a_hint_that_is_exact_chooses_between_places(header: str, line: int) -> None:
    lines = CODE.split("\n")
    lines[line - 1] = "        return 3"
    assert patched(f"{header}\n-        return 1\n+        return 3", CODE) == "\n".join(lines)


@pytest.mark.parametrize("header", ["@@", "@@ -4,1 +4,1 @@", "@@ class C:", "@@     def f(self):", "@@ -900,1 +900,1 @@"])
def test_a_hint_that_is_not_exact_chooses_nothing(header: str) -> None:
    code, message = refused(f"{header}\n-        return 1\n+        return 3", CODE)
    assert (code, "Section 1 fits at 2 places (lines 3, 7)" in message) == ("ambiguous", True)


def test_the_end_of_the_file_chooses_between_places() -> None:
    assert patched(" x\n-a\n*** End of File", "x\na\nx\na\n") == "x\na\nx\n"


def test_numbers_that_are_wrong_once_are_not_trusted_at_all() -> None:
    patch = "@@ -1 +1 @@\n-x\n+y\n@@ -3 +3 @@\n-b\n+B\n"
    assert patched(patch, "x\na\nb\nx\n") == "y\na\nB\nx\n"
    assert refused(patch, "x\nnew\na\nb\nx\n")[0] == "ambiguous"


@pytest.mark.parametrize(
    ("patch", "text", "code", "part"),
    [
        ("-a\n+b", "c\n", "not-in-file", "Section 1 is not in the file: what it removes must equal whole lines of it."),
        (" x = 1\n+y", "x = 2\n", "not-in-file", "what it keeps must equal"),
        (" x = 1\n+y", "x = 2\n", "not-in-file", "The nearest is line 1:\n1\tx = 2\nLine 1 differs: you wrote `x = 1`."),
        ("-b = 2\n+b = 3", "a = 1\n    b = 2\n", "not-in-file", "line 2, where only the indentation differs"),
        (" a\n b\n c\n-x\n+y", "1\n2\n3\nx\n", "not-in-file", "The nearest is lines 1-4:\n1\t1"),
        ("-a\n b\n-a", "a\nc\na\n", "not-in-file", "Section 1 is not in the file"),
        (" gone\n-a\n+b", "a\nx\na\n", "ambiguous", "Section 1 fits at 2 places (lines 1, 3)"),
        ("-\n gone\n+x", "a\n\n", "not-in-file", "is not in the file"),
        (" \n gone\n+x\n ", "a\n\n", "not-in-file", "is not in the file"),
        ("+a", "b\n", "empty-original", "does not say where"),
        ("@@ b\n+a", "b\nb\n", "ambiguous", "fits at 2 places (lines 1, 2)"),
        ("@@ nowhere\n+a", "b\n", "empty-original", "does not say where"),
        ("@@ nowhere\n@@ b\n-c\n+d", "b\nc\n", "not-in-file", "The place of Section 1 is not in the file: `nowhere` must equal"),
        ("-a\n+b\n+# ... the rest", "a\n", "placeholder", "Section 1 has the placeholder line `# ... the rest`"),
        ("@@\n-a\n+b\n@@\n-a\n+c", "a\n", "overlap", "Two sections change the same place (line 1)"),
        ("@@\n a\n+b\n@@\n a\n+c", "a\n", "overlap", "Two sections change the same place (line 2)"),
        ("@@\n-a\n+b\n@@\n-x\n+y", "a\n", "not-in-file", "Section 2 of 2 is not in the file"),
        ("-b\n+B\n x\n-a\n+A", "a\ny\nb\n", "not-in-file", "is not in the file"),
        ("-a\n x\n+b\n y\n-c", "a\nc\n", "not-in-file", "is not in the file"),
    ],
)
def test_a_refused_section_says_why(patch: str, text: str, code: str, part: str) -> None:
    found, message = refused(patch, text)
    assert found == code
    assert part in message


def test_a_placeholder_that_is_there_already_may_stay() -> None:
    assert patched("-# ... a\n+x\n+# ... a", "# ... a\n") == "x\n# ... a\n"


def test_only_so_many_changes_are_looked_for_one_by_one() -> None:
    many = "\n".join(f"-a{n}\n b{n}" for n in range(MAX_CHANGES + 1))
    text = "".join(f"a{n}\nnew\nb{n}\n" for n in range(MAX_CHANGES + 1))
    assert refused(many, text)[0] == "not-in-file"


def test_the_nearest_place_says_that_the_file_ends() -> None:
    assert "The file ends there, 2 lines earlier than what you wrote." in refused(" a\n b\n-c", "x\na\n")[1]


def test_places_where_more_than_white_space_may_differ_are_looked_at_only_so_often() -> None:
    text = " }\n" * 1500 + "}\n"
    code, message = refused(" gone\n-}\n+]", "gone\n" + text)
    assert (code, "more than 5 places" in message) == ("not-in-file", False)
    assert refused(" gone\n here\n-}\n+]", "gone\n}\n" + text)[0] == "ambiguous"


@pytest.mark.parametrize("line", ["", "x", "x" * 25], ids=["blank", "short", "long"])
@pytest.mark.parametrize("form", ["one section", "many sections", "many changes"])
def test_a_big_file_of_equal_lines_costs_no_square(line: str, form: str) -> None:
    text = (line + "\n") * 40_000
    patch = {
        "one section": "@@\n" + f" {line}\n" * 5_000 + "-other\n+new\n",
        "many sections": (f"@@ {line}\n" + f" {line}\n" * 50 + "-other\n+new\n") * 100,
        "many changes": "@@\n" + f" {line}\n-{line}\n+new\n" * 5_000,
    }[form]
    before = process_time()
    assert not hasattr(outcome(patch, text), "text")
    assert process_time() - before < 10

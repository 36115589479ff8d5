"""Patches of the three forms, read."""

from __future__ import annotations

import pytest
from returns.pipeline import is_successful

from tests.core.tools.patching.support import block, read
from turnfold.core.tools.patching.changes import MAX_PARTS, Add, Block, Line, Mark, Remove, Section, Update
from turnfold.core.tools.patching.reading import parse_patch_untrusted

SECTION = Section(lines=(Line(Mark.REMOVED, "x"), Line(Mark.ADDED, "y")))


def bad(patch: str) -> str:
    parsed = parse_patch_untrusted(patch)
    assert not is_successful(parsed), parsed
    assert parsed.failure().code == "bad-patch"
    return parsed.failure().message


def test_an_envelope_names_files_and_what_becomes_of_them() -> None:
    patch = (
        "*** Begin Patch\n*** Update File: a.py\n@@ class A:\n@@ def f():\n-x\n+y\n"
        "*** Add File: b.py\n+one\n\n+two\n\n*** Delete File: `c.py`\n"
        "*** Update File: d.py\n*** Move to: e.py\n*** End Patch\n"
    )
    assert read(patch) == (
        Update(path="a.py", parts=(Section(lines=SECTION.lines, anchors=("class A:", "def f():")),)),
        Add("b.py", "one\n\ntwo\n"),
        Remove("c.py"),
        Update(path="d.py", parts=(), moved_to="e.py"),
    )


def test_blocks_may_stand_below_a_heading() -> None:
    parts = read(f"```\n*** Update File: a.py\n{block('a', 'b')}\n\n{block('c', 'd')}\n-x\n+y\n```\n")[0]
    assert isinstance(parts, Update)
    assert parts.parts == (Block(("a", "=======", "b"), (1,)), Block(("c", "=======", "d"), (1,)), SECTION)


def test_a_git_diff_names_files_and_what_becomes_of_them() -> None:
    patch = """diff --git a/a.py b/a.py
index 1..2 100644
--- a/a.py	2026-11-21
+++ b/a.py	2026-11-21
@@ -3,1 +3,1 @@ def f():
-x
+y
diff --git a/new.py b/new.py
new file mode 100644
index 0..1
--- /dev/null
+++ b/new.py
@@ -0,0 +1,2 @@
+one
+two
\\ No newline at end of file
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/from.py b/to.py
similarity index 100%
rename from from.py
rename to to.py
diff --git a/empty.py b/empty.py
new file mode 100644
diff --git a/gone.py b/gone.py
deleted file mode 100644
diff --git a/mode.sh b/mode.sh
old mode 100644
new mode 100755

diff --git a/last.py b/last.py
--- a/last.py
+++ b/last.py
@@ -1 +1 @@
-x
+y
"""
    assert read(patch) == (
        Update(path="a.py", parts=(Section(lines=SECTION.lines, anchors=("def f():",), line=3),)),
        Add("new.py", "one\ntwo"),
        Remove("old.py", (Section(lines=SECTION.lines[:1], line=1),)),
        Update(path="from.py", parts=(), moved_to="to.py"),
        Add("empty.py", ""),
        Remove("gone.py"),
        Update(path="last.py", parts=(Section(lines=SECTION.lines, line=1),)),
    )


def test_names_without_git_letters_stay_as_they_are() -> None:
    assert read("--- a/x\n+++ a/x\n@@\n-x\n+y\n") == (Update(path="a/x", parts=(SECTION,)),)
    assert read('--- "x y"\n+++ "x y"\n@@\n-x\n+y\n') == (Update(path="x y", parts=(SECTION,)),)


def test_lines_that_look_like_a_heading_are_lines() -> None:
    lines = (Line(Mark.REMOVED, "-- a"), Line(Mark.ADDED, "++ b"))
    assert read("@@ -1 +1 @@\n--- a\n+++ b\n x\n") == (Update(path="", parts=(Section(lines=(*lines, Line(Mark.KEPT, "x")), line=1),)),)


def test_sections_without_a_file_are_for_the_one_that_is_meant() -> None:
    for patch in ("-x\n+y", "@@\n-x\n+y\n", "```diff\n@@ @@\n-x\n+y\n```\n", "\n\n-x\n+y\n\n\n"):
        assert read(patch) == (Update(path="", parts=(SECTION,)),)


def test_what_a_section_says_of_the_end() -> None:
    def ended(patch: str) -> tuple[bool | None, bool]:
        change = read(patch)[0]
        assert isinstance(change, Update)
        (section,) = change.parts
        assert isinstance(section, Section)
        return section.ended, section.at_end

    note = "\\ No newline at end of file\n"
    assert ended(f"-x\n{note}+y\n") == (True, False)
    assert ended(f"-x\n{note}+y\n{note}") == (False, False)
    assert ended(f"-x\n y\n{note}") == (False, False)
    assert ended("-x\n*** End of File\n") == (None, True)


def test_the_patch_with_carriage_returns_makes_a_file_with_them() -> None:
    assert read("*** Add File: a\r\n+b\r\n") == (Add("a", "b\r\n"),)


@pytest.mark.parametrize(
    ("patch", "part"),
    [
        ("*** Begin Patch\n*** End Patch", "names no file"),
        ("*** Update File:\n-x\n", "Line 1 of the patch, `*** Update File:`, names no file"),
        ("*** Begin Patch\nhello", "Line 2 of the patch, `hello`, names no file. Begin each file with"),
        ("*** Begin Patch\n*** Rename File: a", "is no heading of a file"),
        ("*** Update File: a\n*** Delete File: b", "is the heading of a file that is not changed"),
        ("*** Add File: a\n+b\nc\n", "Line 3 of the patch, `c`, is a line of a new file and has no `+` before it"),
        ("*** Update File: a\n-x\ny\n", "Line 3 of the patch, `y`, begins with none of"),
        ("*** Update File: a\n<<<<<<< SEARCH\n", "block 1, which is not closed"),
        ("*** Update File: a\n x\n", "begins a section that changes nothing"),
        ("*** Update File: a\n@@\n", "begins a section that changes nothing"),
        ("*** Update File: a\n" + "@@\n-x\n" * (MAX_PARTS + 1), "more than 100 blocks"),
        ("*** Update File: a\n" + "@@\n-x\n" * MAX_PARTS + "*** Update File: b\n-x\n", "more than 100 blocks"),
        ("@@\n-x\n" * (MAX_PARTS + 1), "more than 100 blocks"),
        ("--- /dev/null\n+++ /dev/null\n@@\n-x\n", "names no file"),
        ("--- /dev/null\n+++ b/a\n@@\n x\n+y\n", "a is to be a new file, but not all its lines begin with `+`"),
        ("diff --git a/a.png b/a.png\nBinary files a/a.png and b/a.png differ\n", "is about a file that is no text"),
        ("diff --git a/a b/a\nold mode 1\nnew mode 2\n", "The patch changes nothing"),
        ("diff --git nothing\n-x\nhello\n", "`hello`, begins with none of"),
        ("diff --git a/a b/a\nhello\n", "`hello`, begins with none of"),
        ("@@ -1 +1 @@\n x\n", "changes nothing"),
    ],
)
def test_what_can_not_be_read_is_shown_with_its_line(patch: str, part: str) -> None:
    assert part in bad(patch)

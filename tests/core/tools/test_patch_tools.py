"""The tools ``patch`` and ``patch_many``: what they ask for, and what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.patching.diffs import hunks, texts, unified
from tests.core.tools.patching.support import block
from tests.core.tools.worlds import Played, TinyWorld, answer, config, play
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.llm.call_format import parse, text_format
from turnfold.core.tools.builtin.patch import PATCH
from turnfold.core.tools.builtin.patch_many import MAX_FILES, PATCH_MANY
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec
from turnfold.core.world.answers import Exchange, FilesListed
from turnfold.core.world.requests import ChangeFiles, DeleteFile, ReadFile, WriteFile

FILES = (("/w/a.txt", "1\n2\n3\n"), ("/w/d/b.txt", "x\ny\n"), ("/w/bin", None))


def patch(text: str, path: str = "a.txt") -> Played:
    return play(PATCH, JsonObject.of(path=path, patch=text), config(), TinyWorld(files=FILES))


def patch_many(text: str, files: tuple[tuple[str, str | None], ...] = FILES) -> Played:
    return play(PATCH_MANY, JsonObject.of(patch=text), config(), TinyWorld(files=files))


def message(played: Played) -> str:
    assert isinstance(played.end, Refuse), played.end
    assert played.end.problem.path == "$.patch"
    assert not played.world.writes
    return played.end.problem.message


def said(played: Played) -> str:
    assert isinstance(played.end, Done), played.end
    return played.end.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (block("2", "two"), "Patched a.txt: 1 block applied at line 2."),
        ("@@ -2 +2 @@\n-2\n+two\n", "Patched a.txt: 1 section applied at line 2."),
        ("--- a/a.txt\n+++ b/a.txt\n@@ -2 +2 @@\n-2\n+two\n", "Patched a.txt: 1 section applied at line 2."),
        ("*** Begin Patch\n*** Update File: ./a.txt\n@@\n-2\n+two\n*** End Patch\n", "Patched a.txt: 1 section applied at line 2."),
        ("*** Update File: /w/a.txt\n" + block("2", "two"), "Patched a.txt: 1 block applied at line 2."),
    ],
)
def test_all_forms_change_the_file(text: str, told: str) -> None:
    played = patch(text)
    assert said(played) == told
    assert played.world.text("/w/a.txt") == "1\ntwo\n3\n"


def test_several_parts_for_one_file_are_one_write() -> None:
    played = patch("*** Update File: a.txt\n@@\n-1\n+one\n*** Update File: a.txt\n@@\n-3\n+three\n")
    assert said(played) == "Patched a.txt: 2 sections applied at lines 1, 3."
    assert (played.world.text("/w/a.txt"), played.world.writes) == ("one\n2\nthree\n", 1)


def test_a_heading_may_name_less_of_the_path() -> None:
    assert said(patch("--- b.txt\n+++ b.txt\n@@\n-x\n+z\n", "d/b.txt")) == "Patched d/b.txt: 1 section applied at line 1."


def test_a_new_file_is_made() -> None:
    played = patch("--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+hi\n", "new.txt")
    assert said(played) == "Created new.txt (1 line)."
    assert played.world.text("/w/new.txt") == "hi\n"


@pytest.mark.parametrize(
    ("text", "path", "part"),
    [
        ("*** Update File: c.txt\n-2\n+3", "a.txt", "The patch is for c.txt, and the call for a.txt: name one file"),
        ("*** Delete File: a.txt", "a.txt", "move or delete files with patch_many"),
        ("*** Update File: a.txt\n*** Move to: c.txt", "a.txt", "move or delete files with patch_many"),
        ("*** Add File: a.txt\n+1\n*** Delete File: a.txt", "a.txt", "move or delete files with patch_many"),
        ("*** Add File: a.txt\n+1", "a.txt", "There is a file a.txt already, which was not changed"),
        ("@@\n-7\n+8", "a.txt", "a.txt was not changed. Section 1 is not in the file"),
        ("nonsense", "a.txt", "Line 1 of the patch, `nonsense`, stands outside of a block"),
    ],
)
def test_a_patch_that_does_something_else_is_refused(text: str, path: str, part: str) -> None:
    assert part in message(patch(text, path))


def test_a_new_file_that_can_not_be_looked_at_is_not_made() -> None:
    played = patch("*** Add File: bin\n+1", "bin")
    assert isinstance(played.end, Refuse)
    assert played.end.problem.code == "not-text"


MANY = """*** Begin Patch
*** Update File: a.txt
@@
-2
+two
*** Update File: d/b.txt
*** Move to: c.txt
<<<<<<< ORIGINAL
x
=======
z
>>>>>>> UPDATED
*** Add File: e.txt
+new
*** End Patch
"""


def test_several_files_change_at_once() -> None:
    played = patch_many(MANY)
    assert (
        said(played) == "Changed 4 files, all at once:\npatched a.txt (1 change)\nmoved d/b.txt to c.txt (1 change)\nadded e.txt (1 line)"
    )
    assert dict(played.world.files) == {"/w/a.txt": "1\ntwo\n3\n", "/w/c.txt": "z\ny\n", "/w/e.txt": "new\n", "/w/bin": None}
    assert [type(each.request) for each in played.exchanges] == [ReadFile, ReadFile, ChangeFiles]


def test_a_git_diff_of_several_files() -> None:
    text = (
        unified("1\n2\n3\n", "1\n3\n", names=("a/a.txt", "b/a.txt"))
        + "diff --git a/d/b.txt b/d/b.txt\ndeleted file mode 100644\n--- a/d/b.txt\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n"
    )
    played = patch_many(text)
    assert said(played) == "Changed 2 files, all at once:\npatched a.txt (1 change)\ndeleted d/b.txt"
    request = played.exchanges[-1].request
    assert isinstance(request, ChangeFiles)
    assert [type(each) for each in request.changes] == [WriteFile, DeleteFile]


def test_changes_of_one_file_follow_each_other() -> None:
    text = (
        "*** Update File: a.txt\n@@\n-2\n+two\n*** Update File: a.txt\n*** Move to: f.txt\n@@\n-two\n+2!\n*** Update File: f.txt\n@@\n-3\n"
    )
    played = patch_many(text)
    assert (played.world.text("/w/f.txt"), played.world.text("/w/a.txt")) == ("1\n2!\n", None)
    made = patch_many("*** Add File: g\n+1\n*** Update File: g\n@@\n-1\n+2\n*** Delete File: a.txt\n*** Add File: a.txt\n+new\n")
    assert (made.world.text("/w/g"), made.world.text("/w/a.txt")) == ("2\n", "new\n")


def test_what_is_as_it_should_be_is_not_written() -> None:
    played = patch_many("*** Update File: a.txt\n@@\n-2\n+2\n*** Update File: a.txt\n*** Move to: ./a.txt\n@@\n-1\n+1\n")
    assert said(played) == "All files already are as the patch wants them; nothing was written."
    assert not played.world.writes


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (MANY.replace("-2", "-7"), "No file was changed. a.txt: Section 1 is not in the file"),
        (MANY.replace("e.txt", "a.txt"), "No file was changed. a.txt: There is such a file already"),
        (MANY.replace("c.txt", "a.txt"), "No file was changed. d/b.txt: There is such a file already"),
        (MANY.replace("d/b.txt", "nope"), "No file was changed. There is no /w/nope."),
        (MANY.replace("d/b.txt", "bin"), "No file was changed. /w/bin is no text."),
        (MANY.replace("e.txt", "e\x07"), "No file was changed. The path"),
        (MANY.replace("c.txt", "c\x07"), "No file was changed. The path"),
        (block("2", "two"), "The patch does not say for which file"),
        ("*** Delete File: a.txt\n*** Update File: a.txt\n@@\n-1\n", "a.txt: It is gone by then"),
        ("*** Delete File: a.txt\n*** Delete File: a.txt\n", "a.txt: It is gone by then"),
        ("--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n", "a.txt: The patch says that it goes, and leaves lines of it"),
        ("--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-7\n", "a.txt: Section 1 is not in the file"),
        ("".join(f"*** Delete File: {n}\n" for n in range(MAX_FILES + 1)), "for more than 50 files"),
        ("nonsense", "stands outside of a block"),
    ],
)
def test_one_part_that_is_refused_changes_nothing(text: str, part: str) -> None:
    assert part in message(patch_many(text))


def test_an_answer_of_another_kind_is_a_problem() -> None:
    call = Call(JsonObject.of(patch="*** Delete File: a.txt"))
    need = PATCH_MANY.advance(call, config())
    assert isinstance(need, Need)
    end = PATCH_MANY.advance(Call(call.arguments, (Exchange(need.requests[0], FilesListed(entries=())),)), config())
    assert isinstance(end, Refuse)
    assert end.problem.message == "No file was changed. /w/a.txt could not be read."


def test_a_file_that_changed_meanwhile_stays() -> None:
    arguments = JsonObject.of(patch="*** Update File: a.txt\n@@\n-2\n+two\n")
    read = PATCH_MANY.advance(Call(arguments), config())
    assert isinstance(read, Need)
    before = Exchange(read.requests[0], answer(read.requests[0], TinyWorld(files=FILES))[0])
    write = PATCH_MANY.advance(Call(arguments, (before,)), config())
    assert isinstance(write, Need)
    outcome, world = answer(write.requests[0], TinyWorld(files=(("/w/a.txt", "other\n"),)))
    end = PATCH_MANY.advance(Call(arguments, (before, Exchange(write.requests[0], outcome))), config())
    assert isinstance(end, Refuse)
    assert (end.problem.message, world.writes) == ("No file was changed. /w/a.txt changed.", 0)


@given(st.lists(texts(), min_size=1, max_size=4), st.data())
def test_a_patch_of_many_files_changes_all_or_none(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    """Files and what becomes of them, told as sections; one of them may be told for another text."""
    changed = [(old, new) for old, new in pairs if old != new and "\r" not in old + new]
    wrong = data.draw(st.integers(-1, len(changed) - 1))
    files = tuple((f"/w/{at}.txt", old) for at, (old, _) in enumerate(changed))
    text = "".join(f"*** Update File: {at}.txt\n{hunks(old, new, 99, numbers=False)}" for at, (old, new) in enumerate(changed))
    text += f"*** Update File: {wrong}.txt\n@@\n-never there\n+x\n" if wrong >= 0 else ""
    played = patch_many(text or "*** Add File: n\n+1\n", files)
    if wrong >= 0:
        assert isinstance(played.end, Refuse)
        assert played.world.files == files
    elif changed:
        assert dict(played.world.files) == {f"/w/{at}.txt": new for at, (_, new) in enumerate(changed)}


@pytest.mark.parametrize("format", [ToolFormat.MARKDOWN, ToolFormat.XML], ids=lambda format: format.value)
@pytest.mark.parametrize("tool", [PATCH, PATCH_MANY], ids=lambda tool: tool.name)
def test_the_worked_example_is_read_back_in_every_format_and_applies(tool: ToolSpec, format: ToolFormat) -> None:
    call = ToolCall(tool.name, tool.examples[0].arguments)
    form = text_format(format)
    assert form is not None
    assert parse(form.render(call, tool), format, (tool,)) == (call,)
    files = (("/w/config.py", "x = 1\n"), ("/w/app.py", "import os\nfrom config import x\n"))
    assert isinstance(play(tool, call.arguments, config(), TinyWorld(files=files)).end, Done)

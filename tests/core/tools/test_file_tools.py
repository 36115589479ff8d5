"""read, save, append and patch in a tiny world."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.worlds import MAX_ROUNDS, TEXTS, Played, TinyWorld, config, play
from turnfold.core.config.values import Limits
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Blame, model_problem, world_problem
from turnfold.core.tools.builtin.append import APPEND
from turnfold.core.tools.builtin.patch import PATCH
from turnfold.core.tools.builtin.read import READ
from turnfold.core.tools.builtin.save import SAVE
from turnfold.core.tools.spec import Call, Done, Refuse, ToolSpec
from turnfold.core.world.answers import Entry, EntryKind, Exchange, FileRead, FilesListed
from turnfold.core.world.requests import ListFiles, ReadFile, WriteFile

FILE = "/w/a.txt"


def world(text: str | None = "1\n2\n3\n") -> TinyWorld:
    return TinyWorld(files=((FILE, text),))


def played(tool: ToolSpec, at: TinyWorld, **arguments: JsonValue) -> Played:
    return play(tool, JsonObject.of(**arguments), config(), at)


def said(tool: ToolSpec, at: TinyWorld, **arguments: JsonValue) -> str:
    """What the model is told; a refusal as code and message."""
    end = played(tool, at, **arguments).end
    return end.text if isinstance(end, Done) else f"{end.problem.code}: {end.problem.message}"


@pytest.mark.parametrize(
    ("text", "arguments", "shown"),
    [
        ("1\n2\n3\n", JsonObject(), "a.txt (3 lines):\n1\t1\n2\t2\n3\t3\n"),
        ("1\r\n2\r\n", JsonObject(), "a.txt (2 lines, ends of lines are CRLF):\n1\t1\n2\t2\n"),
        ("\ufeff1\n", JsonObject(), "a.txt (1 line):\n1\t1\n"),
        ("1", JsonObject(), "a.txt (1 line):\n1\t1\n"),
        ("", JsonObject(), "a.txt is empty."),
        ("1\n2\n3\n", JsonObject.of(start_line=2), "a.txt (lines 2-3 of 3):\n2\t2\n3\t3\n"),
        ("1\n2\n3\n", JsonObject.of(end_line=2.0), "a.txt (lines 1-2 of 3):\n1\t1\n2\t2\n"),
        ("1\n2\n3\n", JsonObject.of(start_line=2, end_line=99), "a.txt (lines 2-3 of 3):\n2\t2\n3\t3\n"),
        ("1\n2\n3\n", JsonObject.of(start_line=4), "bad-range: a.txt has 3 lines; ask for lines from 1 to 3."),
        ("1\n2\n3\n", JsonObject.of(start_line=3, end_line=2), "bad-range: start_line (3) is greater than end_line (2)."),
        ("1\n2\n3\n", JsonObject.of(end_line=0), "bad-range: a.txt has 3 lines; ask for lines from 1 to 3."),
        ("a\x0bb\u2028c\rd\n", JsonObject(), "a.txt (1 line):\n1\ta\x0bb\u2028c\rd\n"),
    ],
)
def test_read_shows_lines_with_their_numbers(text: str, arguments: JsonObject, shown: str) -> None:
    assert said(READ, world(text), path="a.txt", **dict(arguments.members)) == shown


def test_read_cuts_the_middle_and_says_how_to_see_it() -> None:
    cfg = config(limits=Limits(output_bytes=20))
    end = play(READ, JsonObject.of(path="a.txt"), cfg, world("".join(f"{number}\n" for number in range(99)))).end
    assert end == Done(
        "a.txt (99 lines):\n1\t0\n2\t1\n[cut here: 561 bytes, 96 lines; see the rest with start_line and end_line]\n99\t98\n"
    )


def test_read_lists_a_folder() -> None:
    files = tuple((f"/w/d/{name}", "x") for name in ("b", "a", "sub/c", "x\ny"))
    assert said(READ, TinyWorld(files=files), path="d") == "d (folder, 4 entries):\na\t1 byte\nb\t1 byte\nsub/\n'x\\ny'\t1 byte\n"
    assert said(READ, TinyWorld(files=files[:1]), path="d").startswith("d (folder, 1 entry):")
    assert said(READ, TinyWorld(folders=("/w",)), path=".") == ". is an empty folder."
    many = said(READ, TinyWorld(files=tuple((f"/w/d/{number:03}", "") for number in range(101))), path="d")
    assert many.startswith("d (folder, 101 entries):\n000\t")
    assert many.endswith("099\t1 byte\n... and 1 more; list them with shell (`ls`)\n")


def test_read_names_links_and_what_is_no_file() -> None:
    request = ReadFile(path="/w/d", limit_bytes=Limits().file_bytes)
    entries = (Entry(name="l", kind=EntryKind.LINK), Entry(name="p", kind=EntryKind.OTHER))
    first = Exchange(request, model_problem("is-directory", "A folder."))
    call = Call(JsonObject.of(path="d"), (first, Exchange(ListFiles(path="/w/d", limit=100), FilesListed(entries=entries))))
    assert READ.advance(call, config()) == Done("d (folder, 2 entries):\nl\tlink\np\tno file\n")
    gone = world_problem("not-allowed", "No.")
    call = Call(JsonObject.of(path="d"), (first, Exchange(ListFiles(path="/w/d", limit=100), gone)))
    assert READ.advance(call, config()) == Refuse(gone)
    missing = Exchange(request, model_problem("not-found", "None."))
    call = Call(JsonObject.of(path="d"), (missing, Exchange(ListFiles(path="/w", limit=100), gone)))
    assert READ.advance(call, config()) == Refuse(model_problem("not-found", "None."))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("src/mian.py", "not-found: There is no /w/src/mian.py. Did you mean src/main.py?"),
        ("src/zzz", "not-found: There is no /w/src/zzz. The folder src has: main.py."),
        ("many/zzz", "not-found: There is no /w/many/zzz. The folder many has: 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, …."),
        ("empty/zzz", "not-found: There is no /w/empty/zzz. The folder empty is empty."),
        ("none/zzz", "not-found: There is no /w/none/zzz. There is no folder none either."),
        ("/etc/zzz", "not-found: There is no /etc/zzz."),
        ("bin", "not-text: /w/bin is no text."),
        ("", "bad-path: The path is empty; give the path of a file."),
        ("~/a.txt", "bad-path: The path ~/a.txt begins with ~, which nothing replaces here: write it in full, or ./~ for that very name."),
        ("a\nb", "bad-path: The path 'a\\nb' holds a control character; write it on one line, as it is in the listing."),
    ],
)
def test_read_says_what_there_is_instead(path: str, shown: str) -> None:
    files = (("/w/src/main.py", ""), ("/w/bin", None), *((f"/w/many/{number:02}", "") for number in range(11)))
    assert said(READ, TinyWorld(files=files, folders=("/w/empty",)), path=path) == shown


@pytest.mark.parametrize(
    ("old", "content", "new", "shown"),
    [
        (None, "a", "a\n", "Saved a.txt (1 line, new file)."),
        (None, "", "", "Saved a.txt (0 lines, new file)."),
        ("1\n2\n", "a\nb\n", "a\nb\n", "Saved a.txt (2 lines; overwrote 2 lines)."),
        ("a\n", "a", "a\n", "a.txt already has this content (1 line); nothing was written."),
        ("1\r\n", "a\nb\n", "a\r\nb\r\n", "Saved a.txt (2 lines; overwrote 1 line)."),
    ],
)
def test_save_makes_or_replaces_a_file(old: str | None, content: str, new: str, shown: str) -> None:
    result = played(SAVE, TinyWorld() if old is None else world(old), path="a.txt", content=content)
    assert result.end == Done(shown)
    assert result.world.text(FILE) == new
    assert result.world.writes == (0 if old == new else 1)


@pytest.mark.parametrize(
    ("old", "content", "new", "shown"),
    [
        (None, "a", "a\n", "Created a.txt (1 line)."),
        ("1\n", "a\n", "1\na\n", "Appended 1 line to a.txt (now 2 lines)."),
        ("1", "a\nb", "1\na\nb\n", "Appended 2 lines to a.txt (now 3 lines)."),
        ("1\r\n2", "a", "1\r\n2\r\na\r\n", "Appended 1 line to a.txt (now 3 lines)."),
        ("", "a", "a\n", "Appended 1 line to a.txt (now 1 line)."),
        ("1\n", "", "1\n", "There was nothing to append to a.txt."),
    ],
)
def test_append_adds_lines(old: str | None, content: str, new: str, shown: str) -> None:
    result = played(APPEND, TinyWorld() if old is None else world(old), path="a.txt", content=content)
    assert result.end == Done(shown)
    assert result.world.text(FILE) == new


@pytest.mark.parametrize("line", ["# ...", "  // ... rest", '""" ... """', "-- … as before", "; ...", "#..."])
@pytest.mark.parametrize("tool", [SAVE, APPEND], ids=lambda tool: tool.name)
def test_content_that_leaves_lines_out_is_refused_before_anything_is_asked(tool: ToolSpec, line: str) -> None:
    result = played(tool, world(), path="a.txt", content=f"a\n{line}\nb\n")
    assert isinstance(result.end, Refuse)
    assert result.end.problem.message.startswith(f"Line 2 is a placeholder (`{line.strip()}`); write the whole text, or ")
    assert result.exchanges == ()


@pytest.mark.parametrize("tool", [SAVE, APPEND], ids=lambda tool: tool.name)
def test_what_can_not_be_read_is_not_overwritten(tool: ToolSpec) -> None:
    shown = said(tool, world(None), path="a.txt", content="x")
    assert shown == "not-text: /w/a.txt is no text. Nothing was written; if it is to be replaced, remove it with shell first."
    assert said(tool, world(), path="", content="x").startswith("bad-path")
    assert said(tool, world(), path=".", content="x") == "is-directory: /w is a folder."


def block(original: str, updated: str) -> str:
    return f"<<<<<<< ORIGINAL\n{original}\n=======\n{updated}\n>>>>>>> UPDATED"


@pytest.mark.parametrize(
    ("patch", "new", "shown"),
    [
        (block("2", "x"), "1\nx\n3\n", "Patched a.txt: 1 block applied at line 2."),
        (block("1", "x") + "\n" + block("3", "y"), "x\n2\ny\n", "Patched a.txt: 2 blocks applied at lines 1, 3."),
        (block("2", "2"), "1\n2\n3\n", "a.txt already is as the patch wants it; nothing was written."),
        (block("1", "x") + "\n" + block("9", "y"), "1\n2\n3\n", "not-in-file: a.txt was not changed. Block 2 of 2 is not in the file"),
        ("nonsense", "1\n2\n3\n", "bad-patch: Line 1 of the patch, `nonsense`, stands outside of a block."),
    ],
)
def test_patch_changes_all_or_nothing(patch: str, new: str, shown: str) -> None:
    result = played(PATCH, world(), path="a.txt", patch=patch)
    assert result.world.text(FILE) == new
    assert said(PATCH, world(), path="a.txt", patch=patch).startswith(shown)
    assert isinstance(result.end, Done) or result.end.problem.path == "$.patch"


def test_patch_of_a_file_that_is_not_there_says_how_to_make_one() -> None:
    assert said(PATCH, TinyWorld(), path="a.txt", patch=block("a", "b")) == "not-found: There is no /w/a.txt. Make a file with save."
    assert said(PATCH, TinyWorld(), path="", patch=block("a", "b")).startswith("bad-path")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (SAVE, JsonObject.of(path="a.txt", content="x")),
        (APPEND, JsonObject.of(path="a.txt", content="x")),
        (PATCH, JsonObject.of(path="a.txt", patch=block("2", "x"))),
    ],
    ids=lambda each: each.name if isinstance(each, ToolSpec) else "",
)
def test_a_file_that_changed_meanwhile_is_not_overwritten(tool: ToolSpec, arguments: JsonObject) -> None:
    read = Exchange(ReadFile(path=FILE, limit_bytes=Limits().file_bytes), FileRead(text="1\n2\n", digest="d"))
    asked = tool.advance(Call(arguments, (read,)), config())
    assert not isinstance(asked, (Done, Refuse))
    (write,) = asked.requests
    assert isinstance(write, WriteFile)
    assert write.expected_digest == "d"
    end = tool.advance(Call(arguments, (read, Exchange(write, world_problem("changed", "It changed.")))), config())
    assert isinstance(end, Refuse)
    assert end.problem.message == "It changed. Nothing was written; read it, then repeat the change."
    assert end.problem.blame is Blame.MODEL


@given(TEXTS, TEXTS)
def test_what_is_saved_and_appended_is_what_the_file_holds(content: str, more: str) -> None:
    saved = played(SAVE, TinyWorld(), path="a.txt", content=content)
    if isinstance(saved.end, Refuse):
        assert saved.world.writes == 0
        return
    text = saved.world.text(FILE)
    assert text is not None
    assert text.rstrip("\n") == content.rstrip("\n")
    assert played(SAVE, saved.world, path="a.txt", content=content).world.writes == saved.world.writes
    appended = played(APPEND, saved.world, path="a.txt", content=more)
    both = appended.world.text(FILE)
    assert both is not None
    assert both.startswith(text)
    if isinstance(appended.end, Done):
        assert both.replace("\r\n", "\n") == (text + more + ("" if not more or more.endswith("\n") else "\n")).replace("\r\n", "\n")


@given(st.lists(st.text("ab \t", max_size=3), max_size=9).map("\n".join), st.integers(1, 9), st.integers(1, 9))
def test_read_shows_just_the_lines_of_the_range(text: str, first: int, last: int) -> None:
    result = played(READ, world(text), path="a.txt", start_line=first, end_line=last)
    assert len(result.exchanges) <= MAX_ROUNDS
    lines = text.split("\n")[: text.count("\n") + (0 if text.endswith("\n") or not text else 1)]
    if isinstance(result.end, Done) and lines:
        assert result.end.text.split("\n")[1:-1] == [f"{number}\t{line}" for number, line in enumerate(lines, 1) if first <= number <= last]

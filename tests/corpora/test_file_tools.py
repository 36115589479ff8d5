"""What gptme's tools were recorded to do with files, as data: the same meaning, or a difference that is listed.

Meaning: the same files afterwards; where it failed, turnfold refuses and they are as before. Edits by hashes and numbers of lines, which
turnfold has not, are said as the diffs that mean the same.
"""

from __future__ import annotations

import posixpath

import pytest
from returns.pipeline import is_successful

from tests.core.tools.corpus import NEEDS_CORPORA, Case, cases
from tests.core.tools.worlds import TinyWorld, config, play
from tests.corpora.anchored import by_anchor, diff, written
from tests.corpora.differences import differences
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.spec import Done, find_tool
from turnfold.core.world.permission import Ask, permit
from turnfold.core.world.requests import ChangeFiles

FILE_CASES = cases("file_tools")
DIFFERENCES = differences("file_tools")
FAILED = (
    "Error",
    "aborted",
    "not found",
    "Not a file",
    "Cannot read",
    "Invalid line range",
    "traversal",
    "No path",
    "no path",
    "failed",
    "no operations",
    "not found:",
)


def case_id(case: object) -> str:
    return case.id if isinstance(case, Case) else ""


def call_of(case: Case) -> tuple[str, JsonObject]:
    """The tool's name and the arguments that say what the recorded call said."""
    function = case.fn.partition(":")[2]
    if "patch_many" in function:
        return "patch_many", JsonObject.of(patch="\n".join(f"*** Update File: {path}\n{patch}" for path, patch in parts_of(case)))
    if "anchored" in function or "hashline" in function:
        return anchored_call(case)
    content, *rest = case.arguments()
    if function == "execute_patch_impl":
        return "patch", JsonObject.of(path=rest[0], patch=content)
    named = rest[1] if isinstance(rest[1], JsonObject) else JsonObject()
    plain = rest[0] if isinstance(rest[0], tuple) else ()
    members: tuple[tuple[str, JsonValue], ...] = (("path", plain[0]),) if plain else ()
    # gptme's arguments are all text, those of turnfold have types
    members += tuple((name, int(value) if isinstance(value, str) and name.endswith("line") else value) for name, value in named.members)
    tool = function.removeprefix("execute_")
    body = {"save": "content", "append": "content", "patch": "patch"}.get(tool)
    return tool, JsonObject(members if body is None else (*members, (body, content)))


def parts_of(case: Case) -> tuple[tuple[str, str], ...]:
    """The files that a call of patch_many is about, each with its blocks."""
    first, *rest = case.arguments()
    if isinstance(first, str):
        return tuple((str(path), first) for path in (rest[0] if isinstance(rest[0], tuple) else ()))
    if first is None:
        assert isinstance(rest[1], JsonObject)
        listed = loads_untrusted(str(rest[1]["patches"])).unwrap()
        assert isinstance(listed, tuple)
        named = tuple((str(each["path"]), str(each["patch"])) for each in listed if isinstance(each, JsonObject))
        return tuple((path.rpartition("/")[2], patch) for path, patch in named)
    pairs = tuple(each for each in first if isinstance(each, tuple)) if isinstance(first, tuple) else ()
    return tuple((str(path), block_of(patch)) for path, patch in pairs)


def block_of(patch: JsonValue) -> str:
    if isinstance(patch, JsonObject):
        return f"<<<<<<< ORIGINAL\n{patch['original']}\n=======\n{patch['updated']}\n>>>>>>> UPDATED"
    return str(patch)


def anchored_call(case: Case) -> tuple[str, JsonObject]:
    """The call of ``patch`` that says what an edit by hashes or numbers of lines said."""
    content, plain, named = case.arguments()
    path = named["path"] if isinstance(named, JsonObject) else plain[0] if isinstance(plain, tuple) else ""
    text = dict(case.files("before")).get(str(path)) or ""
    if "hashline" in case.fn:
        edits = written(text, str(content))
    else:
        operations = loads_untrusted(str(content)).unwrap()
        assert isinstance(operations, tuple)
        edits = by_anchor(text, operations)
    return "patch", JsonObject.of(path=path, patch=diff(edits) or " ")


def world_of(case: Case, path: str) -> TinyWorld:
    """The files that there were; what the record leaves open (no text, a folder, none at all) follows from what gptme said."""
    known = tuple((f"/w/{name}", text) for name, text in case.files("before") if text is not None)
    said = case.messages()
    unread = path in dict(case.files("before")) and path not in dict(known)
    if unread and ("binary" in said or "Not a file" in said or "overwritten" in said):
        return TinyWorld(files=(*known, (f"/w/{path}", None)))
    if " entries)" in said:
        count = int(said.partition(" entries)")[0].rpartition("(")[2])
        return TinyWorld(files=tuple((f"/w/{path}/file_{number:03}.txt", "") for number in range(count)))
    if not case.files("before") and said.startswith("````"):
        shown = tuple(line.partition("\t")[2] for line in said.splitlines()[1:-1])
        return TinyWorld(files=((f"/w/{path}", "".join(line + "\n" for line in shown)),))
    return TinyWorld(files=known)


def asks_for_all_files(case: Case) -> bool:
    """Whether the person is asked before the files of a call are changed: that is all that was recorded of this one."""
    name, arguments = call_of(case)
    tool = find_tool(BUILTIN_TOOLS, name)
    assert tool is not None
    files = tuple((f"/w/{path}", "original") for path, _ in parts_of(case))
    result = play(tool, arguments, config(), TinyWorld(files=files))
    request = result.exchanges[-1].request
    return isinstance(request, ChangeFiles) and len(request.changes) == len(files) and isinstance(permit(request, config()), Ask)


def same_files(case: Case) -> bool:
    if case.messages() == "stub":
        return asks_for_all_files(case)
    if "symlink" in str(case.data["from"]) or (case.fn.endswith("read") and isinstance(case.arguments()[0], str)):
        return False  # a link, or a call for several paths: nothing here to compare
    name, arguments = call_of(case)
    tool = find_tool(BUILTIN_TOOLS, name)
    assert tool is not None
    failed = "error" in case.data or any(mark in case.messages() for mark in FAILED)
    if not is_successful(check_untrusted(arguments, tool.parameters)):
        return failed
    path = str(arguments.get("path", ""))
    before = world_of(case, path)
    result = play(tool, arguments, config(), before, ask=False)
    if failed:
        return not isinstance(result.end, Done) and result.world == before
    if not isinstance(result.end, Done):
        return False
    if name == "read":
        return shown_lines(case.messages()) == shown_lines("\n" + result.end.text)
    after = tuple((name, text) for name, text in case.files("after") if text is not None or name == path)
    return all(result.world.text(posixpath.join("/w", name)) == text for name, text in after)


def shown_lines(text: str) -> tuple[str, ...]:
    """The numbered lines, or the names of a folder, without the marks around them."""
    lines = text.replace("````", "\n").splitlines()
    numbered = tuple(line for line in lines if line.partition("\t")[0].isdecimal())
    return numbered or tuple(line.partition("\t")[0] for line in lines if line.startswith("file_"))


@NEEDS_CORPORA
@pytest.mark.parametrize("case", FILE_CASES, ids=case_id)
def test_a_recorded_call_of_a_file_tool_means_the_same(case: Case) -> None:
    assert same_files(case) is (case.id not in DIFFERENCES)


@NEEDS_CORPORA
def test_every_listed_difference_is_a_recorded_case() -> None:
    assert {case.id for case in FILE_CASES} >= set(DIFFERENCES)

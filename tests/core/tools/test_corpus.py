"""What gptme was recorded to do with patches and files, as data: the same meaning, or a difference that is listed.

Meaning: the same text or the same file afterwards; where it failed, turnfold refuses and the file is as before.
"""

from __future__ import annotations

import posixpath

import pytest
from returns.pipeline import is_successful

from tests.core.tools.corpus import NEEDS_CORPORA, Case, cases
from tests.core.tools.differences import FILE_TOOLS, PATCH
from tests.core.tools.worlds import TinyWorld, config, play
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.diff import diff_lines
from turnfold.core.tools.patching import apply_patch, parse_patch_untrusted
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.spec import Done, find_tool

PATCH_CASES = cases("patch")
FILE_FUNCTIONS = ("read:execute_read", "save:execute_save", "save:execute_append", "patch:execute_patch", "patch:execute_patch_impl")
FILE_CASES = cases("file_tools", *(f"gptme.tools.{function}" for function in FILE_FUNCTIONS))
FAILED = ("Error", "aborted", "not found", "Not a file", "Cannot read", "Invalid line range", "traversal", "No path")


def case_id(case: object) -> str:
    return case.id if isinstance(case, Case) else ""


def patched(patch: JsonValue, text: JsonValue) -> str | None:
    """The text after the patch, None where it is refused."""
    assert isinstance(patch, str)
    assert isinstance(text, str)
    parsed = parse_patch_untrusted(patch)
    applied = parsed.bind(lambda each: apply_patch(each, text))
    return applied.unwrap().text if is_successful(applied) else None


def same_patch(case: Case) -> bool:
    arguments, out = case.arguments(), case.data.get("out")
    match case.fn.removeprefix("gptme.tools.patch:"):
        case "apply":
            return patched(*arguments) == out
        case "Patch.from_codeblock":
            assert isinstance(out, tuple)
            assert isinstance(out[0], JsonObject)
            return patched(arguments[0], f"1\n{out[0]['original']}\n2\n") == f"1\n{out[0]['updated']}\n2\n"
        case "Patch.diff_minimal":
            assert isinstance(arguments[0], JsonObject)
            return "\n".join(diff_lines(str(arguments[0]["original"]), str(arguments[0]["updated"]))[1:]) == out
        case _:
            return False


@NEEDS_CORPORA
@pytest.mark.parametrize("case", PATCH_CASES, ids=case_id)
def test_a_recorded_patch_means_the_same(case: Case) -> None:
    assert same_patch(case) is (case.id not in dict(PATCH))


def call_of(case: Case) -> tuple[str, JsonObject]:
    """The tool's name and the arguments that say what the recorded call said."""
    function = case.fn.partition(":")[2]
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


def same_files(case: Case) -> bool:
    if "symlink" in str(case.data["from"]) or (case.fn.endswith("read") and isinstance(case.arguments()[0], str)):
        return False  # a link, or a call for several paths: nothing here to compare
    name, arguments = call_of(case)
    tool = find_tool(BUILTIN_TOOLS, name)
    assert tool is not None
    failed = "error" in case.data or any(mark in case.messages() for mark in FAILED)
    if not is_successful(check_untrusted(arguments, tool.parameters)):
        return failed
    path = str(arguments["path"])
    before = world_of(case, path)
    result = play(tool, arguments, config(), before, ask=False)
    if failed:
        return not isinstance(result.end, Done) and result.world == before
    if not isinstance(result.end, Done):
        return False
    if name == "read":
        return shown_lines(case.messages()) == shown_lines("\n" + result.end.text)
    after = dict(case.files("after")).get(path)
    return result.world.text(posixpath.join("/w", path)) == after


def shown_lines(text: str) -> tuple[str, ...]:
    """The numbered lines, or the names of a folder, without the marks around them."""
    lines = text.replace("````", "\n").splitlines()
    numbered = tuple(line for line in lines if line.partition("\t")[0].isdecimal())
    return numbered or tuple(line.partition("\t")[0] for line in lines if line.startswith("file_"))


@NEEDS_CORPORA
@pytest.mark.parametrize("case", FILE_CASES, ids=case_id)
def test_a_recorded_call_of_a_file_tool_means_the_same(case: Case) -> None:
    assert same_files(case) is (case.id not in dict(FILE_TOOLS))


@NEEDS_CORPORA
def test_every_listed_difference_is_a_recorded_case() -> None:
    assert {case.id for case in PATCH_CASES} >= set(dict(PATCH))
    assert {case.id for case in FILE_CASES} >= set(dict(FILE_TOOLS))

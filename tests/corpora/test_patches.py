"""What gptme and the Agents SDK were recorded to do with patches, as data: the same text afterwards, or refused as there.

``patch`` holds search/replace blocks, ``apply_diff`` the sections of ``apply_patch`` envelopes, ``anchored_edit`` edits by numbers and
hashes of lines, which turnfold has not: they are said as diffs.
"""

from __future__ import annotations

import pytest
from returns.pipeline import is_successful

from tests.core.tools.corpus import NEEDS_CORPORA, Case, cases
from tests.corpora.anchored import anchors, by_anchor, by_number, diff
from tests.corpora.differences import differences
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.tools.diff import diff_lines
from turnfold.core.tools.patching.applying import apply_update
from turnfold.core.tools.patching.changes import Add, Update
from turnfold.core.tools.patching.reading import parse_patch_untrusted

TOPICS = ("patch", "apply_diff", "anchored_edit")
CASES = tuple(pytest.param(topic, case, id=f"{topic}-{case.id}") for topic in TOPICS for case in cases(topic))


def patched(patch: JsonValue, text: JsonValue) -> str | None:
    """The text after the patch, None where it is refused."""
    assert isinstance(patch, str)
    assert isinstance(text, str)
    parsed = parse_patch_untrusted(patch)
    change = parsed.unwrap().files[0] if is_successful(parsed) else None
    if not isinstance(change, Update):
        return change.text if isinstance(change, Add) else None
    applied = apply_update(change, text)
    return applied.unwrap().text if is_successful(applied) else None


def outcome(case: Case) -> JsonValue:
    """What turnfold makes of what the case says; None where it refuses."""
    arguments = case.arguments()
    match case.fn.rpartition(":")[2]:
        case "apply":
            return patched(*arguments)
        case "apply_diff":
            return applied_diff(case)
        case "_apply_operations" | "apply_operations" as name:
            text, operations = arguments
            assert isinstance(text, str)
            assert isinstance(operations, tuple)
            if any(isinstance(each, JsonObject) and each.get("kind") == "block_replace" for each in operations):
                return None  # where a block ends can't be said
            edits = by_number(text, operations) if name.startswith("_") else by_anchor(text, operations)
            return patched(diff(edits), text) if edits else text
        case _:
            return None


def applied_diff(case: Case) -> str | None:
    text, patch, *mode = case.arguments()
    assert isinstance(patch, str)
    given = case.data["in"]
    named = given["kwargs"] if isinstance(given, JsonObject) else None
    create = "create" in mode or (isinstance(named, JsonObject) and named.get("mode") == "create")
    heading = "*** Add File: a.txt\r\n" if "\r" in patch else "*** Add File: a.txt\n"
    return patched(heading + patch if create else patch, text)


def same(case: Case) -> bool:
    out = case.data.get("out")
    match case.fn.rpartition(":")[2]:
        case "Patch.from_codeblock":
            assert isinstance(out, tuple)
            assert isinstance(out[0], JsonObject)
            return patched(case.arguments()[0], f"1\n{out[0]['original']}\n2\n") == f"1\n{out[0]['updated']}\n2\n"
        case "Patch.diff_minimal":
            minimal = case.arguments()[0]
            assert isinstance(minimal, JsonObject)
            return "\n".join(diff_lines(str(minimal["original"]), str(minimal["updated"]))[1:]) == out
        case "_parse_patches_from_content" | "_parse_patches_from_kwargs":
            return same_parts(case)
        case "_parse_operations" | "_resolve_block_end" | "snapshot_text":
            return False
        case _:
            return outcome(case) == out


def same_parts(case: Case) -> bool:
    """Several files in one patch: each is a heading and its blocks."""
    content, *rest = case.arguments()
    if isinstance(content, JsonObject):
        listed = content["patches"]
        assert isinstance(listed, tuple)
        named = tuple((each["path"], each["patch"]) for each in listed if isinstance(each, JsonObject))
    else:
        paths = rest[0]
        assert isinstance(paths, tuple)
        named = tuple((path, content) for path in paths)
    read = parse_patch_untrusted("\n".join(f"*** Update File: {path}\n{patch}" for path, patch in named))
    if "error" in case.data:
        return not is_successful(read)
    return tuple(each.path for each in read.unwrap().files) == tuple(path for path, _ in named)


@NEEDS_CORPORA
@pytest.mark.parametrize(("topic", "case"), CASES)
def test_a_recorded_patch_means_the_same(topic: str, case: Case) -> None:
    assert same(case) is (case.id not in differences(topic))


@NEEDS_CORPORA
@pytest.mark.parametrize("case", cases("anchored_edit", "gptme.tools._anchored:snapshot_text"), ids=lambda case: case.id)
def test_the_anchors_of_these_tests_are_those_that_were_recorded(case: Case) -> None:
    (text,) = case.arguments()
    out = case.data["out"]
    assert isinstance(text, str)
    assert isinstance(out, tuple)
    assert anchors(text) == tuple(each["anchor"] for each in out if isinstance(each, JsonObject))


@NEEDS_CORPORA
@pytest.mark.parametrize("topic", TOPICS)
def test_every_listed_difference_is_a_recorded_case(topic: str) -> None:
    assert {case.id for case in cases(topic)} >= set(differences(topic))

"""Files of lessons and skills: what counts of them, in the forms that people write."""

from __future__ import annotations

import pytest
from hypothesis import given

from turnfold.core.config.lessons import LessonFile, Parted, description_of, glob_keywords, lesson_untrusted, parted, skill_untrusted
from turnfold.core.json import JsonObject
from turnfold.testing.strategies import json_objects, texts


def read(front: JsonObject, body: str = "# T\n\nText.", path: str = "/w/lessons/a.md") -> LessonFile:
    return lesson_untrusted(front, body, path).unwrap()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("# A\n", Parted("", "# A\n")),
        ("---\na: b\n---\n# A\n", Parted("a: b\n", "# A")),
        ("---\n---\n# A", Parted("", "# A")),
        ("---\na: b\n---", Parted("a: b\n", "")),
        ("---\na: b\n", Parted("", "---\na: b\n")),
        ("--- \na: '---'\n--- \nx", Parted("a: '---'\n", "x")),
    ],
)
def test_front_matter_is_between_two_lines(text: str, parts: Parted) -> None:
    assert parted(text) == parts


def test_cursors_rules() -> None:
    file = read(JsonObject.of(globs="**/*.{ts,tsx}, docs/**/*.md", alwaysApply="false"))
    assert file.lesson.keywords == ("typescript", "typescript code", "markdown", "markdown code", "docs")
    assert not file.lesson.always
    assert read(JsonObject.of(alwaysApply="True")).tells
    assert read(JsonObject.of(alwaysApply=True)).tells
    assert not read(JsonObject.of(description="Asked for by the model")).tells


@pytest.mark.parametrize(("glob", "keywords"), [("Dockerfile", ("Dockerfile",)), ("**/*.vue", ("vue code",)), ("*", ()), ("a.unknown", ())])
def test_globs_as_keywords(glob: str, keywords: tuple[str, ...]) -> None:
    assert glob_keywords(glob) == keywords


def test_only_an_active_lesson_tells() -> None:
    match = JsonObject.of(keywords=("x",))
    assert read(JsonObject.of(match=match)).tells
    assert not read(JsonObject.of(match=match, status="archived")).tells
    assert not read(JsonObject()).tells


def test_a_pattern_that_is_not_taken_is_told_and_the_rest_counts() -> None:
    file = read(JsonObject.of(match=JsonObject.of(patterns=("good", "(a+)+"), tools="shell")))
    assert (file.lesson.patterns, file.lesson.tools) == (("good",), ("shell",))
    assert [each.message for each in file.problems] == [
        "/w/lessons/a.md: the pattern '(a+)+' does not count, since a group is repeated: write it simpler."
    ]


def test_match_has_to_be_a_table() -> None:
    problem = lesson_untrusted(JsonObject.of(match="git"), "", "/w/a.md").failure()
    assert problem.message == "/w/a.md: match is no table: write keywords: [a, b] below it, indented."
    assert not read(JsonObject.of(match="")).tells


def test_a_paragraph_ends_at_a_heading() -> None:
    assert description_of("# A\nIt is.\n## B\nMore.") == "It is."


def test_a_skill_is_on_one_line_and_has_a_description() -> None:
    skill = skill_untrusted(JsonObject.of(name="release\nnotes", description="x" * 2000), "", "/w/s/r/SKILL.md").unwrap()
    assert (skill.name, len(skill.description), skill.description[-1]) == ("release notes", 1024, "…")
    assert skill_untrusted(JsonObject(), "# A\n\nIt is\nso.", "/w/s/r/SKILL.md").unwrap().description == "It is so."
    assert "no description" in skill_untrusted(JsonObject.of(name="a"), "", "/w/s/r/SKILL.md").failure().message


@given(front=json_objects(), body=texts())
def test_whatever_a_file_says_is_read_or_a_problem(front: JsonObject, body: str) -> None:
    lesson_untrusted(front, body, "/w/a.md")
    skill_untrusted(front, body, "/w/a/SKILL.md")
    parted(body)

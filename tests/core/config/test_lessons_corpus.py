"""The corpus of lessons as data: our functions mean the same, but for what ``lessons_differences.json`` lists.

Of a lesson's metadata we keep what brings it up (keywords, patterns, tools, status); the rest says nothing to us.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from returns.result import Success

from turnfold.core.config.lessons import LessonFile, description_of, glob_keywords, lesson_untrusted, title_of
from turnfold.core.config.matching import match_keyword, match_pattern
from turnfold.core.json import JsonObject, freeze
from turnfold.shell.front_matter import parse_lesson_untrusted

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpora" / "lessons.json"
DIFFERENCES: dict[str, str] = json.loads((Path(__file__).parent / "lessons_differences.json").read_text())

Case = dict[str, Any]  # JSON as the corpus has it

FUNCTIONS: dict[str, Callable[..., object]] = {
    "_match_keyword": match_keyword,
    "_match_pattern": match_pattern,
    "_extract_title": title_of,
    "_extract_description": description_of,
}


def cases() -> list[Case]:
    return json.loads(CORPUS.read_text()) if CORPUS.exists() else []


def metadata(file: LessonFile) -> Case:
    lesson = file.lesson
    return {
        "keywords": list(lesson.keywords),
        "patterns": list(lesson.patterns),
        "tools": list(lesson.tools),
        "status": file.status,
    }


def kept(theirs: Case) -> Case:
    return {name: theirs[name] for name in ("keywords", "patterns", "tools", "status")}


def parsed(given: list[Any], out: Case) -> tuple[object, object]:
    """A file's lesson; the corpus masks the temporary folder, so a category that is one of its is taken from the case."""
    text = given[0]["files"][given[0]["__file__"]]
    path = out["path"].replace("<tmp>", f"/{out['category']}")
    read = parse_lesson_untrusted(text, path)
    assert isinstance(read, Success), read
    file = read.unwrap()
    assert not file.problems
    texts = {"title": file.lesson.title, "description": file.description, "category": file.category, "body": file.lesson.text}
    return {**texts, **metadata(file)}, {**{name: out[name] for name in texts}, **kept(out["metadata"])}


def translated(given: list[Any], out: Case) -> tuple[object, object]:
    front = freeze(given[0])
    assert isinstance(front, JsonObject)
    return metadata(lesson_untrusted(front, "", "/w/a.mdc").unwrap()), kept(out)


def both(case: Case) -> tuple[object, object]:
    """What we and the reference make of ``case``."""
    name, given, out = case["fn"].rpartition(":")[2], case["in"]["args"], case["out"]
    if name == "parse_lesson":
        return parsed(given, out)
    if name == "_translate_cursor_metadata":
        return translated(given, out)
    if name == "_glob_to_keywords":
        return list(glob_keywords(*given)), out
    return FUNCTIONS[name](*given), out


def test_corpus_is_there() -> None:
    if not cases():
        pytest.skip(f"the shared corpus is not here ({CORPUS}): nothing to compare with")
    assert len(cases()) == 42


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_means_the_same(case: Case) -> None:
    ours, theirs = both(case)
    if case["id"] in DIFFERENCES:
        assert ours != theirs, "no difference any more: take it off the list"
    else:
        assert ours == theirs


def test_differences_are_cases() -> None:
    known = {case["id"] for case in cases()}
    assert not known or DIFFERENCES.keys() <= known

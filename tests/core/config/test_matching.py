"""Which lessons fit: as keywords and patterns say, in an order of their own, and in bounded time whatever a pattern says."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from turnfold.core.config.briefing import Lesson
from turnfold.core.config.matching import LOOKED_AT, WAYS, fitting, match_keyword, match_pattern, search_untrusted

SIGNS = st.text(alphabet="ab1 .*+?()[]{}|\\^$-,:<>P=!&~dwsbB\n", max_size=24)
MANY = 3


def lesson(path: str, *keywords: str, patterns: tuple[str, ...] = (), tools: tuple[str, ...] = (), always: bool = False) -> Lesson:
    return Lesson(path=path, title=path, text="…", keywords=keywords, patterns=patterns, tools=tools, always=always)


def fits(lessons: tuple[Lesson, ...], text: str, tools: tuple[str, ...] = (), told: tuple[str, ...] = (), at_most: int = MANY) -> list[str]:
    return [each.path for each in fitting(lessons, text, tools, told, at_most)]


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("git", "Use GIT here", True),
        ("  git ", "digital", True),
        ("", "anything", False),
        ("*", "!", True),
        ("pull*request", "the pull_request", True),
        ("pull*request", "pull a request", False),
        ("c++ (*)", "c++ (new)", True),
        ("straße", "STRASSE", True),
    ],
)
def test_keywords(keyword: str, text: str, found: bool) -> None:
    assert match_keyword(keyword, text) is found
    assert fits((lesson("a", keyword),), text) == ["a"] * found


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\bgit (push|pull)\b", "do a Git Pull now", True),
        (r"error.*in.*file", "an error was seen in this file", True),
        (r"a{2}b{,2}c{1,}d{1,3}", "aaccddd", True),
        (r"[^[]x[]&|~-]", "ax]", True),
        (r"colou?r(?:ed)?", "coloured", True),
        (r"(?P<year>\d{4})", "in 2026", True),
        (r"x{a}", "x{a}", True),
        (r"a++b", "aab", True),
        (r"(?i)git", "git", False),
        ("(", "(", False),
        (")", ")", False),
        ("", "text", False),
    ],
)
def test_patterns(pattern: str, text: str, found: bool) -> None:
    assert match_pattern(pattern, text) is found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(a+)+b", "a group is repeated"),
        ("(a|a)*b", "a group is repeated"),
        ("(ab){2}", "a group is repeated"),
        (r"(a)\1", "it refers back to a group"),
        ("a(?=b)", "of (?…) only (?:…) and (?P<name>…) are taken"),
        ("(*)", "nothing is before a repeat"),
        (".*.*.*x", "it repeats too much, so that it could take long"),
        ("a?" * 20 + "a" * 20, "it repeats too much, so that it could take long"),
        ("(a|a)" * 15, "it repeats too much, so that it could take long"),
        ("a{1,99999999999999999999}", "it repeats something more than 64 times"),
        ("[a--b]", "it has -- in […]"),
        ("x" * 301, "it has more than 300 characters"),
        ("[z-a]", "it is no regular expression (bad character range z-a at position 1)"),
        ("a**", "it is no regular expression (multiple repeat at position 7)"),
    ],
)
def test_patterns_that_are_refused(pattern: str, why: str) -> None:
    read = search_untrusted(pattern)
    assert isinstance(read, Failure)
    assert read.failure() == why
    assert not match_pattern(pattern, pattern)
    assert fits((lesson("a", patterns=(pattern,)),), pattern) == []


@given(pattern=SIGNS, text=SIGNS)
def test_a_pattern_of_whatever_kind_never_raises_and_its_ways_are_bounded(pattern: str, text: str) -> None:
    read = search_untrusted(pattern)
    assert match_pattern(pattern, text) in {True, False}
    assert not isinstance(read, Success) or 1 <= read.unwrap().ways <= WAYS


@given(pattern=SIGNS, text=SIGNS)
def test_a_pattern_that_is_taken_means_what_python_says(pattern: str, text: str) -> None:
    read = search_untrusted(pattern)
    if isinstance(read, Success) and "[" not in pattern:  # sets: Python warns of what we escape
        assert read.unwrap().found_in(text) is (re.search(pattern, text, re.IGNORECASE) is not None)


def test_the_worst_patterns_end_soon() -> None:
    worst = tuple(lesson(f"{n:03}", "a*a*b", patterns=(r"\w*\w*!", "a+a+b", r"(a|b|\w)(a|b|\w)(a|b|\w)(a|b|\w)\w+!")) for n in range(200))
    began = time.perf_counter()
    assert fits(worst, "a" * 100_000) == []
    assert time.perf_counter() - began < 20


def test_patterns_look_at_the_beginning_keywords_at_all() -> None:
    text = " " * LOOKED_AT + "here"
    assert fits((lesson("a", "here"), lesson("b", patterns=("here",))), text) == ["a"]


def test_the_best_comes_first_and_of_equals_the_first_path() -> None:
    lessons = (lesson("d", "x", "y"), lesson("c", "x"), lesson("b", "x", always=True), lesson("a", "y", patterns=("x",)), lesson("e", "z"))
    assert fits(lessons, "x y", at_most=9) == ["a", "b", "d", "c"]
    assert fits(lessons, "x y", at_most=2) == ["a", "b"]
    assert fits(lessons, "x y", at_most=0) == []
    assert fits(tuple(reversed(lessons)), "x y", at_most=9) == ["a", "b", "d", "c"]


def test_what_was_told_or_has_no_tool_does_not_fit() -> None:
    lessons = (lesson("a", "x"), lesson("b", "x", tools=("browser", "shell")), lesson("c", always=True))
    assert fits(lessons, "x") == ["a", "c"]
    assert fits(lessons, "x", tools=("shell",)) == ["a", "b", "c"]
    assert fits(lessons, "x", told=("a", "c")) == []
    assert fits(lessons, "nothing") == ["c"]

"""Front matter: what people write, and what nobody should."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from turnfold.core.json import JsonObject
from turnfold.shell.front_matter import FRONT_CHARS, front_untrusted, parse_lesson_untrusted, parse_skill_untrusted

LAUGHS = "a: &a [x, x]\n" + "".join(f"{name}: &{name} [*{old}, *{old}]\n" for old, name in zip("abcdefgh", "bcdefghi", strict=True))


def front(text: str) -> JsonObject:
    return front_untrusted(text, "a.md").unwrap()


def fault(text: str) -> str:
    return front_untrusted(text, "a.md").failure().message


def test_scalars_are_texts() -> None:
    assert front("a: no\nb: 1.10\nc: 2024-01-01\nd:\ne: 0x1F\n") == JsonObject.of(a="no", b="1.10", c="2024-01-01", d="", e="0x1F")


def test_globs_as_cursor_writes_them() -> None:
    assert front("globs: **/*.py,*.{js,ts}\nalwaysApply: false") == JsonObject.of(globs="**/*.py,*.{js,ts}", alwaysApply="false")
    assert front('globs: ["*.py"]') == JsonObject.of(globs=("*.py",))
    assert front("globs:\ndescription: x") == JsonObject.of(globs="", description="x")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [b\n", "a.md:3: the front matter is no YAML"),
        ("a: b: c", "a.md:2: the front matter is no YAML (mapping values are not allowed in this context): put texts in quotes"),
        (LAUGHS, "a.md: the front matter has a YAML alias (*name)"),
        ("a: &a [*a]", "a.md: the front matter has a YAML alias (*name)"),
        ("- a\n- b", "a.md: the front matter is no table"),
        ("just words", "a.md: the front matter is no table"),
        ("? [a]\n: b", "a.md:2: the front matter is no YAML"),
        ("a: \0", "a.md: the front matter can't be read"),
        ("a: " + "[" * 150 + "]" * 150, "a.md: the front matter can't be read"),
        ("a: " + "[" * 5000, "a.md: the front matter has more than"),
        ("a: b\n" * FRONT_CHARS, "a.md: the front matter has more than"),
    ],
)
def test_what_is_no_front_matter_is_a_problem(text: str, sentence: str) -> None:
    assert fault(text).startswith(sentence)


def test_a_tag_makes_nothing() -> None:
    assert front("a: !!python/object/apply:os.system [echo]") == JsonObject.of(a=("echo",))


@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#\n ?,%", max_size=60))
def test_whatever_it_says_it_is_read_or_a_problem(text: str) -> None:
    assert isinstance(front_untrusted(text, "a.md"), (Success, Failure))
    for parse in (parse_lesson_untrusted, parse_skill_untrusted):
        assert isinstance(parse(f"---\n{text}\n---\n{text}", "/w/a.md"), (Success, Failure))


def test_without_libyaml_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CBaseLoader", raising=False)
    assert front("match:\n  keywords: [git, 404]") == JsonObject.of(match=JsonObject.of(keywords=("git", "404")))
    assert fault(LAUGHS).startswith("a.md: the front matter has a YAML alias")
    assert fault("a: " + "[" * 150 + "]" * 150).startswith("a.md: the front matter can't be read")


def test_yaml_is_imported_when_there_is_some() -> None:
    line = "import sys; from turnfold.shell.front_matter import *; parse_lesson_untrusted('# A', 'a.md'); print('yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"

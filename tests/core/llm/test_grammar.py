"""The grammar: its rules as text, and what it lets through, judged by a small reader of the same GBNF."""

from __future__ import annotations

import re

import pytest

from turnfold.core.llm.grammar import BlockShape, grammar_of, line_avoiding, literal

MARKS = ("<<<<<<< ORIGINAL", "=======", ">>>>>>> UPDATED")
SIX = (
    BlockShape(name="read", header=("path",)),
    BlockShape(name="save", header=("path",), body="content"),
    BlockShape(name="append", header=("path",), body="content"),
    BlockShape(name="patch", header=("path",), body="patch", marks=MARKS),
    BlockShape(name="shell", body="command"),
    BlockShape(name="python", body="code"),
)


def pattern_of(grammar: str) -> re.Pattern[str]:
    """The grammar as a regular expression: its rules don't recur, so each name can be replaced by what it stands for."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
    return re.compile(expanded("root", rules))


def expanded(name: str, rules: dict[str, str]) -> str:
    """One rule as a regular expression."""
    token = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|[a-z][a-z0-9-]*|\{[0-9,]+\}|[()|*+?]')
    parts = []
    for found in token.findall(rules[name]):
        if found.startswith('"'):
            parts.append(f"(?:{re.escape(found[1:-1].encode().decode('unicode_escape'))})")
        elif found[0].isalpha():
            parts.append(f"(?:{expanded(found, rules)})")
        else:
            parts.append("(?:" if found == "(" else found)
    return "".join(parts)


PATCH = "```patch a.py\n<<<<<<< ORIGINAL\nold\n=======\nnew\n>>>>>>> UPDATED\n```"


@pytest.mark.parametrize(
    "reply",
    [
        "Done.",
        "Two lines.\n\nAnd a list:\n- `x`",
        "```read a.txt\n```",
        "I look first.\n```read a.txt\n```",
        "```save dir/a.md\n# Title\n\n`code` and ``more``\n```",
        "```shell\nls -la | wc -l\n```",
        "```python\nprint('```')\n```",
        PATCH,
        PATCH.replace("\nold\n", "\n").replace("\n```", "\n<<<<<<< ORIGINAL\nx\n=======\n>>>>>>> UPDATED\n```"),
    ],
)
def test_well_formed_replies_are_let_through(reply: str) -> None:
    assert pattern_of(grammar_of(SIX)).fullmatch(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "```bash\nls\n```",
        "```shell ls\n```",
        "```shell\nls",
        "```read\n```",
        "```read a.txt\nbody\n```",
        "```save a.txt b.txt\nx\n```",
        "```shell\nls\n```\nDone.",
        "```shell\nls\n```\n```shell\npwd\n```",
        "a\nb\nc\n```read a.txt\n```",
        "```python\n```\n```",
        PATCH.replace("=======\n", ""),
        PATCH.replace("old", "======="),
        PATCH.replace(">>>>>>> UPDATED\n", ""),
        "windows\r\nline",
    ],
)
def test_malformed_replies_are_kept_out(reply: str) -> None:
    assert not pattern_of(grammar_of(SIX)).fullmatch(reply)


def test_a_demanded_call_leaves_no_room_for_text() -> None:
    demanded = pattern_of(grammar_of(SIX, must_call=True))
    assert demanded.fullmatch("```shell\nls\n```")
    assert not demanded.fullmatch("There are 3.")
    assert not demanded.fullmatch("I look.\n```shell\nls\n```")


def test_without_tools_a_reply_is_text() -> None:
    plain = pattern_of(grammar_of((), must_call=True))
    assert plain.fullmatch("Hello.")
    assert not plain.fullmatch("```shell\nls\n```")


@pytest.mark.parametrize("line", ["", "a", "ac", "b", "`", "``x", "=", "======", "x```"])
def test_a_line_that_begins_otherwise_is_let_through(line: str) -> None:
    assert pattern_of(f"root ::= {line_avoiding(('ab', '```', '======='))}").fullmatch(line)


@pytest.mark.parametrize("line", ["ab", "abc", "```", "```x", "=======", "======= x"])
def test_a_line_that_begins_with_a_prefix_is_kept_out(line: str) -> None:
    assert not pattern_of(f"root ::= {line_avoiding(('ab', '```', '======='))}").fullmatch(line)


def test_a_literal_is_escaped() -> None:
    assert literal('a"b\\c\n') == '"a\\"b\\\\c\\n"'

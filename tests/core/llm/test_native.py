"""Native calls: the law of the inverse, and what a broken one is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm.plain_tools import READ, SAVE, SHELL, TODO, TOOLS
from turnfold.core.conversation.messages import BrokenCall, ToolCall
from turnfold.core.json import JsonFault, JsonObject, JsonValue
from turnfold.core.llm.arguments import pointed
from turnfold.core.llm.native import read_call_untrusted, render_call
from turnfold.core.llm.reply import RawCall

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def objects(inner: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[JsonObject]:
    return st.dictionaries(st.text(), inner, max_size=3).map(lambda members: JsonObject(tuple(members.items())))


values: st.SearchStrategy[JsonValue] = st.recursive(
    leaves, lambda inner: objects(inner) | st.lists(inner, max_size=3).map(tuple), max_leaves=8
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TOOLS), objects(values))
def test_read_inverts_render(tool: object, arguments: JsonObject) -> None:
    call = ToolCall(getattr(tool, "name", ""), arguments)
    assert read_call_untrusted(render_call(call), TOOLS) == call


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("read", "Read", "", "x")), st.text() | st.text(alphabet='{}[]":, \n01'))
def test_reads_any_text(name: str, text: str) -> None:
    call = read_call_untrusted(RawCall(name, text), TOOLS)
    assert isinstance(call, ToolCall) or (call.name, call.text) == (name, text)


@pytest.mark.parametrize("text", ["", " \n", "{}"])
def test_empty_arguments(text: str) -> None:
    assert read_call_untrusted(RawCall("todo", text), (TODO,)) == ToolCall("todo", JsonObject())


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [
        ("read", '{"path": "a"', "arguments-not-json", "(line 1, column 13: Expecting ',' delimiter):\n{\"path\": \"a\"\n            ^\nWrite"),
        ("read", '{"a": 1}\n}', "arguments-not-json", "(line 2, column 1: Extra data):\n}\n^\n"),
        ("read", '{"path": NaN}', "arguments-not-json", "can't be read: NaN is not JSON. Write"),
        ("read", '["a"]', "arguments-not-object", 'like {"name": "value"}'),
        ("read", "null", "arguments-not-object", "by name"),
        ("read", '"a.txt"', "arguments-not-object", "by name"),
        ("read", '"{\\"path\\": \\"a\\"}"', "arguments-doubled", "write the object itself, without quotes"),
        ("Read", "{}", "unknown-tool", 'There is no tool "Read". Did you mean read?'),
        ("sav", "{}", "unknown-tool", "Did you mean save?"),
        ("x" * 1_000, "{}", "unknown-tool", f'no tool "{"x" * 80}…". The tools are'),
        ("browse", "{}", "unknown-tool", "The tools are: read, save, shell."),
    ],
)  # fmt: skip
def test_broken_calls_say_what_to_write(name: str, text: str, code: str, words: str) -> None:
    call = read_call_untrusted(RawCall(name, text), (READ, SAVE, SHELL))
    assert isinstance(call, BrokenCall)
    assert call.problem.code == code
    assert words in call.problem.message


def test_a_long_line_is_cut_to_the_fault() -> None:
    shown, marker = pointed("x" * 1_000 + "!" + "y" * 1_000, JsonFault("", 1, 1_001)).split("\n")
    assert len(shown) == 121
    assert shown[marker.index("^")] == "!"

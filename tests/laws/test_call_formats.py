"""Law 8 for call formats and law 9: a call that is written is read back, and none is read before it is certain."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm.plain_tools import TOOLS
from turnfold.core.conversation.messages import BrokenCall, ToolCall
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.markdown import begin, feed, finish, parse, render
from turnfold.core.tools.spec import ToolSpec, find_tool

LINES = (
    "```", "````", "``````", "```shell", "```save a.txt", "```save a.md", "````save b.md", "```python", "```read a.txt", "```read",
    "```text", "```'''", "``` extra", "  ```", "> ```shell", "~~~", "~~~sh", "<think>", "</think>", "a <thinking> b", "```<think>",
    "``````shell", "`<think>`", "ls", "hi there", "Usage:", "## Structure", "# Title", "", " ", "cat <<'EOF'", "EOF", "'''", '"""',
    "<<<<<<< ORIGINAL", "=======", ">>>>>>> UPDATED", "```todo --json", '{"a": 1}', "{", "```save --json", "```shell ls", "</think>```shell",
)  # fmt: skip
fragments = st.sampled_from(LINES)
ends = st.sampled_from(("\n", "\n", "\n", "\r\n", "\r", "", "\n\n"))
fency = st.lists(st.tuples(fragments, ends), max_size=14).map(lambda parts: "".join(line + end for line, end in parts))
texts = fency | st.text(alphabet="`~ \n\rxs:#<>'\"-{}", max_size=40) | st.text(max_size=30)

words = (
    fency
    | st.text(max_size=20)
    | st.sampled_from(("", "--json", "path=a", '"a b"', " a", "a ", "`", "a b", "{}", "\n", "\r\n", "'''", "a\n"))
)
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(words, inner, max_size=3).map(lambda d: JsonObject(tuple(d.items()))),
    max_leaves=5,
)  # fmt: skip


def whole(spec: ToolSpec) -> st.SearchStrategy[JsonObject]:
    """Arguments of text for all parameters of ``spec``, in order."""
    names = (*spec.header, *((spec.body,) if spec.body else ()))
    return st.tuples(*(words for _ in names)).map(lambda said: JsonObject(tuple(zip(names, said, strict=True))))


def loose(spec: ToolSpec) -> st.SearchStrategy[JsonObject]:
    names = st.sampled_from((*spec.header, spec.body, "other"))
    return st.dictionaries(names, json_values, max_size=4).map(lambda members: JsonObject(tuple(members.items())))


calls = st.sampled_from(TOOLS).flatmap(lambda spec: (whole(spec) | loose(spec)).map(lambda arguments: ToolCall(spec.name, arguments)))


def spec_of(call: ToolCall) -> ToolSpec:
    spec = find_tool(TOOLS, call.name)
    assert spec is not None
    return spec


def rendered(call: ToolCall) -> str:
    return render(call, spec_of(call))


@settings(max_examples=400, deadline=None)
@given(calls)
def test_parse_inverts_render(call: ToolCall) -> None:
    assert parse(rendered(call), TOOLS) == (call,)


@settings(max_examples=200, deadline=None)
@given(st.lists(calls, max_size=4), st.sampled_from(("\n", "\n\n", "\nThen:\n\n")))
def test_rendered_calls_in_a_row_are_certain_at_once(row: list[ToolCall], between: str) -> None:
    text = between.join(map(rendered, row))
    assert parse(text, TOOLS) == tuple(row)
    assert feed(begin(TOOLS), text + "\n").calls == tuple(row)


@settings(max_examples=600, deadline=None)
@given(texts, texts)
def test_no_early_tool(text: str, rest: str) -> None:
    certain = feed(begin(TOOLS), text).calls
    assert finish(feed(begin(TOOLS), text + rest))[: len(certain)] == certain


@settings(max_examples=200, deadline=None)
@given(fency)
def test_no_early_tool_at_any_split(text: str) -> None:
    scan, total = begin(TOOLS), parse(text, TOOLS)
    for char in text:
        scan = feed(scan, char)
        assert total[: len(scan.calls)] == scan.calls
    assert finish(scan) == total


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=8))
def test_chunks_do_not_matter(chunks: list[str]) -> None:
    scan = begin(TOOLS)
    for chunk in chunks:
        scan = feed(scan, chunk)
    once = feed(begin(TOOLS), "".join(chunks))
    assert (scan.found, scan.size, finish(scan), finish(scan, cut=True)) == (once.found, once.size, finish(once), finish(once, cut=True))


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_a_reply_closed_where_a_certain_call_ends_makes_that_call(text: str, rest: str) -> None:
    found = feed(begin(TOOLS), text + rest).found
    for count, each in enumerate(found, start=1):
        assert parse((text + rest)[: each.end], TOOLS) == tuple(one.call for one in found[:count])


@settings(max_examples=300, deadline=None)
@given(texts)
def test_a_cut_reply_runs_only_what_is_certain(text: str) -> None:
    scan = feed(begin(TOOLS), text)
    done = finish(scan, cut=True)
    assert done[: len(scan.calls)] == scan.calls
    assert all(isinstance(call, BrokenCall) and call.problem.code == "call-cut" for call in done[len(scan.calls) :])


@settings(max_examples=200, deadline=None)
@given(fency)
def test_line_ends_do_not_matter(text: str) -> None:
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    assert parse(text, TOOLS) == parse(normal, TOOLS) == parse(normal.replace("\n", "\r\n"), TOOLS)

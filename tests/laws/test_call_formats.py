"""Law 8 for call formats and law 9: a call that is written is read back, and none is read before it is certain."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm.plain_tools import TOOLS, tool
from tests.laws.examples import examples
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm import call_format
from turnfold.core.llm.call_format import Scan, TextFormat, feed, finish, first_calls, found, text_format
from turnfold.core.llm.native import read_call_untrusted, render_call
from turnfold.core.tools.spec import ToolSpec, find_tool

ASKED = 10_000  # examples of the two laws under the ci profile

BLOCK_LINES = (
    "```", "````", "``````", "```shell", "```save a.txt", "```save a.md", "````save b.md", "```python", "```read a.txt", "```read",
    "```text", "```'''", "``` extra", "  ```", "> ```shell", "~~~", "~~~sh", "<think>", "</think>", "a <thinking> b", "```<think>",
    "``````shell", "`<think>`", "ls", "hi there", "Usage:", "## Structure", "# Title", "", " ", "cat <<'EOF'", "EOF", "'''", '"""',
    "<<<<<<< ORIGINAL", "=======", ">>>>>>> UPDATED", "```todo --json", '{"a": 1}', "{", "```save --json", "```shell ls", "</think>```shell",
)  # fmt: skip
ENDS = ("\n", "\n", "\n", "\r\n", "\r", "", "\n\n")
TAGS = (
    "<tool-use>", "<tool-use>\n", "</tool-use>", "\n</tool-use>\n", "<shell>", "</shell>", "\n</shell>\n", '<save args="a.txt">', "</save>",
    "<save args='a", "'>", "<read args=a />", "<todo/>", "<nope>", "</nope>", "<function_calls>", "</function_calls>\n",
    '<invoke name="save">', '<invoke name="shell"\n>', "<invoke>", "</invoke>", '<parameter name="path">', '<parameter name="content">',
    "</parameter>", "<![CDATA[", "]]>", "&lt;", "&amp;", "&#13;", "&#0;", "&", "&&", "<", ">", "/", '"', "'", "=", "`", "```\n", "```sh\n",
    "\n```\n", "~~~\n", "<think>", "</think>", "`<tool-use>`", "ls", "x < y", "\n", "\n", "\r\n", "\r", " ", "  \n", "{}", '{"a":1}',
)  # fmt: skip

block_pieces = st.tuples(st.sampled_from(BLOCK_LINES), st.sampled_from(ENDS)).map("".join)
scraps = st.text(alphabet="`~ \n\rxs:#<>/'\"-{}&;[]!=", max_size=12) | st.text(max_size=6)
OPENED = (  # how a call begins, and what ends it, nearly always
    ("<tool-use>\n<shell>", "</shell>", "</tool-use>"),
    ("<tool-use><save args='a'>", "\n</save>", "\n</tool-use>"),
    ('<tool-use>\n\n<save\n args="a>b">\n', "</save> ", "</tool-use>\n"),
    ("<tool-use><shell/>", "<todo>", "</todo></tool-use>"),
    ('<function_calls>\n<invoke name="shell">', "</invoke>\n", "</function_calls>\n"),
    ('<function_calls><invoke name="save"><parameter name="path">a</parameter><parameter name="content">', "</parameter></invoke>", "</function_calls>"),
    ("<tool-use><shell>\n<![CDATA[", "]]></shell>", "\n</tool-use>"),
)  # fmt: skip
mixed = st.sampled_from(TAGS) | scraps
elements = st.tuples(
    mixed,
    st.sampled_from(OPENED),
    st.lists(mixed, max_size=4),
    st.sampled_from(("", "", "", "", "x", "</shell>")),
    st.lists(mixed, max_size=2),
).map(lambda drawn: (drawn[0], drawn[1][0], *drawn[2], drawn[1][1], drawn[3], drawn[1][2], *drawn[4]))
markup = st.lists(elements | st.lists(mixed, max_size=3).map(tuple), max_size=3).map(
    lambda parts: [piece for part in parts for piece in part]
)
CHUNKS = {
    ToolFormat.MARKDOWN: st.lists(block_pieces | block_pieces | block_pieces | scraps, max_size=12),
    ToolFormat.XML: markup,
}
TEXTS = {format: chunks.map("".join) for format, chunks in CHUNKS.items()}
FORMATS = tuple(TEXTS)

VALUES = (
    "",
    "",
    "--json",
    "path=a",
    '"a b"',
    " a",
    "a ",
    "`",
    "a b",
    "{}",
    "\n",
    "\r\n",
    "'''",
    "a\n",
    "\n\n",
    "  ",
    "\t",
    "a\0b",
    "ü",
    "\u2028",
)
one_word = st.sampled_from((*VALUES, *TAGS, *BLOCK_LINES, "\n", "\n", "\n"))
words = one_word | st.tuples(one_word, one_word, one_word, one_word).map("".join) | st.text(max_size=6)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
json_values: st.SearchStrategy[JsonValue] = (
    scalars
    | scalars
    | st.lists(scalars | st.lists(scalars, max_size=2).map(tuple), max_size=3).map(tuple)
    | st.dictionaries(words, scalars | st.dictionaries(words, scalars, max_size=2).map(lambda d: JsonObject(tuple(d.items()))), max_size=3).map(
        lambda d: JsonObject(tuple(d.items()))
    )
)  # fmt: skip
ODD = (
    tool("tool-use", (), "text"),
    tool("a b<c>\"&'", ("path",), "text"),
    tool("mcp.tool:x", ("path",)),
    tool("</invoke>\n"),
    tool("invoke"),
)
EVERY = (*TOOLS, *ODD)


def arguments_of(spec: ToolSpec) -> st.SearchStrategy[JsonObject]:
    """Arguments of text for all parameters of ``spec``, in order; or any at all."""
    names = (*spec.header, *((spec.body,) if spec.body else ()))
    whole = st.tuples(*(words for _ in names)).map(lambda said: JsonObject(tuple(zip(names, said, strict=True))))
    loose = st.dictionaries(st.sampled_from((*spec.header, spec.body, "other", "<a>\n")), json_values, max_size=3)
    return whole | whole | loose.map(lambda members: JsonObject(tuple(members.items())))


def calls_of(tools: tuple[ToolSpec, ...]) -> st.SearchStrategy[ToolCall]:
    return st.one_of(*(arguments_of(spec).map(partial(ToolCall, spec.name)) for spec in tools))


calls, any_calls = calls_of(TOOLS), calls_of(EVERY)


def form_of(format: ToolFormat) -> TextFormat:
    form = text_format(format)
    assert form is not None
    return form


def begin(format: ToolFormat) -> Scan:
    return form_of(format).begin(TOOLS)


def parse(text: str, format: ToolFormat, tools: tuple[ToolSpec, ...] = TOOLS) -> tuple[Invocation, ...]:
    return call_format.parse(text, format, tools)


def rendered(call: ToolCall, format: ToolFormat, tools: tuple[ToolSpec, ...] = TOOLS) -> str:
    spec = find_tool(tools, call.name)
    assert spec is not None
    return form_of(format).render(call, spec)


def certain(scan: Scan) -> tuple[Invocation, ...]:
    return tuple(each.call for each in found(scan))


@pytest.mark.no_cover  # watching each line of so many examples takes minutes, and shows nothing that others do not
@settings(max_examples=ASKED)
@given(calls)
def test_parse_inverts_render_in_markdown(call: ToolCall) -> None:
    assert parse(rendered(call, ToolFormat.MARKDOWN), ToolFormat.MARKDOWN) == (call,)


@pytest.mark.no_cover  # watching each line of so many examples takes minutes, and shows nothing that others do not
@settings(max_examples=ASKED)
@given(any_calls)
def test_parse_inverts_render_in_xml(call: ToolCall) -> None:
    assert parse(rendered(call, ToolFormat.XML, EVERY), ToolFormat.XML, EVERY) == (call,)


@pytest.mark.no_cover  # watching each line of so many examples takes minutes, and shows nothing that others do not
@settings(max_examples=ASKED)
@given(any_calls)
def test_parse_inverts_render_in_native_calls(call: ToolCall) -> None:
    assert read_call_untrusted(render_call(call), EVERY) == call


def no_early_tool(chunks: list[str], format: ToolFormat) -> None:
    """Law 9 for one reply: at each of its prefixes, and however it is cut."""
    text = "".join(chunks)
    scan, total = begin(format), parse(text, format)
    for char in text:
        scan = feed(scan, char)
        sure = certain(scan)
        assert total[: len(sure)] == sure
    assert finish(scan) == total
    cut = begin(format)
    for chunk in chunks:
        cut = feed(cut, chunk)
    assert (tuple(found(cut)), finish(cut), finish(cut, cut=True)) == (tuple(found(scan)), total, finish(scan, cut=True))


@pytest.mark.no_cover  # watching each line of so many examples takes minutes, and shows nothing that others do not
@settings(max_examples=ASKED)
@given(CHUNKS[ToolFormat.MARKDOWN])
def test_no_early_tool_in_markdown(chunks: list[str]) -> None:
    no_early_tool(chunks, ToolFormat.MARKDOWN)


@pytest.mark.no_cover  # watching each line of so many examples takes minutes, and shows nothing that others do not
@settings(max_examples=ASKED)
@given(CHUNKS[ToolFormat.XML])
def test_no_early_tool_in_xml(chunks: list[str]) -> None:
    no_early_tool(chunks, ToolFormat.XML)


@pytest.mark.parametrize("format", FORMATS)
@examples(200)
@given(st.lists(calls, max_size=4), st.sampled_from(("\n", "\n\n", "\nThen:\n\n")))
def test_rendered_calls_in_a_row_are_certain_at_once(format: ToolFormat, row: list[ToolCall], between: str) -> None:
    text = between.join(rendered(call, format) for call in row)
    assert parse(text, format) == tuple(row)
    assert certain(feed(begin(format), text + "\n")) == tuple(row)


@pytest.mark.parametrize("format", FORMATS)
@examples(300)
@given(st.data())
def test_a_reply_closed_where_a_certain_call_ends_makes_that_call(format: ToolFormat, data: st.DataObject) -> None:
    text = data.draw(TEXTS[format])
    sure = tuple(found(feed(begin(format), text)))
    for each in sure:
        assert parse(text[: each.end], format) == tuple(one.call for one in sure if one.end <= each.end)


@pytest.mark.parametrize("format", FORMATS)
@examples(300)
@given(st.data())
def test_a_cut_reply_runs_only_what_is_certain(format: ToolFormat, data: st.DataObject) -> None:
    scan = feed(begin(format), data.draw(TEXTS[format]))
    done, sure = finish(scan, cut=True), certain(scan)
    assert done[: len(sure)] == sure
    assert all(isinstance(call, BrokenCall) and call.problem.code == "call-cut" for call in done[len(sure) :])


@pytest.mark.parametrize("format", FORMATS)
@examples(200)
@given(st.data())
def test_line_ends_do_not_matter(format: ToolFormat, data: st.DataObject) -> None:
    text = data.draw(TEXTS[format])
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    assert parse(text, format) == parse(normal, format) == parse(normal.replace("\n", "\r\n"), format)


@pytest.mark.parametrize("format", FORMATS)
@examples(200)
@given(st.data())
def test_the_first_calls_are_those_that_end_first(format: ToolFormat, data: st.DataObject) -> None:
    scan = feed(begin(format), data.draw(TEXTS[format]))
    first = first_calls(scan)
    assert finish(scan)[: len(first)] == first
    assert bool(first) is bool(finish(scan))

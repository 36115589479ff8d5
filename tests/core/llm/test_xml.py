"""The XML call format: the readings that its theory promises; its laws are in tests/laws/test_call_formats.py."""

from __future__ import annotations

import time
from statistics import median

import pytest

from tests.core.llm.plain_tools import MOVE, PATCH, READ, SAVE, SHELL, TODO, TOOLS, tool
from turnfold.core.conversation.messages import BrokenCall, ToolCall
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.elements import sample
from turnfold.core.llm.xml import begin, feed, finish, render
from turnfold.core.tools.spec import ToolSpec


def ran(text: str, tools: tuple[ToolSpec, ...] = TOOLS) -> list[JsonObject]:
    """The arguments of the calls that ``text`` makes; broken ones show as their problem's code."""
    calls = finish(feed(begin(tools), text))
    return [call.arguments if isinstance(call, ToolCall) else JsonObject.of(broken=call.problem.code) for call in calls]


def said(path: str, content: str) -> JsonObject:
    return JsonObject.of(path=path, content=content)


def wrapped(inner: str) -> str:
    return f"<tool-use>\n{inner}\n</tool-use>"


def invoked(inner: str) -> str:
    return f"<function_calls>\n{inner}\n</function_calls>"


LS = JsonObject.of(command="ls")


def seconds(text: str, size: int) -> float:
    def once() -> float:
        start = time.process_time()
        scan = begin(TOOLS)
        for at in range(0, len(text), size):
            scan = feed(scan, text[at : at + size])
        finish(scan)
        return time.process_time() - start

    return median(once() for _ in range(3))


STARTS = ("", "<tool-use><save args='a'>", '<tool-use><save args="', "<tool-use><save ", "<tool-use><shell/>", "<tool-use>")
UNITS = (
    "x" * 50, "a\n", "<", "</", "</save", "</save>", "</save> \n", "<tool-use>", "<![CDATA[", "]]>", "&lt;", "='", "a=", "name ", "`", " ", "<a ",
)  # fmt: skip


@pytest.mark.parametrize("before", STARTS)
def test_time_is_linear_in_the_text(before: str) -> None:
    for unit in UNITS:
        short = before + unit * (1_000 // len(unit))
        long = before + unit * (20_000 // len(unit))
        for size in (10_000_000,) if before else (1, 10_000_000):
            assert seconds(f"{long}</save></tool-use>\n", size) < 40 * seconds(f"{short}</save></tool-use>\n", size) + 0.05, unit


def test_parameters_are_linear_in_their_text() -> None:
    for unit in ("</parameter>", '<parameter name="a">x</parameter>\n', "<parameter ", " name=", "</parameter> "):

        def call(count: int, unit: str = unit) -> str:
            return f'<function_calls><invoke name="save"><parameter name="path">{unit * count}</parameter></invoke></function_calls>\n'

        assert seconds(call(5_000), 10_000_000) < 20 * seconds(call(500), 10_000_000) + 0.05


NESTED = wrapped('<save args="b.txt">\nhi\n</save>')


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("<tool-use><shell>ls</shell></tool-use>", [LS]),
        ("I look: <tool-use>\n  <shell>\nls\n  </shell>\n</tool-use> now", [LS]),
        (wrapped("<shell args='ls'/>"), [LS]),
        (wrapped("<shell>\nls\n</shell>").replace("\n", "\r\n"), [LS]),
        (wrapped("<read args=a.txt />"), [JsonObject.of(path="a.txt")]),
        (wrapped('<read\n  path = "a &amp; b.txt"\n>\n</read>'), [JsonObject.of(path="a & b.txt")]),
        (wrapped('<save args="a>b" >\nhi\n</save>'), [said("a>b", "hi")]),
        (wrapped('<save args="a\nb">hi</save>'), [said("a\nb", "hi")]),
        (wrapped('<save path="a.txt">\nhi\n</save>'), [said("a.txt", "hi")]),
        (wrapped('<save path="a.txt" content="hi"/>'), [said("a.txt", "hi")]),
        (wrapped('<todo>{"a": 1}</todo>'), [JsonObject.of(a=1)]),
        (wrapped('<save args="--json">\n{"path": "a", "content": "&lt;"}\n</save>'), [said("a", "<")]),
        (wrapped("<shell>ls</shell>\n\n<read args='a'/>"), [LS, JsonObject.of(path="a")]),
        (wrapped("<todo/> and then <shell>ls</shell>"), [JsonObject(), LS]),
        (wrapped("<todo/> done "), [JsonObject()]),
        (f"{wrapped('<shell>ls</shell>')}\n{wrapped('<shell>ls</shell>')}", [LS, LS]),
        (invoked('<invoke name="shell">\nls\n</invoke>'), [LS]),
        (invoked('<invoke name="shell">ls</invoke><invoke name="todo"/>'), [LS, JsonObject()]),
        (invoked('<invoke name="save" args="a.txt">\nhi\n</invoke>'), [said("a.txt", "hi")]),
        (invoked('<invoke name="save" path="a.txt">hi</invoke>'), [said("a.txt", "hi")]),
        ("<shell>ls</shell>", []),
        ("<invoke name='shell'>ls</invoke>", []),
        ("Write <tool-use> and then <shell>ls</shell></tool-use>", []),
        ("`<tool-use><shell>ls</shell></tool-use>`", []),
        ("```\n<tool-use><shell>ls</shell></tool-use>\n```\n", []),
        ("```md\n```sh\n```\n<tool-use><shell>ls</shell></tool-use>\n```\n", []),
        ("````\n```\n<tool-use><shell>ls</shell></tool-use>\n````\n", []),
        ("```md\nx\n```\n<tool-use><shell>ls</shell></tool-use>", [LS]),
        ("~~~\n<tool-use><shell>ls</shell></tool-use>\n~~~\n", []),
        ("~~~\nx\n~~~\n<tool-use><shell>ls</shell></tool-use>", [LS]),
        ("<think>\n<tool-use><shell>ls</shell></tool-use>\n", []),
        ("<think>no</think><tool-use><shell>ls</shell></tool-use>", [LS]),
        ("<function_calls>\n<shell>ls</shell>\n</function_calls>", []),
    ],
)  # fmt: skip
def test_reads(text: str, arguments: list[JsonObject]) -> None:
    assert ran(text) == arguments


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("\nif a < b && c > d:\n", "if a < b && c > d:"),
        ("\n<html>&nbsp;<p></p></html>\n", "<html>&nbsp;<p></p></html>"),
        ("\n&amp;lt; &lt;b&gt; &#60; &#x3C; &#0; &#xD800; &#9999999;\n", "&lt; <b> < < &#0; &#xD800; &#9999999;"),
        ("\n\n  x\n\n", "\n  x\n"),
        ("  x  ", "  x  "),
        ("\n", ""),
        ("\n<![CDATA[\na &lt; b ]] > </save></tool-use>\n]]>\n", "a &lt; b ]] > </save></tool-use>"),
        ("<![CDATA[a]]]]><![CDATA[>b]]>&lt;", "a]]>b<"),
        ("\n<item><![CDATA[x</item>]]>\n", "<item><![CDATA[x</item>]]>"),
        ("\nthe end is </save> here\n", "the end is </save> here"),
        ("\n<save>x</save>\n", "<save>x</save>"),
        ("\n</tool-use>\n", "</tool-use>"),
        ("\n</save>\n\nx\n", "</save>\n\nx"),
        ("\n</save> <b>x</b>\n", "</save> <b>x</b>"),
        (f"\n# How to\n{NESTED}\n", f"# How to\n{NESTED}"),
        ('\n<function_calls>\n<invoke name="save">\n', '<function_calls>\n<invoke name="save">'),
    ],
)
def test_a_text_is_what_it_is(written: str, text: str) -> None:
    assert ran(wrapped(f'<save args="a.txt">{written}</save>')) == [said("a.txt", text)]


def parameter(name: str, value: str) -> str:
    return f'<parameter name="{name}">{value}</parameter>'


TYPED = ToolSpec(
    name="typed",
    description="",
    advance=TODO.advance,
    parameters=JsonObject.of(
        properties=JsonObject.of(
            count=JsonObject.of(type="integer"),
            either=JsonObject.of(type=("string", "null")),
            maybe=JsonObject.of(anyOf=(JsonObject.of(type="integer"), JsonObject.of(type="null"))),
            one=JsonObject.of(enum=(1, 2)),
            word=JsonObject.of(enum=("1", 2)),
            any=JsonObject(),
        )
    ),
)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "3", 3),
        ("count", "three", "three"),
        ("either", "3", "3"),
        ("maybe", "null", None),
        ("one", "2", 2),
        ("word", "1", "1"),
        ("any", "[1]", "[1]"),
        ("other", "\n1\n", "1"),
        ("other", "x</parameter> y", "x</parameter> y"),
    ],
)
def test_a_parameter_is_text_or_json_as_the_schema_says(name: str, text: str, value: JsonValue) -> None:
    assert ran(invoked(f'<invoke name="typed">\n{parameter(name, text)}\n</invoke>'), (TYPED,)) == [JsonObject(((name, value),))]


def test_parameters_are_read_by_their_names() -> None:
    both = parameter("path", "a.txt") + "\n" + parameter("content", "\n<![CDATA[x\n]]>\n")
    assert ran(invoked(f'<invoke name="save">\n{both}\n</invoke>')) == [said("a.txt", "x")]
    assert ran(invoked(f'<invoke name="save">{parameter("path", "b")}{both}</invoke>')) == [said("a.txt", "x")]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (wrapped("<shell>rm -rf x"), "call-unclosed", "Write it like this:\n<tool-use>\n<shell>\nCOMMAND\n</shell>\n</tool-use>"),
        ("<tool-use><shell>ls</shell>", "call-unclosed", "not run"),
        ("<tool-use><shell>ls</shell>\n<read args='a", "call-unclosed", "The call of read"),
        ("<tool-use><shell>ls</shell>\n<todo/>\n", "call-unclosed", "The call of shell"),
        ("<tool-use><shell/><nope>", "call-unclosed", "The call of shell"),
        ("<tool-use><shell/><nope ", "call-unclosed", "The call of shell"),
        ("<tool-use><nope/>", "call-unclosed", "The call of nope was not closed"),
        (wrapped("<save args='a'>\nthe tag <tool-use> opens\n</save>"), "call-unclosed", "as &lt;tag&gt;"),
        (wrapped("<save>\nhi\n</save>"), "call-malformed", 'needs its path in args="…". Write:\n<tool-use>\n<save args="a.txt">\nhi\n</save>'),
        (wrapped("<shell args='bash'>ls</shell>"), "call-malformed", "The element shell takes nothing in args"),
        (wrapped("<read args='a'>b\nc</read>"), "call-malformed", "takes no text between its tags"),
        (wrapped("<todo args='a'/>"), "call-malformed", 'Write:\n<tool-use>\n<todo args="--json">\n{}\n</todo>'),
        (wrapped("<save path='a' mode='w'>x</save>"), "call-malformed", "has no mode here"),
        (wrapped("<save path='a' args='b'>x</save>"), "call-malformed", "has no args here"),
        (wrapped("<save args='--json'>{</save>"), "arguments-not-json", "one JSON object"),
        (wrapped("<nosuch>ls</nosuch>"), "unknown-tool", "The tools are: read"),
        (invoked("<invoke>ls</invoke>"), "call-malformed", 'Write it as <invoke name="NAME">'),
        (invoked(f'<invoke name="save">{parameter("path", "a")} and</invoke>'), "call-malformed", "has parameters that are not all"),
        (invoked('<invoke name="save"><parameter id="path">a</parameter></invoke>'), "call-malformed", "has parameters that are not all"),
        (invoked(f'<invoke name="save">{parameter("path", "a")}<parameter >b</parameter></invoke>'), "call-malformed", "not all"),
    ],
)  # fmt: skip
def test_broken_calls_say_what_to_write(text: str, code: str, words: str) -> None:
    (call,) = finish(feed(begin(TOOLS), text))
    assert isinstance(call, BrokenCall)
    assert call.problem.code == code
    assert words in call.problem.message


@pytest.mark.parametrize("text", ["<tool-use>\n", "<tool-use><nope>ls", "<tool-use><nope", "<tool-use>\n<b>bold</b> it is"])
def test_what_calls_no_tool_is_prose(text: str) -> None:
    assert ran(text) == []


def test_a_cut_reply_is_told_so() -> None:
    text = f"{wrapped('<shell>ls</shell>')}\n{wrapped('<shell>rm</shell>')}"
    first, second = finish(feed(begin(TOOLS), text), cut=True)
    assert first == ToolCall("shell", LS)
    assert isinstance(second, BrokenCall)
    assert (second.name, second.problem.code) == ("shell", "call-cut")


def test_a_call_ends_where_its_wrapper_ends() -> None:
    text = "Hello.\r\n<tool-use>\r\n<shell>ls</shell><todo/></tool-use> \r\nmore"
    ends = [text[: found.end] for found in feed(begin(TOOLS), text).place.found]
    assert ends == ["Hello.\r\n<tool-use>\r\n<shell>ls</shell><todo/></tool-use>"] * 2


@pytest.mark.parametrize(
    ("spec", "arguments", "text"),
    [
        (READ, JsonObject.of(path="a b.txt"), wrapped('<read args="a b.txt">\n</read>')),
        (READ, JsonObject.of(path=' "'), wrapped('<read args="--json">\n{"path":" \\""}\n</read>')),
        (READ, JsonObject.of(path='<"a">&'), wrapped('<read args="&lt;&quot;a&quot;&gt;&amp;">\n</read>')),
        (SHELL, JsonObject.of(command="a && b < c"), wrapped("<shell>\na && b < c\n</shell>")),
        (SHELL, JsonObject.of(command="a\rb"), wrapped("<shell>\na&#13;b\n</shell>")),
        (SHELL, JsonObject.of(command="</shell> &lt;"), wrapped("<shell>\n&lt;/shell&gt; &amp;lt;\n</shell>")),
        (SHELL, JsonObject.of(command="\n"), wrapped("<shell>\n\n\n</shell>")),
        (SHELL, JsonObject.of(command=1), wrapped('<shell args="--json">\n{"command":1}\n</shell>')),
        (MOVE, JsonObject.of(source="a", target="b\tc"), wrapped('<move args="a b&#9;c">\n</move>')),
        (TODO, JsonObject(), wrapped("<todo>\n</todo>")),
        (TODO, JsonObject.of(a=1), wrapped('<todo args="--json">\n{"a":1}\n</todo>')),
        (tool("a b", (), "text"), JsonObject.of(text="x"), invoked('<invoke name="a b">\nx\n</invoke>')),
        (tool("think", (), "text"), JsonObject.of(text="x"), invoked('<invoke name="think">\nx\n</invoke>')),
    ],
)  # fmt: skip
def test_renders(spec: ToolSpec, arguments: JsonObject, text: str) -> None:
    assert render(ToolCall(spec.name, arguments), spec) == text


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (SAVE, '<save args="a.txt">\nhi\n</save>'),
        (PATCH, '<patch args="PATH">\nPATCH\n</patch>'),
        (READ, '<read args="PATH">\n</read>'),
        (TODO, '<todo args="--json">\n{}\n</todo>'),
    ],
)
def test_samples(spec: ToolSpec, text: str) -> None:
    assert sample(spec) == wrapped(text)

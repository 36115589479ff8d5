"""The Markdown call format: the readings that its theory promises; its laws are in tests/laws/test_call_formats.py."""

from __future__ import annotations

import time
from statistics import median

import pytest

from tests.core.llm.plain_tools import APPEND, MOVE, PYTHON, READ, SAVE, SHELL, SPAN, TODO, TOOLS
from turnfold.core.conversation.messages import BrokenCall, ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.llm.markdown import begin, feed, finish, parse, render
from turnfold.core.tools.spec import ToolSpec, find_tool


def spec_of(call: ToolCall) -> ToolSpec:
    spec = find_tool(TOOLS, call.name)
    assert spec is not None
    return spec


def rendered(call: ToolCall) -> str:
    return render(call, spec_of(call))


def ran(text: str) -> list[JsonObject]:
    """The arguments of the calls that ``text`` makes; broken ones show as their problem's code."""
    return [call.arguments if isinstance(call, ToolCall) else JsonObject.of(broken=call.problem.code) for call in parse(text, TOOLS)]


def sure(text: str) -> int:
    """How many calls are certain after ``text``."""
    return len(feed(begin(TOOLS), text).calls)


# Costs


def seconds(text: str, size: int) -> float:
    def once() -> float:
        start = time.process_time()
        scan = begin(TOOLS)
        for at in range(0, len(text), size):
            scan = feed(scan, text[at : at + size])
        finish(scan)
        return time.process_time() - start

    return median(once() for _ in range(3))


@pytest.mark.parametrize("size", [1, 10_000_000])
@pytest.mark.parametrize(
    "unit",
    [
        "x" * 50,
        "a line of text\n",
        "```save a.md\nUsage:\n```\nx\n```shell\nls\n```\n",
        "```shell\nls\n```\n\n",
        "```save a.md\nhi\n```\nDone.\n",
        "<think>`</think>```",
        "```\n",
        "```sh\n",
        "'''`x <",
    ],
)
def test_time_is_linear_in_the_text(unit: str, size: int) -> None:
    short = unit * (3_000 // len(unit))
    assert seconds(short * 10, size) < 20 * seconds(short, size) + 0.05


@pytest.mark.parametrize("size", [1, 1_000])
def test_a_long_body_is_linear(size: int) -> None:
    short = "line of text\n" * 200
    assert seconds("```save a.md\n" + short * 10 + "```\n", size) < 20 * seconds("```save a.md\n" + short + "```\n", size) + 0.05


def test_a_megabyte_without_a_newline() -> None:
    text = "```shell\n" + "x" * 1_000_000 + "\n```"
    assert ran(text) == [JsonObject.of(command="x" * 1_000_000)]
    assert seconds(text, 100) < 5


# Readings

NESTED = "```save {}\nSome content\n```\nThis starts a nested block\n```\nMore content\n```\n"


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("```read a.txt\n```", [JsonObject.of(path="a.txt")]),
        ("```read\na.txt\n```", [JsonObject.of(path="a.txt")]),
        ("```read a.txt\na.txt\n```", [JsonObject.of(path="a.txt")]),
        ("```read path=a.txt\n```", [JsonObject.of(path="a.txt")]),
        ("```read path='my file.txt'\n```", [JsonObject.of(path="my file.txt")]),
        ('```read "a" and "b"\n```', [JsonObject.of(path='"a" and "b"')]),
        ("``` read  my file.txt \n```  ", [JsonObject.of(path="my file.txt")]),
        ("```move a.txt to b.txt\n```", [JsonObject.of(source="a.txt", target="to b.txt")]),
        ("```span a.txt 1\n```", [JsonObject.of(path="a.txt", first="1")]),
        ("```shell ls -l\n```", [JsonObject.of(command="ls -l")]),
        ("```todo\n```", [JsonObject()]),
        ('```todo\n{"a": 1}\n```', [JsonObject.of(a=1)]),
        ('```shell --json\n{"command": "ls"}\n```', [JsonObject.of(command="ls")]),
        ("```shell\r\nls\r\n```\r\n", [JsonObject.of(command="ls")]),
        ("```shell\nls\n```\n```read a\n```", [JsonObject.of(command="ls"), JsonObject.of(path="a")]),
        ("a ```shell\nls\n```", []),
        ("```shell ls``` lists\n", []),
        ("> ```shell\n> ls\n> ```", []),
        ("  ```shell\n  ls\n  ```", []),
        ("~~~\n```shell\nls\n```\n~~~~\n```read a\n```", [JsonObject.of(path="a")]),
        ("~~~\n```shell\nls\n```\n", []),
        ("```text\n```shell\nls\n```\n```", []),
        ("````text\n```shell\nls\n```\n````", []),
        ("<think>\n```shell\nls\n```\n", []),
        ("<think>```shell\nls\n```</think>```read a\n```", [JsonObject.of(path="a")]),
        ("<think>a</think> and <thinking>b\n```shell\nls\n```", []),
        ("<think>a</think> <think>b</think>\n```read a\n```", [JsonObject.of(path="a")]),
        ("I use `<think>` tags.\n```read a\n```", [JsonObject.of(path="a")]),
        ("```shell\nls\n```<think>\nso\n</think>\n```read a\n```", [JsonObject.of(command="ls"), JsonObject.of(path="a")]),
    ],
)
def test_reads(text: str, arguments: list[JsonObject]) -> None:
    assert ran(text) == arguments


@pytest.mark.parametrize(
    ("text", "body", "certain"),
    [
        ("```shell\nls\n```\nmore", "ls", True),
        ("```shell\nls\n````\n", "ls", False),  # longer than it was opened: only the end says so
        ("```shell\nls\n``````\nmore\n```", "ls\n``````\nmore", False),
        ("```shell\ncat <<'EOF' > a.md\n# T\n```\nls\n```\nEOF\n```\n", "cat <<'EOF' > a.md\n# T\n```\nls\n```\nEOF", True),
        ("```shell\ncat << EOF\n```\nEOF\n```\n", "cat << EOF\n```\nEOF", True),
        ("```python\nx = '''\n```\n\"\"\"\n'''\n```\n", "x = '''\n```\n\"\"\"\n'''", True),
        ("```patch a.py\n<<<<<<< ORIGINAL\n```\n=======\n'''\n>>>>>>> UPDATED\n```\n", None, True),
        ("```shell\nx << EOF\n```\n", "x << EOF", False),  # a here-document that never ends: read again without
        ("```save a.md\nhi\n```\nDone.", "hi", False),
        ("```save a.md\nhi\n```\n\nDone.", "hi", True),
        ("```save a.md\nhi\n```\n```read b\n", "hi", True),
        ("```save a.md\nhi\n```", "hi", False),
        ("```save a.md\nhi\n```\nNow run:\n```text\nls\n```\n", "hi", False),
        ("```save a.txt\nhi\n```\n", "hi", True),
        ("```save a.txt\nUsage:\n```\nls\n```\nEnd\n```\n\n", "Usage:\n```\nls\n```\nEnd", True),
        ("```save a.txt\n```sh\nls\n```\n## Out\n\n```\nx\n```\nEnd\n```\n\n", "```sh\nls\n```\n## Out\n\n```\nx\n```\nEnd", True),
        ("```save a.txt\n````md\n```\n````\nEnd\n```\n\n", "````md\n```\n````\nEnd", True),
        ("```save a.txt\n```sh\n```sh\n```\n```\n```\n\n", "```sh\n```sh\n```\n```", True),
        ("```save a.md\n**Note:**\n```\nmore\n```\n", "**Note:**\n```\nmore", False),
        ("```save a.md\n```\nmore\n```\n", "```\nmore", False),
        ("````save a.md\nUsage:\n```\nls\n```\n````\n", "Usage:\n```\nls\n```", True),
        ("````save a.md\n````sh\n`````\n", "````sh", True),
        (NESTED.format("a.md") + "\n", "Some content\n```\nThis starts a nested block\n```\nMore content", True),
        (NESTED.format("a.txt"), "Some content", True),
    ],
)
def test_which_fence_closes(text: str, body: str | None, certain: bool) -> None:
    first = parse(text, TOOLS)[0]
    assert isinstance(first, ToolCall)
    assert body is None or tuple(first.arguments.values())[-1] == body
    assert bool(sure(text)) is certain


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("```shell\nrm -rf x", "call-unclosed", "a line of ``` alone"),
        ("```save a.md\n# T\n```python\nx\n```\n", "call-unclosed", "with ````"),
        ("```save a.md\nUsage:\n```\nls\n```\nmore", "call-unclosed", "not run"),
        ("```shell\nls\n```trailing", "call-unclosed", "not run"),
        ("````shell\nls\n```", "call-unclosed", "a line of ````"),
        ("```save\nhi\n```", "call-malformed", "needs its path on the opening line. Write:\n```save a.txt\nhi\n```"),
        ("```move a\n```", "call-malformed", "needs its target on the opening line. Write:\n```move SOURCE TARGET\n```"),
        ("```read path=\n```", "call-malformed", "Write:\n```read PATH\n```"),
        ("```read a\nb\n```", "call-malformed", "takes no text"),
        ("```read\na\nb\n```", "call-malformed", "takes no text"),
        ("```shell bash\nls\n```", "call-malformed", "takes nothing on the opening line"),
        ("```todo a\n{}\n```", "call-malformed", "Write:\n```todo --json\n{}\n```"),
        ('```save --json\n{"path": oops}\n```', "arguments-not-json", '(line 1, column 10: Expecting value):\n{"path": oops}\n         ^\n'),
        ("```save --json\n[]\n```", "arguments-not-object", "by name"),
        ('```todo --json\n"{}"\n```', "arguments-doubled", "the object itself"),
    ],
)  # fmt: skip
def test_broken_calls_say_what_to_write(text: str, code: str, words: str) -> None:
    (call,) = parse(text, TOOLS)
    assert isinstance(call, BrokenCall)
    assert call.problem.code == code
    assert words in call.problem.message


@pytest.mark.parametrize("text", ["```text\nls", "```text\nUsage:\n```\nls\n```\nx", "```md\nUsage:\n```\nls\n```"])
def test_open_blocks_of_no_tool_are_text(text: str) -> None:
    assert ran(text) == []
    assert finish(feed(begin(TOOLS), text), cut=True) == ()


def test_a_cut_reply_is_told_so() -> None:
    scan = feed(begin(TOOLS), "```read a\n```\n```shell\nrm -rf x\n```")
    first, second = finish(scan, cut=True)
    assert first == ToolCall("read", JsonObject.of(path="a"))
    assert isinstance(second, BrokenCall)
    assert (second.name, second.text) == ("shell", "shell\nrm -rf x")


def test_a_call_ends_where_its_fence_ends() -> None:
    text = "Hello.\r\n```shell\r\nls\r\n```\r\nmore"
    assert [text[: found.end] for found in feed(begin(TOOLS), text).found] == ["Hello.\r\n```shell\r\nls\r\n```"]


@pytest.mark.parametrize(
    ("spec", "arguments", "text"),
    [
        (READ, JsonObject.of(path="a b.txt"), "```read a b.txt\n```"),
        (SHELL, JsonObject.of(command=""), "```shell\n```"),
        (SHELL, JsonObject.of(command="\n"), "```shell\n\n\n```"),
        (APPEND, JsonObject.of(path="a", content="x\n"), "```append a\nx\n\n```"),
        (MOVE, JsonObject.of(source="a", target="b c"), "```move a b c\n```"),
        (SPAN, JsonObject.of(path="a"), "```span a\n```"),
        (SHELL, JsonObject.of(command="ls\n```"), "````shell\nls\n```\n````"),
        (PYTHON, JsonObject.of(code="'''"), "````python\n'''\n````"),
        (SHELL, JsonObject.of(command="a\rb"), '```shell --json\n{"command":"a\\rb"}\n```'),
        (READ, JsonObject.of(path="--json"), '```read --json\n{"path":"--json"}\n```'),
        (READ, JsonObject.of(path=" a"), '```read --json\n{"path":" a"}\n```'),
        (READ, JsonObject.of(path="a`"), '```read --json\n{"path":"a`"}\n```'),
        (SAVE, JsonObject.of(content="hi", path="a"), '```save --json\n{"content":"hi","path":"a"}\n```'),
        (SAVE, JsonObject.of(path="a"), '```save --json\n{"path":"a"}\n```'),
        (SHELL, JsonObject.of(command=1), '```shell --json\n{"command":1}\n```'),
        (TODO, JsonObject(), "```todo\n```"),
    ],
)
def test_renders(spec: ToolSpec, arguments: JsonObject, text: str) -> None:
    assert render(ToolCall(spec.name, arguments), spec) == text

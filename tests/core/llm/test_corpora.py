"""The corpora of call parsing as data: our functions mean the same, but for what ``corpus_differences.json`` lists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.core.llm.plain_tools import tool
from turnfold.core.conversation.messages import Invocation, ToolCall
from turnfold.core.json import JsonObject, dumps, freeze
from turnfold.core.llm.blocks import read_block
from turnfold.core.llm.markdown import begin, feed, parse, render
from turnfold.core.llm.native import read_call_untrusted, render_call
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.spec import ToolSpec

ROOT = Path(__file__).parents[3]
CORPORA = ROOT.parent / "shared" / "corpora"
DIFFERENCES: dict[str, str] = json.loads((Path(__file__).parent / "corpus_differences.json").read_text())

Case = dict[str, Any]  # JSON as the corpus has it
Meanings = tuple[object, Any]  # ours, theirs

OTHER_FORMATS = re.compile(r"xml|find_json_end")  # XML comes with issue 4; no JSON is looked for in a reply's text
OPENERS = re.compile(r"^`{3,} *(\w+)[ \t]*([^\s`]*)", re.MULTILINE)
AT_CALL = re.compile(r"^@([\w.]+)\([^)]*\): (.*?)(?=^@|\Z)", re.MULTILINE | re.DOTALL)

LOADED = (
    tool("save", ("path",), "content"),
    tool("append", ("path",), "content"),
    tool("patch", ("path",), "patch"),
    tool("shell", (), "command"),
    tool("ipython", (), "code"),
    tool("read", ("path", "start_line", "end_line"), required=("path",)),
    tool("mcp.tool"),
)


def named(name: str) -> ToolSpec:
    return next(each for each in LOADED if each.name == name)


def opened_in(text: str) -> tuple[ToolSpec, ...]:
    """A tool for every word that a fence in ``text`` is followed by, with a header where there is more on the line."""
    found = {name: tool(name, ("path",) if rest else (), "text") for name, rest in OPENERS.findall(text.replace("\r", "\n"))}
    return tuple(found.values())


def as_block(call: ToolCall) -> tuple[str, str]:
    *header, text = call.arguments.values()
    return " ".join((call.name, *map(str, header))), str(text)


def blocks(calls: tuple[Invocation, ...]) -> list[tuple[str, str]]:
    """What runs, as (info line, text)."""
    return [as_block(call) for call in calls if isinstance(call, ToolCall)]


def extracted(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    text = args[0]
    scan = feed(begin(opened_in(text)), text)
    ours = blocks(scan.calls if kwargs.get("streaming") else parse(text, opened_in(text)))
    return ours, [(block["lang"], block["content"]) for block in out if block["lang"]]


def one_block(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    return blocks(parse(args[0], opened_in(args[0]))), [(out["lang"], out["content"].removesuffix("\n"))]


def written_block(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    return blocks(parse(out, opened_in(out))), [(args[0]["lang"], args[0]["content"])]


def ranges(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    scan = feed(begin(opened_in(args[0])), args[0] + "\n")
    return [found.end for found in scan.found], [end for _, end in out]


def at_calls(text: str) -> list[tuple[str, JsonObject]]:
    """Gptme's ``@tool(id): {…}`` lines as the native calls that they stand for."""
    read = [read_call_untrusted(RawCall(name, json_text), LOADED) for name, json_text in AT_CALL.findall(text)]
    return [(call.name, call.arguments) for call in read if isinstance(call, ToolCall)]


def from_content(args: list[Any], kwargs: Case, out: Any) -> Meanings | None:
    text, *rest = args
    if rest[:1] == ["markdown"] or not AT_CALL.search(text):  # gptme reads blocks in its "tool" format, too
        scan = feed(begin(LOADED), text)
        ours = blocks(scan.calls if rest[1:] == [True] else parse(text, LOADED))
        return ours, [(" ".join(use["args"]) or use["tool"], use["content"]) for use in out]
    if not text.startswith("@"):
        return None  # @ lines in the middle of a text, which the wire never gives us
    return at_calls(text), [(use["tool"], freeze(use["kwargs"])) for use in out]


def params(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    use = args[0]
    if use["kwargs"] is not None:
        return read_call_untrusted(RawCall(use["tool"], json.dumps(use["kwargs"])), LOADED), ToolCall(use["tool"], _object(out))
    return read_block(named(use["tool"]), " ".join(use["args"]), use["content"]), ToolCall(use["tool"], _object(out))


def _object(value: Any) -> JsonObject:
    frozen = freeze(value)
    assert isinstance(frozen, JsonObject)
    return frozen


def output(args: list[Any], kwargs: Case, out: Any) -> Meanings | None:
    use, format = args
    spec = named(use["tool"])
    members = dict(zip((*spec.header, spec.body), (*use["args"], use["content"]), strict=False))
    call = ToolCall(use["tool"], _object(use["kwargs"] if format == "tool" and use["kwargs"] else members))
    if format == "markdown":
        return render(call, spec), out
    name, _, text = out.partition(": ")
    return (call.name, render_call(call).text), (name[1:], dumps(freeze(json.loads(text))))


MEANING = {
    "_extract_codeblocks": extracted,
    "iter_from_markdown": extracted,
    "from_markdown": one_block,
    "to_markdown": written_block,
    "_codeblock_char_ranges": ranges,
    "iter_from_content": from_content,
    "_to_params": params,
    "to_output": output,
}


def meanings(case: Case) -> Meanings | None:
    """What we and the reference make of ``case``; None where it is about what is no part of these formats."""
    given = case["in"]
    name = re.split(r"[:.]", case["fn"])[-1]
    if OTHER_FORMATS.search(name) or given["args"][1:2] == ["xml"]:
        return None
    return MEANING[name](given["args"], given.get("kwargs", {}), case.get("out"))


def cases(topic: str) -> list[Case]:
    path = CORPORA / f"{topic}.json"
    return json.loads(path.read_text()) if path.exists() else []


@pytest.mark.parametrize("topic", ["codeblocks", "tool_use"])
def test_corpus_is_there(topic: str) -> None:
    if not cases(topic):
        pytest.skip(f"the shared corpora are not here ({CORPORA}): nothing to compare with")
    assert sum(meanings(case) is not None for case in cases(topic)) > 70


@pytest.mark.parametrize("case", cases("codeblocks") + cases("tool_use"), ids=lambda case: case["id"])
def test_means_the_same(case: Case) -> None:
    both = meanings(case)
    if both is None:
        pytest.skip("about another format")
    ours, theirs = both
    if case["id"] in DIFFERENCES:
        assert ours != theirs, "no difference any more: take it off the list"
    else:
        assert ours == theirs


def test_differences_are_cases() -> None:
    known = {case["id"] for case in cases("codeblocks") + cases("tool_use")}
    assert not known or DIFFERENCES.keys() <= known

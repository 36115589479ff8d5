"""The corpora of call parsing as data: our functions mean the same, but for what ``tests/corpora/differences.json`` lists.

The ``@tool(id): {…}`` lines, which gptme writes into texts for native calls, are read where its logs are: in the import.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.core.llm.plain_tools import tool
from tests.corpora.differences import differences
from turnfold.adapters.gptme.calls import named_calls
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import Invocation, ToolCall
from turnfold.core.json import JsonObject, dumps, freeze
from turnfold.core.llm import call_format, xml
from turnfold.core.llm.blocks import read_block
from turnfold.core.llm.elements import element_text, tag_of
from turnfold.core.llm.markdown import begin, feed, parse, render
from turnfold.core.llm.native import read_call_untrusted, render_call
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.spec import ToolSpec

ROOT = Path(__file__).parents[3]
CORPORA = ROOT.parent / "shared" / "corpora"
DIFFERENCES = differences("calls")

Case = dict[str, Any]  # JSON as the corpus has it
Meanings = tuple[object, Any]  # ours, theirs

OPENERS = re.compile(r"^`{3,} *(\w+)[ \t]*([^\s`]*)", re.MULTILINE)
AT = "@name(id): "

LOADED = (
    tool("save", ("path",), "content"),
    tool("append", ("path",), "content"),
    tool("patch", ("path",), "patch"),
    tool("shell", (), "command"),
    tool("ipython", (), "code"),
    tool("read", ("path", "start_line", "end_line"), required=("path",)),
    tool("mcp.tool"),
    tool("complete", (), "result"),
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


def uses(out: Any) -> list[tuple[str, str]]:
    """The reference's calls, as (name and header, text)."""
    return [(" ".join((use["tool"], *use["args"])), use["content"]) for use in out]


def in_xml(text: str, streaming: bool = False) -> list[tuple[str, str]]:
    if not streaming:
        return blocks(call_format.parse(text, ToolFormat.XML, LOADED))
    scan = xml.feed(xml.begin(LOADED), text)
    return blocks(tuple(found.call for found in scan.place.found))


def from_content(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    text, form = args[0], args[1] if len(args) > 1 else kwargs.get("tool_format_override", "")
    streaming = args[2:] == [True]
    if form == "xml":
        return in_xml(text, streaming), uses(out)
    named = () if form == "markdown" else named_calls(text)
    if named or any(use["kwargs"] is not None for use in out):
        return [("ipython" if each.call.name == "python" else each.call.name, each.call.arguments) for each in named], [
            (use["tool"], freeze(use["kwargs"])) for use in out
        ]
    scan = feed(begin(LOADED), text)  # gptme reads blocks in its "tool" format, too
    return blocks(scan.calls if streaming else parse(text, LOADED)), [(" ".join(use["args"]) or use["tool"], use["content"]) for use in out]


def from_xml(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    return in_xml(args[0]), uses(out)


def element(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    """What an element says (of gptme's blocks, which are no calls): its attributes and text."""
    text, block = (args[0], out) if isinstance(args[0], str) else (out, args[0])
    opening, inner = text.removesuffix("</codeblock>").split(">", 1)
    tag = tag_of(opening + ">")
    return (tag.said("lang") or "", tag.said("path"), element_text(inner)), (block["lang"], block["path"], block["content"])


def json_end(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    text, start = args
    named = named_calls(AT + text[start:])
    return named[0].end - len(AT) + start if named else None, out


def params(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    use = args[0]
    if use["kwargs"] is not None:
        return read_call_untrusted(RawCall(use["tool"], json.dumps(use["kwargs"])), LOADED), ToolCall(use["tool"], _object(out))
    return read_block(named(use["tool"]), " ".join(use["args"]), use["content"]), ToolCall(use["tool"], _object(out))


def _object(value: Any) -> JsonObject:
    frozen = freeze(value)
    assert isinstance(frozen, JsonObject)
    return frozen


def output(args: list[Any], kwargs: Case, out: Any) -> Meanings:
    use, format = args
    spec = named(use["tool"])
    members = dict(zip((*spec.header, spec.body), (*use["args"], use["content"]), strict=False))
    call = ToolCall(use["tool"], _object(use["kwargs"] if format == "tool" and use["kwargs"] else members))
    if format == "markdown":
        return render(call, spec), out
    if format == "xml":
        return xml.render(call, spec), out
    name, _, text = out.partition(": ")
    return (call.name, render_call(call).text), (name[1:], dumps(freeze(json.loads(text))))


MEANING = {
    "_extract_codeblocks": extracted,
    "iter_from_markdown": extracted,
    "from_markdown": one_block,
    "to_markdown": written_block,
    "_codeblock_char_ranges": ranges,
    "iter_from_content": from_content,
    "_iter_from_xml": from_xml,
    "find_json_end": json_end,
    "from_xml": element,
    "to_xml": element,
    "_to_params": params,
    "to_output": output,
}


def meanings(case: Case) -> Meanings:
    """What we and the reference make of ``case``."""
    given = case["in"]
    name = re.split(r"[:.]", case["fn"])[-1]
    return MEANING[name](given["args"], given.get("kwargs", {}), case.get("out"))


def cases(topic: str) -> list[Case]:
    path = CORPORA / f"{topic}.json"
    return json.loads(path.read_text()) if path.exists() else []


@pytest.mark.parametrize("topic", ["codeblocks", "tool_use"])
def test_corpus_is_there(topic: str) -> None:
    if not cases(topic):
        pytest.skip(f"the shared corpora are not here ({CORPORA}): nothing to compare with")
    assert len(cases(topic)) > 70


@pytest.mark.parametrize("case", cases("codeblocks") + cases("tool_use"), ids=lambda case: case["id"])
def test_means_the_same(case: Case) -> None:
    ours, theirs = meanings(case)
    if case["id"] in DIFFERENCES:
        assert ours != theirs, "no difference any more: take it off the list"
    else:
        assert ours == theirs


@pytest.mark.parametrize("format", [ToolFormat.MARKDOWN, ToolFormat.XML])
def test_streamed_it_means_what_it_means_as_a_whole(format: ToolFormat) -> None:
    for case in cases("codeblocks") + cases("tool_use"):
        if not isinstance(text := case["in"]["args"][0], str):
            continue
        scan = call_format.begin(format, LOADED)
        for character in text:
            scan = scan and call_format.feed(scan, character)
        assert scan is not None
        assert call_format.finish(scan) == call_format.parse(text, format, LOADED), case["id"]


def test_differences_are_cases() -> None:
    known = {case["id"] for case in cases("codeblocks") + cases("tool_use")}
    assert not known or DIFFERENCES.keys() <= known

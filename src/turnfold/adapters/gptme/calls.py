"""The tool calls in a reply as gptme wrote it down.

All of gptme's formats are read. *markdown*: a fenced block whose first word is a tool. *xml*: an element within ``<tool-use>`` or
``<function_calls>``. *tool*: the provider's own calls, which gptme writes into the text as ``@NAME(CALL_ID): {…}`` at the start of a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, final

from attrs import evolve, frozen

from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.json import JsonObject, freeze
from turnfold.core.llm.call_format import parse
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.spec import ToolSpec, find_tool

PYTHON = "python"
PYTHON_BLOCKS = ("ipython", "py")  # a block of python is only shown by gptme, never run
SHARED = ("append", "patch", "read", "save", "shell", "todo")  # their blocks look as turnfold's do
OTHER_BLOCKS = tuple(
    "autocompact browser chats choice clarify complete computer elicit form gh hashline_edit mcp memory morph patch_many progress rag"
    " request_tool_change restart screenshot subagent tmux vent vision watch youtube".split()
)

MOST_CALLS = 1000  # that are looked at in one reply; each that is no JSON costs a walk over the whole text

_CALL: Final = re.compile(r"^@([^\r\n(]+)\(([\w.:-]+)\):[ \t]*(?=\{)", re.MULTILINE)


def _block(name: str, header: str, body: str) -> ToolSpec:
    """How a block of gptme looks; nothing is ever run by it."""
    schema = JsonObject.of(type="object", required=())
    return ToolSpec(
        name=name, description="", parameters=schema, advance=BUILTIN_TOOLS[0].advance, header=(header,) if header else (), body=body
    )


def _blocks() -> tuple[ToolSpec, ...]:
    """The blocks that gptme runs: those that turnfold's tools have, too, and its own."""
    shared = tuple(tool for tool in BUILTIN_TOOLS if tool.name in SHARED)
    python = tuple(_block(name, "", "code") for name in PYTHON_BLOCKS)
    return (*shared, *python, *(_block(name, "arguments", "content") for name in OTHER_BLOCKS))


BLOCKS: tuple[ToolSpec, ...] = _blocks()


@final
@frozen
class Named:
    """A call with the id that its result will name; ``start`` and ``end`` are its place in the text."""

    call_id: str
    call: ToolCall
    start: int
    end: int


def calls_in_text(text: str) -> tuple[Invocation, ...]:
    r"""The calls in elements or else in fenced blocks, in order, under the names that turnfold's tools have.

    A log does not say which format a reply was in, but an element holds blocks more often than the other way round.

    >>> calls_in_text("```ipython\n1 + 1\n```") == calls_in_text("<tool-use><ipython>1 + 1</ipython></tool-use>")
    True
    """
    elements = tuple(call for call in parse(text, ToolFormat.XML, BLOCKS) if find_tool(BLOCKS, call.name) is not None)
    return tuple(_renamed(call) for call in elements or parse(text, ToolFormat.MARKDOWN, BLOCKS))


def named_calls(text: str) -> tuple[Named, ...]:
    """The calls that gptme wrote as ``@NAME(ID): {…}``; one whose arguments are no JSON object is none.

    >>> named_calls('I look.\\n@shell(call_1): {"command": "ls"}')[0].call
    ToolCall(name='shell', arguments=JsonObject.of(command='ls'))
    """
    return tuple(_named(text))


def without(text: str, calls: tuple[Named, ...]) -> str:
    """``text`` without those calls, which stand in it in this order."""
    starts = (0, *(call.end for call in calls))
    ends = (*(call.start for call in calls), len(text))
    return "".join(text[start:end] for start, end in zip(starts, ends, strict=True)).strip()


def _named(text: str) -> Iterator[Named]:
    place = 0
    for match in islice(_CALL.finditer(text), MOST_CALLS):
        if match.start() < place:
            continue
        try:
            value, end = json.JSONDecoder().raw_decode(text, match.end())
            arguments = freeze(value)
        except (ValueError, RecursionError):
            continue
        if isinstance(arguments, JsonObject):
            place = end
            name = match[1].strip()
            yield Named(match[2], ToolCall(PYTHON if name in PYTHON_BLOCKS else name, arguments), match.start(), end)


def _renamed(call: Invocation) -> Invocation:
    if call.name not in PYTHON_BLOCKS:
        return call
    return BrokenCall(PYTHON, call.text, call.problem) if isinstance(call, BrokenCall) else evolve(call, name=PYTHON)

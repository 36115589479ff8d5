"""What a text format says of a call: a line of arguments and a text, by the tool's ``header`` and ``body``.

::

    VALUE…        the line of one header parameter: its value, stripped; of several: words, the last takes the rest
    TEXT          the text: the body parameter

    --json        the line that stands for whatever the first form cannot say
    {"path": …}   its text: a JSON object

Read as well, since only one thing can be meant: ``path=VALUE`` and a ``VALUE`` in quotes, for a header parameter; a value
in the text of a call that takes no text, or repeated there; a text on the line of a tool that takes nothing else;
JSON without ``--json`` for a tool with neither header nor body. A parameter on the line may be missing only where
the tool's schema has a ``required`` that leaves it out. What says more than the tool takes is no call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from attrs import frozen
from returns.pipeline import is_successful

from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.llm.arguments import read_object_untrusted
from turnfold.core.problem import model_problem
from turnfold.core.tools.spec import ToolSpec

JSON_FORM = "--json"


@final
@frozen
class Spelling:
    """A call as its line of arguments and its text."""

    line: str
    text: str


@final
@frozen(kw_only=True)
class Wording:
    """How a format speaks of its calls to a model that wrote one wrongly.

    ``call``: what a call is there; ``line`` and ``text``: where the arguments and the text stand; ``sample``: a call to learn from.
    """

    call: str
    line: str
    text: str
    sample: Callable[[ToolSpec], str]


def plainly(call: ToolCall, tool: ToolSpec, wording: Wording) -> Spelling | None:
    """``call`` in the first form, or None where that does not read as the same call.

    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> words = Wording(call="block", line="", text="", sample=str)
    >>> plainly(ToolCall("save", JsonObject.of(path="a b.txt", content="hi")), save, words)
    Spelling(line='a b.txt', text='hi')
    """
    values = tuple(call.arguments.get(name) for name in tool.header)
    line = " ".join(value for value in values if isinstance(value, str))
    text = call.arguments.get(tool.body, "")
    spelling = Spelling(line, text if isinstance(text, str) else "")
    return spelling if read_spelling(tool, spelling, wording) == call else None


def in_json(call: ToolCall) -> Spelling:
    """``call`` in the second form, which can say all.

    >>> in_json(ToolCall("save", JsonObject.of(path="a")))
    Spelling(line='--json', text='{"path":"a"}')
    """
    return Spelling(JSON_FORM, dumps(call.arguments))


def read_spelling(tool: ToolSpec, said: Spelling, wording: Wording) -> Invocation:
    """The call of ``tool`` that ``said`` spells; a ``BrokenCall`` says in the format's own words what to write.

    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> read_spelling(save, Spelling(" path=a.txt", "hi"), Wording(call="block", line="", text="", sample=str))
    ToolCall(name='save', arguments=JsonObject.of(path='a.txt', content='hi'))
    """
    line, text = said.line.strip(), said.text
    if line == JSON_FORM or not (line or tool.header or tool.body):
        return _read_json(tool, text)
    if not tool.header and not tool.body:
        return malformed(tool, said, f"takes nothing {wording.line}: its arguments are a JSON object {wording.text}", wording)
    if not tool.header:
        return _read_text_only(tool, line, said, wording)
    if not tool.body and text.strip():
        only = text.strip()
        if "\n" in only or line not in ("", only):
            return malformed(tool, said, f"takes no text {wording.text}", wording)
        return _read_header(tool, only, said, wording)
    return _read_header(tool, line, said, wording)


def _read_json(tool: ToolSpec, text: str) -> Invocation:
    read = read_object_untrusted(tool.name, text)
    return ToolCall(tool.name, read.unwrap()) if is_successful(read) else BrokenCall(tool.name, text, read.failure())


def _read_text_only(tool: ToolSpec, line: str, said: Spelling, wording: Wording) -> Invocation:
    if line and said.text.strip():
        return malformed(tool, said, f"takes nothing {wording.line}: its {tool.body} is the text {wording.text}", wording)
    return ToolCall(tool.name, JsonObject(((tool.body, line or said.text),)))


def _read_header(tool: ToolSpec, line: str, said: Spelling, wording: Wording) -> Invocation:
    words = line.split(None, len(tool.header) - 1)
    values = tuple(_unquoted(name, word.strip()) for name, word in zip(tool.header, words, strict=False))
    named = tuple((name, value) for name, value in zip(tool.header, values, strict=False) if value)
    given = frozenset(name for name, _ in named)
    missing = tuple(name for name in tool.header if name not in given and _required(tool, name))
    if missing:
        return malformed(tool, said, f"needs its {' and '.join(missing)} {wording.line}", wording)
    members: tuple[tuple[str, JsonValue], ...] = (*named, (tool.body, said.text)) if tool.body else named
    return ToolCall(tool.name, JsonObject(members))


def _unquoted(name: str, word: str) -> str:
    value = word.removeprefix(name + "=")
    quote = value[:1]
    if len(value) > 1 and quote in ("'", '"') and value.endswith(quote) and quote not in value[1:-1]:
        return value[1:-1]
    return value


def _required(tool: ToolSpec, name: str) -> bool:
    required = tool.parameters.get("required")
    return not isinstance(required, tuple) or name in required


def malformed(tool: ToolSpec, said: Spelling, why: str, wording: Wording) -> BrokenCall:
    """The broken call of ``tool``, with what to write instead."""
    line = said.line.strip()
    raw = f"{line}\n{said.text}" if line else said.text
    message = f"The {wording.call} {tool.name} {why}. Write:\n{wording.sample(tool)}"
    return BrokenCall(tool.name, raw, model_problem("call-malformed", message))

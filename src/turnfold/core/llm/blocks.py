"""One block ⇄ one call: what stands on a block's opening line and in its text, by the tool's ``header`` and ``body``.

::

    ```NAME VALUE…        one header parameter: the rest of the line, stripped; several: words, the last takes the rest
    TEXT                  the body parameter: the lines up to the closing fence, without the last newline
    ```

    ```NAME --json        whatever the first form cannot say
    {"path": "a b"}       a JSON object
    ```

Read as well, since only one thing can be meant: ``path=VALUE`` and a ``VALUE`` in quotes, for a header parameter; a value
in the text of a block that takes no text, or repeated there; a text on the opening line of a tool that takes nothing else;
JSON without ``--json`` for a tool with neither header nor body. A parameter on the opening line may be missing only where
the tool's schema has a ``required`` that leaves it out. A block that says more than the tool takes is no call.
"""

from __future__ import annotations

from returns.pipeline import is_successful

from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.llm.arguments import read_object_untrusted
from turnfold.core.problem import model_problem
from turnfold.core.tools.spec import ToolSpec

JSON_FORM = "--json"
FENCE = "`" * 3


def usage(tool: ToolSpec) -> str:
    """The opening line of a block of ``tool``, with its parameters in capitals."""
    if not tool.header and not tool.body:
        return f"{FENCE}{tool.name} {JSON_FORM}"
    return FENCE + " ".join((tool.name, *map(str.upper, tool.header)))


def block_text(call: ToolCall, tool: ToolSpec, ticks: int) -> str:
    """``call`` as a block with fences of that length, in the first form where that says the same, else in JSON.

    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> print(block_text(ToolCall("save", JsonObject.of(path="a b.txt", content="hi")), save, 3))
    ```save a b.txt
    hi
    ```
    """
    fence = "`" * ticks
    values = tuple(call.arguments.get(name) for name in tool.header)
    header = " ".join((tool.name, *(value for value in values if isinstance(value, str))))
    text = call.arguments.get(tool.body, "")
    body = text if isinstance(text, str) else ""
    said = header.removeprefix(tool.name)
    if not any(mark in header for mark in "`\r\n") and "\r" not in body and read_block(tool, said, body) == call:
        return f"{fence}{header}\n{body}\n{fence}" if body else f"{fence}{header}\n{fence}"
    return f"{fence}{tool.name} {JSON_FORM}\n{dumps(call.arguments)}\n{fence}"


def read_block(tool: ToolSpec, said: str, text: str) -> Invocation:
    """The call that a block of ``tool`` spells: ``said`` is what follows the name on its opening line.

    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> read_block(save, " path=a.txt", "hi")
    ToolCall(name='save', arguments=JsonObject.of(path='a.txt', content='hi'))
    """
    line = said.strip()
    if line == JSON_FORM or not (line or tool.header or tool.body):
        return _read_json(tool, text)
    if not tool.header and not tool.body:
        return _broken(tool, line, text, "takes nothing on the opening line: its arguments are a JSON object below it")
    if not tool.header:
        return _read_text_only(tool, line, text)
    if not tool.body and text.strip():
        only = text.strip()
        if "\n" in only or line not in ("", only):
            return _broken(tool, line, text, "takes no text between its fences")
        return _read_header(tool, only, "")
    return _read_header(tool, line, text)


def _read_json(tool: ToolSpec, text: str) -> Invocation:
    read = read_object_untrusted(tool.name, text)
    return ToolCall(tool.name, read.unwrap()) if is_successful(read) else BrokenCall(tool.name, text, read.failure())


def _read_text_only(tool: ToolSpec, line: str, text: str) -> Invocation:
    if line and text.strip():
        return _broken(tool, line, text, f"takes nothing on the opening line: its {tool.body} is the text below it")
    return ToolCall(tool.name, JsonObject(((tool.body, line or text),)))


def _read_header(tool: ToolSpec, line: str, text: str) -> Invocation:
    words = line.split(None, len(tool.header) - 1)
    values = tuple(_unquoted(name, word.strip()) for name, word in zip(tool.header, words, strict=False))
    named = tuple((name, value) for name, value in zip(tool.header, values, strict=False) if value)
    given = frozenset(name for name, _ in named)
    missing = tuple(name for name in tool.header if name not in given and _required(tool, name))
    if missing:
        return _broken(tool, line, text, f"needs its {' and '.join(missing)} on the opening line")
    members: tuple[tuple[str, JsonValue], ...] = (*named, (tool.body, text)) if tool.body else named
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


def _broken(tool: ToolSpec, line: str, text: str, why: str) -> BrokenCall:
    raw = f"{line}\n{text}" if line else text
    return BrokenCall(tool.name, raw, model_problem("call-malformed", f"The block {tool.name} {why}. Write:\n{sample(tool)}"))


def sample(tool: ToolSpec) -> str:
    """A block of ``tool`` to learn from: its first worked example, else its form."""
    for example in tool.examples:
        return block_text(ToolCall(tool.name, example.arguments), tool, len(FENCE))
    inner = "{}\n" if not tool.header and not tool.body else f"{tool.body.upper()}\n" if tool.body else ""
    return f"{usage(tool)}\n{inner}{FENCE}"

"""One Markdown block ⇄ one call: the line behind the tool's name and the lines up to the closing fence (``spelling.py``).

::

    ```NAME VALUE…
    TEXT                  without the last newline
    ```

    ```NAME --json
    {"path": "a b"}
    ```
"""

from __future__ import annotations

from turnfold.core.conversation.messages import Invocation, ToolCall
from turnfold.core.llm.spelling import JSON_FORM, Spelling, Wording, in_json, plainly, read_spelling
from turnfold.core.tools.spec import ToolSpec

FENCE = "`" * 3


def usage(tool: ToolSpec) -> str:
    """The opening line of a block of ``tool``, with its parameters in capitals."""
    if not tool.header and not tool.body:
        return f"{FENCE}{tool.name} {JSON_FORM}"
    return FENCE + " ".join((tool.name, *map(str.upper, tool.header)))


def block_text(call: ToolCall, tool: ToolSpec, ticks: int) -> str:
    """``call`` as a block with fences of that length, in the first form where that says the same, else in JSON.

    >>> from turnfold.core.json import JsonObject
    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> print(block_text(ToolCall("save", JsonObject.of(path="a b.txt", content="hi")), save, 3))
    ```save a b.txt
    hi
    ```
    """
    plain = plainly(call, tool, WORDING)
    writable = plain is not None and not any(mark in tool.name + plain.line for mark in "`\r\n") and "\r" not in plain.text
    said = plain if plain is not None and writable else in_json(call)
    fence, header = "`" * ticks, f"{tool.name} {said.line}".rstrip()
    return f"{fence}{header}\n{said.text}\n{fence}" if said.text else f"{fence}{header}\n{fence}"


def read_block(tool: ToolSpec, said: str, text: str) -> Invocation:
    """The call that a block of ``tool`` spells: ``said`` is what follows the name on its opening line.

    >>> from turnfold.core.json import JsonObject
    >>> save = ToolSpec(name="save", description="", parameters=JsonObject(), advance=print, header=("path",), body="content")
    >>> read_block(save, " path=a.txt", "hi")
    ToolCall(name='save', arguments=JsonObject.of(path='a.txt', content='hi'))
    """
    return read_spelling(tool, Spelling(said, text), WORDING)


def sample(tool: ToolSpec) -> str:
    """A block of ``tool`` to learn from: its first worked example, else its form."""
    for example in tool.examples:
        return block_text(ToolCall(tool.name, example.arguments), tool, len(FENCE))
    inner = "{}\n" if not tool.header and not tool.body else f"{tool.body.upper()}\n" if tool.body else ""
    return f"{usage(tool)}\n{inner}{FENCE}"


WORDING = Wording(call="block", line="on the opening line", text="below it", sample=sample)

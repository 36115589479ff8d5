"""Native calls: the provider's own form of a tool call, a name and JSON text."""

from __future__ import annotations

from returns.pipeline import is_successful

from turnfold.core.conversation.messages import BrokenCall, Invocation, ToolCall
from turnfold.core.json import dumps
from turnfold.core.llm.arguments import read_object_untrusted
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.advance import unknown_tool
from turnfold.core.tools.spec import ToolSpec, find_tool


def read_call_untrusted(raw: RawCall, tools: tuple[ToolSpec, ...]) -> Invocation:
    """The call that ``raw`` spells; a ``BrokenCall`` says what to write instead.

    Empty arguments mean no arguments. Whether the arguments fit the tool's schema is for the tool to say.

    >>> read_call_untrusted(RawCall("nope", "{}"), ()).problem.code
    'unknown-tool'
    """
    if find_tool(tools, raw.name) is None:
        return BrokenCall(raw.name, raw.text, unknown_tool(raw.name, tools))
    read = read_object_untrusted(raw.name, raw.text)
    return ToolCall(raw.name, read.unwrap()) if is_successful(read) else BrokenCall(raw.name, raw.text, read.failure())


def render_call(call: ToolCall) -> RawCall:
    """``call`` as the wire has it; the inverse of :func:`read_call_untrusted`.

    >>> from turnfold.core.json import JsonObject
    >>> render_call(ToolCall("read", JsonObject.of(path="a.txt")))
    RawCall(name='read', text='{"path":"a.txt"}')
    """
    return RawCall(call.name, dumps(call.arguments))

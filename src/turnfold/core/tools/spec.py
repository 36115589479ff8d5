"""What a tool is: a name, a schema, and a pure function from a call, as far as it has come, to what it needs next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, final

from attrs import field, frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, JsonSchema
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.extension import Extension
from turnfold.core.world.answers import Exchange
from turnfold.core.world.images import Image
from turnfold.core.world.requests import WorldRequest

Memory: TypeAlias = JsonObject


@final
@frozen
class Call:
    """One call of one tool, as far as it has come.

    ``arguments`` fit the tool's schema. ``exchanges``: all requests of this call so far, in the order asked, each with
    its answer or Problem. ``memory``: what the tool remembers in this conversation.
    """

    arguments: JsonObject
    exchanges: tuple[Exchange, ...] = ()
    memory: Memory = field(factory=JsonObject)


@final
@frozen
class Need:
    """The call goes on when these requests are answered; at least one."""

    requests: tuple[WorldRequest, ...]


@final
@frozen
class Done:
    """The call is over: ``text`` is what the model reads, ``memory`` what the tool remembers from now on.

    ``ok`` is False where what was asked did not come about (a command failed); ``memory=None`` leaves it as it was, and
    only a serial tool's counts. ``images``: what the model is shown besides, of those that the call's own answers hold.
    ``ends``: the turn ends with the round, and ``text`` is its result, unless a call of the round failed: the model has to hear of that.
    """

    text: str
    memory: Memory | None = None
    ok: bool = True
    images: tuple[Image, ...] = ()
    ends: bool = False


@final
@frozen
class Refuse:
    """The call can't be done; the Problem tells the model what to do instead."""

    problem: Problem


Next: TypeAlias = Need | Done | Refuse


@final
@frozen
class Example:
    """A worked example for the prompt: what a person asks, and the arguments of the call that answers it."""

    ask: str
    arguments: JsonObject


@final
@frozen(kw_only=True)
class ToolSpec:
    """A tool as a value.

    ``parameters``: JSON schema of an object. ``serial``: calls of one round run one after another, in the order asked, and
    may change the tool's memory. ``header`` and ``body``: how the call looks as a Markdown block (the parameters on its
    first line, and the one that is its text; empty: none); a tool with neither is written with JSON arguments. ``marks``:
    the lines that divide the body, in order, where there are such. ``optional``: a model is told of it only where the config asks for
    it by name (``tools = ["+browser"]``); a person may always call it. ``extension``: pure functions that come with it; ``bare``: it is no
    tool at all, and only brings these (:func:`extended`).
    """

    name: str
    description: str
    parameters: JsonSchema
    advance: Callable[[Call, ChatConfig], Next] = field(repr=False)
    serial: bool = False
    header: tuple[str, ...] = ()
    body: str = ""
    marks: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    optional: bool = False
    extension: Extension | None = None
    bare: bool = False


def extended(name: str, extension: Extension) -> ToolSpec:
    """What brings ``extension`` into a conversation among its tools, and is none itself.

    >>> extended("dates", Extension(instructions=lambda situation, cfg: "Dates are ISO 8601.")).bare
    True
    """
    return ToolSpec(name=name, description="", parameters=JsonObject(), advance=_no_tool, extension=extension, bare=True)


def _no_tool(call: Call, cfg: ChatConfig) -> Next:
    return Refuse(model_problem("unknown-tool", "This is no tool: call another."))


def extensions(tools: tuple[ToolSpec, ...], agent: str) -> tuple[Extension, ...]:
    """The extensions among ``tools`` that count while ``agent`` leads, in the order handed in."""
    found = (tool.extension for tool in tools if tool.extension is not None)
    return tuple(each for each in found if not each.agents or agent in each.agents)


def find_tool(tools: tuple[ToolSpec, ...], name: str) -> ToolSpec | None:
    """The tool called ``name``, or None."""
    for tool in tools:
        if tool.name == name:
            return tool
    return None

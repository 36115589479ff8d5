"""Tools whose work is done outside: a Python function that the shell was handed, or a tool of an MCP server.

What they ask for is one request, and what comes back is what the model is told. Nothing of what is outside is known here but its
name and its schema, which are text and JSON: a stored conversation names a function, and never holds it.
"""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, JsonSchema
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import limit_text
from turnfold.core.tools.spec import Done, Example, Memory, Refuse, ToolSpec
from turnfold.core.world.answers import Returned
from turnfold.core.world.requests import CallMcp, CallPython

NOTHING = "(nothing was returned)"


def function_tool(
    name: str, description: str, parameters: JsonSchema, *, serial: bool = False, examples: tuple[Example, ...] = ()
) -> ToolSpec:
    """The tool that calls the function ``name`` of the table that the shell was handed.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.tools.spec import Call
    >>> roll = function_tool("roll", "Roll a die.", JsonObject.of(type="object"))
    >>> roll.advance(Call(JsonObject.of(sides=6)), ChatConfig(ProjectConfig(Config())))
    Need(requests=(CallPython(name='roll', arguments=JsonObject.of(sides=6)),))
    """

    def script(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
        return _told(CallPython(name, arguments), cfg)

    return ToolSpec(
        name=name, description=description, parameters=parameters, advance=from_generator(script), serial=serial, examples=examples
    )


def server_tool(name: str, description: str, parameters: JsonSchema, server: str, tool: str, timeout_s: float) -> ToolSpec:
    """The tool ``name`` that has ``tool`` of the MCP server ``server`` called.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.tools.spec import Call
    >>> find = server_tool("docs__find", "Find pages.", JsonObject.of(type="object"), "docs", "find", 60.0)
    >>> find.advance(Call(JsonObject()), ChatConfig(ProjectConfig(Config()))).requests[0].tool
    'find'
    """

    def script(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
        return _told(CallMcp(server=server, tool=tool, arguments=arguments, timeout_s=timeout_s), cfg)

    return ToolSpec(name=name, description=description, parameters=parameters, advance=from_generator(script))


def _told(request: CallPython | CallMcp, cfg: ChatConfig) -> Script:
    """One request, and its answer as the model reads it."""
    outcome = yield from asked(request, Returned)
    if not isinstance(outcome, Returned):
        return Refuse(outcome)
    text = limit_text(outcome.text, cfg.limits.output_bytes) or ("" if outcome.images else NOTHING)
    return Done(text, ok=outcome.ok, images=outcome.images)

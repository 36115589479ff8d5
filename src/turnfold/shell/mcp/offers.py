"""What an MCP server says that it offers, as tools.

All of it is text that somebody else wrote and a model will read: it is bounded and made plain. A name becomes ``SERVER__TOOL``, with what
no provider takes in a name replaced; a schema that is too large, or none, is left open, and the server checks the arguments itself.
"""

from __future__ import annotations

import re
import unicodedata
from typing import final

from attrs import frozen

from turnfold.core.config.tables import McpServer
from turnfold.core.json import JsonObject, JsonSchema, JsonValue, dumps, freeze
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.outside import server_tool
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.ports import Offered

MAX_TOOLS = 128  # of one server; OpenAI takes no more in a request
MAX_NAME = 64
MAX_ABOUT = 2000
MAX_SCHEMA = 20_000  # characters
OPEN = JsonObject.of(type="object")
FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")
RESOURCES = "resources/read"  # the tool of a CallMcp that reads a resource; no request of that name reaches a server as a tool
READING: JsonSchema = JsonObject.of(
    type="object",
    properties=JsonObject.of(uri=JsonObject.of(type="string", description="Its address, as listed; leave it out for a list of all.")),
    additionalProperties=False,
)


@final
@frozen(kw_only=True)
class Declared:
    """A tool as its server declares it."""

    name: str
    about: str
    schema: object


@final
@frozen(kw_only=True)
class Declaration:
    """What a server declares: its tools, and whether it has resources."""

    tools: tuple[Declared, ...] = ()
    resources: bool = False


def offers(server: McpServer, declaration: Declaration) -> Offered:
    """The tools of ``server``; what can't be offered is told.

    >>> declared = Declared(name="find.page", about="Find\\x1b[1m it", schema={"type": "object"})
    >>> found = offers(McpServer(name="docs"), Declaration(tools=(declared,)))
    >>> found.tools[0].name, found.tools[0].description
    ('docs__find_page', 'Find [1m it')
    """
    tools: dict[str, ToolSpec] = {}
    problems: list[Problem] = []
    for place, each in enumerate(declaration.tools):
        name = tool_name(server.name, each.name)
        if place >= MAX_TOOLS:
            problems.append(_left_out(server, f"its tools after the first {MAX_TOOLS}"))
            break
        if name in tools:
            problems.append(_left_out(server, f"its tool {plain(each.name, MAX_NAME)!r}, which has the name of another"))
        else:
            tools[name] = server_tool(
                name, plain(each.about, MAX_ABOUT), bounded_schema(each.schema), server.name, each.name, server.timeout_s
            )
    reading = tool_name(server.name, "read_resource")
    if declaration.resources and reading not in tools:
        about = f"List or read the resources (documents, data) of the server {server.name}."
        tools[reading] = server_tool(reading, about, READING, server.name, RESOURCES, server.timeout_s)
    return Offered(tools=tuple(tools.values()), problems=tuple(problems))


def tool_name(server: str, tool: str) -> str:
    """The name under which a model knows ``tool`` of ``server``.

    >>> tool_name("my.docs", "pages/find")
    'my_docs__pages_find'
    """
    return f"{FOREIGN.sub('_', server)}__{FOREIGN.sub('_', tool)}"[:MAX_NAME]


def bounded_schema(said: object) -> JsonSchema:
    """The schema that a server declares, with plain texts; open where it is none, or too large.

    >>> bounded_schema({"type": "object", "properties": {"a": {"type": "string"}}})["properties"]
    JsonObject.of(a=JsonObject.of(type='string'))
    >>> bounded_schema("no schema"), bounded_schema({"type": "array"})
    (JsonObject.of(type='object'), JsonObject.of(type='object'))
    """
    try:
        schema = _plain_texts(freeze(said))
    except ValueError:
        return OPEN
    if not isinstance(schema, JsonObject) or schema.get("type") != "object" or len(dumps(schema)) > MAX_SCHEMA:
        return OPEN
    return schema


def _plain_texts(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return plain(value, MAX_ABOUT)
    if isinstance(value, tuple):
        return tuple(_plain_texts(each) for each in value)
    if isinstance(value, JsonObject):
        return JsonObject(tuple((name, _plain_texts(each)) for name, each in value.members))
    return value


def plain(text: str, limit: int) -> str:
    r"""``text`` without characters that show as nothing or steer a terminal, and with at most ``limit`` of the rest.

    >>> plain("a\x1b[31m\u202eb\n\tc", 100)
    'a [31m b\n\tc'
    """
    shown = "".join(each if each in "\n\t" or unicodedata.category(each)[0] != "C" else " " for each in text[: 2 * limit])
    return shown if len(shown) <= limit else shown[:limit] + "…"


def _left_out(server: McpServer, what: str) -> Problem:
    return world_problem("mcp-offer", f"The MCP server {server.name}: {what} can't be offered, and is left out.", f"$.mcp.{server.name}")

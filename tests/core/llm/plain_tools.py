"""Tools for tests of the formats: only how their calls look matters, they do nothing."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.tools.spec import Call, Done, Example, Next, ToolSpec


def nothing(call: Call, cfg: ChatConfig) -> Next:
    """Done at once."""
    return Done("")


def tool(name: str, header: tuple[str, ...] = (), body: str = "", required: tuple[str, ...] | None = None) -> ToolSpec:
    """A tool of that look; ``required=None``: its schema does not say."""
    schema = JsonObject() if required is None else JsonObject.of(type="object", required=required)
    return ToolSpec(name=name, description=f"The tool {name}.", parameters=schema, advance=nothing, header=header, body=body)


SAVE_EXAMPLE = Example("Save hi in a.txt", JsonObject.of(path="a.txt", content="hi"))

READ = tool("read", ("path",))
SAVE = ToolSpec(
    name="save",
    description="Write a file.",
    parameters=JsonObject(),
    advance=nothing,
    header=("path",),
    body="content",
    examples=(SAVE_EXAMPLE,),
)
APPEND = tool("append", ("path",), "content")
PATCH = tool("patch", ("path",), "patch")
SHELL = tool("shell", (), "command")
PYTHON = tool("python", (), "code")
MOVE = tool("move", ("source", "target"))
TODO = tool("todo")
SPAN = tool("span", ("path", "first", "last"), required=("path",))

TOOLS = (READ, SAVE, APPEND, PATCH, SHELL, PYTHON, MOVE, TODO, SPAN)

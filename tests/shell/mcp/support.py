"""MCP servers for tests: real ones made with the SDK, and rubbish ones written by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.tables import McpServer
from turnfold.core.json import JsonObject, freeze
from turnfold.core.problem import Problem
from turnfold.core.world.answers import Returned
from turnfold.core.world.requests import CallMcp
from turnfold.shell.mcp.servers import McpServers
from turnfold.shell.scope import Scope
from turnfold.testing.fakes import FakeSecrets

BASE = (("PATH", os.environ["PATH"]),)
SDK = """import os, sys
import anyio
from mcp.server.mcpserver import Context, Image, MCPServer
from pydantic import BaseModel

server = MCPServer("test")
started = len(sys.argv) > 1 and sys.argv[1]

class Name(BaseModel):
    name: str

@server.tool()
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b

@server.tool()
def whoami() -> str:
    "Tell of the process."
    return f"{os.getpid()} {os.getcwd()} {os.environ.get('TOKEN', '-')} {os.environ.get('HOME', '-')}"

@server.tool()
def leave(code: int) -> str:
    os._exit(code)

@server.tool()
def fill(bytes: int) -> str:
    return "x" * bytes

@server.tool()
def fail() -> str:
    raise ValueError("it can't")

@server.tool()
async def wait(path: str) -> str:
    if path:
        open(path, "w").close()
    await anyio.sleep(3600)
    return "late"

@server.tool()
async def count(ctx: Context) -> str:
    await ctx.report_progress(1, 3)
    await ctx.report_progress(2, 3, "Two, with " + os.environ.get("TOKEN", "-"))
    await ctx.report_progress(3)
    return "done"

@server.tool()
async def elicit(ctx: Context) -> str:
    return str(await ctx.elicit("your name?", Name))

@server.tool()
async def roots(ctx: Context) -> str:
    return str(await ctx.session.list_roots())

@server.tool()
def picture() -> list:
    return ["see", Image(data=b"\\x89PNG", format="png"), Image(data=b"x", format="tiff")]

@server.tool()
def grow() -> str:
    server.add_tool(fail, name="grown")
    server.remove_tool("add")
    return "grown"

@server.resource("note://one", description="A note.")
def note() -> str:
    return "the note"
"""
STDIO = SDK + "\nserver.run()\n"
HTTP = (
    SDK
    + """
import socket, uvicorn
from starlette.requests import Request

seen = []

@server.tool()
def header(name: str) -> str:
    return seen[-1].get(name, "-")

app = server.streamable_http_app(host="127.0.0.1", stateless_http=len(sys.argv) > 1)

async def noting(scope, receive, send):
    if scope["type"] == "http":
        seen.append({key.decode(): value.decode() for key, value in scope["headers"]})
    await app(scope, receive, send)

listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(noting, log_level="error")).run(sockets=[listening])
"""
)


def stdio_server(folder: Path, source: str = STDIO, **more: object) -> McpServer:
    """The settings of a server that is the program ``source``."""
    path = folder / "server.py"
    path.write_text(source)
    known = {"timeout_s": 20.0, **more}
    return McpServer(name="test", command=sys.executable, arguments=(path.as_posix(),), **known)  # type: ignore[arg-type]


def config(workspace: Path, *servers: McpServer, conversation: str = "c") -> ChatConfig:
    return ChatConfig(ProjectConfig(Config(mcp=servers)), workspace=workspace.as_posix(), conversation=conversation)


@contextmanager
def connected(secrets: dict[str, str] | None = None) -> Iterator[McpServers]:
    servers = McpServers(BASE, FakeSecrets(tuple((secrets or {}).items())))
    try:
        yield servers
    finally:
        servers.close_all()


def called(
    servers: McpServers, cfg: ChatConfig, tool: str, scope: Scope | None = None, timeout_s: float = 20.0, **said: object
) -> Returned | Problem:
    arguments = freeze(said)
    assert isinstance(arguments, JsonObject)
    return servers.act(CallMcp(server="test", tool=tool, arguments=arguments, timeout_s=timeout_s), cfg, scope or Scope())


def text_of(outcome: Returned | Problem) -> str:
    return outcome.text if isinstance(outcome, Returned) else outcome.message


@contextmanager
def http_server(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of a streamable HTTP server of the SDK, which runs while the block does."""
    path = folder / "http_server.py"
    path.write_text(HTTP)
    with subprocess.Popen((sys.executable, path.as_posix(), *arguments), stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            yield f"http://127.0.0.1:{int(program.stdout.readline())}/mcp"
        finally:
            program.kill()

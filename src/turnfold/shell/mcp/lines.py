"""How a server is reached, from its settings: a program with its environment, or an address with its headers; secrets resolved."""

from __future__ import annotations

import re
from functools import partial
from typing import final

from attrs import field, frozen

from turnfold.core.config.tables import McpServer
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Problem, caller_problem
from turnfold.shell.environment import Pairs
from turnfold.shell.headers import TOKEN
from turnfold.shell.masking import Mask, Secret, mask_of
from turnfold.shell.mcp.http import Address, http_transport
from turnfold.shell.mcp.session import Line, Session
from turnfold.shell.mcp.stdio import Program, stdio_transport
from turnfold.shell.ports import Secrets

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@final
@frozen
class Opened:
    """Names and values, ready to be given to a server, and what masks the secrets among them."""

    pairs: Pairs = field(repr=False)
    mask: Mask = field(repr=False)


def begin(server: McpServer, workspace: str, base: Pairs, secrets: Secrets) -> Session | Problem:
    """A session with ``server``, on its way; or what is wrong with its settings."""
    where = f"$.mcp.{server.name}"
    if bool(server.command) == bool(server.url):
        message = f"The MCP server {server.name} needs either a command, which starts it, or a url, where it is asked."
        return caller_problem("bad-mcp", message, where)
    if server.url:
        headers = _opened(server, server.headers, secrets, "header")
        if isinstance(headers, Problem):
            return headers
        address = Address(url=server.url, headers=headers.pairs, timeout_s=server.timeout_s)
        return Session(server, Line(transport=partial(http_transport, address), mask=headers.mask))
    variables = _opened(server, server.environment, secrets, "variable")
    if isinstance(variables, Problem):
        return variables
    environment = tuple((dict(base) | dict(variables.pairs)).items())
    program = Program(argv=(server.command, *server.arguments), cwd=workspace, environment=environment)
    if any("\0" in part for part in program.argv):
        return caller_problem("bad-mcp", f"The command of the MCP server {server.name} holds a NUL, which none can.", where)
    return Session(server, Line(transport=partial(stdio_transport, program), mask=variables.mask))


def _opened(server: McpServer, said: JsonObject, secrets: Secrets, noun: str) -> Opened | Problem:
    """The variables or headers of ``server``, with the values of secrets in place of their names."""
    pairs: list[tuple[str, str]] = []
    hidden: list[Secret] = []
    for name, each in said.members:
        value = _value(server, name, each, secrets, noun)
        if isinstance(value, Problem):
            return value
        if (NAME if noun == "variable" else TOKEN).fullmatch(name) is None or "\0" in value or (noun == "header" and not _sendable(value)):
            message = f"The MCP server {server.name} can't be given the {noun} {name[:60]!r} with this value: take it out of the settings, or mend it."
            return caller_problem("bad-mcp", message, f"$.mcp.{server.name}")
        pairs.append((name, value))
        if isinstance(each, JsonObject):
            hidden.append(Secret(str(each.get("secret")), value))
    return Opened(tuple(pairs), mask_of(hidden))


def _sendable(value: str) -> bool:
    return value.isascii() and (not value or value.isprintable())


def _value(server: McpServer, name: str, said: JsonValue, secrets: Secrets, noun: str) -> str | Problem:
    if isinstance(said, str):
        return said
    secret = said.get("secret") if isinstance(said, JsonObject) and len(said) == 1 else None
    if not isinstance(secret, str):
        message = f'The {noun} {name[:60]} of the MCP server {server.name} is neither text nor {{secret = "NAME"}}: write one of them.'
        return caller_problem("bad-mcp", message, f"$.mcp.{server.name}")
    value = (secrets.value(secret) or "").strip()
    if not value:
        return caller_problem(
            "no-key", f"The MCP server {server.name} needs {secret} for its {noun} {name[:60]}: set it, or disable the server."
        )
    return value

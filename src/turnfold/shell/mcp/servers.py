"""The MCP servers of all conversations of a world: one session a conversation and server, begun when it is wanted.

A session that has ended is begun anew by the next call. The SDK, which takes a second to import, is imported with the first session.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from threading import Lock
from typing import Protocol, final

from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import McpServer
from turnfold.core.problem import Problem, caller_problem, did_you_mean, world_problem
from turnfold.core.world.answers import Returned
from turnfold.core.world.requests import CallMcp
from turnfold.shell.environment import Pairs
from turnfold.shell.mcp.offers import Declaration, offers
from turnfold.shell.ports import Offered, Secrets, Servers
from turnfold.shell.scope import Scope, never_began

SIDE_BY_SIDE = 16  # servers that are connected to at once


class Connection(Protocol):
    """A session with a server; it is the SDK's, which is not imported here."""

    @property
    def server(self) -> McpServer: ...
    @property
    def declaration(self) -> Declaration: ...
    @property
    def alive(self) -> bool: ...
    def opened(self, scope: Scope) -> Problem | None: ...
    def call(self, request: CallMcp, scope: Scope, limit_bytes: int) -> Returned | Problem: ...
    def close(self) -> None: ...


@final
class _Slot:
    """The place of one session: whoever holds the lock begins or ends it."""

    __slots__ = ("closed", "lock", "session")

    def __init__(self) -> None:
        self.lock = Lock()
        self.session: Connection | None = None
        self.closed = False


@final
class McpServers(Servers):
    """Sessions by conversation and server; ``base`` is what their programs' environments begin with."""

    __slots__ = ("_base", "_lock", "_secrets", "_slots")

    def __init__(self, base: Pairs, secrets: Secrets) -> None:
        self._base = base
        self._secrets = secrets
        self._lock = Lock()
        self._slots: dict[tuple[str, str], _Slot] = {}

    @override
    def offered(self, cfg: ChatConfig, scope: Scope) -> Offered:
        wanted = tuple(server for server in cfg.mcp if server.enabled)
        if not wanted:
            return Offered()
        with ThreadPoolExecutor(min(len(wanted), SIDE_BY_SIDE), thread_name_prefix="turnfold-mcp") as side:
            found = tuple(side.map(lambda server: self._session(server, cfg, scope), wanted))
        told = tuple(
            Offered(problems=(each,)) if isinstance(each, Problem) else offers(server, each.declaration)
            for server, each in zip(wanted, found, strict=True)
        )
        return Offered(
            tools=tuple(tool for each in told for tool in each.tools), problems=tuple(problem for each in told for problem in each.problems)
        )

    @override
    def act(self, request: CallMcp, cfg: ChatConfig, scope: Scope) -> Returned | Problem:
        if scope.cancelled:
            return never_began()
        server = next((each for each in cfg.mcp if each.name == request.server), None)
        if server is None or not server.enabled:
            names = tuple(each.name for each in cfg.mcp if each.enabled)
            hint = did_you_mean(request.server, names) or ": go on without it."
            return world_problem("no-mcp", f"There is no MCP server {request.server[:60]!r} in the settings{hint}")
        session = self._session(server, cfg, scope)
        return session if isinstance(session, Problem) else session.call(request, scope, cfg.limits.output_bytes)

    def _session(self, server: McpServer, cfg: ChatConfig, scope: Scope) -> Connection | Problem:
        """The living session of this conversation with ``server``, begun where there is none."""
        with self._lock:
            slot = self._slots.setdefault((cfg.conversation, server.name), _Slot())
        with slot.lock:
            kept = slot.session
            if kept is not None and kept.alive and kept.server == server:
                return kept
            if kept is not None:
                slot.session = None
                kept.close()
            if scope.cancelled or slot.closed:
                return never_began()
            begun = _begun(server, cfg.workspace, self._base, self._secrets)
            if isinstance(begun, Problem):
                return begun
            fault = begun.opened(scope)
            if fault is not None:
                begun.close()
                return fault
            slot.session = begun
            return begun

    @override
    def close(self, conversation: str) -> None:
        self._end(tuple(self._taken(conversation)))

    @override
    def close_all(self) -> None:
        with self._lock:
            conversations = {conversation for conversation, _ in self._slots}
        self._end(tuple(slot for conversation in sorted(conversations) for slot in self._taken(conversation)))

    def _taken(self, conversation: str) -> Iterator[_Slot]:
        """The slots of ``conversation``, which it has no more."""
        with self._lock:
            keys = tuple(key for key in self._slots if key[0] == conversation)
            yield from tuple(self._slots.pop(key) for key in keys)

    def _end(self, slots: tuple[_Slot, ...]) -> None:
        """End these sessions, side by side: each may take its time."""
        if slots:
            with ThreadPoolExecutor(min(len(slots), SIDE_BY_SIDE), thread_name_prefix="turnfold-mcp") as side:
                tuple(side.map(_ended, slots))


def _ended(slot: _Slot) -> None:
    with slot.lock:
        slot.closed = True
        if slot.session is not None:
            slot.session.close()
            slot.session = None


def _begun(server: McpServer, workspace: str, base: Pairs, secrets: Secrets) -> Connection | Problem:
    if find_spec("mcp") is None:
        message = f"The MCP server {server.name} needs a library that is not installed: pip install 'turnfold[mcp]'."
        return caller_problem("no-mcp-library", message, f"$.mcp.{server.name}")
    from turnfold.shell.mcp.lines import begin  # with it the SDK: a second

    return begin(server, workspace, base, secrets)

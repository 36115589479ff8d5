"""One session with one MCP server: a thread with an event loop of its own, in which the SDK's client lives.

Other threads hand it calls and wait, each with a limit; a call that is cancelled is cancelled at the server, too. A session that is over
stays over: whoever wants another makes a new one.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar, cast, final

from attrs import field, frozen
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import REQUEST_TIMEOUT, Implementation, RequestParamsMeta, Resource

from turnfold.core.config.tables import McpServer
from turnfold.core.json import JsonObject, scalar_text, thaw
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import Returned
from turnfold.core.world.requests import CallMcp
from turnfold.shell.clock import monotonic_s
from turnfold.shell.masking import NOTHING, Mask
from turnfold.shell.mcp import told
from turnfold.shell.mcp.offers import MAX_TOOLS, RESOURCES, Declaration, Declared, plain
from turnfold.shell.mcp.trouble import Trouble
from turnfold.shell.scope import Scope

T = TypeVar("T")
MAX_PAGES = 20
SLACK_S = 2.0  # from the limit of a call, which the SDK keeps, until we do not wait for the SDK either
LEAVE_S = 6.0  # for the end of a session
SAID_CHARS = 1000


@final
@frozen(kw_only=True)
class Line:
    """How a server is reached: the transport of a new session, and what masks the secrets that it is told, which go nowhere else."""

    transport: Callable[[Trouble], AbstractAsyncContextManager[Any]] = field(repr=False)
    mask: Mask = field(default=NOTHING, repr=False)


@final
class Session:
    """A session that was begun; ``close`` ends it."""

    __slots__ = ("_client", "_closing", "_line", "_loop", "_main", "_ready", "_thread", "declaration", "server", "trouble")

    def __init__(self, server: McpServer, line: Line) -> None:
        self.server = server
        self.trouble = Trouble()
        self.declaration = Declaration(tools=(), resources=False)
        self._line = line
        self._ready: concurrent.futures.Future[Declaration] = concurrent.futures.Future()
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self._closing: asyncio.Event | None = None
        self._thread = Thread(target=self._run, name=f"turnfold-mcp-{server.name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether a call can be tried."""
        return self._thread.is_alive() and not self.trouble.over

    def opened(self, scope: Scope) -> Problem | None:
        """None once the server has said what it offers, within its time; else why it has not."""
        try:
            with scope.stopping(lambda: self._give_up(concurrent.futures.CancelledError())):
                self.declaration = self._ready.result(self.server.timeout_s)
        except (Exception, concurrent.futures.CancelledError) as error:  # noqa: BLE001 - the SDK and the server's words: all is told
            return self._problem("mcp-failed", "could not be reached", error)
        return None

    def call(self, request: CallMcp, scope: Scope, limit_bytes: int) -> Returned | Problem:
        """What the server's tool gives."""
        client, loop = self._client, self._loop
        if client is None or loop is None or not self.alive:
            return self._problem("mcp-over", "is gone", None)
        self.trouble.asked = ""
        said: SimpleQueue[str | None] = SimpleQueue()  # progress, which is told in the thread that waits; None at the end
        work = (
            self._resource(client, request, limit_bytes)
            if request.tool == RESOURCES
            else self._tool(client, request, limit_bytes, said.put)
        )
        try:
            future = asyncio.run_coroutine_threadsafe(work, loop)
        except RuntimeError as error:  # the loop has ended just now
            work.close()
            return self._problem("mcp-over", "is gone", error)
        try:
            with scope.stopping(lambda: _cancel(future)):
                future.add_done_callback(lambda _: said.put(None))
                found = _awaited(future, said, scope, request.timeout_s + SLACK_S)
        except concurrent.futures.CancelledError:
            what = "was stopped; what the server had begun may have happened"
            return world_problem("cancelled", f"{request.tool} of the MCP server {self.server.name} {what}.")
        except Exception as error:  # noqa: BLE001 - the SDK and the server's words: all is told
            future.cancel()
            return self._failed(request, error)
        return found if found.ok or not self.trouble.asked else self._asked(found)

    def close(self) -> None:
        """End the session and what belongs to it."""
        for end in (
            (self._leave, self._stop) if self._client is not None else (self._stop,)
        ):  # one that was not reached has no end to wait for
            self._signal(end)
            self._thread.join(LEAVE_S)

    def _leave(self) -> None:
        if self._closing is not None:
            self._closing.set()

    def _stop(self) -> None:
        if self._main is not None:
            self._main.cancel()

    def _signal(self, act: Callable[[], object]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended
                self._loop.call_soon_threadsafe(act)

    def _give_up(self, error: BaseException) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self._ready.set_exception(error)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001 - the end of a thread: whoever waits is told
            self._give_up(error)
        finally:
            self.trouble.over = True
            self._give_up(ConnectionError("the session has ended"))

    async def _live(self) -> None:
        self._loop, self._main, self._closing = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
        if self._ready.done():
            return
        who = Implementation(name="turnfold", version="0")
        transport: Any = self._line.transport(self.trouble)
        async with Client(transport, read_timeout_seconds=self.server.timeout_s, client_info=who, cache=None) as client:
            declared = await _declared(client, self._line.mask)
            self._client = client
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                self._ready.set_result(declared)
                await self._closing.wait()

    async def _tool(self, client: Client, request: CallMcp, limit_bytes: int, tell: Callable[[str], None]) -> Returned:
        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            tell(_progress(progress, total, self._line.mask.text(message or "")))

        meta = cast("RequestParamsMeta", {"traceparent": request.traceparent}) if request.traceparent else None  # it may hold more members
        arguments = _plain(request.arguments)
        result = await client.call_tool(
            request.tool, arguments, read_timeout_seconds=request.timeout_s, progress_callback=progressed, meta=meta
        )
        return told.returned(result, self._line.mask, limit_bytes)

    async def _resource(self, client: Client, request: CallMcp, limit_bytes: int) -> Returned:
        uri = request.arguments.get("uri")
        if isinstance(uri, str) and uri:
            return told.resource(await client.read_resource(uri), self._line.mask, limit_bytes)
        return told.resources(await _resources(client), self._line.mask, limit_bytes)

    def _asked(self, found: Returned) -> Problem:
        what = f"The MCP server {self.server.name} asked for {self.trouble.asked}, which turnfold gives to no server; its tool answered: "
        return world_problem("mcp-asked", what + found.text[:SAID_CHARS])

    def _failed(self, request: CallMcp, error: Exception) -> Problem:
        late = isinstance(error, TimeoutError) or (isinstance(error, MCPError) and error.code == REQUEST_TIMEOUT)
        if self.trouble.over or self.trouble.too_much:
            self.trouble.over = True
            return self._problem("mcp-over", f"ended while {request.tool} was under way; the next call begins a new session", None)
        if late:
            return world_problem(
                "mcp-late",
                f"{request.tool} of the MCP server {self.server.name} gave no answer in {request.timeout_s:g} s.{self.trouble.told()}",
            )
        if self.trouble.asked:
            return self._asked(Returned(text=self._said(error)))
        if not isinstance(error, MCPError):
            self.trouble.over = True
        return self._problem("mcp-failed", f"can't do {request.tool}", error)

    def _problem(self, code: str, what: str, error: BaseException | None) -> Problem:
        said = f": {self._said(error)}" if error is not None else ""
        text = self._line.mask.text(f"The MCP server {self.server.name} {what}{said}.{self.trouble.told()}")
        return world_problem(code, text, f"$.mcp.{self.server.name}")

    def _said(self, error: BaseException) -> str:
        innermost = next(_leaves(error))
        if isinstance(innermost, concurrent.futures.CancelledError):
            return "it was interrupted"
        if isinstance(innermost, TimeoutError):
            return f"it gave no answer in {self.server.timeout_s:g} s"
        return plain(" ".join(scalar_text(str(innermost)).split()), SAID_CHARS).rstrip(".") or type(innermost).__name__


def _cancel(future: concurrent.futures.Future[Any]) -> None:
    future.cancel()


def _awaited(future: concurrent.futures.Future[T], said: SimpleQueue[str | None], scope: Scope, timeout_s: float) -> T:
    """What ``future`` gives, in so much time; what is ``said`` until then goes to ``scope``, from this thread."""
    deadline_s = monotonic_s() + timeout_s
    with contextlib.suppress(Empty):
        while (text := said.get(timeout=max(deadline_s - monotonic_s(), 0))) is not None:
            scope.emit(text.encode("utf-8", "replace"))
    return future.result(0)


def _progress(progress: float, total: float | None, message: str) -> str:
    r"""A report of progress in a line: what the server says, else how far it is.

    >>> _progress(1, 4, ""), _progress(1, None, "Reading.")
    ('1 of 4\n', 'Reading.\n')
    """
    far = f"{progress:g}" if total is None else f"{progress:g} of {total:g}"
    return plain(scalar_text(message or far), SAID_CHARS) + "\n"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


async def _declared(client: Client, mask: Mask) -> Declaration:
    """The tools of all pages, as many as can be offered."""
    tools: list[Declared] = []
    cursor: str | None = None
    able = client.server_capabilities
    for _ in range(MAX_PAGES if able.tools is not None else 0):
        page = await client.list_tools(cursor=cursor)
        tools += (
            Declared(name=each.name, about=mask.text(each.description or each.title or ""), schema=each.input_schema) for each in page.tools
        )
        cursor = page.next_cursor
        if cursor is None or len(tools) > MAX_TOOLS:
            break
    return Declaration(tools=tuple(tools), resources=able.resources is not None)


async def _resources(client: Client) -> list[Resource]:
    found: list[Resource] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_resources(cursor=cursor)
        found += page.resources
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _plain(arguments: JsonObject) -> dict[str, Any]:
    thawed = thaw(arguments)
    return thawed if isinstance(thawed, dict) else {}

"""Models over HTTP on event loops: the port ``AsyncModels``, with a pool of connections for each loop."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Protocol, final

from typing_extensions import override

from turnfold.core.problem import Problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.line import Post, Replied
from turnfold.shell.masking import MaskedEmit, mask_of
from turnfold.shell.models import WIRE_BYTES, bad_proxy, closed, sending_of
from turnfold.shell.ports import AsyncModels, Models, Secrets


class AsyncLine(Protocol):
    """A client of one loop."""

    __slots__ = ()

    async def post(self, post: Post, received: Callable[[bytes], None]) -> Replied | Problem: ...
    async def close(self) -> None: ...


class AsyncLines(Protocol):
    """Clients, one a loop; ``ValueError``, ``ImportError``: proxy settings."""

    __slots__ = ()

    async def line(self) -> AsyncLine: ...
    def close(self) -> None: ...


def http_lines() -> AsyncLines:
    """Clients over HTTP; imports the HTTP library, and asyncio."""
    from turnfold.shell.async_line import http_line_maker
    from turnfold.shell.loop_lines import LoopLines

    return LoopLines(http_line_maker())


@final
class HttpAsyncModels(AsyncModels):
    """Sends what ``HttpModels`` sends, on the running event loop. Serves the worlds whose other port is ``beside``, for addresses of HTTP."""

    __slots__ = ("_beside", "_closed", "_lines", "_lock", "_maker", "_reply_bytes", "_secrets")

    def __init__(
        self, secrets: Secrets, beside: Models, *, reply_bytes: int = WIRE_BYTES, maker: Callable[[], AsyncLines] = http_lines
    ) -> None:
        self._secrets = secrets
        self._beside = beside
        self._reply_bytes = reply_bytes
        self._maker = maker
        self._lock = Lock()
        self._closed = False
        self._lines: AsyncLines | None = None

    @override
    def serves(self, request: CallModel, models: Models) -> bool:
        return models is self._beside and request.provider.base_url.lower().startswith(("http://", "https://"))

    @override
    async def stream(self, request: CallModel, body: bytes, emit: Callable[[bytes], None]) -> StreamEnded | Problem:
        sending = sending_of(request, body, self._secrets, self._reply_bytes)
        if isinstance(sending, Problem):
            return sending
        lines = self._made()
        if isinstance(lines, Problem):
            return sending.outcome(lines)
        try:
            line = await lines.line()
        except (ValueError, ImportError) as error:  # the library refuses proxy settings in these ways
            return sending.outcome(bad_proxy(error))
        mask = MaskedEmit(emit, mask_of(sending.secrets))
        came = await line.post(sending.post, mask.received)
        mask.received(b"")
        return sending.outcome(closed() if self._closed and isinstance(came, Problem) else came)

    @override
    def close(self) -> None:
        """Close all connections; requests that run end with a Problem, later ones are not sent."""
        with self._lock:
            self._closed = True
            lines, self._lines = self._lines, None
        if lines is not None:
            lines.close()

    def _made(self) -> AsyncLines | Problem:
        with self._lock:
            if self._closed:
                return closed()
            try:
                self._lines = self._lines or self._maker()
            except (ValueError, ImportError) as error:
                return bad_proxy(error)
            return self._lines

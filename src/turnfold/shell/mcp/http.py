"""MCP over streamable HTTP: the SDK's transport, with headers of ours and a bound on what an answer may hold."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, final

import httpx2
from attrs import field, frozen
from mcp.client.streamable_http import streamable_http_client
from typing_extensions import override

from turnfold.shell.mcp.trouble import Trouble

MAX_ANSWER_BYTES = 16_000_000  # of one response, and of one event of a stream


@final
@frozen(kw_only=True)
class Address:
    """Where a server is asked, and with which headers."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    timeout_s: float


class TooMuchError(httpx2.TransportError):
    """An answer that is larger than any may be."""


@contextlib.asynccontextmanager
async def http_transport(address: Address, trouble: Trouble) -> AsyncIterator[Any]:
    """The streams of a session with the server at ``address``."""
    timeout = httpx2.Timeout(address.timeout_s, read=None)  # a stream may be silent; each call has its own limit
    transport = _Bounded(trouble)
    async with (
        httpx2.AsyncClient(headers=dict(address.headers), timeout=timeout, transport=transport) as client,
        streamable_http_client(address.url, http_client=client, max_sse_event_size=MAX_ANSWER_BYTES) as streams,
    ):
        yield streams


@final
class _Bounded(httpx2.AsyncHTTPTransport):
    """Responses that end with an error once they have said too much; a stream of events has bounds of its own."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if "text/event-stream" not in response.headers.get("content-type", "") and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _BoundedStream(response.stream, self._trouble)
        return response


@final
class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, trouble: Trouble) -> None:
        self._stream = stream
        self._trouble = trouble

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_ANSWER_BYTES
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                self._trouble.too_much = True
                raise TooMuchError(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes")
            yield chunk

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()

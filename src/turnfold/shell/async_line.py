"""HTTP on an event loop: one client with a pool of connections, for all model calls of that loop.

This module imports the HTTP library (a tenth of a second): import it where a request is really made.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import final

import httpx2

from turnfold.core.problem import Problem
from turnfold.shell.http_line import ERROR_BYTES, LOOPBACK, failure_problem, headers_of, redirect_problem, speaks_http2, too_large
from turnfold.shell.line import Post, Replied

CONNECTIONS = 500  # at once: each is a descriptor, of which a process often has 1,024; who comes later waits for one
KEPT = 100  # that wait for the next request


@final
class HttpAsyncLine:
    """A client of one event loop. A task that is cancelled closes the connection that it used."""

    __slots__ = ("_client",)

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._client = httpx2.AsyncClient(
            verify=tls,
            http2=speaks_http2(),
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=KEPT),
            follow_redirects=False,  # the key is for this host
            mounts={f"all://{host}": None for host in LOOPBACK},
        )

    async def post(self, post: Post, received: Callable[[bytes], None]) -> Replied | Problem:
        """Send ``post`` and give the reply's bytes to ``received`` as they come."""
        try:
            return await self._posted(post, received)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            return failure_problem(error, post)

    async def _posted(self, post: Post, received: Callable[[bytes], None]) -> Replied | Problem:
        timeout = httpx2.Timeout(post.timeout_s, connect=post.connect_s, pool=None)
        async with self._client.stream("POST", post.url, content=post.body, headers=headers_of(post), timeout=timeout) as response:
            if response.is_redirect:
                return redirect_problem(post, response.headers.get("location", ""))
            if not response.is_success:
                return Replied(response.status_code, await _error_body(response), tuple(response.headers.items()))
            size = 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > post.limit_bytes:
                    return too_large(post)
                received(chunk)
            return Replied(response.status_code)

    async def close(self) -> None:
        """Close all connections; a request that is on one ends with a Problem."""
        await self._client.aclose()


async def _error_body(response: httpx2.Response) -> bytes:
    """The first bytes of an error's body, as many as come: the status says enough without the rest."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= ERROR_BYTES:
                break
    except httpx2.HTTPError:
        return bytes(body)
    return bytes(body[:ERROR_BYTES])


def http_line_maker() -> Callable[[], HttpAsyncLine]:
    """What makes a client for a loop; they share the certificates, whose reading is slow. ``ValueError``, ``ImportError``: proxy settings."""
    tls = httpx2.create_ssl_context()
    return lambda: HttpAsyncLine(tls)

"""One HTTP connection at a time, which another thread can cut (``cutter.py``): whatever a line waits for, waits there.

This module imports the HTTP library (a tenth of a second): import it where a request is really made.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from importlib.util import find_spec
from typing import final

import httpx2

from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.shell.cutter import Cutter
from turnfold.shell.line import Line, Post, Replied
from turnfold.shell.scope import Scope

ERROR_BYTES = 65_536  # of an error's body that are read
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")  # never through a proxy


def speaks_http2() -> bool:
    """Whether HTTP/2 can be spoken, where a server offers it under TLS: it takes the extra ``http2``."""
    return find_spec("h2") is not None


@final
class HttpLine:
    """A client that has at most one connection, used by one thread at a time, and cut from any."""

    __slots__ = ("_client", "_cutter")

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._client = httpx2.Client(
            verify=tls,
            http2=speaks_http2(),
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            follow_redirects=False,  # the key is for this host
            mounts={f"all://{host}": None for host in LOOPBACK},
        )
        self._cutter = Cutter()

    def post(self, post: Post, scope: Scope, received: Callable[[bytes], None]) -> Replied | Problem:
        """Send ``post`` and give the reply's bytes to ``received`` as they come; after a Problem the line is of no use."""
        with scope.stopping(self.cut):
            try:
                outcome = self._posted(post, scope, received)
            except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
                outcome = failure_problem(error, post)
        return world_problem("cancelled", "The request was cancelled.") if scope.cancelled else outcome

    def _posted(self, post: Post, scope: Scope, received: Callable[[bytes], None]) -> Replied | Problem:
        timeout = httpx2.Timeout(post.timeout_s, connect=post.connect_s)
        headers = headers_of(post)
        extensions = {"trace": self._cutter.traced}
        with self._client.stream("POST", post.url, content=post.body, headers=headers, timeout=timeout, extensions=extensions) as response:
            if response.is_redirect:
                return redirect_problem(post, response.headers.get("location", ""))
            if not response.is_success:
                return Replied(response.status_code, _error_body(response), tuple(response.headers.items()))
            size = 0
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > post.limit_bytes or scope.cancelled:
                    return too_large(post)
                received(chunk)
            return Replied(response.status_code)

    def cut(self) -> None:
        """Shut the connection down, and every later one; a thread that waits there wakes."""
        self._cutter.cut()

    def close(self) -> None:
        """Close the connection; no request may be on it."""
        self._client.close()


def line_maker() -> Callable[[], Line]:
    """What makes lines; they share the certificates, whose reading is slow. ``ValueError``, ``ImportError``: proxy settings."""
    tls = httpx2.create_ssl_context()
    return lambda: HttpLine(tls)


def _error_body(response: httpx2.Response) -> bytes:
    """The first bytes of an error's body, as many as come: the status says enough without the rest."""
    body = bytearray()
    try:
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) >= ERROR_BYTES:
                break
    except httpx2.HTTPError:
        return bytes(body)
    return bytes(body[:ERROR_BYTES])


def headers_of(post: Post) -> list[tuple[str, str]]:
    """The headers of a request; compressing would hold small chunks back."""
    return [*post.headers, ("accept-encoding", "identity")]


def too_large(post: Post) -> Problem:
    """The Problem of a reply that does not end."""
    return world_problem(
        "too-large",
        f"The reply of {post.name} was longer than {post.limit_bytes:,} bytes: ask for less at once.",
    )


def redirect_problem(post: Post, location: str) -> Problem:
    """The Problem of an answer that points elsewhere."""
    message = f"{post.name} answered that it has moved to {location or 'another address'}: set the provider's base URL to where it is now."
    return caller_problem("redirected", message)


def failure_problem(error: Exception, post: Post) -> Problem:
    """The Problem that an exception of the library is: one sentence with what to do next."""
    causes = tuple(causes_of(error))
    place = _place(post.url)
    trust = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if trust is not None:
        why = getattr(trust, "verify_message", "") or trust.reason or "TLS"
        return world_problem(
            "tls",
            f"The connection to {place} is not safe ({why}): check {post.name}'s base URL, the date, and the certificates of this machine.",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return world_problem("no-host", f"The address of {place} was not found: check the network, and the base URL of {post.name}.")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return world_problem("no-server", f"No server answers at {place}: start {post.name}, or check its base URL.")
    return _by_kind(error, post, place)


def _by_kind(error: Exception, post: Post, place: str) -> Problem:
    match error:
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
            return caller_problem("bad-url", f"The base URL of {post.name} is no http or https address: correct it in the settings.")
        case httpx2.ConnectTimeout():
            return world_problem(
                "time-out", f"{place} did not answer within {post.connect_s:g} s: check the network, and the base URL of {post.name}."
            )
        case httpx2.TimeoutException():
            return world_problem(
                "time-out",
                f"{post.name} was silent for {post.timeout_s:g} s: try again, or raise the provider's timeout_s in the settings.",
            )
        case httpx2.ProxyError():
            return world_problem("proxy", f"The proxy refused the connection to {place}: check the proxy settings of this machine.")
        case httpx2.ConnectError():
            return world_problem("no-network", f"There is no way to {place}: check the network.")
        case _:
            return world_problem("cut-stream", f"{post.name} broke the connection off before its reply was over: try again.")


def causes_of(error: BaseException | None) -> tuple[BaseException, ...]:
    """``error`` and what it came from, at most ten."""
    found: list[BaseException] = []
    while error is not None and len(found) < 10:
        found.append(error)
        error = error.__cause__ or error.__context__
    return tuple(found)


def _place(url: str) -> str:
    """Host and port of ``url``, without a name or password that stand before them."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2] or url

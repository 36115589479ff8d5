"""Models over HTTP: the port ``Models`` for every OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import final

from attrs import evolve

from turnfold.core.config.values import Provider
from turnfold.core.llm.provider_errors import error_problem
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.headers import Sealed, sealed_headers
from turnfold.shell.line import Line, Post, Replied
from turnfold.shell.masking import MaskedEmit, Secret, mask_of
from turnfold.shell.ports import Secrets
from turnfold.shell.scope import Scope

WIRE_BYTES = 1_000_000_000  # for whoever never stops; the limit of a reply is the conversation's (limits.reply_bytes)


def http_lines() -> Callable[[], Line]:
    """What makes lines over HTTP; imports the HTTP library."""
    from turnfold.shell.http_line import line_maker

    return line_maker()


@final
class HttpModels:
    """Sends ``CallModel`` as POST {base URL}/chat/completions and streams the reply's bytes; errors are Problems.

    Requests side by side have a connection each, which is kept for the next ones. The HTTP library is imported with the
    first request. A secret's value is in no Problem, and masked in a stream that repeats it.
    """

    __slots__ = ("_busy", "_closed", "_idle", "_lock", "_make", "_maker", "_reply_bytes", "_secrets")

    def __init__(self, secrets: Secrets, *, reply_bytes: int = WIRE_BYTES, maker: Callable[[], Callable[[], Line]] = http_lines) -> None:
        self._secrets = secrets
        self._reply_bytes = reply_bytes
        self._maker = maker
        self._make: Callable[[], Line] | None = None
        self._lock = Lock()
        self._idle: list[Line] = []
        self._busy: list[Line] = []
        self._closed = False

    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        """Send ``body`` to the request's provider and the reply's bytes to ``scope.emit``, until the reply's end or a cancel."""
        provider = request.provider
        sealed = sealed_headers(provider, self._secrets)
        if isinstance(sealed, Problem):
            return sealed
        mask = mask_of(sealed.secrets, 1)
        outcome = self._posted(self._post(provider, sealed, body), sealed.secrets, scope)
        if isinstance(outcome, Replied):
            if 200 <= outcome.status < 300:
                return StreamEnded()
            name = provider.secret.name if provider.secret else ""
            outcome = error_problem(outcome.status, mask.data(outcome.body), provider.name, name, outcome.headers)
        return evolve(outcome, message=mask.text(outcome.message))

    def close(self) -> None:
        """Close all connections; requests that run end with a Problem, later ones are not sent."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = tuple(self._busy)
        for line in idle:
            line.close()
        for line in busy:
            line.cut()

    def _post(self, provider: Provider, sealed: Sealed, body: bytes) -> Post:
        return Post(
            name=provider.name,
            url=f"{provider.base_url.rstrip('/')}/chat/completions",
            headers=sealed.headers,
            body=body,
            timeout_s=provider.timeout_s,
            connect_s=provider.connect_s,
            limit_bytes=self._reply_bytes,
        )

    def _posted(self, post: Post, secrets: tuple[Secret, ...], scope: Scope) -> Replied | Problem:
        line = self._borrowed()
        if isinstance(line, Problem):
            return line
        mask, good = MaskedEmit(scope.emit, mask_of(secrets)), False
        try:
            outcome = line.post(post, scope, mask.received)
            mask.received(b"")
            good = isinstance(outcome, Replied) and not scope.cancelled
        finally:
            self._given_back(line, good=good)
        return outcome

    def _borrowed(self) -> Line | Problem:
        with self._lock:
            if self._closed:
                return world_problem("closed", "The connections to models are closed: open the world again.")
            try:
                line = self._idle.pop() if self._idle else self._made()
            except (ValueError, ImportError) as error:  # the library refuses proxy settings in these ways
                message = f"The proxy settings of this machine can't be used ({error}): correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY."
                return caller_problem("proxy", message)
            self._busy.append(line)
            return line

    def _made(self) -> Line:
        if self._make is None:
            self._make = self._maker()
        return self._make()

    def _given_back(self, line: Line, *, good: bool) -> None:
        """Keep ``line`` for the next request; close one that failed, or that a cancel may still be about to cut."""
        with self._lock:
            self._busy.remove(line)
            keep = good and not self._closed
            if keep:
                self._idle.append(line)
        if not keep:
            line.close()

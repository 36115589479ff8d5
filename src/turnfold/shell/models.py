"""Models over HTTP: the port ``Models`` for every server that speaks one of the wire formats."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import final

from attrs import evolve, field, frozen

from turnfold.core.config.values import Provider
from turnfold.core.llm.endpoint import address_of
from turnfold.core.llm.provider_errors import error_problem
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.headers import sealed_headers
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
@frozen(kw_only=True)
class Sending:
    """A model call as a request over HTTP, and what its outcome is told by: its provider, and the secrets that were sent."""

    post: Post
    provider: Provider
    secrets: tuple[Secret, ...] = field(repr=False)

    def outcome(self, came: Replied | Problem) -> StreamEnded | Problem:
        """What ``came``, as the answer of the model call; no secret is in it."""
        mask = mask_of(self.secrets, 1)
        if isinstance(came, Replied):
            if 200 <= came.status < 300:
                return StreamEnded()
            name = self.provider.secret.name if self.provider.secret else ""
            came = error_problem(came.status, mask.data(came.body), self.provider.name, name, came.headers)
        return evolve(came, message=mask.text(came.message))


def sending_of(request: CallModel, body: bytes, secrets: Secrets, reply_bytes: int) -> Sending | Problem:
    """``request`` with ``body`` as what is sent to its provider; a Problem where a key or a header lacks."""
    provider = request.provider
    sealed = sealed_headers(provider, secrets)
    if isinstance(sealed, Problem):
        return sealed
    post = Post(
        name=provider.name,
        url=address_of(provider, request.model),
        headers=sealed.headers,
        body=body,
        timeout_s=provider.timeout_s,
        connect_s=provider.connect_s,
        limit_bytes=reply_bytes,
    )
    return Sending(post=post, provider=provider, secrets=sealed.secrets)


def closed() -> Problem:
    """The Problem of a call after the world was closed."""
    return world_problem("closed", "The connections to models are closed: open the world again.")


def bad_proxy(error: Exception) -> Problem:
    """The Problem of proxy settings that the HTTP library refuses."""
    message = f"The proxy settings of this machine can't be used ({error}): correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY."
    return caller_problem("proxy", message)


@final
class HttpModels:
    """Sends ``CallModel`` as a POST where its wire format wants it (``core/llm/endpoint.py``) and streams the reply's bytes; errors are Problems.

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
        sending = sending_of(request, body, self._secrets, self._reply_bytes)
        return sending if isinstance(sending, Problem) else sending.outcome(self._posted(sending, scope))

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

    def _posted(self, sending: Sending, scope: Scope) -> Replied | Problem:
        line = self._borrowed()
        if isinstance(line, Problem):
            return line
        mask, good = MaskedEmit(scope.emit, mask_of(sending.secrets)), False
        try:
            outcome = line.post(sending.post, scope, mask.received)
            mask.received(b"")
            good = isinstance(outcome, Replied) and not scope.cancelled
        finally:
            self._given_back(line, good=good)
        return outcome

    def _borrowed(self) -> Line | Problem:
        with self._lock:
            if self._closed:
                return closed()
            try:
                line = self._idle.pop() if self._idle else self._made()
            except (ValueError, ImportError) as error:  # the library refuses proxy settings in these ways
                return bad_proxy(error)
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

"""OpenTelemetry: spans to a receiver of OTLP over HTTP. The bytes are made by ``core/trace``; nothing of OpenTelemetry's own is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import final
from urllib.parse import urlsplit, urlunsplit

from attrs import evolve
from typing_extensions import override

from turnfold.core.config.tables import Encoding, Exporter
from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem, world_problem
from turnfold.core.trace.attributes import Attribute
from turnfold.core.trace.otlp import otlp_json, otlp_protobuf, rejected_untrusted
from turnfold.shell.headers import Sealed, sealed_headers
from turnfold.shell.line import Line, Post
from turnfold.shell.masking import mask_of
from turnfold.shell.ports import Batch, NotSent, Secrets, Sink
from turnfold.shell.scope import Scope

DEFAULT_URL = "http://localhost:4318"
PATH = "/v1/traces"  # where a receiver takes traces, below an address that names no path
PASSING = ("time-out", "no-network", "no-server", "cut-stream", "no-host")  # what may be mended a moment later
AGAIN = (408, 425, 429, 500, 502, 503, 504)
REPLY_BYTES = 65_536
CONNECT_S = 5.0
OURS = ("content-type", "accept", "user-agent")


@final
class OtlpSink(Sink):
    """Sends spans to the receiver that ``settings`` name, by one connection at a time, which is made when there is something to send."""

    __slots__ = ("_line", "_make", "_secrets", "_settings")

    def __init__(self, settings: Exporter, secrets: Secrets, make: Callable[[], Line]) -> None:
        self._settings = settings
        self._secrets = secrets
        self._make = make
        self._line: Line | None = None

    @override
    def send(self, batch: Batch, scope: Scope) -> NotSent | None:
        sealed = _sealed(self._settings, self._secrets)
        if isinstance(sealed, Problem):
            return NotSent(sealed)
        refused = self._sent(self._post(batch, sealed), scope)
        if refused is None:
            return None
        return evolve(refused, problem=evolve(refused.problem, message=mask_of(sealed.secrets, 1).text(refused.problem.message)))

    @override
    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _sent(self, post: Post, scope: Scope) -> NotSent | None:
        line = self._make() if self._line is None else self._line
        self._line = line
        reply = bytearray()
        outcome = line.post(post, scope, reply.extend)
        if isinstance(outcome, Problem):
            self.close()  # after a Problem the line is of no use
            return NotSent(outcome, again=outcome.code in PASSING)
        if 200 <= outcome.status < 300:
            rejected = rejected_untrusted(bytes(reply))
            return NotSent(world_problem("receiver-refused", f"it kept all but {rejected:,}"), spans=rejected) if rejected else None
        said = f"it answered {outcome.status}: {outcome.body[:200].decode(errors='replace').strip()}".rstrip(": ")
        return NotSent(world_problem("receiver-refused", said), again=outcome.status in AGAIN)

    def _post(self, batch: Batch, sealed: Sealed) -> Post:
        settings = self._settings
        about: tuple[Attribute, ...] = (("service.name", settings.service), ("telemetry.sdk.name", "turnfold"))
        if batch.dropped:
            about += (("turnfold.dropped_spans", batch.dropped),)
        json = settings.encoding is Encoding.JSON
        kind = "application/json" if json else "application/x-protobuf"
        return Post(
            name=f"The exporter {settings.name}",
            url=traces_url(settings.url),
            headers=(*sealed.headers, ("content-type", kind), ("accept", kind), ("user-agent", "turnfold")),
            body=otlp_json(batch.spans, about) if json else otlp_protobuf(batch.spans, about),
            timeout_s=max(settings.timeout_s, 1.0),
            connect_s=CONNECT_S,
            limit_bytes=REPLY_BYTES,
        )


def _sealed(settings: Exporter, secrets: Secrets) -> Sealed | Problem:
    """The headers that the settings add, those apart that say what is sent."""
    sealed = sealed_headers(Provider(name=f"exporters.{settings.name}", base_url=settings.url, headers=settings.headers), secrets)
    if isinstance(sealed, Problem):
        return sealed
    return Sealed(tuple((name, value) for name, value in sealed.headers if name not in OURS), sealed.secrets)


def traces_url(url: str) -> str:
    """The address that traces are sent to.

    >>> traces_url(""), traces_url("http://a:4318/"), traces_url("https://a/otlp/v1/traces")
    ('http://localhost:4318/v1/traces', 'http://a:4318/v1/traces', 'https://a/otlp/v1/traces')
    """
    parts = urlsplit(url or DEFAULT_URL)
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else PATH))

"""One GET over HTTP to an address that was checked, with limits on all that a server can send.

The library connects through ``_Pinned``: to the address and to no other, whatever the name leads to by now, while the name stays in the
Host header and in the TLS handshake, so certificates are checked against it. What comes in passes ``_Watched``, which ends it when the
line was cut (a socket that was shut down still gives out what a flood has left in it) or when more came than any good answer has.
Heads are bounded by the library, 100 kB; a body by ``limit_bytes`` after decompression, which is done in small pieces.

This module imports the HTTP library (a tenth of a second): import it where a request is really made.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Iterable, Iterator
from typing import final
from urllib.parse import urlsplit

import httpcore2
import httpx2
from attrs import field, frozen
from typing_extensions import override

from turnfold.core.problem import Problem, world_problem
from turnfold.shell.cutter import Cutter
from turnfold.shell.http_line import causes_of
from turnfold.shell.page_text import is_textual, media_type_of

AGENT = "turnfold"
ACCEPTED = "text/html,application/xhtml+xml,text/markdown,text/plain,application/json;q=0.9,*/*;q=0.5"
CONNECT_S = 10.0
SLACK_BYTES = 1_000_000  # of heads, and of frames around a body
PIECE_BYTES = 65_536
REDIRECTS = (301, 302, 303, 307, 308)
PACKINGS = ("gzip", "x-gzip", "deflate")
EITHER_HEAD = 32 + zlib.MAX_WBITS  # zlib finds out which of its two heads there is
NO_HEAD = -zlib.MAX_WBITS


@final
@frozen(kw_only=True)
class Get:
    """A request: ``address`` is where to connect, empty where a ``proxy`` finds it by the name."""

    url: str
    address: str = ""
    proxy: str = field(default="", repr=False)  # it may hold a password
    limit_bytes: int
    timeout_s: float


@final
@frozen(kw_only=True)
class Got:
    """An answer: ``location`` is where it points to, if it does; ``body`` at most what was asked, ``cut_bytes`` what is known to be more.

    Nothing is read of what by its type can't be text.
    """

    status: int
    content_type: str = ""
    location: str = ""
    body: bytes = b""
    cut_bytes: int = 0


class _BadPackingError(Exception):
    """A body that is not compressed as its head says."""


@final
class _Watched(httpcore2.NetworkStream):
    """A connection's bytes, until it is cut or brings more than ``most`` bytes."""

    def __init__(self, stream: httpcore2.NetworkStream, cutter: Cutter, most: int) -> None:
        self._stream, self._cutter, self._left = stream, cutter, most
        cutter.took(stream)

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._cutter.was_cut or self._left <= 0:
            raise httpcore2.ReadError("cut" if self._cutter.was_cut else "more than any good answer has")
        data = self._stream.read(max_bytes, timeout)
        self._left -= len(data)
        return data

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    @override
    def close(self) -> None:
        self._stream.close()

    @override
    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> _Watched:
        return _Watched(self._stream.start_tls(ssl_context, server_hostname, timeout), self._cutter, self._left)

    @override
    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


@final
class _Pinned(httpcore2.NetworkBackend):
    """Connects to ``address``, or, where that is empty, to the host that it is told: the proxy."""

    def __init__(self, address: str, cutter: Cutter, most: int) -> None:
        self._address, self._cutter, self._most = address, cutter, most

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> _Watched:
        return _Watched(httpcore2.SyncBackend().connect_tcp(self._address or host, port, timeout), self._cutter, self._most)


def tls_context() -> ssl.SSLContext:
    """The certificates that are trusted; reading them is slow."""
    return httpx2.create_ssl_context()


def got(get: Get, tls: ssl.SSLContext, cutter: Cutter) -> Got | Problem:
    """What ``get`` brings; redirects are told, not followed."""
    url = httpx2.URL(get.url)
    host = url.host
    headers = [
        (b"Host", url.netloc),
        (b"User-Agent", AGENT.encode()),
        (b"Accept", ACCEPTED.encode()),
        (b"Accept-Encoding", b"gzip, deflate"),
    ]
    target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    wait = {"connect": min(CONNECT_S, get.timeout_s), "read": get.timeout_s, "write": get.timeout_s, "pool": get.timeout_s}
    try:
        with (
            _pool(get, tls, cutter) as pool,
            pool.stream("GET", target, headers=headers, extensions={"timeout": wait}) as response,
        ):
            return _read(response, get)
    except (ImportError, ValueError) as error:  # proxy settings that the library can't use
        return world_problem("proxy", f"The proxy for {host} can't be used ({error}): tell the user to check the proxy settings.")
    except (*ERRORS, _BadPackingError) as error:
        return got_problem(error, host, cut=cutter.was_cut)


ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


def _pool(get: Get, tls: ssl.SSLContext, cutter: Cutter) -> httpcore2.ConnectionPool:
    backend = _Pinned(get.address, cutter, get.limit_bytes + SLACK_BYTES)
    if not get.proxy:
        return httpcore2.ConnectionPool(ssl_context=tls, network_backend=backend)
    parts = urlsplit(get.proxy)
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"{parts.scheme} is no proxy that fetch knows")
    bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    auth = (parts.username or "", parts.password or "") if parts.username else None
    return httpcore2.HTTPProxy(bare, proxy_auth=auth, ssl_context=tls, network_backend=backend)


def _read(response: httpcore2.Response, get: Get) -> Got:
    heads = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reversed(response.headers)}
    if response.status in REDIRECTS and heads.get("location"):
        return Got(status=response.status, location=heads["location"])
    content_type, length = heads.get("content-type", ""), heads.get("content-length", "")
    packing = heads.get("content-encoding", "").strip().lower()
    size = int(length) if length.isdecimal() and len(length) < 16 and not packing else 0
    if not is_textual(media_type_of(content_type)):
        return Got(status=response.status, content_type=content_type, cut_bytes=size)
    body = bytearray()
    for piece in _unpacked(response.iter_stream(), packing):
        body += piece
        if len(body) > get.limit_bytes:
            break
    cut = max(len(body) - get.limit_bytes, 0)
    more = max(cut, size - get.limit_bytes) if cut else 0
    return Got(status=response.status, content_type=content_type, body=bytes(body[: get.limit_bytes]), cut_bytes=more)


def _unpacked(chunks: Iterable[bytes], packing: str) -> Iterator[bytes]:
    """``chunks`` without their compression, in pieces of at most ``PIECE_BYTES`` more than they were."""
    if packing in {"", "identity"}:
        yield from chunks
        return
    if packing not in PACKINGS:
        raise _BadPackingError(packing)
    unpack, first = zlib.decompressobj(EITHER_HEAD), True
    for chunk in chunks:
        rest = chunk
        while rest:
            try:
                piece = unpack.decompress(rest, PIECE_BYTES)
            except zlib.error as error:
                if not first:
                    raise _BadPackingError(str(error)) from error
                unpack, first = zlib.decompressobj(NO_HEAD), False  # deflate without its head, as some servers send it
                continue
            rest, first = unpack.unconsumed_tail, False
            if piece:
                yield piece


def got_problem(error: Exception, host: str, *, cut: bool) -> Problem:
    """The Problem that an exception of the library is."""
    trust = next((cause for cause in causes_of(error) if isinstance(cause, ssl.SSLError)), None)
    if cut:
        return world_problem("time-out", f"{host} took too long: try again, or go on without it.")
    if trust is not None:
        why = getattr(trust, "verify_message", "") or trust.reason or "TLS"
        return world_problem("tls", f"The connection to {host} is not safe ({why}): go on without it, or tell the user.")
    match error:
        case httpcore2.TimeoutException():
            return world_problem("time-out", f"{host} did not answer in time: try again, or go on without it.")
        case httpcore2.ProxyError():
            return world_problem("proxy", f"The proxy refused the connection to {host}: tell the user to check the proxy settings.")
        case httpcore2.ConnectError():
            return world_problem("no-server", f"No server answers at {host}: check the address, or the network.")
        case _BadPackingError():
            return world_problem("bad-page", f"What {host} sent is compressed in a way that can't be read: fetch another page.")
        case _:
            return world_problem("cut-stream", f"{host} broke off before its answer was over, or sent what is no HTTP: try again.")

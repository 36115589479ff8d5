"""The gate: the one way by which a browser reaches the network.

A browser looks names up itself, follows redirects where nobody sees them, and opens sockets of its own: what was judged before it acts
says little of what it does. So it is told to reach everything, its own machine too, through a SOCKS5 proxy (RFC 1928), which is this: it
is handed names, looks each up once, judges the addresses as ``fetch`` does, and connects to one of just these. It knows no UDP.
"""

from __future__ import annotations

import contextlib
import select
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping
from threading import Lock, Thread
from typing import final
from urllib.parse import unquote, urlsplit

from turnfold.core.problem import Problem, world_problem
from turnfold.shell.addresses import Resolve
from turnfold.shell.ways import Way, find_way

CONNECT_S = 10.0
PIECE_BYTES = 65_536
HTTP_PORT = 80
HELLO = b"\x05\x00"  # version 5, no authentication
BOUND = b"\x00\x01\x00\x00\x00\x00\x00\x00"
DONE, NOT_ALLOWED, UNREACHABLE, UNKNOWN_COMMAND = b"\x05\x00", b"\x05\x02", b"\x05\x04", b"\x05\x07"
MOST_REFUSED = 20


@final
class Gate:
    """A SOCKS5 proxy on a loopback port, until it is closed. ``private_hosts`` may be set between two acts of the browser."""

    __slots__ = ("_closed", "_listening", "_lock", "_open", "_refused", "_resolve", "_variables", "port", "private_hosts")

    def __init__(self, resolve: Resolve, variables: Mapping[str, str]) -> None:
        self._resolve = resolve
        self._variables = variables
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._refused: dict[str, Problem] = {}
        self._closed = False
        self.private_hosts: tuple[str, ...] = ()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        Thread(target=self._serve, name="turnfold-gate", daemon=True).start()

    def drain_refused(self) -> Mapping[str, Problem]:
        """Which hosts were refused since the last time, and why."""
        with self._lock:
            told, self._refused = self._refused, {}
        return told

    def close(self) -> None:
        """Close the gate and all connections through it."""
        with self._lock:
            self._closed = True
            open_now = (self._listening, *self._open)
        for each in open_now:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the gate is closed
            while True:
                client, _ = self._listening.accept()
                Thread(target=self._passed, args=(client,), name="turnfold-gate", daemon=True).start()

    def _passed(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), self._held(client):
            client.settimeout(CONNECT_S)
            asked = _asked(client)
            if asked is None:
                client.sendall(UNKNOWN_COMMAND + BOUND)
                return
            there = self._reached(*asked)
            if isinstance(there, Problem):
                client.sendall((NOT_ALLOWED if there.code in {"private-address", "bad-host"} else UNREACHABLE) + BOUND)
                return
            with self._held(there):
                client.sendall(DONE + BOUND)
                _relay(client, there)

    @contextlib.contextmanager
    def _held(self, line: socket.socket) -> Iterator[None]:
        """Have ``line`` closed at the end, and shut down when the gate is closed."""
        with self._lock:
            late = self._closed
            self._open.add(line)
        try:
            with line:
                if late:
                    line.shutdown(socket.SHUT_RDWR)
                yield
        finally:
            with self._lock:
                self._open.discard(line)

    def _reached(self, host: str, port: int) -> socket.socket | Problem:
        """A connection to ``host``, or why there is none."""
        scheme = "http" if port == HTTP_PORT else "https"
        way = find_way(scheme, host, port, self.private_hosts, self._resolve, self._variables)
        if isinstance(way, Way):
            with contextlib.suppress(OSError, ValueError):
                return _through(way.proxy, host, port) if way.proxy else _connected(way.addresses, port)
            way = world_problem("no-server", f"No server answers at {host}: check the address, or the network.")
        with self._lock:
            if len(self._refused) < MOST_REFUSED:
                self._refused[host] = way
        return way


def _asked(client: socket.socket) -> tuple[str, int] | None:
    """The host and port that a client asks to be connected to; None where it asks for something else. ``OSError`` where it speaks no SOCKS5."""
    methods = _exactly(client, _exactly(client, 2)[1])
    if b"\x00" not in methods:
        raise ConnectionError("no method that is known")
    client.sendall(HELLO)
    _, command, _, kind = _exactly(client, 4)
    match kind:
        case 1:
            host = socket.inet_ntop(socket.AF_INET, _exactly(client, 4))
        case 3:
            host = _exactly(client, _exactly(client, 1)[0]).decode("ascii", "replace")
        case 4:
            host = socket.inet_ntop(socket.AF_INET6, _exactly(client, 16))
        case _:
            raise ConnectionError("no kind of address that is known")
    port = int.from_bytes(_exactly(client, 2), "big")
    return (host.lower(), port) if command == 1 else None


def _exactly(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = line.recv(count - len(data))
        if not piece:
            raise ConnectionError("the end came early")
        data += piece
    return data


def _connected(addresses: tuple[str, ...], port: int) -> socket.socket:
    """A connection to the first of ``addresses`` that answers."""
    wrong = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), CONNECT_S)
        except OSError as error:
            wrong = error
    raise wrong


def _through(proxy: str, host: str, port: int) -> socket.socket:
    """A connection to ``host`` through an HTTP proxy, by CONNECT."""
    parts = urlsplit(proxy)
    if parts.scheme != "http":
        raise ValueError(f"{parts.scheme} is no proxy that the browser can be led through")
    line = socket.create_connection((parts.hostname or "", parts.port or HTTP_PORT), CONNECT_S)
    try:
        name = f"[{host}]" if ":" in host else host
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
        credentials = f"Proxy-Authorization: Basic {b64encode(user.encode()).decode()}\r\n" if user else ""
        line.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n{credentials}\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _exactly(line, 1)
            if len(head) > PIECE_BYTES:
                raise ConnectionError("a head without end")
        if head.split(b" ", 2)[1][:1] != b"2":
            raise ConnectionError("the proxy refused")
    except (OSError, IndexError) as error:
        line.close()
        raise ConnectionError(str(error)) from error
    return line


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Move bytes both ways until both ends are over, or one breaks."""
    for line in (one, other):
        line.settimeout(None)
    poll, across = select.poll(), {one.fileno(): (one, other), other.fileno(): (other, one)}
    for number in across:
        poll.register(number, select.POLLIN)
    while across:
        for number, _ in poll.poll():
            source, sink = across[number]
            if data := source.recv(PIECE_BYTES):
                sink.sendall(data)
                continue
            poll.unregister(number)
            del across[number]
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

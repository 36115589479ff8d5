"""A scripted model server on loopback: real HTTP, replies from a script, no model.

>>> from turnfold.testing.wire import chat_stream
>>> with ScriptedServer((ScriptedReply(chunks=(chat_stream("Hi"),)),)) as server:
...     server.base_url.startswith("http://127.0.0.1:")
True
"""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self, final

from attrs import field, frozen
from typing_extensions import override

SSE: tuple[tuple[str, str], ...] = (("Content-Type", "text/event-stream"),)


@final
@frozen(kw_only=True)
class ScriptedReply:
    """One reply, sent chunk by chunk.

    ``gate``: the chunks from number ``gate_at`` on (and the end) wait until it is set; with ``gate_at=-1`` the status line
    does, too. ``cut``: after the last chunk the connection is closed without the reply's end.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = SSE
    chunks: tuple[bytes, ...] = ()
    gate: Event | None = field(default=None, eq=False)
    gate_at: int = 0
    cut: bool = False


@final
@frozen(kw_only=True)
class SeenRequest:
    """A request as it came; header names are lower case."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)


@final
class ScriptedServer:
    """Answers the n-th request with the n-th reply, and with status 500 when the script is over. A context manager.

    It listens on 127.0.0.1, on a port of the system's choice; leaving it closes every connection and joins every thread.
    """

    __slots__ = ("_lock", "_replies", "_seen", "_server", "_sockets", "_thread", "closing")

    def __init__(self, replies: tuple[ScriptedReply, ...]) -> None:
        self._replies = replies
        self._seen: list[SeenRequest] = []
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self.closing = Event()
        self._server = _HttpServer(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), name="scripted-server")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    @property
    def base_url(self) -> str:
        """What a provider's ``base_url`` is set to."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """The requests so far, in the order they came."""
        with self._lock:
            return tuple(self._seen)

    @property
    def connections(self) -> int:
        """How many connections there were so far."""
        with self._lock:
            return len(self._sockets)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            sockets = tuple(self._sockets)
        for each in sockets:
            _shut(each)
        self._server.server_close()  # joins the threads of the connections

    def connected(self, line: socket.socket) -> None:
        """Remember a connection, to close it at the end."""
        with self._lock:
            self._sockets.append(line)
        if self.closing.is_set():
            _shut(line)

    def reply_to(self, request: SeenRequest) -> ScriptedReply:
        """Record ``request``; the reply that the script has for it."""
        with self._lock:
            self._seen.append(request)
            number = len(self._seen) - 1
        return self._replies[number] if number < len(self._replies) else ScriptedReply(status=500, chunks=(b"the script is over",))


def _shut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


@final
class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 128  # many conversations may begin at once
    daemon_threads = False  # so that server_close joins them
    block_on_close = True

    def __init__(self, owner: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


@final
class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _owner(self) -> ScriptedServer:
        assert isinstance(self.server, _HttpServer)
        return self.server.owner

    @override
    def setup(self) -> None:
        super().setup()
        self._owner.connected(self.connection)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        self._answered(b"")

    def do_POST(self) -> None:
        self._answered(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answered(self, body: bytes) -> None:
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        reply = self._owner.reply_to(SeenRequest(method=self.command, path=self.path, headers=headers, body=body))
        self.close_connection = reply.cut
        if not self._passed(reply, -1):
            return
        self.send_response(reply.status)
        for name, value in (*reply.headers, ("Transfer-Encoding", "chunked")):
            self.send_header(name, value)
        self.end_headers()
        for number, chunk in enumerate(reply.chunks):
            if not self._passed(reply, number):
                return
            if chunk:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if self._passed(reply, len(reply.chunks)) and not reply.cut:
            self.wfile.write(b"0\r\n\r\n")

    def _passed(self, reply: ScriptedReply, number: int) -> bool:
        """Wait at the gate, where it stands before chunk ``number``; False when the server closes."""
        closing = self._owner.closing
        while reply.gate is not None and number >= reply.gate_at and not reply.gate.wait(0.01):
            if closing.is_set():
                self.close_connection = True
                return False
        return True

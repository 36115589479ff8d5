"""Both HTTP ports against a server that speaks HTTP/2: replies as they are sent, cancels, many calls on one connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self, final

import pytest

from turnfold.core.problem import Problem
from turnfold.shell.async_line import HttpAsyncLine
from turnfold.shell.http_line import HttpLine
from turnfold.shell.line import Post, Replied
from turnfold.shell.scope import Scope

h2_config = pytest.importorskip("h2.config", reason="HTTP/2 is an extra (pip install 'turnfold[http2]')")
h2_connection = pytest.importorskip("h2.connection")
h2_events = pytest.importorskip("h2.events")

CERTIFICATE = Path(__file__).with_name("pinned.pem")
PIECES = (b"data: 1\n\n", b"data: 2\n\n")


@final
class Http2Server:
    """Answers every request under TLS with two pieces; where the path ends in ``hold``, with one, and then waits. A context manager."""

    def __init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        context.set_alpn_protocols(["h2"])
        self._listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True, do_handshake_on_connect=False)
        self._threads: list[Thread] = []
        self._lines: list[ssl.SSLSocket] = []
        self.holding = Event()
        self.requests = 0

    @property
    def connections(self) -> int:
        """How many connections there were so far."""
        return len(self._lines)

    def url(self, path: str) -> str:
        """Where ``path`` is."""
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}/{path}"

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with socket.socket() as waker:  # closing a listener does not wake who accepts
            self._closing = True
            waker.connect(self._listener.getsockname())
        for line in self._lines:
            try:
                socket.socket.shutdown(line, socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already
        for thread in self._threads:
            thread.join()
        self._listener.close()

    _closing = False

    def _begin(self, work: object, *arguments: object) -> None:
        thread = Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            line, _ = self._listener.accept()
            if self._closing:
                line.close()
                return
            self._lines.append(line)
            self._begin(self._serve, line)

    def _serve(self, line: ssl.SSLSocket) -> None:
        with line:
            try:
                line.do_handshake()
                self._talk(line, h2_connection.H2Connection(config=h2_config.H2Configuration(client_side=False)))
            except OSError:
                return  # the client went away

    def _talk(self, line: ssl.SSLSocket, talk: object) -> None:
        assert isinstance(talk, h2_connection.H2Connection)
        talk.initiate_connection()
        line.sendall(talk.data_to_send())
        while data := line.recv(65_536):
            for event in talk.receive_data(data):
                if isinstance(event, h2_events.RequestReceived):
                    self._reply(talk, event)
            line.sendall(talk.data_to_send())

    def _reply(self, talk: object, request: object) -> None:
        assert isinstance(talk, h2_connection.H2Connection)
        assert isinstance(request, h2_events.RequestReceived)
        self.requests += 1
        number, path = request.stream_id, dict(request.headers)[b":path"]
        talk.send_headers(number, [(":status", "200"), ("content-type", "text/event-stream")])
        talk.send_data(number, PIECES[0])
        if path.endswith(b"hold"):
            self.holding.set()
        else:
            talk.send_data(number, PIECES[1], end_stream=True)


@pytest.fixture
def server() -> Iterator[Http2Server]:
    with Http2Server() as made:
        yield made


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    context.check_hostname = False
    return context


def post(url: str) -> Post:
    return Post(name="acme", url=url, headers=(), body=b"{}", timeout_s=20.0, connect_s=20.0, limit_bytes=1000)


def test_a_reply_comes_over_http_2_and_the_connection_is_kept(server: Http2Server) -> None:
    line, chunks = HttpLine(trusting()), list[bytes]()
    outcomes = [line.post(post(server.url("v1")), Scope(chunks.append), chunks.append) for _ in range(3)]
    line.close()
    assert [each.status for each in outcomes if isinstance(each, Replied)] == [200] * 3
    assert b"".join(chunks) == b"".join(PIECES) * 3
    assert (server.connections, server.requests) == (1, 3)


def test_a_cancel_cuts_a_reply_that_waits(server: Http2Server) -> None:
    line, chunks, outcome = HttpLine(trusting()), list[bytes](), list[Replied | Problem]()
    scope = Scope(chunks.append)
    came = Event()

    def received(chunk: bytes) -> None:
        chunks.append(chunk)
        came.set()

    thread = Thread(target=lambda: outcome.append(line.post(post(server.url("hold")), scope, received)))
    thread.start()
    assert came.wait(20)
    scope.cancel()
    thread.join(20)
    assert not thread.is_alive()
    line.close()
    (problem,) = outcome
    assert isinstance(problem, Problem)
    assert (problem.code, chunks) == ("cancelled", [PIECES[0]])


def test_calls_of_a_loop_share_a_connection_and_one_that_is_cancelled_leaves_the_others(server: Http2Server) -> None:
    async def called(line: HttpAsyncLine, path: str) -> bytes:
        chunks: list[bytes] = []
        outcome = await line.post(post(server.url(path)), chunks.append)
        assert isinstance(outcome, Replied)
        return b"".join(chunks)

    async def all_of_them() -> list[bytes]:
        line = HttpAsyncLine(trusting())
        first = await called(line, "v1")
        held = asyncio.create_task(called(line, "hold"))
        assert await asyncio.to_thread(server.holding.wait, 20)
        replies = await asyncio.gather(*(called(line, "v1") for _ in range(20)))
        held.cancel()
        await asyncio.wait([held])
        last = await called(line, "v1")
        await line.close()
        return [first, *replies, last]

    assert asyncio.run(all_of_them()) == [b"".join(PIECES)] * 22
    assert server.connections <= 2  # the library gives one up that a cancel left in the midst of a frame

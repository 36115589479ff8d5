"""A web server of raw bytes: what it sends is up to the test, right or wrong HTTP."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

Page: TypeAlias = bytes | Callable[[socket.socket], None]
PATIENCE_S = 20.0


def page(body: bytes | str, content_type: str = "text/html", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A whole answer."""
    data = body.encode() if isinstance(body, str) else body
    lines = (f"HTTP/1.1 {status}", *((f"Content-Type: {content_type}",) if content_type else ()), *headers)
    return "\r\n".join((*lines, f"Content-Length: {len(data) if length is None else length}", "Connection: close", "", "")).encode() + data


def moved(location: str, status: str = "302 Found") -> bytes:
    return page("", "", status, f"Location: {location}")


class Pages:
    """Serves ``routes`` (path → answer) on a loopback address; ``heads`` tells what was asked, whole."""

    def __init__(self, routes: Mapping[str, Page], tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.routes = dict(routes)
        self.heads: list[str] = []
        self.gone = threading.Event()  # set when a client has left a page that is a function
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, plain: socket.socket) -> None:
        plain.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError), plain if self._tls is None else self._tls.wrap_socket(plain, server_side=True) as client:
            head = b""
            while b"\r\n\r\n" not in head and (data := client.recv(65536)):
                head += data
            if not head:
                return
            self.heads.append(head.decode("latin-1"))
            sent = self.routes.get(self.heads[-1].split(" ")[1], page("gone", "text/plain", "404 Not Found"))
            if isinstance(sent, bytes):
                client.sendall(sent)
                return
            try:
                sent(client)
            finally:
                self.gone.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextlib.contextmanager
def served(routes: Mapping[str, Page], tls: ssl.SSLContext | None = None) -> Iterator[Pages]:
    pages = Pages(routes, tls)
    thread = threading.Thread(target=pages.serve, daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        pages.close()
        thread.join(PATIENCE_S)

"""What cuts the connection of an HTTP client from another thread.

A thread that waits for a silent server wakes only when the socket under it is shut down, and the library tells which socket a request
uses only when it connects: ``traced`` is what it tells it to.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from threading import Lock
from typing import final


@final
class Cutter:
    """The connection of one client, used by one thread at a time, and cut from any."""

    __slots__ = ("_lock", "_socket", "_was_cut")

    def __init__(self) -> None:
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._was_cut = False

    @property
    def was_cut(self) -> bool:
        """Whether it was cut; then every later connection is, too."""
        return self._was_cut

    def traced(self, name: str, info: Mapping[str, object]) -> None:
        """Take from the library's trace the socket that a request uses."""
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self.took(info["return_value"])

    def took(self, stream: object) -> None:
        """Remember the socket of the library's ``stream``."""
        tell = getattr(stream, "get_extra_info", None)
        found = tell("socket") if callable(tell) else None
        with self._lock:
            self._socket = found if isinstance(found, socket.socket) else None
            was_cut = self._was_cut
        if was_cut:
            self.cut()

    def cut(self) -> None:
        """Shut the connection down, and every later one; a thread that waits there wakes."""
        with self._lock:
            self._was_cut = True
            line = self._socket
        if line is not None:
            try:
                socket.socket.shutdown(line, socket.SHUT_RDWR)  # under TLS, too: SSLSocket.shutdown forgets its state first
            except OSError:
                return  # it is closed already

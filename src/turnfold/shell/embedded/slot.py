"""The engine's one slot: the state after what it has read, saved to and restored from a file.

llama.cpp offers that over its own HTTP port only. The port is on loopback and guarded by a key that is made here and
told to nobody; it is closed before the first request is answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol, final

from attrs import frozen

SLOT_S = 30.0


class Engine(Protocol):
    """What is used of ``xllamacpp.Server``: it calls back for each chunk, and stops when told True."""

    @property
    def listening_address(self) -> str: ...

    def handle_chat_completions(self, body: bytes, callback: Callable[[bytes], bool]) -> object: ...


@final
@frozen
class Loaded:
    """A running engine, and the key to its port."""

    engine: Engine
    key: str


def begun(loaded: Loaded, order: bytes) -> bytes:
    """Bring the slot to the state after the messages of ``order``; what was done: ``restored``, or the number of bytes saved.

    ``order`` is empty, or JSON: ``messages``, and ``restore`` or ``save``, each the name of a file.
    """
    if not order:
        return b""
    told = json.loads(order)
    if told.get("restore") and acted(loaded, "restore", told["restore"], "n_read"):
        return b"restored"
    read_only = json.dumps({"messages": told["messages"], "max_tokens": 0, "stream": True, "cache_prompt": True})
    try:
        loaded.engine.handle_chat_completions(read_only.encode(), lambda chunk: False)
    except (RuntimeError, ValueError):
        return b"0"
    return str(acted(loaded, "save", told["save"], "n_written") if told.get("save") else 0).encode()


def acted(loaded: Loaded, action: str, name: str, counted: str) -> int:
    """The bytes that the engine read or wrote; 0 where it did not."""
    from http.client import HTTPConnection, HTTPException  # here: the parent imports this module, too, and speaks no HTTP

    connection = HTTPConnection(loaded.engine.listening_address.partition("://")[2], timeout=SLOT_S)
    headers = {"Authorization": f"Bearer {loaded.key}", "Content-Type": "application/json"}
    try:
        connection.request("POST", f"/slots/0?action={action}", json.dumps({"filename": name}), headers)
        answer = json.loads(connection.getresponse().read())
        return int(answer.get(counted, 0))
    except (OSError, HTTPException, ValueError, TypeError, AttributeError):
        return 0
    finally:
        connection.close()

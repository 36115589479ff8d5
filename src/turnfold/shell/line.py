"""What the HTTP port sends over, as values and a protocol, so that the HTTP library is not needed to speak of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, final

from attrs import field, frozen

from turnfold.core.problem import Problem
from turnfold.shell.scope import Scope


@final
@frozen(kw_only=True)
class Post:
    """A request: ``limit_bytes`` bounds the reply, ``timeout_s`` each silence in it, ``connect_s`` the wait for a connection.

    ``name`` is whom it is sent to.
    """

    name: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)  # the key is one of them
    body: bytes = field(repr=False)
    timeout_s: float
    connect_s: float
    limit_bytes: int


@final
@frozen
class Replied:
    """The end of a reply: its status; ``body`` and ``headers`` hold the first bytes of one that is no success, and what it says besides."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Line(Protocol):
    """One connection at a time, used by one thread at a time."""

    def post(self, post: Post, scope: Scope, received: Callable[[bytes], None]) -> Replied | Problem: ...
    def cut(self) -> None: ...
    def close(self) -> None: ...

"""One client for each event loop, since connections can be used and closed on their own loop alone.

A client is made with the first call on its loop, and closed when the port is, or when the loop shuts down, whichever comes first. For
the second an asynchronous generator holds it, which a loop closes at its end (``shutdown_asyncgens``; ``asyncio.run`` does that):
so nothing is left of a loop, and nobody has to be told of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from threading import Lock
from typing import final

from typing_extensions import override

from turnfold.shell.async_models import AsyncLine, AsyncLines


@final
class LoopLines(AsyncLines):
    """The clients of all loops that have one, made by ``make``."""

    __slots__ = ("_kept", "_lock", "_make")

    def __init__(self, make: Callable[[], AsyncLine]) -> None:
        self._make = make
        self._lock = Lock()
        self._kept: dict[asyncio.AbstractEventLoop, _Kept] = {}

    @override
    async def line(self) -> AsyncLine:
        """The client of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            kept = self._kept.get(loop)
        if kept is not None:
            return kept.line
        line = self._make()  # nobody else does that on this loop: there is no await before it is kept
        kept = _Kept(line, self._life(loop, line))
        with self._lock:
            self._kept = {each: its for each, its in self._kept.items() if not each.is_closed()}
            self._kept[loop] = kept
        await anext(kept.life, None)  # from now on the loop knows it
        return line

    @override
    def close(self) -> None:
        """Close all connections: at once where their loop rests, else as soon as it comes to that."""
        with self._lock:
            every, self._kept = self._kept, {}
        for loop, kept in every.items():
            if loop.is_running():
                loop.call_soon_threadsafe(kept.close, loop)
            elif not loop.is_closed() and asyncio._get_running_loop() is None:  # noqa: SLF001 - the public one raises
                loop.run_until_complete(kept.life.aclose())

    async def _life(self, loop: asyncio.AbstractEventLoop, line: AsyncLine) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            with self._lock:
                self._kept.pop(loop, None)
            await line.close()


@final
class _Kept:
    """A client, and what closes it when it ends."""

    __slots__ = ("_task", "life", "line")

    def __init__(self, line: AsyncLine, life: AsyncGenerator[None, None]) -> None:
        self.line = line
        self.life = life
        self._task: asyncio.Task[None] | None = None

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to close it, on its own loop."""
        self._task = loop.create_task(self._close())

    async def _close(self) -> None:
        await self.life.aclose()

"""Example endpoints that stream, as docs/streams.md has them: a run for each request, and one that outlives its readers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import final

import uvicorn
from fastapi import FastAPI, Header
from fastapi.responses import StreamingResponse as FastAPIStream
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.streaming.support import PATIENCE_S
from turnfold import ChatConfig, ToolSpec, World
from turnfold.core.codec.stream import item_event
from turnfold.core.stream.position import parse_position_untrusted
from turnfold.shell.streaming.stream import Stream
from turnfold.shell.streaming.streamed import Leaving, run_streamed

EVENTS = "text/event-stream"


@final
class Service:
    """What the endpoints serve: a world, and the runs that go on."""

    def __init__(self, world: World, cfg: ChatConfig, tools: tuple[ToolSpec, ...] = ()) -> None:
        self.world, self.cfg, self.tools = world, cfg, tools
        self.streams: dict[str, Stream] = {}

    def chat(self, said: str) -> Stream:
        return run_streamed(said, self.tools, self.cfg, self.world)

    def begin(self, said: str) -> Stream:
        self.streams["c"] = run_streamed(said, self.tools, self.cfg, self.world, leaving=Leaving.NEVER)
        return self.streams["c"].join()

    def rejoin(self, last: str) -> Stream:
        return self.streams["c"].join(parse_position_untrusted(last))


def starlette_app(service: Service) -> Starlette:
    async def chat(request: Request) -> StreamingResponse:
        return StreamingResponse(service.chat(request.query_params["said"]).through(item_event), media_type=EVENTS)

    async def begin(request: Request) -> StreamingResponse:
        return StreamingResponse(service.begin(request.query_params["said"]).through(item_event), media_type=EVENTS)

    async def rejoin(request: Request) -> StreamingResponse:
        return StreamingResponse(service.rejoin(request.headers.get("last-event-id", "")).through(item_event), media_type=EVENTS)

    return Starlette(routes=[Route("/chat", chat), Route("/begin", begin), Route("/rejoin", rejoin)])


def fastapi_app(service: Service) -> FastAPI:
    app = FastAPI()

    @app.get("/chat")
    async def chat(said: str) -> FastAPIStream:
        return FastAPIStream(service.chat(said).through(item_event), media_type=EVENTS)

    @app.get("/begin")
    async def begin(said: str) -> FastAPIStream:
        return FastAPIStream(service.begin(said).through(item_event), media_type=EVENTS)

    @app.get("/rejoin")
    async def rejoin(last_event_id: str = Header("")) -> FastAPIStream:
        return FastAPIStream(service.rejoin(last_event_id).through(item_event), media_type=EVENTS)

    return app


@contextlib.contextmanager
def served(app: Starlette | FastAPI) -> Iterator[int]:
    """``app`` on a port of this machine, until the block ends."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="uvicorn")
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


@final
class Client:
    """A client that reads events one by one, and may hang up at any byte."""

    def __init__(self, port: int, path: str, last: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        back = f"Last-Event-ID: {last}\r\n" if last else ""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{back}Connection: close\r\n\r\n".encode())
        self.seen = b""

    def read(self, count: int) -> None:
        """Read so many bytes of the answer."""
        while len(self.seen) < count:
            more = self._socket.recv(count - len(self.seen))
            assert more, f"the answer is shorter: {self.seen!r}"
            self.seen += more

    def until(self, mark: bytes) -> None:
        """Read until the answer holds ``mark``."""
        while mark not in self.seen:
            more = self._socket.recv(4096)
            assert more, f"{mark!r} never came: {self.seen!r}"
            self.seen += more

    def rest(self) -> str:
        """All of the answer."""
        while more := self._socket.recv(4096):
            self.seen += more
        self.hang_up()
        return self.seen.decode()

    def hang_up(self) -> None:
        self._socket.close()

"""MCP servers at an address, by streamable HTTP: a real one, and listeners that are none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.mcp.support import called, config, connected, http_server, text_of
from tests.shell.support import nothing_left
from turnfold.core.config.tables import McpServer
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.world.answers import Returned
from turnfold.shell.mcp.offers import RESOURCES
from turnfold.shell.scope import Scope

SERVER = McpServer(name="test", timeout_s=20.0)


@pytest.mark.parametrize("arguments", [(), ("stateless",)])
def test_a_server_at_an_address_is_a_row_of_tools(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    headers = JsonObject((("x-plain", "hi"), ("authorization", JsonObject.of(secret="TOKEN"))))
    with http_server(tmp_path, *arguments) as url, nothing_left(), connected({"TOKEN": "Bearer s3cret"}) as servers:
        cfg = config(tmp_path, evolve(SERVER, url=url, headers=headers))
        offered = servers.offered(cfg, Scope())
        assert offered.problems == ()
        assert offered.tools[0].name == "test__add"
        assert called(servers, cfg, "add", a=1, b=2) == Returned(text="3")
        assert called(servers, cfg, "header", name="x-plain") == Returned(text="hi")
        assert called(servers, cfg, "header", name="authorization") == Returned(text="[secret TOKEN]")
        assert called(servers, cfg, RESOURCES, uri="note://one") == Returned(text="the note")
        late = called(servers, cfg, "wait", timeout_s=0.3, path="")
        assert isinstance(late, Problem)
        assert late.code == "mcp-late"
        flooded = called(servers, cfg, "fill", bytes=100_000_000)
        assert isinstance(flooded, Problem)
        assert called(servers, cfg, "add", a=1, b=2) == Returned(text="3")


def test_a_server_that_is_gone_is_a_problem_and_the_next_call_finds_the_new_one(tmp_path: Path) -> None:
    with nothing_left(), connected() as servers:
        with http_server(tmp_path) as url:
            cfg = config(tmp_path, evolve(SERVER, url=url, timeout_s=5.0))
            assert called(servers, cfg, "add", a=1, b=2) == Returned(text="3")
        assert isinstance(called(servers, cfg, "add", a=1, b=2, timeout_s=5.0), Problem)
        with http_server(tmp_path) as other:
            moved = config(tmp_path, evolve(SERVER, url=other))
            assert called(servers, moved, "add", a=1, b=2) == Returned(text="3")


@contextmanager
def listener(answer: bytes) -> Iterator[str]:
    """An address where each connection is answered with ``answer``, without end where that is empty."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        open_: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                open_.append(connection)
                if answer:
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in open_:
                connection.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\nrubbish",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi",
    ],
)
def test_an_address_without_a_server_is_one_problem(tmp_path: Path, answer: bytes) -> None:
    with nothing_left(), listener(answer) as url, connected() as servers:
        offered = servers.offered(config(tmp_path, evolve(SERVER, url=url, timeout_s=2.0)), Scope())
        assert offered.tools == ()
        (problem,) = offered.problems
        assert problem.message.startswith("The MCP server test could not be reached: ")


def test_an_address_where_nobody_listens_is_one_problem(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/mcp"
    with nothing_left(), connected() as servers:
        (problem,) = servers.offered(config(tmp_path, evolve(SERVER, url=url, timeout_s=5.0)), Scope()).problems
        assert "could not be reached" in problem.message


@pytest.mark.parametrize("headers", [JsonObject.of(a="x\ny"), JsonObject((("a b", "x"),)), JsonObject.of(a=JsonObject.of(secret="NONE"))])
def test_headers_that_can_not_be_sent_are_one_problem(tmp_path: Path, headers: JsonObject) -> None:
    with connected() as servers:
        (problem,) = servers.offered(config(tmp_path, evolve(SERVER, url="http://127.0.0.1:1/mcp", headers=headers)), Scope()).problems
        assert "header" in problem.message
        assert "s3cret" not in text_of(problem)

"""The gate without a browser: what any client can ask of it, and where it leads."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.shell.pages import page, served
from turnfold.shell.addresses import Resolve
from turnfold.shell.browser_gate import Gate

PATIENCE_S = 20.0
NOWHERE: Resolve = lambda host, port: ()  # noqa: E731


@contextlib.contextmanager
def gate(*private_hosts: str, resolve: Resolve = NOWHERE, variables: tuple[tuple[str, str], ...] = ()) -> Iterator[Gate]:
    opened = Gate(resolve, dict(variables))
    opened.private_hosts = private_hosts
    try:
        yield opened
    finally:
        opened.close()


def asked(opened: Gate, host: str, port: int, kind: int = 3, command: int = 1) -> tuple[int, socket.socket]:
    """What the gate answers, and the line to it."""
    line = socket.create_connection(("127.0.0.1", opened.port), PATIENCE_S)
    line.sendall(b"\x05\x01\x00")
    assert line.recv(2) == b"\x05\x00"
    match kind:
        case 1:
            address = socket.inet_pton(socket.AF_INET, host)
        case 4:
            address = socket.inet_pton(socket.AF_INET6, host)
        case _:
            address = bytes((len(host),)) + host.encode()
    line.sendall(bytes((5, command, 0, kind)) + address + port.to_bytes(2, "big"))
    answer = b""
    while len(answer) < 10 and (piece := line.recv(10 - len(answer))):
        answer += piece
    return (answer[1] if len(answer) == 10 else -1), line


def fetched(line: socket.socket, path: str = "/a") -> bytes:
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    data = b""
    while piece := line.recv(65536):
        data += piece
    return data


@pytest.mark.parametrize(
    ("host", "kind"),
    [("127.0.0.1", 3), ("127.0.0.1", 1), ("::1", 4), ("localhost", 3), ("169.254.169.254", 1), ("::ffff:10.0.0.1", 4), ("2130706433", 3)],
)
def test_it_leads_into_no_private_network(host: str, kind: int) -> None:
    with served({"/a": page("inside")}) as pages, gate(resolve=lambda host, port: ("127.0.0.1",)) as opened:
        answer, line = asked(opened, host, pages.port, kind)
        with line:
            assert answer == 2
        assert list(opened.drain_refused()) == [host]
        assert not opened.drain_refused()
        assert not pages.heads


def test_it_leads_where_the_settings_allow() -> None:
    with served({"/a": page("inside")}) as pages, gate("127.0.0.1") as opened:
        answer, line = asked(opened, "127.0.0.1", pages.port)
        with line:
            assert answer == 0
            assert fetched(line).endswith(b"inside")
        assert not opened.drain_refused()


def test_a_name_is_looked_up_once_for_each_connection_and_judged_each_time() -> None:
    """DNS rebinding: the name that led to an allowed address leads to another one."""
    answers = iter((("127.0.0.1",), ("169.254.169.254",)))
    names: list[str] = []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        names.append(host)
        return next(answers)

    with served({"/a": page("once")}) as pages, gate("once.example", resolve=resolve) as opened:
        answer, line = asked(opened, "once.example", pages.port)
        with line:
            assert answer == 0
        opened.private_hosts = ()
        answer, line = asked(opened, "once.example", pages.port)
        with line:
            assert answer == 2
        assert names == ["once.example", "once.example"]


def test_what_is_not_there_is_told() -> None:
    with served({}) as pages:
        port = pages.port
    with gate("127.0.0.1") as opened:
        for host, number in (("127.0.0.1", port), ("nothing.example", 80)):
            answer, line = asked(opened, host, number)
            with line:
                assert answer == 4


@pytest.mark.parametrize("command", [2, 3])
def test_it_listens_for_nobody_and_knows_no_udp(command: int) -> None:
    with gate("*") as opened:
        answer, line = asked(opened, "127.0.0.1", 80, command=command)
        with line:
            assert answer == 7


@pytest.mark.parametrize("rubbish", [b"GET / HTTP/1.1\r\n\r\n", b"\x05\x01\x02", b"\x05\x01\x00\x05\x01\x00\x09", b"", b"\x05"])
def test_rubbish_ends_the_line_and_nothing_else(rubbish: bytes) -> None:
    with served({"/a": page("inside")}) as pages, gate("127.0.0.1") as opened:
        with socket.create_connection(("127.0.0.1", opened.port), PATIENCE_S) as line:
            line.sendall(rubbish)
            line.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while line.recv(100):
                    pass
        answer, line = asked(opened, "127.0.0.1", pages.port)
        with line:
            assert answer == 0


def test_it_goes_through_the_proxy_of_the_machine() -> None:
    def tunnel(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        client.recv(65536)
        client.sendall(page("through"))

    with served({"a.example:443": tunnel, "b.example:443": page("no", "text/plain", "403 No")}) as proxy:
        variables = (("https_proxy", f"http://me:secret@127.0.0.1:{proxy.port}"),)
        with gate(variables=variables) as opened:
            answer, line = asked(opened, "a.example", 443)
            with line:
                assert answer == 0
                assert fetched(line).endswith(b"through")
            for host, said in (("b.example", 4), ("intranet", 2), ("10.0.0.1", 2)):
                answer, line = asked(opened, host, 443)
                with line:
                    assert answer == said
        assert "Proxy-Authorization: Basic bWU6c2VjcmV0" in proxy.heads[0]
        assert len(proxy.heads) == 2


def test_closing_it_ends_every_line() -> None:
    begun = threading.Event()

    def silent(client: socket.socket) -> None:
        begun.set()
        client.recv(1)

    with served({"/a": silent}) as pages, gate("127.0.0.1") as opened:
        answer, line = asked(opened, "127.0.0.1", pages.port)
        with line:
            assert answer == 0
            line.sendall(b"GET /a HTTP/1.1\r\n\r\n")
            assert begun.wait(PATIENCE_S)
            opened.close()
            with contextlib.suppress(ConnectionError):
                assert line.recv(1) == b""
        assert pages.gone.wait(PATIENCE_S)
        with pytest.raises(OSError):  # noqa: PT011 - refused, or reset, as the system likes
            socket.create_connection(("127.0.0.1", opened.port), 1).recv(1)

"""The HTTP port on event loops, against a real server on loopback: what the plain port says, and nothing left of a loop."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable, Iterator
from threading import Event
from typing import final

import pytest
from attrs import frozen

from tests.shell.support import descriptors
from turnfold.core.config.values import Provider, SecretRef
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.async_models import AsyncLines, HttpAsyncModels
from turnfold.shell.models import HttpModels
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import FakeModels
from turnfold.testing.fakes import FakeSecrets
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

SECRET = "sk-0123456789abcdefghij"
SECRETS = FakeSecrets((("ACME_KEY", SECRET),))
HTML = (("Content-Type", "text/html"),)


@final
@frozen
class Outcome:
    answer: StreamEnded | Problem
    text: bytes


def call(base_url: str, **more: object) -> CallModel:
    provider = Provider(name="acme", base_url=base_url, **{"timeout_s": 5.0, **more})  # type: ignore[arg-type]  # of the test's own making
    return CallModel(provider=provider, model="m", upto=0)


def plainly(request: CallModel, body: bytes = b"{}") -> Outcome:
    models, chunks = HttpModels(SECRETS, reply_bytes=10_000), list[bytes]()
    answer = models.stream(request, body, Scope(chunks.append))
    models.close()
    return Outcome(answer, b"".join(chunks))


async def on_a_loop(models: HttpAsyncModels, request: CallModel, body: bytes = b"{}") -> Outcome:
    chunks = list[bytes]()
    return Outcome(await models.stream(request, body, chunks.append), b"".join(chunks))


def ports() -> HttpAsyncModels:
    return HttpAsyncModels(SECRETS, FakeModels(()), reply_bytes=10_000)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    asyncio.run(_warm())
    gc.collect()
    threads, open_before = threading.active_count(), descriptors()
    yield
    gc.collect()
    assert threading.active_count() == threads
    assert descriptors() == open_before


async def _warm() -> None:
    """Import what the library imports with its first request."""
    await on_a_loop(ports(), call("http://127.0.0.1:1/v1"))


async def requested(server: ScriptedServer, count: int) -> None:
    """Until so many requests came."""
    while len(server.requests) < count:  # noqa: ASYNC110 - the server is in a thread, and knows no loop
        await asyncio.sleep(0)


def unused() -> str:
    """An address that nobody listens at."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{line.getsockname()[1]}/v1"


REPLIES: tuple[ScriptedReply, ...] = (
    ScriptedReply(chunks=(chat_stream("Hello, wörld")[:100], chat_stream("Hello, wörld")[100:])),
    ScriptedReply(chunks=(b"data: the key is " + SECRET[:9].encode(), SECRET[9:].encode() + b"\n\n")),
    ScriptedReply(status=401, headers=(), chunks=(b'{"error":{"message":"bad key ' + SECRET.encode() + b'"}}',)),
    ScriptedReply(status=429, headers=(("Retry-After", "2"),), chunks=(b"slow down",)),
    ScriptedReply(status=500, headers=HTML, chunks=(b"<html>" + b"x" * 100_000,)),
    ScriptedReply(status=301, headers=(("Location", "http://elsewhere/"),)),
    ScriptedReply(chunks=(b"data: 1\n\n",), cut=True),
    ScriptedReply(status=500, chunks=(b"half",), cut=True),
    ScriptedReply(chunks=(b"x" * 6_000, b"x" * 6_000)),
    ScriptedReply(),
)


@pytest.mark.parametrize("reply", REPLIES, ids=range(len(REPLIES)))
def test_both_ports_say_the_same_of_one_reply(reply: ScriptedReply) -> None:
    with ScriptedServer((reply, reply)) as server:
        request = call(server.base_url, secret=SecretRef("ACME_KEY"))
        expected = plainly(request, b'{"model":"m"}')
        assert asyncio.run(on_a_loop(ports(), request, b'{"model":"m"}')) == expected
        one, two = server.requests
    assert SECRET not in repr(expected)
    assert (one.method, one.path, one.body) == (two.method, two.path, two.body)
    assert sorted(name for name, _ in one.headers) == sorted(name for name, _ in two.headers)
    assert one.header("authorization") == two.header("authorization") == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: call(unused()),
        lambda: call("http://127.0.0.1:1/v1", secret=SecretRef("NO_SUCH_KEY")),
        lambda: call("http://127.0.0.1:1/v1", headers=JsonObject.of(**{"a b": "c"})),
        lambda: call("http://[::1/v1"),
        lambda: call("http://"),
    ],
    ids=["no server", "no key", "no header", "no address", "no host"],
)
def test_both_ports_say_the_same_of_what_can_not_be_sent(request_of: Callable[[], CallModel]) -> None:
    request = request_of()
    expected = plainly(request)
    assert isinstance(expected.answer, Problem)
    assert asyncio.run(on_a_loop(ports(), request)) == expected


def test_silence_has_the_provider_s_limit() -> None:
    with ScriptedServer((ScriptedReply(gate=Event()),) * 2) as server:
        request = call(server.base_url, timeout_s=0.1)
        outcome = asyncio.run(on_a_loop(ports(), request))
        assert outcome == plainly(request)
    assert isinstance(outcome.answer, Problem)
    assert outcome.answer.code == "time-out"


def test_proxy_settings_that_cannot_be_used_are_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://127.0.0.1:1")
    request = call("http://127.0.0.1:1/v1")
    assert asyncio.run(on_a_loop(ports(), request)) == plainly(request)

    def missing() -> AsyncLines:
        raise ImportError("Using SOCKS proxy, but the 'socksio' package is not installed.")

    outcome = asyncio.run(on_a_loop(HttpAsyncModels(SECRETS, FakeModels(()), maker=missing), request))
    assert isinstance(outcome.answer, Problem)
    assert outcome.answer.code == "proxy"


def test_requests_of_one_loop_share_connections_and_do_not_wait_for_each_other() -> None:
    gate, models = Event(), ports()
    replies = (ScriptedReply(), ScriptedReply(gate=gate), ScriptedReply())

    async def main() -> None:
        await on_a_loop(models, call(server.base_url))
        slow = asyncio.create_task(on_a_loop(models, call(server.base_url)))
        await requested(server, 2)
        assert (await on_a_loop(models, call(server.base_url))).answer == StreamEnded()
        gate.set()
        assert (await slow).answer == StreamEnded()

    with ScriptedServer(replies) as server:
        asyncio.run(main())
        assert server.connections == 2


@pytest.mark.parametrize("gate_at", [-1, 1])
def test_a_cancel_leaves_a_silent_server_at_once(gate_at: int) -> None:
    reply = ScriptedReply(chunks=(b"data: 1\n\n", b"data: 2\n\n"), gate=Event(), gate_at=gate_at)

    async def main() -> None:
        got, models = asyncio.Event(), ports()
        task = asyncio.create_task(models.stream(call(server.base_url, timeout_s=60.0), b"{}", lambda _: got.set()))
        if gate_at > 0:
            await got.wait()
        else:
            await requested(server, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await on_a_loop(models, call(server.base_url))).answer == StreamEnded()

    with ScriptedServer((reply, ScriptedReply())) as server:
        asyncio.run(main())


def test_loops_in_many_threads_use_one_port_and_leave_nothing() -> None:
    models = ports()
    outcomes: list[Outcome] = []

    async def twice() -> None:
        outcomes.append(await on_a_loop(models, call(server.base_url)))
        outcomes.append(await on_a_loop(models, call(server.base_url)))

    with ScriptedServer((ScriptedReply(chunks=(b"data: 1\n\n",)),) * 16) as server:
        threads = [threading.Thread(target=lambda: asyncio.run(twice())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections == 8
    assert outcomes == [Outcome(StreamEnded(), b"data: 1\n\n")] * 16


def test_closing_ends_what_runs_and_sends_nothing_more() -> None:
    async def main() -> None:
        models = ports()
        task = asyncio.create_task(on_a_loop(models, call(server.base_url, timeout_s=60.0)))
        await requested(server, 1)
        models.close()
        for outcome in (await task, await on_a_loop(models, call(server.base_url))):
            assert isinstance(outcome.answer, Problem)
            assert outcome.answer.code == "closed"

    with ScriptedServer((ScriptedReply(gate=Event()),)) as server:
        asyncio.run(main())
        assert len(server.requests) == 1


def test_a_loop_that_rests_has_its_connections_closed_by_the_port() -> None:
    loop, models = asyncio.new_event_loop(), ports()
    with ScriptedServer((ScriptedReply(),)) as server:
        loop.run_until_complete(on_a_loop(models, call(server.base_url)))
        models.close()
    loop.close()


def test_it_serves_the_world_that_it_was_made_for_and_addresses_of_http() -> None:
    beside = FakeModels(())
    models = HttpAsyncModels(SECRETS, beside)
    assert models.serves(call("HTTPS://acme.test/v1"), beside)
    assert not models.serves(call("scripted:"), beside)
    assert not models.serves(call("https://acme.test/v1"), FakeModels(()))

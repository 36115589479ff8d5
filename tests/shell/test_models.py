"""The HTTP port against a real server on loopback."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import final

import httpx2
import pytest
from attrs import frozen

from turnfold.core.config.values import Provider, SecretRef
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.reply import Reply, Stop
from turnfold.core.problem import Problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.http_line import failure_problem
from turnfold.shell.line import Line, Post
from turnfold.shell.models import HttpModels
from turnfold.shell.scope import Scope
from turnfold.testing.server import ScriptedReply, ScriptedServer
from turnfold.testing.wire import chat_stream

SECRET = "sk-0123456789abcdefghij"
HTML = (("Content-Type", "text/html"),)


@final
@frozen
class OneSecret:
    """A port ``Secrets`` that knows the value of every name."""

    known: str | None = SECRET

    def value(self, name: str) -> str | None:
        return self.known

    def names(self) -> tuple[str, ...]:
        return ()


@final
@frozen
class Outcome:
    answer: StreamEnded | Problem
    chunks: tuple[bytes, ...]

    @property
    def problem(self) -> Problem:
        assert isinstance(self.answer, Problem)
        return self.answer

    @property
    def reply(self) -> Reply:
        fold = CHAT.begin()
        for chunk in self.chunks:
            fold = CHAT.decode(fold, chunk).fold
        return CHAT.finish(fold)


@pytest.fixture
def models() -> Iterator[HttpModels]:
    made = HttpModels(OneSecret())
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def call(base_url: str, *, secret: str = "", timeout_s: float = 5.0) -> CallModel:
    provider = Provider(name="acme", base_url=base_url, secret=SecretRef(secret) if secret else None, timeout_s=timeout_s)
    return CallModel(provider=provider, model="m", upto=0)


def streamed(models: HttpModels, request: CallModel, body: bytes = b"{}") -> Outcome:
    chunks: list[bytes] = []
    return Outcome(models.stream(request, body, Scope(chunks.append)), tuple(chunks))


def test_a_reply_comes_as_it_is_sent(models: HttpModels) -> None:
    stream = chat_stream("Hello, wörld")
    with ScriptedServer((ScriptedReply(chunks=(stream[:100], stream[100:])),)) as server:
        outcome = streamed(models, call(server.base_url + "/", secret="ACME_KEY"), b'{"model":"m"}')
        seen = server.requests[0]
    assert outcome.answer == StreamEnded()
    assert outcome.reply == Reply(text="Hello, wörld", stop=Stop.END)
    assert (seen.method, seen.path, seen.body) == ("POST", "/v1/chat/completions", b'{"model":"m"}')
    assert (seen.header("Authorization"), seen.header("Content-Type")) == (f"Bearer {SECRET}", "application/json")


def test_a_chunk_is_passed_on_before_the_next_one_is_sent(models: HttpModels) -> None:
    gate = Event()
    reply = ScriptedReply(chunks=(b"data: 1\n\n", b"data: 2\n\n"), gate=gate, gate_at=1)
    got: list[bytes] = []

    def emitted(chunk: bytes) -> None:
        got.append(chunk)
        gate.set()

    with ScriptedServer((reply,)) as server:
        assert models.stream(call(server.base_url), b"{}", Scope(emitted)) == StreamEnded()
    assert got[0] == b"data: 1\n\n"


def test_requests_share_a_connection_and_no_key_is_sent_where_none_is_needed(models: HttpModels) -> None:
    with ScriptedServer((ScriptedReply(chunks=(b"a",)), ScriptedReply(chunks=(b"b",)))) as server:
        first, second = streamed(models, call(server.base_url)), streamed(models, call(server.base_url))
        assert (first.chunks, second.chunks) == ((b"a",), (b"b",))
        assert server.requests[0].header("authorization") is None
        assert server.connections == 1


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_key_that_is_not_set_is_named_before_any_request(value: str | None) -> None:
    models = HttpModels(OneSecret(value), maker=never)
    problem = streamed(models, call("http://127.0.0.1:9/v1", secret="ACME_KEY")).problem
    assert (problem.code, problem.message) == ("no-key", "acme needs a key: set ACME_KEY to it, or choose another model.")


@pytest.mark.parametrize("value", ["sk-ключ", "sk 1", "sk-\n1"])
def test_a_key_that_can_be_none_is_not_sent(value: str) -> None:
    problem = streamed(HttpModels(OneSecret(value), maker=never), call("http://127.0.0.1:9/v1", secret="ACME_KEY")).problem
    assert (problem.code, value in problem.message) == ("no-key", False)


def with_headers(base_url: str, **headers: JsonValue) -> CallModel:
    provider = Provider(
        name="acme", base_url=base_url, headers=JsonObject.of(**{name.replace("_", "-"): value for name, value in headers.items()})
    )
    return CallModel(provider=provider, model="m", upto=0)


def test_headers_of_the_settings_are_sent_and_come_in_place_of_ours(models: HttpModels) -> None:
    with ScriptedServer((ScriptedReply(chunks=(b"a",)),)) as server:
        request = with_headers(server.base_url, X_Title="my tool", User_Agent="mine/1", Api_Key=JsonObject.of(secret="ACME_KEY"))
        assert streamed(models, request).answer == StreamEnded()
        seen = server.requests[0]
    assert [seen.header(name) for name in ("x-title", "user-agent", "api-key", "authorization")] == ["my tool", "mine/1", SECRET, None]


def test_a_secret_in_a_header_is_masked_like_the_key(models: HttpModels) -> None:
    stream = f"data: {SECRET}\n\n".encode()
    error = f'{{"error":{{"message":"who is {SECRET}?"}}}}'.encode()
    with ScriptedServer((ScriptedReply(chunks=(stream[:15], stream[15:])), ScriptedReply(status=401, chunks=(error,)))) as server:
        request = with_headers(server.base_url, X_Key=JsonObject.of(secret="ACME_KEY"))
        told, refused = streamed(models, request), streamed(models, request)
    assert b"".join(told.chunks) == b"data: [secret ACME_KEY]\n\n"
    assert "who is [secret ACME_KEY]?" in refused.problem.message


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("X", "a\r\nAuthorization: b", "bad-header"),
        ("X", "schlüssel", "bad-header"),
        ("X\r\nY", "a", "bad-header"),
        ("", "a", "bad-header"),
        ("Content-Length", "9", "bad-header"),
        ("X", 1, "bad-header"),
        ("X", JsonObject.of(secret=1), "bad-header"),
        ("X", JsonObject.of(secret="A", more="B"), "bad-header"),
    ],
)
def test_a_header_that_can_be_none_is_told_before_any_request(name: str, value: JsonValue, code: str) -> None:
    models = HttpModels(OneSecret(), maker=never)
    provider = Provider(name="acme", base_url="http://127.0.0.1:9/v1", headers=JsonObject(((name, value),)))
    problem = streamed(models, CallModel(provider=provider, model="m", upto=0)).problem
    assert (problem.code, problem.path) == (code, "$.providers.acme.headers")


def test_a_secret_that_a_header_lacks_is_named() -> None:
    request = with_headers("http://127.0.0.1:9/v1", X_Key=JsonObject.of(secret="ACME_KEY"))
    problem = streamed(HttpModels(OneSecret(None), maker=never), request).problem
    assert (problem.code, "needs ACME_KEY for its header X-Key" in problem.message) == ("no-key", True)
    wrong = streamed(HttpModels(OneSecret("a\nb"), maker=never), request).problem
    assert (wrong.code, "ACME_KEY holds" in wrong.message, "a\nb" in wrong.message) == ("bad-header", True, False)


def test_the_wait_for_a_connection_is_the_provider_s(models: HttpModels) -> None:
    """A listener whose backlog is full lets nobody in."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        provider = Provider(name="acme", base_url=f"http://127.0.0.1:{port}/v1", connect_s=0.2, timeout_s=5.0)
        problem = streamed(models, CallModel(provider=provider, model="m", upto=0)).problem
        for each in waiting:
            each.close()
    assert (problem.code, "did not answer within 0.2 s" in problem.message) == ("time-out", True)


def never() -> Callable[[], Line]:
    raise AssertionError("no request may be made")


def test_a_wrong_key_is_told_in_the_provider_s_words_and_masked(models: HttpModels) -> None:
    body = f'{{"error":{{"message":"Incorrect API key provided: {SECRET}."}}}}'.encode()
    with ScriptedServer((ScriptedReply(status=401, chunks=(body,)),)) as server:
        outcome = streamed(models, call(server.base_url, secret="ACME_KEY"))
    expected = "acme did not accept the key (401: Incorrect API key provided: [secret ACME_KEY]): check the value of ACME_KEY."
    assert (outcome.problem.code, outcome.problem.message, outcome.chunks) == ("unauthorized", expected, ())


def test_a_key_that_the_stream_repeats_is_masked_wherever_it_is_cut(models: HttpModels) -> None:
    stream = f'data: {{"error":{{"message":"bad key {SECRET}"}}}}\n\n'.encode()
    half = stream.index(SECRET.encode()) + 9
    gate = Event()
    with ScriptedServer((ScriptedReply(chunks=(stream[:half], stream[half:]), gate=gate, gate_at=1),)) as server:
        timer = threading.Timer(0.1, gate.set)
        timer.start()
        outcome = streamed(models, call(server.base_url, secret="ACME_KEY"))
        timer.join()
    assert b"".join(outcome.chunks) == stream.replace(SECRET.encode(), b"[secret ACME_KEY]")
    assert SECRET not in str(outcome.reply)


def test_limits_and_pages_of_a_proxy(models: HttpModels) -> None:
    replies = (
        ScriptedReply(status=429, chunks=(b'{"error":{"message":"Rate limit reached"}}',)),
        ScriptedReply(status=500, headers=HTML, chunks=(b"<html>", b"x" * 200_000)),
        ScriptedReply(status=502, headers=HTML, chunks=(b"<html>",), cut=True),
    )
    with ScriptedServer(replies) as server:
        limited, page, cut = (streamed(models, call(server.base_url)).problem for _ in replies)
    assert (limited.code, "Rate limit reached" in limited.message) == ("rate-limited", True)
    assert (page.code, "500 Internal Server Error" in page.message, "<" in page.message) == ("provider-failed", True, False)
    assert (cut.code, "502 Bad Gateway" in cut.message) == ("provider-failed", True)


def test_a_stream_that_is_cut_keeps_what_came(models: HttpModels) -> None:
    stream = chat_stream("Hello, world")
    with ScriptedServer((ScriptedReply(chunks=(stream[:150],), cut=True),)) as server:
        outcome = streamed(models, call(server.base_url))
    assert (outcome.problem.code, b"".join(outcome.chunks)) == ("cut-stream", stream[:150])
    assert outcome.reply.stop is Stop.CUT


def test_a_reply_without_end_is_bounded() -> None:
    models = HttpModels(OneSecret(), reply_bytes=100_000)
    with ScriptedServer((ScriptedReply(chunks=(b"x" * 50_000,) * 50), ScriptedReply(chunks=(b"ok",)))) as server:
        outcome = streamed(models, call(server.base_url))
        assert streamed(models, call(server.base_url)).chunks == (b"ok",)
    models.close()
    assert outcome.problem.code == "too-large"
    assert len(b"".join(outcome.chunks)) <= 100_000


def test_a_compressed_reply_is_read(models: HttpModels) -> None:
    with ScriptedServer((ScriptedReply(headers=(("Content-Encoding", "gzip"),), chunks=(gzip.compress(b"data: 1\n\n"),)),)) as server:
        outcome = streamed(models, call(server.base_url))
        assert b"".join(outcome.chunks) == b"data: 1\n\n"
        assert server.requests[0].header("accept-encoding") == "identity"


def test_a_redirect_is_not_followed(models: HttpModels) -> None:
    with ScriptedServer(()) as other:
        with ScriptedServer((ScriptedReply(status=307, headers=(("Location", other.base_url),)),)) as server:
            problem = streamed(models, call(server.base_url, secret="ACME_KEY")).problem
        assert other.requests == ()
    assert (problem.code, other.base_url in problem.message) == ("redirected", True)


@pytest.mark.parametrize("gate_at", [-1, 1])
def test_a_silent_server_is_left_at_once_when_cancelled(models: HttpModels, gate_at: int) -> None:
    """Before the status line, and in the middle of the reply."""
    reply = ScriptedReply(chunks=(b"data: 1\n\n", b"data: 2\n\n"), gate=Event(), gate_at=gate_at)
    with ScriptedServer((ScriptedReply(chunks=(b"ok",)), reply, ScriptedReply(chunks=(b"ok",)))) as server:
        assert streamed(models, call(server.base_url)).chunks == (b"ok",)  # so the next one is on a used connection
        scope, outcomes = Scope(), list[StreamEnded | Problem]()
        thread = Thread(target=lambda: outcomes.append(models.stream(call(server.base_url, timeout_s=60), b"{}", scope)))
        thread.start()
        while len(server.requests) < 2:
            time.sleep(0.01)
        time.sleep(0.05)
        start = time.monotonic()
        scope.cancel()
        thread.join(5)
        assert time.monotonic() - start < 0.5
        assert [outcome.code for outcome in outcomes if isinstance(outcome, Problem)] == ["cancelled"]
        assert streamed(models, call(server.base_url)).chunks == (b"ok",)


def test_what_was_cancelled_before_is_not_sent_to_the_end(models: HttpModels) -> None:
    scope = Scope()
    scope.cancel()
    with ScriptedServer((ScriptedReply(chunks=(b"a",)),)) as server:
        answer = models.stream(call(server.base_url), b"{}", scope)
    assert isinstance(answer, Problem)
    assert answer.code == "cancelled"


def test_closing_ends_what_runs_and_sends_nothing_more() -> None:
    models = HttpModels(OneSecret())
    with ScriptedServer((ScriptedReply(gate=Event(), gate_at=-1),)) as server:
        outcomes: list[Outcome] = []
        thread = Thread(target=lambda: outcomes.append(streamed(models, call(server.base_url, timeout_s=60))))
        thread.start()
        while not server.requests:
            time.sleep(0.01)
        models.close()
        thread.join(5)
        assert outcomes[0].problem.code == "cut-stream"
        assert streamed(models, call(server.base_url)).problem.code == "closed"
        models.close()


def test_requests_side_by_side_do_not_wait_for_each_other(models: HttpModels) -> None:
    gate = Event()
    with ScriptedServer((ScriptedReply(chunks=(b"slow",), gate=gate, gate_at=-1), ScriptedReply(chunks=(b"quick",)))) as server:
        outcomes: list[Outcome] = []
        thread = Thread(target=lambda: outcomes.append(streamed(models, call(server.base_url))))
        thread.start()
        while not server.requests:
            time.sleep(0.01)
        assert streamed(models, call(server.base_url)).chunks == (b"quick",)
        gate.set()
        thread.join(5)
    assert outcomes[0].chunks == (b"slow",)


def test_silence_has_a_limit(models: HttpModels) -> None:
    with ScriptedServer((ScriptedReply(gate=Event(), gate_at=-1),)) as server:
        problem = streamed(models, call(server.base_url, timeout_s=0.1)).problem
    assert problem.code == "time-out"
    assert "acme was silent for 0.1 s" in problem.message


def test_no_server(models: HttpModels) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    problem = streamed(models, call(f"http://user:pass@127.0.0.1:{port}/v1")).problem
    assert (problem.code, problem.message) == ("no-server", f"No server answers at 127.0.0.1:{port}: start acme, or check its base URL.")


@pytest.mark.parametrize("url", ["127.0.0.1/v1", "ftp://127.0.0.1/v1", "http://", "http://127.0.0.1:x/v1", "http://a\nb", ""])
def test_an_address_that_is_none(models: HttpModels, url: str) -> None:
    assert streamed(models, call(url)).problem.code == "bad-url"


def test_tls_to_a_server_that_speaks_none(models: HttpModels) -> None:
    with ScriptedServer(()) as server:
        problem = streamed(models, call(server.base_url.replace("http:", "https:"))).problem
    assert problem.code == "tls"
    assert "certificates" in problem.message


def test_proxies_are_for_other_machines(models: HttpModels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ScriptedServer((ScriptedReply(chunks=(b"a",)),)) as server:
        assert streamed(models, call(server.base_url)).chunks == (b"a",)


def test_proxy_settings_that_cannot_be_used(models: HttpModels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:1")
    assert streamed(models, call("http://127.0.0.1:9/v1")).problem.code == "proxy"


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (caused(httpx2.ConnectError("x"), socket.gaierror(-2, "Name or service not known")), "no-host"),
        (caused(httpx2.ConnectError("x"), OSError(101, "Network is unreachable")), "no-network"),
        (httpx2.ConnectTimeout("x"), "time-out"),
        (httpx2.ProxyError("x"), "proxy"),
        (httpx2.ReadError("x"), "cut-stream"),
    ],
)
def test_what_loopback_can_not_show(error: Exception, code: str) -> None:
    post = Post(name="acme", url="https://api.acme.example/v1", headers=(), body=b"", timeout_s=1, connect_s=1, limit_bytes=1)
    problem = failure_problem(error, post)
    assert problem.code == code
    assert ": " in problem.message
    assert problem.message.endswith(".")


def test_the_http_library_is_imported_with_the_first_request_only() -> None:
    code = "import sys, turnfold.shell.models, turnfold.shell.discovery; sys.exit(any(name in sys.modules for name in ('httpx2', 'http.client')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

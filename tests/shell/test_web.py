"""The port of ``FetchUrl`` against a real server, and names that lead where a test says."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.pages import Pages, moved, page, served
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.problem import Problem
from turnfold.core.world.answers import UrlFetched
from turnfold.core.world.requests import FetchUrl
from turnfold.shell.addresses import Resolve
from turnfold.shell.scope import Scope
from turnfold.shell.web import LocalWeb

CFG = ChatConfig(ProjectConfig(Config()))
LOOPBACK = ("127.0.0.1",)
CERTIFICATE = Path(__file__).with_name("pinned.pem")
PUBLIC = "93.184.216.34"


def fetch(
    url: str,
    *private_hosts: str,
    limit_bytes: int = 100_000,
    timeout_s: float = 20.0,
    cfg: ChatConfig = CFG,
    resolve: Resolve | None = None,
    scope: Scope | None = None,
    variables: tuple[tuple[str, str], ...] = (),
) -> UrlFetched | Problem:
    web = LocalWeb(dict(variables)) if resolve is None else LocalWeb(dict(variables), resolve)
    request = FetchUrl(url=url, limit_bytes=limit_bytes, timeout_s=timeout_s, private_hosts=private_hosts or LOOPBACK)
    return web.act(request, cfg, scope or Scope())


def got(url: str, *private_hosts: str, limit_bytes: int = 100_000) -> UrlFetched:
    answer = fetch(url, *private_hosts, limit_bytes=limit_bytes)
    assert isinstance(answer, UrlFetched), answer
    return answer


def code(answer: UrlFetched | Problem) -> str:
    assert isinstance(answer, Problem), answer
    return answer.code


def test_a_page_is_markdown_with_whole_links() -> None:
    html = "<html><head><title>Cats</title><style>p{}</style></head><body><h2>Of cats</h2><p>They <a href='/b'>sleep</a>.</p><script>x()</script>"
    with served({"/a": page(html)}) as pages:
        answer = got(pages.url("/a"))
        assert answer == UrlFetched(
            url=pages.url("/a"),
            status=200,
            media_type="text/html",
            text=f"# Cats\n\n## Of cats\n\nThey [sleep]({pages.url('/b')}).",
        )
        assert f"\r\nHost: 127.0.0.1:{pages.port}\r\n".lower() in pages.heads[0].lower()


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b'{"a": [1]}', "application/json", '{"a": [1]}'),
        (b"<a>&amp;</a>", "application/xml", "<a>&amp;</a>"),
        ("žába".encode("iso-8859-2"), "text/plain; charset=iso-8859-2", "žába"),
        ("日本".encode("shift_jis"), 'text/plain; charset="Shift_JIS"', "日本"),
        ("caf\u00e9 \u201cx\u201d".encode("cp1252"), "text/plain", "caf\u00e9 \u201cx\u201d"),
        (b"<meta charset=windows-1251><p>" + "да".encode("cp1251"), "text/html", "да"),
        ("\ufeffhi".encode("utf-16-le"), "text/plain", "hi"),
        (b"abc", "text/plain; charset=unicode_escape", "abc"),  # Python's own codecs are no character sets
        (b"a\xffb", "text/plain; charset=utf-8", "a\ufffdb"),
        (b"hello", "", "hello"),
        (b"<!DOCTYPE html><p>hello", "", "hello"),
    ],
)
def test_text_is_read_in_its_character_set(body: bytes, content_type: str, text: str) -> None:
    with served({"/a": page(body, content_type)}) as pages:
        assert got(pages.url("/a")).text == text


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (b"%PDF-1.7 ...", "application/pdf", "application/pdf"),
        (b"%PDF-1.7 ...", "text/html", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png", "image/png"),
        (b"ab\0cd", "text/plain", "application/octet-stream"),
    ],
)
def test_what_is_no_text_is_named_and_not_read(body: bytes, content_type: str, told: str) -> None:
    with served({"/a": page(body, content_type)}) as pages:
        answer = got(pages.url("/a"))
        assert (answer.media_type, answer.text, answer.cut_bytes) == (told, "", len(body))


def test_an_error_page_is_told_with_its_status() -> None:
    with served({}) as pages:
        assert (got(pages.url("/nothing")).status, got(pages.url("/nothing")).text) == (404, "gone")


def test_a_long_body_is_cut_and_counted() -> None:
    with served({"/a": page("x" * 50_000, "text/plain")}) as pages:
        answer = got(pages.url("/a"), limit_bytes=1000)
        assert (answer.text, answer.cut_bytes) == ("x" * 1000, 49_000)


@pytest.mark.parametrize("packed", [gzip.compress(bytes(50_000_000)), zlib.compress(bytes(50_000_000))])
def test_a_bomb_fills_no_memory(packed: bytes) -> None:
    name = "gzip" if packed.startswith(b"\x1f\x8b") else "deflate"
    with served({"/a": page(packed, "text/plain; charset=utf-16", "200 OK", f"Content-Encoding: {name}")}) as pages:
        answer = got(pages.url("/a"), limit_bytes=1000)
        assert len(answer.text) == 500
        assert answer.cut_bytes > 0


def test_wrong_compression_is_a_problem() -> None:
    with served({"/a": page(b"no gzip", "text/plain", "200 OK", "Content-Encoding: gzip")}) as pages:
        assert code(fetch(pages.url("/a"))) == "bad-page"


@pytest.mark.parametrize(
    "sent", [b"rubbish\r\n\r\n", b"", page("abc", "text/plain", length=10), b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000]
)
def test_what_is_no_http_is_a_problem(sent: bytes) -> None:
    with served({"/a": sent}) as pages:
        assert code(fetch(pages.url("/a"))) == "cut-stream"


def drip(client: socket.socket) -> None:
    """A body of which a byte comes whenever the client has waited a moment, without end."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    wait = threading.Event()
    while not wait.wait(0.02):
        client.sendall(b"x")


def drip_head(client: socket.socket) -> None:
    """A head without end, of answers that are none yet."""
    while True:
        client.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")


@pytest.mark.parametrize("slow", [drip, drip_head])
def test_a_page_without_end_takes_no_longer_than_it_may(slow: Callable[[socket.socket], None]) -> None:
    with served({"/a": slow}) as pages:
        assert code(fetch(pages.url("/a"), timeout_s=0.5)) == "time-out"
        assert pages.gone.wait(20)


def test_a_cancel_ends_it_at_once() -> None:
    begun, scope, answers = threading.Event(), Scope(), []

    def silent(client: socket.socket) -> None:
        begun.set()
        client.recv(1)  # until the client leaves

    with served({"/a": silent}) as pages:
        thread = threading.Thread(target=lambda: answers.append(fetch(pages.url("/a"), scope=scope, timeout_s=600)))
        thread.start()
        assert begun.wait(20)
        scope.cancel()
        thread.join(20)
        assert [code(answer) for answer in answers] == ["cancelled"]
        assert pages.gone.wait(20)


def test_a_cancel_does_not_wait_for_a_name() -> None:
    asked, scope, answers, never = threading.Event(), Scope(), [], threading.Event()

    def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.set()
        never.wait(20)
        return ()

    thread = threading.Thread(target=lambda: answers.append(fetch("http://slow.example/", resolve=resolve, scope=scope, timeout_s=600)))
    thread.start()
    assert asked.wait(20)
    scope.cancel()
    thread.join(20)
    never.set()
    assert [code(answer) for answer in answers] == ["cancelled"]


def test_redirects_are_followed() -> None:
    with served({"/a": moved("/b"), "/b": moved("c/d", "308 Permanent Redirect"), "/c/d": page("there", "text/plain")}) as pages:
        assert (got(pages.url("/a")).text, got(pages.url("/a")).url) == ("there", pages.url("/c/d"))


def test_redirects_in_a_circle_end() -> None:
    with served({"/a": moved("/a")}) as pages:
        assert code(fetch(pages.url("/a"))) == "redirects"
        assert len(pages.heads) == 11


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://localhost/", "private-address"),
        ("http://169.254.169.254/latest/meta-data", "private-address"),
        ("http://[::1]/", "private-address"),
        ("http://2130706433/", "bad-host"),
        ("file:///etc/passwd", "bad-url"),
        ("gopher://127.0.0.1/", "bad-url"),
        ("http://me:secret@127.0.0.1/", "bad-url"),
        ("http://[::1", "bad-url"),
    ],
)
def test_a_redirect_is_judged_as_the_first_address_is(location: str, why: str) -> None:
    with served({"/a": moved(location)}) as pages:
        assert code(fetch(pages.url("/a"))) == why


def test_a_redirect_to_what_a_rule_denies_is_not_followed() -> None:
    with served({"/a": moved("/secret"), "/secret": page("x")}) as pages:
        cfg = evolve(CFG, rules=(Rule(Verdict.DENY, "fetch", "*/secret"),))
        assert code(fetch(pages.url("/a"), cfg=cfg)) == "denied"
        assert len(pages.heads) == 1


def test_what_a_rule_allowed_leads_only_to_what_a_rule_allows() -> None:
    with served({"/a": moved("/b"), "/b": page("there", "text/plain")}) as pages:
        allowed = tuple(Rule(Verdict.ALLOW, "fetch", pages.url(path)) for path in ("/a", "/b"))
        one, both = (evolve(CFG, rules=rules) for rules in (allowed[:1], allowed))
        assert code(fetch(pages.url("/a"), cfg=one)) == "redirected"
        assert isinstance(fetch(pages.url("/a"), cfg=both), UrlFetched)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://240.0.0.1/",
        "http://168.63.129.16/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
    ],
)
def test_no_address_of_a_private_network_is_reached(url: str) -> None:
    assert code(fetch(url, "other.example")) == "private-address"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "1.2.3.4.5", "a.0x1"])
def test_addresses_in_disguise_are_refused_without_looking_them_up(host: str) -> None:
    assert code(fetch(f"http://{host}/", host)) == "bad-host"


def test_a_name_that_leads_to_a_private_address_too_is_refused() -> None:
    assert code(fetch("http://mixed.example/", "x", resolve=lambda host, port: (PUBLIC, "127.0.0.1"))) == "private-address"


def test_a_name_is_looked_up_once_and_connected_to_where_it_led_then() -> None:
    """DNS rebinding: the second answer would be another address."""
    with served({"/a": page("inside", "text/plain")}) as pages:
        answers = iter((("127.0.0.1",), ("127.0.0.2",)))
        answer = fetch(pages.url("/a", "rebound.example"), "rebound.example", resolve=lambda host, port: next(answers))
        assert isinstance(answer, UrlFetched)
        assert f"host: rebound.example:{pages.port}" in pages.heads[0].lower()
        assert next(answers) == ("127.0.0.2",)  # nobody asked again


def test_a_redirect_looks_its_name_up_anew() -> None:
    """The same name led to an address that was allowed, and then to one that is not."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",) if host == "good.example" else ("169.254.169.254",)

    with served({"/a": moved("http://evil.example/")}) as pages:
        answer = fetch(pages.url("/a", "good.example"), "good.example", resolve=resolve)
        assert code(answer) == "private-address"
        assert asked == ["good.example", "evil.example"]


def test_a_dead_address_is_passed_over() -> None:
    with served({"/a": page("here", "text/plain")}) as pages:
        answer = fetch(pages.url("/a", "two.example"), "two.example", resolve=lambda host, port: ("127.0.0.9", "127.0.0.1"))
        assert isinstance(answer, UrlFetched)


def test_nobody_there_is_a_problem() -> None:
    with served({}) as pages:
        url = pages.url("/")
    assert code(fetch(url)) == "no-server"
    assert code(fetch("http://nothing.example/", resolve=lambda host, port: ())) == "no-host"


class TestThroughAProxy:
    """The proxy looks names up: it is told the name, and what a name says of itself still counts."""

    def fetched(self, proxy: Pages, url: str, resolve: Resolve, *private: str, no: str = "") -> UrlFetched | Problem:
        return fetch(url, *private, resolve=resolve, variables=(("http_proxy", proxy.url("")), ("NO_PROXY", no)))

    def test_it_is_asked_for_the_name(self) -> None:
        with served({"http://a.example/x": page("by proxy", "text/plain")}) as proxy:
            for resolve in (lambda host, port: (), lambda host, port: (PUBLIC,)):
                answer = self.fetched(proxy, "http://a.example/x", resolve)
                assert isinstance(answer, UrlFetched)
                assert answer.text == "by proxy"
            assert "host: a.example\r\n" in proxy.heads[0].lower()

    @pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://intranet/", "http://metadata.google.internal/", "http://inner.example/"])
    def test_it_is_not_asked_for_what_is_private(self, url: str) -> None:
        with served({}) as proxy:
            answer = self.fetched(proxy, url, lambda host, port: ("10.0.0.1",) if host == "inner.example" else ())
            assert code(answer) == "private-address"
            assert not proxy.heads

    def test_loopback_and_exceptions_go_past_it(self) -> None:
        with served({}) as proxy, served({"/a": page("direct", "text/plain")}) as pages:
            for url, no in ((pages.url("/a"), ""), (pages.url("/a", "in.example"), "in.example")):
                answer = self.fetched(proxy, url, lambda host, port: ("127.0.0.1",), "127.0.0.1", "in.example", no=no)
                assert isinstance(answer, UrlFetched)
            assert not proxy.heads


@pytest.mark.parametrize(("host", "told"), [("pinned.example", "over TLS"), ("other.example", "tls")])
def test_a_certificate_is_checked_against_the_name(host: str, told: str) -> None:
    """The connection goes to an address; the name is what the certificate must speak of. ``pinned.pem`` speaks of pinned.example."""
    served_by = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served_by.load_cert_chain(CERTIFICATE)
    names: list[str | None] = []
    served_by.sni_callback = lambda connection, name, context: names.append(name)
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    with served({"/a": page("over TLS", "text/plain")}, tls=served_by) as pages:
        web = LocalWeb({}, lambda host, port: LOOPBACK, trusting)
        url = pages.url("/a", host).replace("http:", "https:")
        answer = web.act(FetchUrl(url=url, limit_bytes=100, timeout_s=20.0, private_hosts=("*.example",)), CFG, Scope())
    assert (answer.text if isinstance(answer, UrlFetched) else answer.code) == told
    assert names == [host]

"""The port of ``UseBrowser`` with a real Chromium: skips, and says so, where there is none or Playwright is not installed."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.pages import Page, Pages, moved, page, served
from tests.shell.support import children
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.tables import Web
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.problem import Problem
from turnfold.core.world.answers import BrowserSeen
from turnfold.core.world.requests import Browsing, UseBrowser
from turnfold.shell.addresses import Resolve, system_resolve
from turnfold.shell.browsers import LocalBrowsers
from turnfold.shell.chromium import find_chromium
from turnfold.shell.scope import Scope

CHROMIUM = find_chromium("", os.environ)
real = pytest.mark.skipif(
    find_spec("playwright") is None or isinstance(CHROMIUM, Problem),
    reason="needs Playwright (pip install 'turnfold[browser]') and a Chromium (apt install chromium)",
)
CFG = ChatConfig(ProjectConfig(Config()), conversation="c")
HTML = """<title>Cats</title><h1>Of cats</h1><p>They sleep.</p>
<button onclick="document.title = 'clicked'">Go</button><button onclick="alert('boo')">Ask</button>
<form action="/found"><label>Name <input name="n"></label></form>
<a href="/file" download>Get</a> <a href="file:///etc/passwd">Secret</a>"""


class Driven:
    """One conversation's browser, and how a test uses it."""

    def __init__(self, workspace: Path, resolve: Resolve = system_resolve) -> None:
        self.browsers = LocalBrowsers(os.environ, resolve)
        self.cfg = evolve(CFG, workspace=str(workspace))

    def __call__(
        self, action: Browsing, target: str = "", text: str = "", *private: str, timeout_s: float = 20.0, scope: Scope | None = None
    ) -> BrowserSeen | Problem:
        hosts = private or ("127.0.0.1",)
        request = UseBrowser(action=action, target=target, text=text, timeout_s=timeout_s, output_bytes=20_000, private_hosts=hosts)
        return self.browsers.act(request, self.cfg, scope or Scope())

    def seen(self, action: Browsing, target: str = "", text: str = "", *private: str) -> BrowserSeen:
        answer = self(action, target, text, *private)
        assert isinstance(answer, BrowserSeen), answer
        return answer


@contextlib.contextmanager
def driving(workspace: Path, routes: Mapping[str, Page], resolve: Resolve = system_resolve) -> Iterator[tuple[Driven, Pages]]:
    driven = Driven(workspace, resolve)
    with served(routes) as pages:
        try:
            yield driven, pages
        finally:
            driven.browsers.close_all()


def code(answer: BrowserSeen | Problem) -> str:
    assert isinstance(answer, Problem), answer
    return answer.code


@real
def test_a_page_is_opened_read_clicked_and_typed_into(tmp_path: Path) -> None:
    before = children()
    with driving(tmp_path, {"/": page(HTML), "/found?n=tom": page("<title>F</title>Tom it is")}) as (do, pages):
        opened = do.seen(Browsing.OPEN, pages.url("/"))
        assert (opened.url, opened.title) == (pages.url("/"), "Cats")
        assert '- heading "Of cats" [level=1]' in opened.text
        assert '- textbox "Name"' in opened.text
        assert do.seen(Browsing.CLICK, 'button "Go"').title == "clicked"
        assert do.seen(Browsing.TYPE, "Name", "to").text
        assert do.seen(Browsing.TYPE, 'textbox "Name"', "tom\n").url == pages.url("/found?n=tom")
        assert "Tom it is" in do.seen(Browsing.TEXT).text
        picture = do.seen(Browsing.SCREENSHOT, str(tmp_path / "p" / "a.png"))
        assert (tmp_path / "p" / "a.png").read_bytes().startswith(b"\x89PNG")
        assert picture.text == str(tmp_path / "p" / "a.png")
        assert code(do(Browsing.SCREENSHOT, str(tmp_path / "p" / "a.png"))) == "exists"
        assert code(do(Browsing.CLICK, 'button "Nothing"', timeout_s=0.5)) == "time-out"
        assert do.seen(Browsing.TEXT).title == "F"
    assert children() <= before


@real
def test_dialogs_downloads_and_files_are_refused_and_told(tmp_path: Path) -> None:
    routes = {"/": page(HTML), "/file": page(b"PK\3\4", "application/zip")}
    with driving(tmp_path, routes) as (do, pages):
        do.seen(Browsing.OPEN, pages.url("/"))
        assert "the page showed a dialog, which was dismissed: 'boo'" in do.seen(Browsing.CLICK, 'button "Ask"').text
        clicked = do.seen(Browsing.CLICK, 'link "Get"').text
        told = (clicked, *(do.seen(Browsing.TEXT).text for _ in range(50)))  # it comes when the server has answered
        assert any("a download was refused" in text for text in told)
        stays = do(Browsing.CLICK, 'link "Secret"')
        assert isinstance(stays, Problem) or stays.url == pages.url("/")
        assert list(tmp_path.iterdir()) == []


@real
def test_no_request_of_a_page_reaches_a_private_network(tmp_path: Path) -> None:
    """Not the first, not a redirect's, not what a page loads, not what its scripts ask for, not a socket's."""
    inner = (
        "<img src='http://localhost:PORT/img'><iframe src='http://localhost:PORT/frame'></iframe>"
        "<script>fetch('http://localhost:PORT/fetch', {mode: 'no-cors'}).catch(() => 0);"
        "new WebSocket('ws://localhost:PORT/socket'); navigator.sendBeacon('http://localhost:PORT/beacon')</script>"
    )
    with driving(tmp_path, {}) as (do, pages):
        port = str(pages.port)
        pages.routes |= {"/": page("<p>Hello</p>" + inner.replace("PORT", port)), "/moved": moved(f"http://localhost:{port}/redirected")}
        seen = do.seen(Browsing.OPEN, pages.url("/"))
        assert "not loaded: localhost is 127.0.0.1" in seen.text.replace("::1", "127.0.0.1")
        assert code(do(Browsing.OPEN, pages.url("/moved"))) == "private-address"
        assert code(do(Browsing.OPEN, f"http://localhost:{port}/direct")) == "private-address"
        paths = [head.split(" ")[1] for head in pages.heads]
        assert {path for path in paths if path not in {"/", "/moved", "/favicon.ico"}} == set()


@real
def test_a_name_that_leads_elsewhere_the_second_time_is_judged_again(tmp_path: Path) -> None:
    """DNS rebinding: the page may be loaded, what its script asks of the same name may not."""
    answers = iter((("127.0.0.1",), ("127.0.0.1",)))

    def resolve(host: str, port: int) -> tuple[str, ...]:
        return next(answers, ("169.254.169.254",)) if host == "rebound.example" else ()

    with driving(tmp_path, {"/": page("<title>A</title>once")}, resolve) as (do, pages):
        assert do.seen(Browsing.OPEN, pages.url("/", "rebound.example"), "", "rebound.example").title == "A"
        do(Browsing.OPEN, pages.url("/", "rebound.example"), "", "other.example")  # it may use a connection that is open still
        assert code(do(Browsing.OPEN, pages.url("/", "rebound.example"), "", "other.example")) == "private-address"


@real
def test_a_page_that_never_ends_is_ended_and_the_next_one_opens(tmp_path: Path) -> None:
    with driving(tmp_path, {"/": page("<title>A</title>"), "/loop": page("<script>while (1);</script>")}) as (do, pages):
        assert code(do(Browsing.OPEN, pages.url("/loop"), timeout_s=1.0)) == "stuck"
        assert code(do(Browsing.TEXT)) == "no-page"
        assert do.seen(Browsing.OPEN, pages.url("/")).title == "A"


@real
def test_a_cancel_ends_it_at_once(tmp_path: Path) -> None:
    asked, scope, answers = threading.Event(), Scope(), []

    def silent(client: object) -> None:
        asked.set()
        client.recv(1)  # type: ignore[attr-defined]

    with driving(tmp_path, {"/": page("x"), "/silent": silent}) as (do, pages):
        do.seen(Browsing.OPEN, pages.url("/"))
        thread = threading.Thread(target=lambda: answers.append(do(Browsing.OPEN, pages.url("/silent"), timeout_s=600.0, scope=scope)))
        thread.start()
        assert asked.wait(20)
        assert code(do(Browsing.TEXT)) == "busy"
        scope.cancel()
        thread.join(20)
        assert [code(answer) for answer in answers] == ["cancelled"]
        assert pages.gone.wait(20)


@real
def test_a_browser_that_dies_is_a_problem_and_the_next_one_starts(tmp_path: Path) -> None:
    with driving(tmp_path, {"/": page("<title>A</title>")}) as (do, pages):
        do.seen(Browsing.OPEN, pages.url("/"))
        assert code(do(Browsing.TEXT, timeout_s=20.0, scope=killing(do))) == "crashed"
        assert do.seen(Browsing.OPEN, pages.url("/")).title == "A"


def killing(do: Driven) -> Scope:
    """A scope; and the browser's process killed, as the system does when memory is short."""
    browser = do.browsers._living.get("c")
    assert browser is not None
    os.kill(browser._child.pid, 9)
    return Scope()


def test_what_can_be_said_without_a_browser_is(tmp_path: Path) -> None:
    do = Driven(tmp_path)
    assert code(do(Browsing.TEXT)) == "no-page"
    assert code(do(Browsing.OPEN, "file:///etc/passwd")) == "bad-url"
    assert code(do(Browsing.SCREENSHOT, "/etc/a.png")) == "outside"
    (tmp_path / "out").symlink_to("/tmp")
    assert code(do(Browsing.SCREENSHOT, str(tmp_path / "out" / "a.png"))) == "outside"
    do.cfg = evolve(do.cfg, rules=(Rule(Verdict.DENY, "write", "*.png"),))
    assert code(do(Browsing.SCREENSHOT, str(tmp_path / "a.png"))) == "denied"
    do.cfg = evolve(do.cfg, web=Web(browser="no-such-chromium"))
    assert code(do(Browsing.OPEN, "http://127.0.0.1/")) in {"no-browser", "no-library"}
    cancelled = Scope()
    cancelled.cancel()
    assert code(do(Browsing.OPEN, "http://127.0.0.1/", scope=cancelled)) == "cancelled"


def test_a_chromium_is_found_by_its_name_or_where_playwright_keeps_it(tmp_path: Path) -> None:
    for place in ("bin/google-chrome", "home/.cache/ms-playwright/chromium-1200/chrome-linux/chrome"):
        path = tmp_path / place
        path.parent.mkdir(parents=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    bin_, home = str(tmp_path / "bin"), str(tmp_path / "home")
    assert find_chromium("", {"PATH": bin_, "HOME": home}) == f"{bin_}/google-chrome"
    assert find_chromium("", {"PATH": "/nowhere", "HOME": home}) == f"{home}/.cache/ms-playwright/chromium-1200/chrome-linux/chrome"
    nothing = find_chromium("", {"PATH": "/nowhere"})
    assert isinstance(nothing, str) or "apt install chromium" in nothing.message
    assert isinstance(find_chromium("nope", {"PATH": bin_}), Problem)

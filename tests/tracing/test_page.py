"""The page of a trace: whole by itself, harmless whatever it shows, and read by a real browser."""

from __future__ import annotations

import os
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest
from attrs import evolve
from typing_extensions import override

from tests.tracing.support import DONE, config, ran, world_of
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.html import html_page
from turnfold.core.trace.spans import Trace
from turnfold.shell.chromium import find_chromium
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

CHROMIUM = find_chromium("", os.environ)
real = pytest.mark.skipif(
    find_spec("playwright") is None or isinstance(CHROMIUM, Problem),
    reason="needs Playwright (pip install 'turnfold[browser]') and a Chromium (apt install chromium)",
)
HOSTILE = "</style></dd><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\u202e\x1b[2J'\"&"


def hostile_trace() -> Trace:
    """A trace in which everybody is hostile: who asks, the model, and the conversation's own id."""
    named = chat_stream(HOSTILE, (RawCall(HOSTILE, "{"), RawCall("subagent", '{"task": "<script>1</script>"}')))
    world, cfg = fake_world((named, DONE, DONE)), config("<script>c</script>")
    ran(world, cfg, HOSTILE)
    return trace_of(world.journal.load(cfg.conversation), lambda child: world.journal.load(child) or None)


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def test_a_page_has_no_script_loads_nothing_and_escapes_what_it_shows() -> None:
    page = html_page(hostile_trace())
    found = Tags()
    found.feed(page)
    assert not found.tags & {"script", "img", "link", "iframe", "object", "a", "form"}
    assert not {name for name in found.names if name.startswith("on") or name in {"src", "href"}}
    assert "default-src &#x27;none&#x27;" in page
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_what_has_not_ended_is_drawn_to_when_it_was_heard_of_last() -> None:
    world = world_of()
    ran(world, config(), "Go.")
    whole = trace_of(world.journal.load("c"))
    (turn,) = trace_of(world.journal.load("c")[:3]).turns
    assert "unfinished" in html_page(evolve(whole, turns=(turn,)))


@real
def test_a_real_browser_shows_the_waterfall_and_runs_nothing(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    trace, file = hostile_trace(), tmp_path / "page.html"
    file.write_text(html_page(trace), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            page = browser.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(file.as_uri())
            assert page.title() == "turnfold trace <script>c</script>"
            assert page.locator("details").count() > 6
            assert asked == [file.as_uri()]
            bars = page.locator(".bar").all()
            boxes = [bar.bounding_box() for bar in bars]
            assert all(box is not None and box["width"] >= 1 for box in boxes)
            page.locator("summary").first.click()
            assert "gen_ai.operation.name" in page.locator("details[open]").first.inner_text()
        finally:
            browser.close()

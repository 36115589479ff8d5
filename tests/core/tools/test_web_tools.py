"""The tools ``fetch``, ``browser``, ``vision`` and ``screenshot``: what each asks for, and what it makes of what comes."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.tools.worlds import config
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Web
from turnfold.core.config.values import Limits, Rule, Verdict
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.builtin.browser import BROWSER
from turnfold.core.tools.builtin.fetch import FETCH
from turnfold.core.tools.builtin.screenshot import PROGRAMS, SCREENSHOT
from turnfold.core.tools.builtin.vision import VISION
from turnfold.core.tools.preview import preview
from turnfold.core.tools.spec import Call, Done, Need, Refuse, ToolSpec
from turnfold.core.tools.web import WebAddress, checked_url
from turnfold.core.world.answers import Answer, BrowserSeen, Exchange, ImageRead, ProcessEnded, UrlFetched
from turnfold.core.world.images import Image
from turnfold.core.world.permission import Allow, Ask, Deny, permit
from turnfold.core.world.requests import Browsing, FetchUrl, ReadImage, Request, RunProcess, UseBrowser

DOT = Image("image/png", "AAAA")
READ = ImageRead(DOT, digest="d")
FAILED = world_problem("no-host", "The address was not found.")


def run(
    tool: ToolSpec, *outcomes: Answer | Problem, cfg: ChatConfig | None = None, **arguments: JsonValue
) -> tuple[Done | Refuse, tuple[Request, ...]]:
    """The call played with ``outcomes``, one a request: its end, and what it asked for."""
    call, left = Call(JsonObject.of(**arguments)), list(outcomes)
    while True:
        said = tool.advance(call, cfg or config())
        if not isinstance(said, Need):
            assert not left
            return said, tuple(exchange.request for exchange in call.exchanges)
        (request,) = said.requests
        assert preview(request, call.exchanges, cfg or config())
        call = evolve(call, exchanges=(*call.exchanges, Exchange(request, left.pop(0))))


def text(end: Done | Refuse) -> str:
    assert isinstance(end, Done), end
    return end.text


def code(end: Done | Refuse) -> str:
    assert isinstance(end, Refuse), end
    return end.problem.code


class TestFetch:
    def fetched(self, body: str, status: int = 200, media_type: str = "text/html", cut_bytes: int = 0) -> UrlFetched:
        return UrlFetched(url="https://a.example/b", status=status, media_type=media_type, text=body, cut_bytes=cut_bytes)

    def test_it_asks_for_the_page_with_the_settings(self) -> None:
        cfg = evolve(config(limits=Limits(file_bytes=99)), web=Web(private_hosts=("localhost",), timeout_s=5.0))
        end, requests = run(FETCH, self.fetched("# A"), cfg=cfg, url=" https://a.example ")
        assert requests == (FetchUrl(url="https://a.example", limit_bytes=99, timeout_s=5.0, private_hosts=("localhost",)),)
        assert end == Done("https://a.example/b (status 200, text/html)\n\n# A")

    def test_a_page_of_an_error_is_shown_as_a_failure(self) -> None:
        assert run(FETCH, self.fetched("gone", 404), url="https://a.example")[0] == Done(
            "https://a.example/b (status 404, text/html)\n\ngone", ok=False
        )

    def test_an_empty_page_is_one(self) -> None:
        assert text(run(FETCH, self.fetched(""), url="https://a.example")[0]).endswith("\n\n(nothing)")

    def test_a_long_page_is_read_on_from_a_line(self) -> None:
        body = "".join(f"line {n}\n" for n in range(1, 1001))
        cfg = config(limits=Limits(output_bytes=200))
        end, _ = run(FETCH, self.fetched(body, cut_bytes=7), cfg=cfg, url="https://a.example")
        assert "fetch with start_line shows the rest" in text(end)
        assert "the end was not read: at least 7 bytes" in text(end)
        end, _ = run(FETCH, self.fetched(body), cfg=cfg, url="https://a.example", start_line=999)
        assert text(end) == "https://a.example/b (status 200, text/html, from line 999 of 1,000)\n\nline 999\nline 1000"
        assert code(run(FETCH, self.fetched(body), url="https://a.example", start_line=1001)[0]) == "no-such-line"

    def test_what_is_no_text_is_named(self) -> None:
        end, _ = run(FETCH, self.fetched("", 200, "application/pdf", 1234), url="https://a.example/x.pdf")
        assert isinstance(end, Refuse)
        assert "application/pdf (1,234 bytes), not text" in end.problem.message

    def test_a_problem_passes(self) -> None:
        assert run(FETCH, FAILED, url="https://a.example")[0] == Refuse(FAILED)

    @pytest.mark.parametrize("url", ["", "example.com", "ftp://a.example", "file:///etc/passwd", "https://", "http://u:p@a.example/", "http://a b", "https://[::1", "http://a:x/", "data:text/html,x", "https://a\\b", "https://" + "a" * 9000])  # fmt: skip
    def test_what_is_no_address_is_refused_before_anything_is_asked(self, url: str) -> None:
        end, requests = run(FETCH, url=url)
        assert (code(end), requests) == ("bad-url", ())

    def test_it_is_asked_for_unless_a_rule_says_otherwise(self) -> None:
        request = FetchUrl(url="https://a.example", limit_bytes=1, timeout_s=1)
        assert isinstance(permit(request, config()), Ask)
        assert isinstance(permit(request, evolve(config(), rules=(Rule(Verdict.ALLOW, "fetch", "https://a.example*"),))), Allow)
        assert isinstance(permit(request, evolve(config(), rules=(Rule(Verdict.DENY, "fetch"),))), Deny)

    @given(st.text(max_size=60) | st.text(alphabet="htps:/@[]a.:%\\?#1 ", max_size=40).map(lambda tail: f"http://{tail}"))
    def test_any_text_is_an_address_or_a_problem(self, url: str) -> None:
        found = checked_url(url)
        if isinstance(found, WebAddress):
            assert found.scheme in {"http", "https"}
            assert found.host
            assert found.host == found.host.lower()
            assert "@" not in url.partition("://")[2].split("/")[0].split("?")[0].split("#")[0]


class TestBrowser:
    SEEN = BrowserSeen(url="https://a.example/", title="A", text='- link "More"')

    @pytest.mark.parametrize(
        ("arguments", "action", "target", "typed"),
        [
            ({"action": "open", "target": "https://a.example"}, Browsing.OPEN, "https://a.example", ""),
            ({"action": "click", "target": 'link "More"', "text": "x"}, Browsing.CLICK, 'link "More"', ""),
            ({"action": "type", "target": "#q", "text": "cats\n"}, Browsing.TYPE, "#q", "cats\n"),
            ({"action": "text", "target": "?"}, Browsing.TEXT, "", ""),
        ],
    )
    def test_each_act_is_one_request(self, arguments: dict[str, str], action: Browsing, target: str, typed: str) -> None:
        end, (request,) = run(BROWSER, self.SEEN, cfg=None, **arguments)
        assert isinstance(request, UseBrowser)
        assert (request.action, request.target, request.text) == (action, target, typed)
        assert text(end) == 'A · https://a.example/\n\n- link "More"'

    def test_a_picture_goes_into_a_file_and_is_shown(self) -> None:
        seen = BrowserSeen(url="https://a.example/", title="", text="/w/p.png")
        end, requests = run(BROWSER, seen, READ, action="screenshot", target="p.png")
        assert isinstance(requests[0], UseBrowser)
        assert requests[0].target == "/w/p.png"
        assert requests[1] == ReadImage(path="/w/p.png", limit_bytes=Limits().image_bytes)
        assert end == Done("https://a.example/\n\nThe page is in p.png.", JsonObject(), images=(DOT,))

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"action": "open", "target": "file:///etc/passwd"}, "bad-url"),
            ({"action": "open"}, "bad-url"),
            ({"action": "click"}, "no-target"),
            ({"action": "type", "text": "x"}, "no-target"),
            ({"action": "screenshot"}, "bad-path"),
            ({"action": "screenshot", "target": "a.txt"}, "bad-path"),
            ({"action": "screenshot", "target": "a\n.png"}, "bad-path"),
        ],
    )
    def test_what_lacks_its_target_is_refused_before_anything_is_asked(self, arguments: dict[str, str], said: str) -> None:
        end, requests = run(BROWSER, cfg=None, **arguments)
        assert (code(end), requests) == (said, ())

    def test_a_problem_passes(self) -> None:
        assert run(BROWSER, FAILED, action="text")[0] == Refuse(FAILED)
        assert run(BROWSER, FAILED, action="screenshot", target="p.png")[0] == Refuse(FAILED)
        assert run(BROWSER, self.SEEN, FAILED, action="screenshot", target="p.png")[0] == Refuse(FAILED)


class TestVision:
    def test_it_shows_the_image(self) -> None:
        end, requests = run(VISION, READ, path="a.png")
        assert requests == (ReadImage(path="/w/a.png", limit_bytes=5_000_000),)
        assert end == Done("a.png (image/png, 3 bytes)", images=(DOT,))

    def test_a_problem_passes(self) -> None:
        assert run(VISION, FAILED, path="a.png")[0] == Refuse(FAILED)
        assert code(run(VISION, path="a\0.png")[0]) == "bad-path"


class TestScreenshot:
    def ended(self, exit_code: int = 0, output: str = "", *, timed_out: bool = False) -> ProcessEnded:
        return ProcessEnded(exit_code=exit_code, output=output, cwd="/w", timed_out=timed_out)

    def test_it_has_a_program_take_it_and_shows_it(self) -> None:
        end, (first, second) = run(SCREENSHOT, self.ended(), READ)
        assert isinstance(first, RunProcess)
        assert "file='/w/screenshot.png'" in first.script
        assert all(program in first.script for program in PROGRAMS)
        assert second == ReadImage(path="/w/screenshot.png", limit_bytes=5_000_000)
        assert end == Done("The screen is in screenshot.png (image/png, 3 bytes).", images=(DOT,))

    def test_a_quote_in_the_name_ends_no_word(self) -> None:
        _, (first, _) = run(SCREENSHOT, self.ended(), READ, path="a'; rm -rf x'.png")
        assert isinstance(first, RunProcess)
        assert first.script.startswith("file='/w/a'\\''; rm -rf x'\\''.png'\n")

    @pytest.mark.parametrize(
        ("outcome", "said"),
        [
            (FAILED, "no-host"),
            (ProcessEnded(exit_code=91, output="", cwd="/w"), "no-program"),
            (ProcessEnded(exit_code=92, output="", cwd="/w"), "exists"),
            (ProcessEnded(exit_code=1, output="can't open display", cwd="/w"), "no-screen"),
            (ProcessEnded(exit_code=1, output="", cwd="/w"), "no-screen"),
            (ProcessEnded(exit_code=-9, output="", cwd="/w", timed_out=True), "time-out"),
        ],
    )
    def test_what_went_wrong_is_told(self, outcome: Answer | Problem, said: str) -> None:
        assert code(run(SCREENSHOT, outcome)[0]) == said

    def test_names_that_can_be_no_picture_are_refused(self) -> None:
        assert code(run(SCREENSHOT, path="a.txt")[0]) == "bad-path"
        assert code(run(SCREENSHOT, path="a\n.png")[0]) == "bad-path"
        assert run(SCREENSHOT, self.ended(), FAILED)[0] == Refuse(FAILED)

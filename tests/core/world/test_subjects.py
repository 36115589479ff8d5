"""Hosts and addresses: a pattern means the host that is reached, and nothing that looks like it."""

from __future__ import annotations

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Preset, Rule, Verdict
from turnfold.core.world.permission import Allow, Ask, Deny, permit
from turnfold.core.world.requests import AskHuman, Browsing, FetchUrl, FormField, UseBrowser


def fetched(url: str, pattern: str, verdict: Verdict = Verdict.ALLOW) -> object:
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=(Rule(verdict, "fetch", pattern),))
    return type(permit(FetchUrl(url=url, limit_bytes=1, timeout_s=1), cfg))


@pytest.mark.parametrize(
    ("url", "pattern", "allowed"),
    [
        ("https://example.com/a", "example.com", True),
        ("https://EXAMPLE.com:8080/a", "example.com", True),
        ("https://example.com./a", "example.com", True),
        ("https://me:pw@example.com/", "example.com", True),
        ("https://a.example.com/", "*.example.com", True),
        ("https://example.com/", "*.example.com", False),
        ("https://evil.org/?.example.com", "*.example.com", False),
        ("https://example.com@evil.org/", "example.com", False),
        ("https://example.com\\@evil.org/", "*example.com*", False),
        ("https://example.com/a/b", "https://example.com/a/*", True),
        ("https://example.com/a/../b", "https://example.com/a/*", False),
        ("https://example.com/a/%2E%2e/b", "https://example.com/a/*", False),
        ("https://me@example.com/a", "https://*example.com/a", False),
        ("https://example.com /a", "example.com", False),
        ("file:///etc/passwd", "*", True),
        ("file:///etc/passwd", "file://*", False),
        ("http://[::1]/", "::1", True),
        ("http://[", "[", False),
        ("https://\u0435xample.com", "*xample.com", False),
    ],
)
def test_rules_for_addresses(url: str, pattern: str, allowed: bool) -> None:
    assert fetched(url, pattern) is (Allow if allowed else Ask)


def test_a_denial_means_all_that_looks_like_it() -> None:
    for url in ("https://example.com", "https://evil.org/?example.com", "https://example.com\\@b"):
        assert fetched(url, "*example.com*", Verdict.DENY) is Deny


def browsed(action: Browsing, target: str, preset: Preset, *rules: Rule) -> object:
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w", permission=preset, rules=rules)
    return type(permit(UseBrowser(action=action, target=target, timeout_s=1, output_bytes=1), cfg))


def test_a_browser_by_preset() -> None:
    for action, target, said in (
        (Browsing.OPEN, "https://a.org", (Ask, Ask, Ask, Allow)),
        (Browsing.CLICK, "#a", (Deny, Ask, Ask, Allow)),
        (Browsing.TYPE, "#a", (Deny, Ask, Ask, Allow)),
        (Browsing.TEXT, "", (Allow, Allow, Allow, Allow)),
        (Browsing.SCREENSHOT, "/w/a.png", (Deny, Ask, Allow, Allow)),
        (Browsing.SCREENSHOT, "/etc/a.png", (Deny, Ask, Ask, Allow)),
    ):
        assert tuple(browsed(action, target, preset) for preset in Preset) == said, action
    assert browsed(Browsing.SCREENSHOT, "/w/a.png", Preset.ALL, Rule(Verdict.DENY, "write", "*.png")) is Deny
    assert browsed(Browsing.CLICK, "#a", Preset.ASK, Rule(Verdict.ALLOW, "browse", "click")) is Allow


def test_a_question_to_a_person_is_always_asked() -> None:
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w", permission=Preset.ALL)
    assert isinstance(permit(AskHuman(question="?", fields=(FormField(name="a"),)), cfg), Ask)

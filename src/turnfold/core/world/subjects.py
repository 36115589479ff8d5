"""Subjects: what rules are matched against. A request has one or several: a path as seen from the workspace, a URL and its host, a name."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import final
from urllib.parse import urlsplit

from attrs import frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.described import described
from turnfold.core.world.requests import Browsing, Request, UseBrowser

READS = ("read", "list")
PATHS = (*READS, "write")
NETWORK = ("fetch", "browse")
CODE = ("python",)
COMPOUND = frozenset(";&|<>$`(){}\n\\")  # code with one of these may be more than it looks
PLAIN_URL = re.compile(r"[!-\[\]-~]+")  # printable, no blank, no backslash: read alike by all who read it


@final
@frozen
class Subject:
    """What a rule is matched against: the request's kind, a text, and whether the text is a path outside the workspace."""

    kind: str
    text: str
    outside: bool = False


def relative(path: str, workspace: str) -> str:
    """The absolute ``path`` as seen from ``workspace``; unchanged when it lies outside.

    >>> relative("/w/a/b.txt", "/w"), relative("/etc/passwd", "/w")
    ('a/b.txt', '/etc/passwd')
    """
    root = normal(workspace)
    clean = normal(path)
    if clean == root:
        return "."
    prefix = root if root.endswith("/") else root + "/"
    return clean.removeprefix(prefix)


def normal(path: str) -> str:
    """``path`` without dots and doubled slashes; POSIX would keep two in front, and rules be blind to them."""
    clean = posixpath.normpath(path)
    return clean[1:] if clean.startswith("//") else clean


def readable_roots(cfg: ChatConfig) -> tuple[str, ...]:
    """The folders besides the workspace that may be read without asking, by absolute paths.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> readable_roots(ChatConfig(ProjectConfig(Config()), roots=("/data",)))
    ('/data',)
    """
    return (*cfg.roots, *(posixpath.dirname(skill.path) for skill in cfg.briefing.skills))


def path_subjects(kind: str, path: str, cfg: ChatConfig) -> tuple[Subject, ...]:
    """The absolute ``path`` as seen from the workspace; what is read, as seen from the extra roots above it, too."""
    seen = relative(path, cfg.workspace)
    about = Subject(kind, seen, outside=seen.startswith("/"))
    if not about.outside or kind not in READS:
        return (about,)
    names = (relative(seen, root) for root in readable_roots(cfg) if root.startswith("/"))
    return (about, *(Subject(kind, name) for name in names if not name.startswith("/")))


def subjects(request: Request, cfg: ChatConfig) -> tuple[Subject, ...]:
    """What ``request`` acts on, as rules see it: at least one."""
    about = described(request)
    if about.kind in PATHS:
        return path_subjects(about.kind, about.subject, cfg)
    if isinstance(request, UseBrowser) and request.action is not Browsing.OPEN:
        return (Subject("browse", request.action.value),)
    if about.kind in NETWORK:
        host = host_of(about.subject)
        address = about.subject if "://" in about.subject else f"open {about.subject}"
        return (Subject(about.kind, address), *((Subject(about.kind, host),) if host else ()))
    return (Subject(about.kind, about.subject),)


def host_of(url: str) -> str:
    """The host of ``url``, in lower case; empty where readers of it might differ on that.

    >>> host_of("https://me@Example.com:80/a"), host_of("https://a.b\\\\@c"), host_of("file:///x")
    ('example.com', '', '')
    """
    if PLAIN_URL.fullmatch(url) is None:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return (parts.hostname or "").rstrip(".") if parts.scheme in ("http", "https") else ""


def matches(rule: Rule, subject: Subject) -> bool:
    """Whether ``rule`` speaks of ``subject``, which is no command: those are read first.

    >>> matches(Rule(Verdict.ALLOW, "write", "src/*"), Subject("write", "src/a.py"))
    True
    >>> matches(Rule(Verdict.ALLOW, "fetch", "*.org"), Subject("fetch", "https://x.com/?.org"))
    False
    """
    if not of_kind(rule, subject.kind):
        return False
    if rule.pattern == "*":
        return rule.kind == "*" or not subject.outside
    if subject.outside and not rule.pattern.startswith("/"):
        return False
    if subject.kind in CODE and rule.verdict is not Verdict.DENY and not COMPOUND.isdisjoint(subject.text):
        return False
    if subject.kind in NETWORK and rule.verdict is not Verdict.DENY and "://" in subject.text:
        return "://" in rule.pattern and _clear(subject.text) and fnmatchcase(subject.text, rule.pattern)
    return fnmatchcase(subject.text, rule.pattern)


def of_kind(rule: Rule, kind: str) -> bool:
    """Whether ``rule`` speaks of requests of this kind at all; of a model call only its own kind does."""
    return rule.kind == kind or (rule.kind == "*" and kind != "model")


def _clear(url: str) -> bool:
    """Whether a pattern over the whole ``url`` means what it looks like: no name before the host, no way back in its path."""
    found = host_of(url)
    rest = url.partition("://")[2].lower()
    return bool(found) and rest.startswith(found) and "/.." not in rest and "%2e" not in rest


def literal(text: str) -> str:
    """The glob that matches ``text`` and nothing else.

    >>> literal("/a[1]*.txt")
    '/a[[]1][*].txt'
    """
    return "".join(f"[{each}]" if each in "*?[" else each for each in text)

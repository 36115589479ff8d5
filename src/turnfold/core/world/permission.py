"""Permission: decided on requests, from the rules that the config layers hold.

A rule that denies wins over all others, whatever its layer. Else the first rule that matches decides, those of the
highest layer first. Else: model calls, and reading inside the workspace, are allowed; everything else is asked for.

Reading below an extra root (``cfg.roots``), or in the folder of a skill that the conversation was told of, is as inside the
workspace: a rule speaks of the path as seen from there, too, and where none speaks, it is allowed.

A rule's pattern is a glob over the request's *subject*: a path relative to the workspace (absolute when outside of it),
a command, or code. Kind ``*`` means every kind of act in the world; a model call is meant only by its own kind, ``model``. Outside the workspace only a pattern that starts with ``/`` matches, or kind ``*`` with pattern
``*``. A command that is more than one simple command is matched only by the pattern ``*``: ``git *`` must not allow
``git status; rm -rf .``.
"""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.described import described
from turnfold.core.world.requests import AskHuman, ChangeFiles, DeleteFile, Request, WriteFile

READS = ("read", "list")
PATHS = (*READS, "write")
FREE = ("model", "job", "child")  # a job was allowed when it was started; a child asks for what it does
COMPOUND = frozenset(";&|<>$`(){}\n\\")  # a command with one of these may be more than it looks


@final
@frozen
class Allow:
    """It may be performed at once."""


@final
@frozen
class Ask:
    """A person must say so first."""

    reason: str


@final
@frozen
class Deny:
    """It may not be performed."""

    reason: str


Permission: TypeAlias = Allow | Ask | Deny


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
    root = _normal(workspace)
    clean = _normal(path)
    if clean == root:
        return "."
    prefix = root if root.endswith("/") else root + "/"
    return clean.removeprefix(prefix)


def _normal(path: str) -> str:
    """``path`` without dots and doubled slashes; POSIX would keep two in front, and rules be blind to them."""
    clean = posixpath.normpath(path)
    return clean[1:] if clean.startswith("//") else clean


def subject(request: Request, cfg: ChatConfig) -> Subject:
    """What ``request`` acts on, as rules see it: a path in the workspace is relative to it."""
    about = described(request)
    return _path_subject(about.kind, about.subject, cfg) if about.kind in PATHS else Subject(about.kind, about.subject)


def readable_roots(cfg: ChatConfig) -> tuple[str, ...]:
    """The folders besides the workspace that may be read without asking, by absolute paths.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> readable_roots(ChatConfig(ProjectConfig(Config()), roots=("/data",)))
    ('/data',)
    """
    return (*cfg.roots, *(posixpath.dirname(skill.path) for skill in cfg.briefing.skills))


def _subjects(request: Request, cfg: ChatConfig) -> tuple[Subject, ...]:
    """What ``request`` acts on, as seen from the workspace; what is read, as seen from the extra roots above it, too."""
    about = subject(request, cfg)
    if not about.outside or about.kind not in READS:
        return (about,)
    seen = (relative(about.text, root) for root in readable_roots(cfg) if root.startswith("/"))
    return (about, *(Subject(about.kind, name) for name in seen if not name.startswith("/")))


def _path_subject(kind: str, path: str, cfg: ChatConfig) -> Subject:
    seen = relative(path, cfg.workspace)
    return Subject(kind, seen, outside=seen.startswith("/"))


def matches(rule: Rule, subject: Subject) -> bool:
    """Whether ``rule`` speaks of ``subject``.

    >>> (
    ...     matches(Rule(Verdict.ALLOW, "run", "git *"), Subject("run", "git status")),
    ...     matches(Rule(Verdict.ALLOW, "run", "git *"), Subject("run", "git x; y")),
    ... )
    (True, False)
    """
    if rule.kind != subject.kind and (rule.kind != "*" or subject.kind == "model"):
        return False
    if rule.pattern == "*":
        return rule.kind == "*" or not subject.outside
    if subject.outside and not rule.pattern.startswith("/"):
        return False
    if subject.kind in ("run", "python") and rule.verdict is not Verdict.DENY and not COMPOUND.isdisjoint(subject.text):
        return False
    return fnmatchcase(subject.text, rule.pattern)


def permit(request: Request, cfg: ChatConfig) -> Permission:
    """Whether ``request`` may be performed under the rules of ``cfg``; linear in the number of rules.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.world.requests import ReadFile
    >>> cfg = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=(Rule(Verdict.DENY, "*", "*.env"),))
    >>> permit(ReadFile(path="/w/a.txt", limit_bytes=9), cfg), permit(ReadFile(path="/w/.env", limit_bytes=9), cfg)
    (Allow(), Deny(reason='A rule of the configuration denies this (read).'))
    """
    if isinstance(request, AskHuman):
        return Ask("It is a question to you.")
    if isinstance(request, ChangeFiles):
        return _strictest(tuple(permit(_change(each), cfg) for each in request.changes))
    seen = _subjects(request, cfg)
    speaking = tuple(rule for rule in cfg.rules if any(matches(rule, about) for about in seen))
    if any(rule.verdict is Verdict.DENY for rule in speaking):
        return Deny(f"A rule of the configuration denies this ({seen[0].kind}).")
    for rule in speaking:
        return Allow() if rule.verdict is Verdict.ALLOW else Ask("A rule of the configuration asks for it.")
    return _default(seen[-1])


def _change(change: WriteFile | DeleteFile) -> WriteFile:
    """One of several changes, as the request that it would be alone."""
    return change if isinstance(change, WriteFile) else WriteFile(path=change.path, text="", expected_digest=change.expected_digest)


def _strictest(said: tuple[Permission, ...]) -> Permission:
    """What holds for all of these together."""
    for kind in (Deny, Ask):
        for each in said:
            if isinstance(each, kind):
                return each
    return Allow()


def _default(about: Subject) -> Permission:
    if about.kind in FREE or (about.kind in READS and not about.outside):
        return Allow()
    if about.outside:
        return Ask("It is outside the workspace.")
    match about.kind:
        case "write":
            return Ask("It changes a file.")
        case "run":
            return Ask("It runs a command.")
        case "python" | "function":
            return Ask("It runs code.")
        case "chats":
            return Ask("It reads your other conversations.")
        case "mcp":
            return Ask("It asks a server to act.")
        case _:
            return Ask("It reaches into the network.")

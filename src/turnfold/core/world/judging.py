"""Judging a subject: a denial wins, then the first rule that speaks of it, then the preset."""

from __future__ import annotations

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.world.presets import by_preset
from turnfold.core.world.subjects import NETWORK, Subject, matches, path_subjects
from turnfold.core.world.verdicts import Allow, Ask, Deny, Permission

ASKED = "A rule of the configuration asks for it."


def denied(kind: str, what: str = "") -> Deny:
    """The denial by a rule."""
    return Deny(f"A rule of the configuration denies this ({kind}{f': {what}' if what else ''}).")


def said(rule: Rule) -> Permission:
    """What ``rule``, which is no denial, says of what it matches."""
    return Allow() if rule.verdict is Verdict.ALLOW else Ask(ASKED)


def judged(seen: tuple[Subject, ...], cfg: ChatConfig) -> Permission:
    """What holds for one thing that is seen in these ways; linear in the number of rules."""
    speaking = tuple(rule for rule in cfg.rules if any(matches(rule, about) for about in seen))
    if any(rule.verdict is Verdict.DENY for rule in speaking):
        return denied(seen[0].kind)
    if speaking:
        return said(speaking[0])
    return by_preset(seen[0] if seen[0].kind in NETWORK else seen[-1], cfg.permission)


def judged_path(kind: str, path: str, cfg: ChatConfig) -> Permission:
    """What holds for reading, listing or writing the absolute ``path``."""
    return judged(path_subjects(kind, path, cfg), cfg)

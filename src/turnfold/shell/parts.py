"""A config in parts: what is a conversation's own, and what it shares with most others of its person.

Next to its own few settings a conversation holds all files that were read for it, the table of models among them, and the texts
of its surroundings. Those are kept once, under the digest of their content, however many conversations hold them.
"""

from __future__ import annotations

import hashlib
from typing import final

from attrs import evolve, frozen

from turnfold.core.codec.codec import BRIEFING, CONFIG, PROJECT, encode
from turnfold.core.config.briefing import Briefing
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.missing import Missing

BLANK = ProjectConfig(Config())


@final
@frozen
class Part:
    """A text and the SHA-256 (hex) of it."""

    digest: str
    body: str


@final
@frozen(kw_only=True)
class Parts:
    """A config as it is stored: ``body`` is the conversation's own."""

    body: str
    project: Part
    briefing: Part


def parted(cfg: ChatConfig) -> Parts:
    """``cfg`` in its parts."""
    own = evolve(cfg, project=BLANK, briefing=Briefing())
    return Parts(body=encode(CONFIG, own), project=_part(encode(PROJECT, cfg.project)), briefing=_part(encode(BRIEFING, cfg.briefing)))


def _part(body: str) -> Part:
    return Part(hashlib.sha256(body.encode()).hexdigest(), body)


def says_workspace(own: ChatConfig) -> bool:
    """Whether the conversation's own settings name its workspace, so that nobody else has to be asked."""
    return any(not isinstance(layer.own_workspace, Missing) for layer in (*own.overrides, own))

"""Presets: what holds where no rule speaks. From the strictest to the loosest, what one allows the next allows, too.

* ``read-only``: reading in the workspace, and commands that only look there; whatever changes something is denied.
* ``ask``: the same is allowed, and everything else is asked for.
* ``edit``: files of the workspace may be changed as well, but for those that decide what runs later (``GUARDED``).
* ``all``: everything.
"""

from __future__ import annotations

import re

from turnfold.core.config.values import Preset
from turnfold.core.world.subjects import READS, Subject
from turnfold.core.world.verdicts import Allow, Ask, Deny, Permission

FREE = ("model", "job", "child")  # a job was allowed when it was started; a child asks for what it does
LOOKING = ("chats", "fetch")  # they change nothing
SEEING = ("text", "screenshot")  # of a page that was opened with permission; a picture's file is judged as a file
GUARDED = re.compile(  # what versioning, turnfold, direnv, editors, agents and CI run by themselves
    r"(?:.*/)?(?:\.git|\.hg|\.husky|\.pre-commit-config\.yaml|\.github|\.gitlab-ci\.yml|\.turnfold|turnfold(?:\.local)?\.toml|\.envrc"
    r"|\.vscode|\.idea|\.devcontainer|\.claude|\.cursor)(?:/.*)?",
    re.IGNORECASE | re.DOTALL,
)
WHY = (
    ("write", "It changes a file."),
    ("run", "It runs a command."),
    ("python", "It runs code."),
    ("function", "It runs code."),
    ("chats", "It reads your other conversations."),
    ("mcp", "It asks a server to act."),
)


def by_preset(about: Subject, preset: Preset) -> Permission:
    """What ``preset`` says of ``about``.

    >>> by_preset(Subject("write", "a.py"), Preset.EDIT), by_preset(Subject("write", ".git/config"), Preset.EDIT)
    (Allow(), Ask(reason='It decides what runs later.'))
    """
    reading = about.kind in READS and not about.outside
    seeing = about.kind == "browse" and about.text in SEEING
    if about.kind in FREE or reading or seeing or preset is Preset.ALL:
        return Allow()
    if preset is Preset.READ_ONLY and about.kind not in (*READS, *LOOKING) and not (about.kind == "browse" and "://" in about.text):
        return Deny(read_only(about.kind))
    if about.outside:
        return Ask("It is outside the workspace.")
    if about.kind == "write" and preset is Preset.EDIT:
        return Ask("It decides what runs later.") if GUARDED.fullmatch(about.text) else Allow()
    return Ask(next((why for kind, why in WHY if kind == about.kind), "It reaches into the network."))


def read_only(kind: str) -> str:
    """Why the strictest preset denies what is of this kind."""
    return f'The preset "read-only" denies what may change something ({kind}). The person can say  /permission ask'

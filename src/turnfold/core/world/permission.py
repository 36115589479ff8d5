"""Permission: decided on requests, from the rules that the config layers hold and the preset that holds where none speaks.

A rule that denies wins over all others, whatever its layer. Else the first rule that matches decides, those of the highest layer first.
Else the preset does (``presets``).

A rule's pattern is a glob over the request's *subject* (``subjects``): a path relative to the workspace (absolute when outside of it), a
command, code, a URL or its host, a name. Kind ``*`` means every kind of act in the world; a model call is meant only by its own kind,
``model``. Outside the workspace only a pattern that starts with ``/`` matches, or kind ``*`` with pattern ``*``. Reading below an extra
root (``cfg.roots``), or in the folder of a skill that the conversation was told of, is as inside the workspace: a rule speaks of the path
as seen from there, too.

A script is read, and every command in it has to be allowed (``commands``): ``git *`` does not allow ``git status; rm -rf .``.
"""

from __future__ import annotations

import posixpath

from turnfold.core.config.layers import ChatConfig
from turnfold.core.world.commands import judged_script
from turnfold.core.world.judging import judged, judged_path
from turnfold.core.world.requests import AskHuman, Browsing, ChangeFiles, Request, RunProcess, StartJob, UseBrowser, Wait
from turnfold.core.world.subjects import Subject, readable_roots, relative, subjects
from turnfold.core.world.verdicts import Allow, Ask, Deny, Permission, strictest

__all__ = ["Allow", "Ask", "Deny", "Permission", "Subject", "permit", "readable_roots", "relative"]


def permit(request: Request, cfg: ChatConfig) -> Permission:
    """Whether ``request`` may be performed under the rules and the preset of ``cfg``; total.

    Linear in the number of rules and, for a script, in its length.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.config.values import Rule, Verdict
    >>> from turnfold.core.world.requests import ReadFile
    >>> cfg = ChatConfig(ProjectConfig(Config()), workspace="/w", rules=(Rule(Verdict.DENY, "*", "*.env"),))
    >>> permit(ReadFile(path="/w/a.txt", limit_bytes=9), cfg), permit(ReadFile(path="/w/.env", limit_bytes=9), cfg)
    (Allow(), Deny(reason='A rule of the configuration denies this (read).'))
    """
    match request:
        case AskHuman():
            return Ask("It is a question to you.")
        case Wait():
            return Allow()
        case ChangeFiles(changes):
            return strictest(tuple(judged_path("write", each.path, cfg) for each in changes))
        case RunProcess(script=script, cwd=cwd, confinement=confinement) | StartJob(script=script, cwd=cwd, confinement=confinement):
            return judged_script(script, cwd, cfg, confined=confinement is not None)
        case UseBrowser(action=Browsing.SCREENSHOT, target=target):
            picture = judged_path("write", posixpath.join(cfg.workspace, target), cfg)
            return strictest((judged(subjects(request, cfg), cfg), picture))
        case _:
            return judged(subjects(request, cfg), cfg)

"""What a request to the file system may reach, judged by where its path leads.

Permission is decided on paths as they are written, by text alone. So a path in the workspace must not lead by a link out of it,
or to what a rule denies: else a link that came with a project would have anything read unasked. What it leads to can be
asked for by its own path, which permission sees. The port walks the path, has its end judged here, and opens just that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.paths import resolve
from turnfold.core.world.permission import Deny, permit, readable_roots, relative
from turnfold.core.world.requests import DeleteFile, ListFiles, ReadFile, ReadImage, Request, WriteFile

OnePath: TypeAlias = ReadFile | ReadImage | WriteFile | DeleteFile | ListFiles
Real: TypeAlias = Callable[[str], str]  # where a path leads, as text


@final
@frozen
class Bounds:
    """The bounds that ``cfg`` sets; None: there are none, for what no model has asked for."""

    cfg: ChatConfig | None = None

    def fault(self, request: OnePath, there: str, real: Real) -> Problem | None:
        """Why ``request``, whose path leads to ``there``, goes too far, or None.

        A path in the workspace must stay in it. What is read below an extra root or a skill's folder must stay there in the same way. All
        else was asked for, or allowed by a rule, under this very path; but what a rule denies is denied under every name.
        """
        cfg = self.cfg
        if cfg is None:
            return None
        name = relative(request.path, cfg.workspace)
        if not name.startswith("/"):
            return _led_astray(request, there, cfg.workspace, cfg, real)
        below = () if isinstance(request, (WriteFile, DeleteFile)) else readable_roots(cfg)
        above = tuple(root for root in below if root.startswith("/") and not relative(name, root).startswith("/"))
        faults = tuple(_led_astray(request, there, root, cfg, real) for root in above)
        stays = None in faults or not faults
        found = next((each for each in faults if each is not None and (each.code == "denied" or not stays)), None)
        return found or _denied(request, there, cfg, real)


FREE = Bounds()


def _led_astray(request: OnePath, there: str, root: str, cfg: ChatConfig, real: Real) -> Problem | None:
    """The Problem of a path below ``root`` that leads out of it, or to what a rule denies."""
    name, seen = relative(request.path, root), relative(there, real(root))
    if seen.startswith("/"):
        where = "the workspace" if root == cfg.workspace else root
        message = f"{name} leads to {seen}, outside of {where}, by a link: write that path itself, and the user is asked."
        return model_problem("leads-outside", message, "$.path")
    return _denial(request, name, seen, resolve(seen, cfg, root), cfg) if seen != name else None


def _denied(request: OnePath, there: str, cfg: ChatConfig, real: Real) -> Problem | None:
    """The Problem of a path outside that leads to what a rule denies, under the name that it has for rules."""
    seen = relative(there, real(cfg.workspace))
    path = resolve(seen, cfg)
    return _denial(request, request.path, seen, path, cfg) if path != request.path else None


def _denial(request: OnePath, name: str, seen: str, path: str, cfg: ChatConfig) -> Problem | None:
    if not isinstance(permit(_moved(request, path), cfg), Deny):
        return None
    return model_problem("denied", f"{name} leads to {seen}, which a rule of the configuration denies: go on without it.", "$.path")


def _moved(request: OnePath, path: str) -> Request:
    """``request`` as if it were about ``path``."""
    if isinstance(request, DeleteFile):
        return WriteFile(path=path, text="", expected_digest=request.expected_digest)
    return evolve(request, path=path)

"""Paths as tools see them: what a model writes, made absolute by text alone."""

from __future__ import annotations

import posixpath

from turnfold.core.config.layers import ChatConfig


def resolve(path: str, cfg: ChatConfig, cwd: str = "") -> str:
    """``path`` made absolute from ``cwd`` (the workspace where empty), with ``.`` and ``..`` resolved as text.

    Symbolic links are the shell's concern; ``~`` is an ordinary name (a tool that takes paths of a model refuses it).

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> resolve("../b.txt", ChatConfig(ProjectConfig(Config()), workspace="/w"), "sub")
    '/w/b.txt'
    """
    return posixpath.normpath(posixpath.join(cfg.workspace, cwd, path))

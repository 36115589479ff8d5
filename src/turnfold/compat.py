"""The shape of calls that gptme has, for code that is moved step by step: ``get_config()``, ``get_tools()``, ``execute_command(cmd)``.

Each is a call over values that :func:`bind` was given. There is no state behind it: two of them side by side never see each other, and
threads and tasks have nothing to mix up. Each call warns with a ``DeprecationWarning`` at the line that made it, and names what
to write in its place; Python itself shows that once a line.
"""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import final

from attrs import evolve, frozen

from turnfold.core.agent.draft import Step
from turnfold.core.agent.state import ChatState, usable
from turnfold.core.agent.step import execute_command
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.tools.spec import ToolSpec, find_tool


@final
@frozen
class Bound:
    """Tools and a config, with the old calls over them. Made by :func:`bind`."""

    tools: tuple[ToolSpec, ...]
    cfg: ChatConfig

    def get_config(self) -> ChatConfig:
        """The config; new: pass ``cfg`` itself."""
        _warn("get_config()", "pass cfg itself")
        return self.cfg

    def get_model(self) -> str:
        """The model as provider/name or an alias, empty where none is chosen; new: ``cfg.model``."""
        _warn("get_model()", "cfg.model")
        return self.cfg.model

    def get_tools(self) -> tuple[ToolSpec, ...]:
        """Those of the tools that the config lets be used; new: ``turnfold.core.agent.state.usable(tools, cfg)``, or pass ``tools``."""
        _warn("get_tools()", "pass tools itself, or usable(tools, cfg)")
        return usable(self.tools, self.cfg)

    def get_tool(self, name: str) -> ToolSpec | None:
        """The tool of that name among those; new: ``turnfold.core.tools.spec.find_tool(tools, name)``."""
        _warn("get_tool(name)", "find_tool(tools, name)")
        return find_tool(usable(self.tools, self.cfg), name)

    def execute_command(self, command: str | ToolCall, state: ChatState | None = None) -> Step:
        """The conversation ``state`` (by default a new one) after ``command``; new: ``execute_command(cmd, tools, cfg, state)``."""
        _warn("execute_command(cmd)", "turnfold.execute_command(cmd, tools, cfg, state)")
        return execute_command(command, self.tools, self.cfg, state)

    def ChatContext(self, cfg: ChatConfig) -> AbstractContextManager[Bound]:  # noqa: N802 - the old name is the point
        """The same calls over ``cfg``, for a ``with`` block; leaving the block does nothing. New: pass ``cfg``."""
        _warn("ChatContext(cfg)", "pass cfg to the calls in the block")
        return nullcontext(evolve(self, cfg=cfg))


def bind(tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Bound:
    """The old calls over ``tools`` and ``cfg``.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> bound = bind((), ChatConfig(ProjectConfig(Config(model="ollama/qwen3"))))
    >>> with warnings.catch_warnings(action="ignore"):
    ...     bound.get_model()
    'ollama/qwen3'
    """
    return Bound(tools, cfg)


def _warn(old: str, new: str) -> None:
    """A warning that points to the line that called what calls this."""
    warnings.warn(f"{old} of turnfold.compat is for code that comes from gptme; in its place: {new}", DeprecationWarning, stacklevel=3)

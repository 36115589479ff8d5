"""What a conversation works with: the built-in tools, those of the modules that its settings name, and those of its MCP servers."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.scope import Scope
from turnfold.shell.world import World


@final
@frozen(kw_only=True)
class Toolbox:
    """The tools, the world that can do what they ask for, and what keeps others from being among them."""

    tools: tuple[ToolSpec, ...]
    world: World
    problems: tuple[Problem, ...] = ()


def equipped(cfg: ChatConfig, world: World, *, servers: bool = True, scope: Scope | None = None) -> Toolbox | Problem:
    """All tools of ``cfg``, and ``world`` with what they need; a Problem where a module can't be loaded.

    A server that can't be reached is told among the problems, and the others count. Its session is the conversation's, by
    ``cfg.conversation``, until the world's ``mcp`` closes it. ``servers``: whether any is asked at all.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.testing.fake_world import fake_world
    >>> equipped(ChatConfig(ProjectConfig(Config())), fake_world()).tools == BUILTIN_TOOLS
    True
    """
    box = Toolbox(tools=BUILTIN_TOOLS, world=world)
    if cfg.tool_modules:
        from turnfold.shell.functions.calls import with_functions
        from turnfold.shell.functions.modules import load_modules

        loaded = load_modules(cfg)
        if isinstance(loaded, Problem):
            return loaded
        twice = _twice((*BUILTIN_TOOLS, *loaded.tools))
        if twice:
            message = f"There are two tools called {twice}: give the one in tool_modules another name, @tool(name=…)."
            return caller_problem("two-tools", message, "$.tool_modules")
        box = Toolbox(tools=(*BUILTIN_TOOLS, *loaded.tools), world=with_functions(world, *loaded.functions))
    if not servers:
        return box
    offered = world.mcp.offered(cfg, scope or Scope())
    return Toolbox(tools=(*box.tools, *offered.tools), world=box.world, problems=offered.problems)


def _twice(tools: tuple[ToolSpec, ...]) -> str:
    """The first name that two tools have; empty where none is."""
    names = tuple(tool.name for tool in tools)
    return next((name for place, name in enumerate(names) if name in names[:place]), "")

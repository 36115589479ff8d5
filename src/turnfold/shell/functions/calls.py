"""The table of functions that a world was handed, and the calls of them.

A function runs in the thread that performs its request, one call beside another where the driver does so. One that is not async can't
be stopped from outside: it runs to its end, unless it looks at ``Caller.cancelled``. Whatever it raises is a Problem for the model.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias, final

from attrs import evolve, frozen
from returns.result import Failure
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, did_you_mean, world_problem
from turnfold.core.world.answers import Returned
from turnfold.core.world.requests import CallPython
from turnfold.shell.functions.awaiting import awaited
from turnfold.shell.functions.results import raised, returned
from turnfold.shell.functions.signature import Bound, Caller
from turnfold.shell.functions.tool import FunctionTool
from turnfold.shell.ports import Port
from turnfold.shell.scope import Scope, never_began
from turnfold.shell.world import World

AnyFunction: TypeAlias = FunctionTool[..., Any]


@final
@frozen(eq=False)
class Functions(Port[CallPython]):
    """Functions by the names of their tools; ``loop``: where async ones run, None for a loop a call."""

    table: Mapping[str, AnyFunction]
    loop: asyncio.AbstractEventLoop | None = None

    @override
    def act(self, request: CallPython, cfg: ChatConfig, scope: Scope) -> Returned | Problem:
        if scope.cancelled:
            return never_began()
        found = self.table.get(request.name)
        if found is None:
            hint = did_you_mean(request.name, self.table) or ": hand it to the world (with_functions)."
            return world_problem("unknown-function", f"This world was not handed the function {request.name[:60]!r}{hint}")
        read = found.signature.read(request.arguments, Caller(cfg, scope))
        if isinstance(read, Failure):
            fault: Problem = read.failure()
            return fault
        bound: Bound = read.unwrap()
        return self._called(found, bound, cfg, scope)

    def _called(self, tool: AnyFunction, bound: Bound, cfg: ChatConfig, scope: Scope) -> Returned | Problem:
        name = tool.spec.name
        try:
            result: object = tool.function(*bound.positional, **dict(bound.named))
            given: object = awaited(name, result, scope, self.loop) if inspect.isawaitable(result) else result
            told: Returned | Problem = given if isinstance(given, Problem) else returned(name, given, cfg.limits.output_bytes)
            return told
        except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 - outside code: what it raises is data here
            return raised(name, error)

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here between two calls."""

    @override
    def close_all(self) -> None:
        """Nothing lives here between two calls."""


def functions_of(*tools: AnyFunction, loop: asyncio.AbstractEventLoop | None = None) -> Functions:
    """The port that calls these functions; raises ``ValueError`` where two have one name.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.json import JsonObject
    >>> functions_of().act(CallPython("add", JsonObject()), ChatConfig(ProjectConfig(Config())), Scope()).code
    'unknown-function'
    """
    table = {each.spec.name: each for each in tools}
    if len(table) < len(tools):
        names = tuple(each.spec.name for each in tools)
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"There are two functions called {twice}: give one of them another name, @tool(name=…).")
    return Functions(MappingProxyType(table), loop)


def with_functions(world: World, *tools: AnyFunction, loop: asyncio.AbstractEventLoop | None = None) -> World:
    """``world``, able to call these functions besides those that it was handed before.

    ``loop``: a running event loop on which the async ones run, for those that need what lives on it; by default each call has its own.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.json import JsonObject
    >>> from turnfold.shell.functions.tool import tool
    >>> from turnfold.testing.fake_world import fake_world
    >>> @tool
    ... def shout(text: str) -> str:
    ...     return text.upper()
    >>> world = with_functions(fake_world(), shout)
    >>> world.functions.act(CallPython("shout", JsonObject.of(text="hi")), ChatConfig(ProjectConfig(Config())), Scope()).text
    'HI'
    """
    before = world.functions if isinstance(world.functions, Functions) else Functions(MappingProxyType({}))
    made = functions_of(*before.table.values(), *tools, loop=loop or before.loop)
    return evolve(world, functions=made)

"""The asyncio driver: the same ``step``, requests of one step side by side."""

from __future__ import annotations

from concurrent.futures import Executor

from turnfold.core.agent.inputs import Input, UserSaid
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.desk import InputRule, Observers, RunResult, Seen, Watch, unseen, unwatched
from turnfold.shell.world import World


async def run_async(
    said: str | Input,
    tools: tuple[ToolSpec, ...],
    cfg: ChatConfig,
    world: World,
    *,
    state: ChatState | None = None,
    watch: Watch = unwatched,
    executor: Executor | None = None,
    rules: tuple[InputRule, ...] = (),
    seen: Seen = unseen,
) -> RunResult:
    """As :func:`run`, on the running event loop; cancelling the task interrupts the run, and leaves nothing of it behind.

    Models are called on the loop itself where ``world.async_models`` serves them. What blocks is performed on threads: those of
    ``executor``, which may be shared by many runs and stays open, or some of the run's own, which are there only when they are needed.
    At most ``limits.side_by_side`` requests are performed at once. ``watch``, ``seen`` and ``rules`` are called in the loop's thread.
    """
    from turnfold.shell.async_run import drive_async  # asyncio is a third of the import time of turnfold

    first = UserSaid(said, world.clock.now_ms()) if isinstance(said, str) else said
    observers = Observers(watch=watch, seen=seen, rules=rules)
    return await drive_async(first, ChatState() if state is None else state, tools, cfg, world, observers, executor)

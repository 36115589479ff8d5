"""The asyncio driver: the same ``step``, requests of one step side by side."""

from __future__ import annotations

from turnfold.core.agent.inputs import Input, UserSaid
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.desk import RunResult, Watch, unwatched
from turnfold.shell.world import World

SIDE_BY_SIDE = 8  # requests of one conversation that are performed at once


async def run_async(
    said: str | Input,
    tools: tuple[ToolSpec, ...],
    cfg: ChatConfig,
    world: World,
    *,
    state: ChatState | None = None,
    watch: Watch = unwatched,
    side_by_side: int = SIDE_BY_SIDE,
) -> RunResult:
    """As :func:`run`, on the running event loop; cancelling the task interrupts the run.

    ``watch`` is called in the loop's thread. At most ``side_by_side`` requests are performed at once.
    """
    from turnfold.shell.async_run import drive_async  # asyncio is a third of the import time of turnfold

    first = UserSaid(said, world.clock.now_ms()) if isinstance(said, str) else said
    return await drive_async(first, ChatState() if state is None else state, tools, cfg, world, watch, side_by_side)

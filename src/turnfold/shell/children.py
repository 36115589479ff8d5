"""A child conversation, run to its end for the call that asked for it: with its own journal, the same world, and the same person.

It is one act of its parent. Cancelling that interrupts the child, whose journal says so. Where it has to ask and nobody is there, it
pauses and stays so: the parent's call says which conversation waits, and anybody may go on with it. Whatever lives in the world for the
child alone (a Python, a browser, jobs) ends with its run.
"""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen
from typing_extensions import override

from turnfold.core.agent.asked import Question
from turnfold.core.agent.children import child_config, child_tools
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.events import Reason
from turnfold.core.agent.inputs import Decided
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import dumps
from turnfold.core.problem import Problem
from turnfold.core.tools.output import counted
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.answers import ChildEnded
from turnfold.core.world.requests import StartChild
from turnfold.shell.desk import RunResult
from turnfold.shell.ports import Human
from turnfold.shell.scope import Scope
from turnfold.shell.world import World


@final
@frozen(eq=False)
class ParentsHuman(Human):
    """The person of the parent, who is told which child asks."""

    human: Human
    child: str

    @override
    def decide(self, question: Question) -> Decided | None:
        return self.human.decide(question if question.child else evolve(question, child=self.child))


def child_ended(
    due: Perform, request: StartChild, tools: tuple[ToolSpec, ...], cfg: ChatConfig, world: World, scope: Scope
) -> ChildEnded | Problem:
    """What came of the child that ``request`` starts; ``tools`` and ``cfg`` are the parent's, its limits what is left (``parent_config``)."""
    from turnfold.shell.run import run  # which performs by this module

    handed = child_tools(request, tools, cfg)
    known = child_config(request, due.request_id, cfg)
    if isinstance(handed, Problem):
        return handed
    if isinstance(known, Problem):
        return known
    inner = evolve(world, human=ParentsHuman(world.human, known.conversation))
    try:
        result = run(request.task, handed, known, inner, scope=scope)
    finally:
        close_conversation(known.conversation, world)
    if result.ended is None and result.problem is not None and not result.state.past.started:
        return result.problem  # it never began
    return told(result)


def told(result: RunResult) -> ChildEnded:
    """What the parent hears of a child's run."""
    ended, past = result.ended, result.state.past
    good = ended is not None and ended.reason is Reason.COMPLETED
    return ChildEnded(
        conversation=result.cfg.conversation,
        text=_said(result) if good else _why(result),
        ok=good,
        usage=past.usage,
    )


def _said(result: RunResult) -> str:
    """What the child said last, with the JSON that it completed with, where it did."""
    more = None if result.result is None else result.result.get("result")
    return result.reply if more is None else f"{result.reply}\n{dumps(more)}"


def _why(result: RunResult) -> str:
    """Why a child came to no good end, and what it said last."""
    waiting = result.questions
    if waiting:
        asked = counted(len(waiting), "question")
        why = f"It waits for the user, who has to answer {asked}:  turnfold --resume {result.cfg.conversation}  goes on with it."
    elif result.problem is not None:
        why = result.problem.message
    else:
        why = "It was interrupted." if result.ended is not None and result.ended.reason is Reason.INTERRUPTED else "Its last reply was cut."
    return f"{why}\nIt said last: {result.reply}" if result.reply else why


def close_conversation(conversation: str, world: World) -> None:
    """End what lives in ``world`` for ``conversation`` alone."""
    for port in (world.pythons, world.jobs, world.browsers, world.functions, world.mcp):
        port.close(conversation)

"""How a run ends: its exit code, and its last line."""

from __future__ import annotations

from turnfold.cli.arguments import Talk
from turnfold.cli.exits import Exit
from turnfold.cli.json_lines import problem_line, question_line
from turnfold.cli.output import write
from turnfold.cli.screen import Screen, Streams, say
from turnfold.core.agent.events import Reason
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.output import counted
from turnfold.core.trace.text import spent
from turnfold.core.world.requests import AskHuman
from turnfold.shell.desk import RunResult

EXITS: tuple[tuple[Reason, Exit], ...] = (
    (Reason.COMPLETED, Exit.DONE),
    (Reason.CUT, Exit.LIMIT),
    (Reason.FAILED, Exit.FAILED),
    (Reason.REFUSED, Exit.FAILED),
    (Reason.GUARDRAIL, Exit.FAILED),
    (Reason.INTERRUPTED, Exit.INTERRUPTED),
    (Reason.LIMIT, Exit.LIMIT),
    (Reason.GUARDRAIL, Exit.FAILED),
    (Reason.REFUSED, Exit.FAILED),
)


def exit_of(result: RunResult, told: tuple[Problem, ...]) -> Exit:
    """The exit code that says how a run ended; ``told`` are the Problems that were shown."""
    if result.questions:
        return Exit.PAUSED
    if result.ended is not None:
        code = next(code for reason, code in EXITS if reason is result.ended.reason)
        return Exit.FAILED if code is Exit.DONE and _commanded_in_vain(result) else code
    if result.problem is not None:
        return Exit.FAILED
    if any(problem.blame is Blame.CALLER for problem in told):
        return Exit.USAGE
    return Exit.FAILED if any(problem.code != "unknown-outcome" for problem in told) else Exit.DONE


def _commanded_in_vain(result: RunResult) -> bool:
    """Whether the last turn was a person's own calls, and one of them failed: no model has said anything since."""
    log = result.state.past.log
    for index in range(len(log) - 1, -1, -1):
        last = log[index]
        if not isinstance(last, ToolMessage):
            return False
        if not last.ok:
            return True
    return False


def ended(plan: Talk, result: RunResult, screen: Screen, streams: Streams) -> Exit:
    """The last words of a run, and its exit code."""
    if result.problem is not None and result.problem not in screen.told:
        screen.problem(result.problem)
        if streams.json:
            write(streams.out, problem_line(result.problem))
    for question in result.asked if streams.json else ():
        write(streams.out, question_line(question))
    screen.line()
    say(streams, closing(plan, result))
    return exit_of(result, screen.told)


def closing(plan: Talk, result: RunResult) -> str:
    """The last line: which conversation this was, what it cost, and how to go on."""
    past, conversation = result.state.past, result.cfg.conversation
    if plan.dry_run:
        return "Dry run: nothing was done, and nothing of it is kept."
    if not past.conversation:
        return "Nothing of this conversation is kept."
    if result.questions and all(isinstance(each.request, AskHuman) for each in result.questions):
        waits = counted(len(result.questions), "question")
        return f"Waits for your answer ({waits}): go on in a terminal with  turnfold --resume {conversation}"
    if result.questions:
        return (
            f"Waits for permission ({counted(len(result.questions), 'question')}): go on in a terminal with  turnfold --resume {conversation}"
            "  or allow it with --yes; a rule in config.toml allows it in new conversations."
        )
    return " · ".join((f"conversation {conversation}", *spent(past.usage), f'go on:  turnfold --resume {conversation} "…"'))


def left_at_once(plan: Talk, conversation: str, *, kept: bool) -> str:
    """What is said where a person did not wait for the running turn to stop."""
    if plan.dry_run or not kept:
        return "Interrupted. Nothing of this conversation is kept."
    return f"Interrupted in the midst of a turn: what was under way is not finished.  turnfold --resume {conversation}  goes on."

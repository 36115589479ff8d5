"""Driving a conversation from the terminal: inputs one after another, a person's answers, and Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import TypeAlias

from attrs import evolve

from turnfold.cli.arguments import Talk
from turnfold.cli.asking import Terminal
from turnfold.cli.dry_run import dry_world
from turnfold.cli.opening import SettledModels
from turnfold.cli.screen import Answering, Person, Screen, always_dry, always_yes, from_terminal, nobody
from turnfold.core.agent.inputs import Input, Interrupted, SettingsChanged, UserSaid
from turnfold.core.agent.state import effective
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.desk import Desk, Observers, RunResult
from turnfold.shell.run import run
from turnfold.shell.scope import Scope
from turnfold.shell.streaming.daemons import Daemons
from turnfold.shell.world import World

Handler: TypeAlias = Callable[[int, FrameType | None], None]


def ready_world(plan: Talk, terminal: Terminal | None, screen: Screen, world: World, scope: Scope) -> World:
    """``world`` with the model settled, and with whoever answers questions under ``plan``."""
    known = evolve(world, models=SettledModels(world.models))
    human = Person(screen, _answering(plan, terminal, screen, world, scope), whole=not plan.yes)
    return dry_world(known, human) if plan.dry_run else evolve(known, human=human)


def _answering(plan: Talk, terminal: Terminal | None, screen: Screen, world: World, scope: Scope) -> Answering:
    if plan.dry_run:
        return always_dry(world.clock)
    if plan.yes:
        return always_yes(world.clock)
    return nobody if terminal is None else from_terminal(terminal, screen, world.clock, scope)


@contextlib.contextmanager
def terminal_for(plan: Talk) -> Iterator[Terminal | None]:
    """The terminal that questions are asked on; None where nobody is asked."""
    terminal = None if plan.yes or plan.dry_run or plan.json else Terminal.open()
    try:
        yield terminal
    finally:
        if terminal is not None:
            terminal.close()


def driven(inputs: Iterable[Input], begun: RunResult, tools: tuple[ToolSpec, ...], world: World, screen: Screen, scope: Scope) -> RunResult:
    """``inputs`` one after another, each driven until the conversation is idle or paused; what was cancelled is interrupted."""
    result = begun
    executor = Daemons(effective(begun.cfg, begun.state.past).limits.side_by_side)  # children of one round run side by side
    for input in inputs:
        if scope.cancelled:
            break
        if isinstance(input, SettingsChanged) or (isinstance(input, UserSaid) and result.questions):
            desk = Desk(result.state, tools, result.cfg, world, Observers(watch=screen.watch))
            desk.take(input)  # nothing is performed for it: questions stay open, and what is said waits
            result = evolve(result, state=desk.state)
            continue
        result = run(input, tools, result.cfg, world, state=result.state, watch=screen.watch, scope=scope, executor=executor)
        if result.problem is not None:
            break
    if scope.cancelled and not result.state.idle and result.problem is None:
        result = run(Interrupted(world.clock.now_ms()), tools, result.cfg, world, state=result.state, watch=screen.watch)
    return result


@contextlib.contextmanager
def interrupting(scope: Scope, leave: Scope | None = None) -> Iterator[None]:
    """While the block runs, the first Ctrl-C (or SIGTERM, or hang-up) cancels ``scope``, and the second raises KeyboardInterrupt.

    All but Ctrl-C cancel ``leave``, too.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        if leave is not None and number != signal.SIGINT:
            leave.cancel()
        if scope.cancelled:
            raise KeyboardInterrupt
        scope.cancel()

    with handling((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), handle):
        yield


@contextlib.contextmanager
def leaving(leave: Scope) -> Iterator[None]:
    """While the block runs and waits for a line, SIGTERM and a hang-up cancel ``leave`` and end the wait, as the end of input does."""

    def handle(number: int, frame: FrameType | None) -> None:
        leave.cancel()
        raise EOFError

    with handling((signal.SIGTERM, signal.SIGHUP), handle):
        yield


@contextlib.contextmanager
def handling(numbers: tuple[signal.Signals, ...], handle: Handler) -> Iterator[None]:
    """While the block runs, ``handle`` gets these signals."""
    before = tuple((number, signal.signal(number, handle)) for number in numbers)
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)

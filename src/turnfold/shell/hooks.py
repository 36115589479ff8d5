"""Hooks: commands of the settings (``[hooks.NAME]``) that are run when something has happened, beside a run and never in its way.

A run has one thread for them, begun with the first event that one waits for: they are run one after another, in the order of the events,
each after its event is in the journal. What they print and how they end changes nothing; the person is told once of each that fails. One that
takes too long is stopped, and left out for the rest of the run. Where more events wait than ``MOST_WAITING``, the later ones are left out.
When the run is over, those that wait are still run, for as long as the longest of them may take; then the rest is left out. So nothing of
them is left when a run has ended.
"""

from __future__ import annotations

from collections import deque
from threading import Condition, Thread
from typing import final, get_args

from attrs import frozen

from turnfold.core.agent.effects import Perform, Record
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import RequestId, parent_of
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Hook
from turnfold.core.config.values import Variable
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.output import counted
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import Answer, ProcessEnded
from turnfold.core.world.confinement import confinement_of
from turnfold.core.world.requests import RunProcess
from turnfold.shell.clock import monotonic_s
from turnfold.shell.scope import Scope
from turnfold.shell.world import World

EVENT_NAMES: tuple[str, ...] = tuple(each.__name__ for each in get_args(Event))
EVERY = "*"
WITHIN = "TURNFOLD_HOOK"  # whoever runs within a hook runs none: one could else set off itself
MOST_WAITING = 1_000
OUTPUT_BYTES = 2_000
NOWHERE = RequestId(0, 0, 0, 0)  # it is no part of the conversation


@final
@frozen(kw_only=True)
class Due:
    """A hook that is to be run for what ``record`` says, under ``cfg``."""

    hook: Hook
    record: Record
    cfg: ChatConfig


def name_of_event(event: Event) -> str:
    """What settings call the event.

    >>> from turnfold.core.agent.events import RoundEnded
    >>> name_of_event(RoundEnded())
    'RoundEnded'
    """
    return type(event).__name__


def request_of(due: Due) -> RunProcess:
    """The command of a hook: in the workspace, confined as other commands are, with the event as the journal's JSON to read."""
    from turnfold.core.codec.codec import EVENT, encode  # which takes half of the time that turnfold needs to start

    cfg, conversation = due.cfg, due.cfg.conversation
    said = {
        WITHIN: due.hook.name,
        "TURNFOLD_EVENT": name_of_event(due.record.event),
        "TURNFOLD_EVENT_NUMBER": str(due.record.number),
        "TURNFOLD_CONVERSATION": conversation,
        "TURNFOLD_PARENT": parent_of(conversation),
    }
    return RunProcess(
        script=due.hook.command,
        cwd=cfg.workspace,
        environment=(*cfg.environment, *(Variable(name, value) for name, value in said.items())),
        timeout_s=due.hook.timeout_s,
        output_bytes=OUTPUT_BYTES,
        confinement=confinement_of(cfg),
        stdin=encode(EVENT, due.record.event) + "\n",
    )


@final
class Hooks:
    """The hooks of one run. ``happened`` and ``close`` are called by the run's thread, and wait for nothing but the run's end."""

    __slots__ = ("_changed", "_closed", "_hooks", "_left_out", "_problems", "_scope", "_stopped", "_thread", "_told", "_waiting", "_world")

    def __init__(self, world: World, cfg: ChatConfig) -> None:
        self._world = world
        self._hooks: tuple[Hook, ...] = ()
        self._changed = Condition()
        self._waiting: deque[Due] = deque()
        self._problems: tuple[Problem, ...] = ()
        self._told: frozenset[str] = frozenset()
        self._stopped: frozenset[str] = frozenset()
        self._left_out = 0
        self._closed = False
        self._scope = Scope()
        self._thread: Thread | None = None
        self.use(cfg)

    def use(self, cfg: ChatConfig) -> None:
        """From now on the hooks of ``cfg``."""
        self._hooks = tuple(hook for hook in cfg.hooks if hook.command and hook.on) if self._world.hooked else ()

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self._hooks)

    @property
    def begun(self) -> bool:
        """Whether one was run, or waits to be."""
        return self._thread is not None

    def happened(self, records: tuple[Record, ...], cfg: ChatConfig) -> None:
        """Have the hooks run that wait for one of ``records``, which are in the journal."""
        pairs = ((record, hook) for record in records for hook in self._hooks if {EVERY, name_of_event(record.event)} & set(hook.on))
        due = tuple(Due(hook=hook, record=record, cfg=cfg) for record, hook in pairs)
        if not due:
            return
        with self._changed:
            kept = due[: max(MOST_WAITING - len(self._waiting), 0)]
            self._left_out += len(due) - len(kept)
            self._waiting.extend(kept)
            self._changed.notify()
        if self._thread is None:
            self._thread = Thread(target=self._live, name="turnfold-hooks", daemon=True)
            self._thread.start()

    def problems(self) -> tuple[Problem, ...]:
        """What went wrong since it was asked last."""
        if self._thread is None:
            return ()
        with self._changed:
            problems, self._problems = self._problems, ()
        return problems

    def close(self, wait_s: float | None = None) -> tuple[Problem, ...]:
        """What went wrong at last, when nothing of the hooks is left; ``wait_s`` at most, by default as long as the longest may take."""
        thread = self._thread
        if thread is None:
            return ()
        with self._changed:
            self._closed = True
            longest_s = max((due.hook.timeout_s for due in self._waiting), default=0.0)
            longest_s = max(longest_s, *(hook.timeout_s for hook in self._hooks)) if self._hooks else longest_s
            self._changed.notify()
        thread.join(longest_s if wait_s is None else wait_s)
        with self._changed:
            late = tuple(self._waiting)
            self._waiting.clear()
        self._scope.cancel()
        thread.join()
        left_out = self._left_out + sum(due.hook.name not in self._stopped for due in late)
        return (*self.problems(), *((_left_out(left_out),) if left_out else ()))

    def _live(self) -> None:
        while (due := self._next()) is not None:
            if due.hook.name not in self._stopped:
                self._run(due)

    def _next(self) -> Due | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _run(self, due: Due) -> None:
        from turnfold.shell.perform import perform  # which performs children, by the desk that has these hooks

        began_s = monotonic_s()
        ended = perform(Perform(NOWHERE, request_of(due)), (), due.cfg, self._world, self._scope)
        wrong = wrong_with(ended)
        if not wrong:
            return
        over = self._scope.cancelled or (isinstance(ended, ProcessEnded) and ended.timed_out)
        with self._changed:
            if over:
                self._stopped |= {due.hook.name}
            if due.hook.name not in self._told:
                self._told |= {due.hook.name}
                self._problems += (_failed(due, wrong, monotonic_s() - began_s, over=over),)


def wrong_with(ended: Answer | Problem) -> str:
    """What is wrong with the end of a hook's command; empty where nothing is.

    >>> wrong_with(ProcessEnded(exit_code=2, output="a\\nno such file\\n", cwd="/w"))
    'it ended with 2: no such file'
    """
    if isinstance(ended, Problem):
        return ended.message
    if not isinstance(ended, ProcessEnded) or (ended.exit_code == 0 and not ended.timed_out):
        return ""
    last = clipped(ended.output.rstrip().rpartition("\n")[2])
    return f"it ended with {ended.exit_code}{': ' if last else ''}{last}"


def _failed(due: Due, wrong: str, took_s: float, *, over: bool) -> Problem:
    name, event = due.hook.name, name_of_event(due.record.event)
    if over:
        message = (
            f"The hook {name} was stopped {took_s:.1f} seconds after {event}: it may take {due.hook.timeout_s:g} (hooks.{name}.timeout_s), and "
            "no longer than the run waits for it. It is left out for the rest of this run, which goes on as if it were not there."
        )
    else:
        message = f"The hook {name} failed after {event}: {wrong.rstrip('.')}. The run goes on as if it were not there; this is told once."
    return world_problem("hook-failed", message, f"$.hooks.{name}")


def _left_out(count: int) -> Problem:
    message = f"{counted(count, 'event')} came faster than the hooks could be run for, or at the run's end, and no hook was run for them."
    return world_problem("hook-failed", message, "$.hooks")

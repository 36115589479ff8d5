"""A run's traces while it goes: what its journal gains is folded to spans, and those that have ended go to its exporters.

Nothing of it is shared by two runs, and nothing is current: which spans belong together is said by the journal alone.
"""

from __future__ import annotations

from typing import final

from attrs import evolve

from turnfold.core.agent.effects import Perform, Record
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import parent_of
from turnfold.core.agent.state import Past, effective
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Propagate
from turnfold.core.problem import Problem, world_problem
from turnfold.core.tools.output import counted
from turnfold.core.trace.fold import advanced, begun
from turnfold.core.trace.progress import Progress
from turnfold.core.trace.propagation import with_traceparent
from turnfold.core.trace.sampling import takes, waits
from turnfold.core.trace.w3c import Context, context_of
from turnfold.shell.exporting.outbox import Outbox, Route, Tally
from turnfold.shell.ports import Journal, JournalError, Tap
from turnfold.shell.world import World


@final
class Exporting:
    """One run's exporters. All of it is called by the run, one call at a time."""

    __slots__ = ("_cfg", "_context", "_journal", "_outboxes", "_past", "_progress", "_propagate")

    def __init__(
        self, outboxes: tuple[Outbox, ...], context: Context, propagate: Propagate, past: Past, cfg: ChatConfig, journal: Journal
    ) -> None:
        self._outboxes = outboxes
        self._context = context
        self._propagate = propagate
        self._past = past
        self._cfg = cfg
        self._journal = journal
        self._progress: Progress | None = None

    def told(self, due: Perform) -> Perform:
        """``due`` with the span that it is performed for, for those who are to know."""
        return with_traceparent(due, self._context, self._propagate)

    def saw(self, records: tuple[Record, ...]) -> None:
        """Take what the journal has gained, and hand out the spans that ended with it; never waits for a receiver."""
        for record in records if self._outboxes else ():
            progress = self._begun(record.number) if self._progress is None else self._progress
            done = advanced(progress, record.event)
            self._progress = done.progress
            if done.ended:
                for outbox in self._outboxes:
                    outbox.put(done.ended)

    def close(self) -> tuple[Problem, ...]:
        """Have the rest delivered, as long as the settings allow, and say what was not."""
        for outbox in self._outboxes:
            outbox.finish()
        tallies = tuple((outbox.name, outbox.close()) for outbox in self._outboxes)
        return tuple(_missing(name, tally, self._cfg.conversation) for name, tally in tallies if tally.failed or tally.dropped)

    def _begun(self, number: int) -> Progress:
        """The trace as it was before event ``number``: from the state where that says it all, else from the journal."""
        past = self._past
        led = begun(effective(self._cfg, past).agent)
        since = Progress(conversation=past.conversation or self._cfg.conversation, turns=past.turns, leading=led.leading)
        if past.turn is None and not _agent_changed(past):
            return since
        try:
            events = self._journal.load(self._cfg.conversation)[:number]
        except JournalError:  # the run goes on; the turn that was open then is told by the journal alone
            return since
        progress = begun(self._cfg.agent)
        for event in events:
            progress = advanced(progress, event).progress
        return progress


def _agent_changed(past: Past) -> bool:
    """Whether who leads depends on which turns are taken back."""
    taken = tuple(each.overrides for each in past.undone)
    return any(isinstance(change.own_agent, str) for overrides in (past.overrides, *taken) for change in overrides)


def _missing(name: str, tally: Tally, conversation: str) -> Problem:
    """What a person is told where spans of a run are missing at a receiver."""
    lost = f"{counted(tally.dropped, 'span')} had no room (exporters.{name}.buffer)" if tally.dropped else ""
    undelivered = f"{counted(tally.failed, 'span')} could not be delivered: {tally.cause.rstrip('.')}" if tally.failed else ""
    what = "; ".join(part for part in (lost, undelivered) if part)
    message = f"The exporter {name} lacks spans of this run: {what}. The journal has them:  turnfold trace {conversation} --otlp-json"
    return world_problem("spans-missing", message)


def exporting_of(past: Past, cfg: ChatConfig, world: World) -> Exporting | None:
    """What exports the run of ``cfg`` that begins at ``past``; None where it is part of no trace that anybody asked for."""
    context = context_of(cfg.conversation, cfg.traceparent)
    taps = world.exporters.taps(cfg)
    child = bool(parent_of(cfg.conversation))
    taken = tuple(tap for tap in taps if takes(tap.settings, context) and not (child and waits(tap.settings)))
    if not taps and not cfg.traceparent:
        return None

    def resolve(conversation: str) -> tuple[Event, ...] | None:
        try:
            return world.journal.load(conversation) or None
        except JournalError:
            return None

    route = Route(context=context, traceparent=cfg.traceparent, resolve=resolve)
    outboxes = tuple(Outbox(tap, route) for tap in taken)
    return Exporting(outboxes, evolve(context, sampled=_sampled(outboxes, context)), _farthest(taps), past, cfg, world.journal)


def _sampled(outboxes: tuple[Outbox, ...], context: Context) -> bool:
    """Whether somebody keeps the trace: those whom it is told to do as we do."""
    return bool(outboxes) or context.sampled is True


def _farthest(taps: tuple[Tap, ...]) -> Propagate:
    """Whom the exporters want to be told; without any, a trace that began elsewhere goes on with the services that are asked."""
    wanted = {tap.settings.propagate for tap in taps} if taps else {Propagate.SERVICES}
    return next(each for each in (Propagate.ALL, Propagate.SERVICES, Propagate.OFF) if each in wanted)

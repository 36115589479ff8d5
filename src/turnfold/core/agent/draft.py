"""A step in the making: the state so far, and the effects so far."""

from __future__ import annotations

from typing import final

from attrs import evolve, frozen

from turnfold.core.agent.apply import apply
from turnfold.core.agent.effects import Effect, Publish, Record
from turnfold.core.agent.events import Event, Reason, Redone, Rewound, TurnEnded
from turnfold.core.agent.live import Live
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.problem import Problem


@final
@frozen
class Step:
    """The result of every operation: the new state, and what the shell shall do; records come first."""

    state: ChatState
    effects: tuple[Effect, ...] = ()


@final
@frozen(eq=False)
class Draft:
    """What an operation has decided so far. ``past`` changes by recording events and in no other way."""

    state: ChatState
    at_ms: int
    records: tuple[Record, ...] = ()
    acts: tuple[Effect, ...] = ()

    @property
    def past(self) -> Past:
        """The past with all that was recorded."""
        return self.state.past

    def record(self, event: Event) -> Draft:
        """The draft in which ``event`` has happened."""
        live = Live() if isinstance(event, Rewound | Redone) else self.state.live
        state = ChatState(apply(self.past, event), live)
        return Draft(state, self.at_ms, (*self.records, Record(self.past.events, event)), self.acts)

    def act(self, *effects: Effect) -> Draft:
        """The draft with more for the shell to do."""
        return evolve(self, acts=(*self.acts, *effects))

    def with_live(self, live: Live) -> Draft:
        """The draft with another ``live``."""
        return evolve(self, state=ChatState(self.past, live))

    def step(self) -> Step:
        """The finished step."""
        return Step(self.state, (*self.records, *self.acts))


def end_turn(draft: Draft, reason: Reason, problem: Problem | None = None) -> Draft:
    """The turn ended, and whoever watches told why where there is a problem."""
    ended = draft.record(TurnEnded(reason, problem, draft.at_ms))
    return ended if problem is None else ended.act(Publish(problem))

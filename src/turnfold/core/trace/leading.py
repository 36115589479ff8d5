"""Which agent leads the conversation, by its journal: settings are taken back and forth with the turns that changed them."""

from __future__ import annotations

from typing import final

from attrs import evolve, field, frozen

from turnfold.core.config.layers import Overrides
from turnfold.core.conversation.log import Log


@final
@frozen
class _Mark:
    """Who led when turn ``turn`` began."""

    turn: int
    agent: str


@final
@frozen
class _Taken:
    """Who led, and who had led before each turn, when turns were taken back."""

    agent: str
    marks: Log[_Mark]


@final
@frozen
class Leading:
    """The agent that leads, empty for the conversation's own; ``marks`` and ``undone`` follow those of the past.

    >>> led = Leading("a").begun(1).by(Overrides(agent="b")).begun(2)
    >>> led.agent, led.back(1).agent, led.back(1).forth().agent
    ('b', 'a', 'b')
    """

    agent: str = ""
    marks: Log[_Mark] = field(factory=Log)
    undone: tuple[_Taken, ...] = ()

    def begun(self, turn: int) -> Leading:
        """Who leads when ``turn`` has begun, which can be taken back."""
        return Leading(self.agent, self.marks.append(_Mark(turn, self.agent)))

    def by(self, change: Overrides) -> Leading:
        """Who leads after a change of settings."""
        agent = change.own_agent
        return evolve(self, agent=agent if isinstance(agent, str) else self.agent, undone=())

    def back(self, to: int) -> Leading:
        """Who leads when turn ``to`` and all after it are taken back."""
        kept = len(self.marks)
        while kept and self.marks[kept - 1].turn >= to:
            kept -= 1
        if kept == len(self.marks):
            return self
        return Leading(self.marks[kept].agent, self.marks.take(kept), (_Taken(self.agent, self.marks), *self.undone))

    def forth(self) -> Leading:
        """Who leads when what was taken back last is there again."""
        if not self.undone:
            return self
        taken, *rest = self.undone
        return Leading(taken.agent, taken.marks, tuple(rest))

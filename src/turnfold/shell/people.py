"""People who can be asked without a terminal."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.agent.asked import Question
from turnfold.core.agent.inputs import Decided


@final
@frozen
class Nobody:
    """Nobody is there: every question stays open, and the run ends paused."""

    def decide(self, question: Question) -> Decided | None:
        """No decision."""
        return None

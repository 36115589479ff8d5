"""A port that is not there: what a world answers that was made without it."""

from __future__ import annotations

from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.requests import Request
from turnfold.shell.ports import Offered, Port
from turnfold.shell.scope import Scope


@final
@frozen
class Absent(Port[Request]):
    """Does nothing, and says so."""

    @override
    def act(self, request: Request, cfg: ChatConfig, scope: Scope) -> Problem:
        message = f"This world can't do {type(request).__name__}: go on without it, or tell the user that it is not set up."
        return world_problem("absent", message)

    def offered(self, cfg: ChatConfig, scope: Scope) -> Offered:
        """No tools: there are no servers."""
        return Offered()

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""


ABSENT = Absent()

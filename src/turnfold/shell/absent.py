"""A port that does nothing, and says why: where a world was made without it, or is there for a dry run."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.requests import Request
from turnfold.shell.ports import Exporters, Offered, Port, Tap
from turnfold.shell.scope import Scope


def not_there(request: Request) -> Problem:
    """What a world answers that was made without the port for ``request``."""
    message = f"This world can't do {type(request).__name__}: go on without it, or tell the user that it is not set up."
    return world_problem("absent", message)


@final
@frozen
class Idle(Port[Request]):
    """Does nothing, and says ``why``."""

    why: Callable[[Request], Problem]

    @override
    def act(self, request: Request, cfg: ChatConfig, scope: Scope) -> Problem:
        return self.why(request)

    def offered(self, cfg: ChatConfig, scope: Scope) -> Offered:
        """No tools: no server is started or asked."""
        return Offered()

    @override
    def close(self, conversation: str) -> None:
        """Nothing lives here."""

    @override
    def close_all(self) -> None:
        """Nothing lives here."""


ABSENT = Idle(not_there)


@final
@frozen
class NoExporters(Exporters):
    """Nobody gets traces."""

    @override
    def taps(self, cfg: ChatConfig) -> tuple[Tap, ...]:
        return ()


UNTRACED = NoExporters()

"""Tools written as generators: a script that yields requests and is sent what came of them.

A generator holds a place in its own code, which can be neither stored nor moved to another machine. So none is kept:
at every round the script runs afresh over the exchanges so far, up to the first request that has no outcome yet.
That is sound because a script is pure: the same arguments, memory, config and outcomes make it ask the same. One that
asks otherwise than recorded (its code or the config has changed since) is refused, for its answers would be those of
other questions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.spec import Call, Done, Memory, Need, Next, Refuse
from turnfold.core.world.answers import Answer, Exchange
from turnfold.core.world.requests import WorldRequest

A = TypeVar("A", bound=Answer)

Asked: TypeAlias = WorldRequest | tuple[WorldRequest, ...]
Outcome: TypeAlias = Answer | Problem
Sent: TypeAlias = Outcome | tuple[Outcome, ...]
Script: TypeAlias = Generator[Asked, Sent, Done | Refuse]


def from_generator(script: Callable[[JsonObject, Memory, ChatConfig], Script]) -> Callable[[Call, ChatConfig], Next]:
    """``script`` as an ``advance``: run afresh over a call's exchanges, and always closed.

    ``yield request`` gives its ``Answer`` or ``Problem``, ``yield (request, …)`` a tuple of them; what the script
    returns ends the call. A Problem is sent in, never thrown. What the script raises is a bug of the tool and passes.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.world.requests import ListFiles
    >>> def count(arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
    ...     listed = yield ListFiles(path=cfg.workspace, limit=9)
    ...     return Refuse(listed) if isinstance(listed, Problem) else Done("counted")
    >>> from_generator(count)(Call(JsonObject()), ChatConfig(ProjectConfig(Config()), workspace="/w"))
    Need(requests=(ListFiles(path='/w', limit=9),))
    """

    def advance(call: Call, cfg: ChatConfig) -> Next:
        steps = _with_end(script(call.arguments, call.memory, cfg))
        try:
            return _replayed(steps, call.exchanges)
        finally:
            steps.close()

    return advance


def asked(request: WorldRequest, kind: type[A]) -> Generator[Asked, Sent, A | Problem]:
    """What came of one request, as the kind of answer that it must have: ``answer = yield from asked(ReadFile(…), FileRead)``.

    An answer of another kind becomes a Problem.

    >>> from turnfold.core.world.answers import FilesListed
    >>> from turnfold.core.world.requests import ListFiles
    >>> next(asked(ListFiles(path="/w", limit=9), FilesListed))
    ListFiles(path='/w', limit=9)
    """
    outcome = yield request
    if isinstance(outcome, (kind, Problem)):
        return outcome
    message = f"{type(request).__name__} was answered by {type(outcome).__name__}, not {kind.__name__}."
    return Problem(code="wrong-answer", message=message, blame=Blame.WORLD)


def _with_end(script: Script) -> Generator[Asked | Done | Refuse, Sent, None]:
    """``script`` with what it returns as its last item: a generator's return value is typed only inside a generator."""
    end = yield from script
    yield end


def _replayed(steps: Generator[Asked | Done | Refuse, Sent, None], exchanges: tuple[Exchange, ...]) -> Next:
    item = next(steps)
    place = 0
    while not isinstance(item, (Done, Refuse)):
        requests = item if isinstance(item, tuple) else (item,)
        answered = exchanges[place : place + len(requests)]
        if requests[: len(answered)] != tuple(exchange.request for exchange in answered):
            return _differs(place)
        if len(answered) < len(requests):
            return Need(requests[len(answered) :])
        outcomes = tuple(exchange.outcome for exchange in answered)
        place += len(answered)
        item = steps.send(outcomes if isinstance(item, tuple) else outcomes[0])
    return item if place == len(exchanges) else _differs(place)


def _differs(place: int) -> Refuse:
    message = (
        f"The tool asked differently than recorded (request {place + 1} of this call), so it can't go on: "
        "its code or its settings have changed. Call it again."
    )
    return Refuse(Problem(code="asked-differently", message=message, blame=Blame.TOOL))

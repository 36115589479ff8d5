"""What is done when a model call has failed: the same model asked again after a wait, or the next of the fallbacks.

Chance comes in with the input that tells of the failure, so all of this is decided where that is taken in, not when the turn is settled.
The wait is a request in the model's place, under the next id: an interrupt ends it at once, a crash does not repeat it, and the call
after it is opened as any other is, so every limit is judged anew. What was shown of a reply that failed, and that is asked for again, is
not kept: the log is never told two beginnings of one reply. Whoever watches is told what failed and what is done about it.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.calling import callable_model
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Notice, Perform, Publish
from turnfold.core.agent.events import Check, RequestOpened
from turnfold.core.agent.failing import Failing, kind_of, wait_ms
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.state import Opened, Turn
from turnfold.core.agent.turn_events import FellBack
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import Located
from turnfold.core.llm.retry_after import told_wait
from turnfold.core.problem import Problem
from turnfold.core.world.requests import CallModel, Wait


def with_time(problem: Problem) -> Problem:
    """``problem`` with the time in its message at which the provider wants to be asked again, where it said one.

    >>> from turnfold.core.problem import world_problem
    >>> with_time(evolve(world_problem("rate-limited", "No more for now."), retry_after_s=7200.0)).message
    'No more for now. (It asks to come back in 2 h.)'
    """
    if problem.retry_after_s is None:
        return problem
    return evolve(problem, message=f"{problem.message} (It asks to come back in {told_wait(problem.retry_after_s)}.)")


def waiting(
    draft: Draft, next_id: RequestId, failed: Opened, failures: int, problem: Problem, chance: float, check: Check | None = None
) -> Draft | None:
    """The draft in which a wait is opened, after which ``failed`` is asked again; None where that is no use (any more)."""
    request = failed.request
    delay_ms = wait_ms(problem, failures, chance, request.provider) if isinstance(request, CallModel) else None
    if delay_ms is None:
        return None
    wait = Wait(delay_ms)
    opened = draft.record(RequestOpened(request_id=next_id, request=wait, at_ms=draft.at_ms, check=check))
    told = Notice(f"({problem.message} Trying again in {told_wait(delay_ms / 1000)}.)")
    return opened.act(Publish(told), Perform(next_id, wait))


def fall_back(draft: Draft, turn: Turn, failed: Opened, problem: Problem, cfg: ChatConfig) -> Draft:
    """The draft in which the next of the fallbacks is asked until the turn's end, where there is one (any more), and it is of use.

    One that can't be called is skipped, and the person told why.
    """
    if kind_of(problem) is Failing.REQUEST:
        return draft
    tried = cfg.fallbacks.index(turn.fallback) + 1 if turn.fallback in cfg.fallbacks else 0
    for name in cfg.fallbacks[tried:]:
        found = callable_model(cfg, name)
        if isinstance(found, Problem):
            message = f"The fallback {name} is skipped: {found.message}"
            draft = draft.act(Publish(evolve(found, message=message, path="$.fallbacks")))
        elif not _same(found, failed):
            fell = draft.record(FellBack(name, problem, draft.at_ms))
            return fell.act(Publish(Notice(f"({problem.message} Asking {name} instead, until the turn's end.)")))
    return draft


def _same(model: Located, failed: Opened) -> bool:
    """Whether ``model`` is the one that has failed."""
    request = failed.request
    return isinstance(request, CallModel) and (model.provider.name, model.model) == (request.provider.name, request.model)

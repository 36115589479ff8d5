"""Requests in the past: what their opening, a change of them and their end make of the turn that asks them; decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from turnfold.core.agent.context import Measured
from turnfold.core.agent.events import ModelReplied, Outcome, RequestClosed, RequestOpened, Unanswered, Why
from turnfold.core.agent.ids import GUARD, MODEL, RequestId
from turnfold.core.agent.state import Opened, Past, Slot, Status, Turn, find_open
from turnfold.core.problem import Problem
from turnfold.core.world.answers import ChildEnded
from turnfold.core.world.requests import CallModel, Purpose, Wait


def opened_in(past: Past, event: RequestOpened) -> Past:
    """The past with a request opened, in the place that its id says; one whose place is not here, or taken, changes nothing.

    So whatever is open can be closed under its id, and a turn that was interrupted comes to its end.
    """
    turn, place = past.turn, event.request_id
    if turn is None or (turn.number, turn.generation) != (place.turn, place.generation):
        return past
    opened = Opened(
        request_id=place,
        request=event.request,
        status=Status.ASKED if event.asked else Status.RUNNING,
        since_ms=event.at_ms,
        asked=event.asked,
        check=event.check,
    )
    if place.slot == MODEL:
        return evolve(past, turn=_model_opened(turn, opened))
    if place.slot == GUARD:
        taken = any(each.request_id == place for each in turn.checks)
        return past if taken else evolve(past, turn=evolve(turn, checks=(*turn.checks, opened)))
    slot = slot_of(turn, place.slot)
    if slot is None or any(each.request_id == place for each in slot.requests):
        return past
    requests = _placed(slot.requests, opened)
    return with_slot(past, turn, place.slot, evolve(slot, requests=requests, opened=slot.opened + 1))


def _model_opened(turn: Turn, opened: Opened) -> Turn:
    """The turn with ``opened`` in the model's place; a call that comes after no wait is no try of the one before it."""
    before = turn.model
    if before is None or not (turn.failures or turn.summarised):
        return evolve(turn, model=opened, asked=turn.asked + 1)
    waits = isinstance(opened.request, Wait)
    tried = waits or before.lost or isinstance(before.request, Wait)
    summarised = turn.summarised and not (waits and before.summarising)  # it is asked for again
    return evolve(turn, model=opened, asked=turn.asked + 1, failures=turn.failures if tried else 0, summarised=summarised)


def _placed(requests: tuple[Opened, ...], opened: Opened) -> tuple[Opened, ...]:
    """``opened`` in the place of the lost request that it repeats, else at the end."""
    for index, earlier in enumerate(requests):
        if earlier.lost and earlier.request == opened.request:
            return (*requests[:index], opened, *requests[index + 1 :])
    return (*requests, opened)


def slot_of(turn: Turn, index: int) -> Slot | None:
    """Call ``index`` of the round, or None."""
    return turn.slots[index] if 0 <= index < len(turn.slots) else None


def with_slot(past: Past, turn: Turn, index: int, slot: Slot) -> Past:
    """The past in which call ``index`` of the round is ``slot``."""
    return evolve(past, turn=evolve(turn, slots=(*turn.slots[:index], slot, *turn.slots[index + 1 :])))


def with_request(past: Past, request_id: RequestId, change: Callable[[Opened], Opened]) -> Past:
    """The past in which the open request is changed; unchanged where there is no such request."""
    turn = past.turn
    if turn is None or find_open(past, request_id) is None:
        return past
    if request_id.slot == MODEL:
        return evolve(past, turn=evolve(turn, model=None if turn.model is None else change(turn.model)))
    if request_id.slot == GUARD:
        return evolve(
            past, turn=evolve(turn, checks=tuple(change(each) if each.request_id == request_id else each for each in turn.checks))
        )
    slot = turn.slots[request_id.slot]
    requests = tuple(change(each) if each.request_id == request_id else each for each in slot.requests)
    return with_slot(past, turn, request_id.slot, evolve(slot, requests=requests))


def closed_in(past: Past, event: RequestClosed) -> Past:
    """The past with a request over, and what it has cost counted."""
    request_id, outcome = event.request_id, event.outcome
    closed = with_request(past, request_id, lambda opened: evolve(opened, outcome=outcome))
    turn = closed.turn
    if closed is past or turn is None:
        return closed
    if isinstance(outcome, ChildEnded | ModelReplied):
        closed = evolve(closed, usage=closed.usage.plus(outcome.usage))
    elif event.spent is not None:
        closed = evolve(closed, usage=closed.usage.plus(event.spent))
    return _model_closed(closed, turn, outcome) if request_id.slot == MODEL else closed


def _model_closed(past: Past, turn: Turn, outcome: Outcome) -> Past:
    """The past with what a model call came to; one for a summary is not made twice in a turn, unless it was lost, or is tried again."""
    request = None if turn.model is None else turn.model.request
    if not isinstance(request, CallModel):
        return past
    summary = request.purpose is Purpose.SUMMARY
    if summary and outcome != Unanswered(Why.LOST):
        turn = evolve(turn, summarised=True)
    if isinstance(outcome, Problem):
        turn = evolve(turn, failures=turn.failures + 1)
        if not summary and outcome.code == "too-long":
            turn = evolve(turn, overlong=True, overlong_bytes=request.size_bytes)
    elif isinstance(outcome, ModelReplied) and not summary and (turn.failures or turn.overlong):
        turn = evolve(turn, failures=0, overlong=False, overlong_bytes=0)
    past = past if turn is past.turn else evolve(past, turn=turn)
    if summary or not isinstance(outcome, ModelReplied) or outcome.usage.input_tokens < 1:
        return past
    return evolve(past, measured=Measured(size_bytes=request.size_bytes, tokens=outcome.usage.input_tokens))

"""``apply`` remembers: one event into the past. It decides nothing, and is total: an event that speaks of what is not there changes only the count."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from attrs import evolve

from turnfold.core.agent.events import (
    CallClosed,
    CallCommanded,
    CancelAsked,
    Event,
    MessageAdded,
    MessageQueued,
    ModelReplied,
    Outcome,
    Permitted,
    Reconfigured,
    RequestClosed,
    RequestOpened,
    Rewound,
    RoundEnded,
    Started,
    TurnEnded,
    TurnInterrupted,
)
from turnfold.core.agent.ids import MODEL, RequestId, place
from turnfold.core.agent.state import Mark, Opened, Past, Slot, Status, Turn, find_open
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage, UserMessage
from turnfold.core.json import JsonObject


def apply(past: Past, event: Event) -> Past:
    """The past with ``event`` in it; cost independent of the conversation's length, ``Rewound`` apart."""
    return evolve(_applied(past, event), events=past.events + 1)


def _applied(past: Past, event: Event) -> Past:
    match event:
        case RequestOpened():
            return _opened(past, event)
        case RequestClosed(request_id, outcome):
            return _closed(past, request_id, outcome)
        case Permitted(request_id, at_ms):
            return _with_request(past, request_id, lambda opened: evolve(opened, status=Status.RUNNING, since_ms=at_ms))
        case CancelAsked(request_id, at_ms):
            return _with_request(past, request_id, lambda opened: evolve(opened, status=Status.CANCELLING, since_ms=at_ms))
        case MessageAdded(message):
            return _user_said(past, message) if isinstance(message, UserMessage) else _model_said(past, message)
        case _:
            return _applied_rarely(past, event)


def _applied_rarely(
    past: Past,
    event: Started | MessageQueued | CallCommanded | CallClosed | RoundEnded | TurnInterrupted | TurnEnded | Reconfigured | Rewound,
) -> Past:
    match event:
        case CallClosed():
            return _call_closed(past, event)
        case RoundEnded():
            return _round_ended(past)
        case TurnEnded():
            return evolve(past, turn=None)
        case Started():
            return evolve(past, conversation=event.conversation, cfg_digest=event.cfg_digest, tools_digest=event.tools_digest)
        case MessageQueued(message):
            return evolve(past, queue=(*past.queue, message))
        case CallCommanded():
            return _call_commanded(past, event)
        case TurnInterrupted():
            return past if past.turn is None else evolve(past, turn=evolve(past.turn, interrupted=True))
        case Reconfigured(change):
            return evolve(past, overrides=(change, *past.overrides))
        case Rewound(to):
            return _rewound(past, to)
        case _:
            assert_never(event)


def _turn_begun(past: Past, message: UserMessage) -> Past:
    mark = Mark(turn=past.turns + 1, log_length=len(past.log), memories=past.memories, overrides=past.overrides)
    return evolve(
        past,
        turns=past.turns + 1,
        log=past.log.append(message),
        marks=past.marks.append(mark),
        turn=Turn(number=past.turns + 1),
    )


def _user_said(past: Past, message: UserMessage) -> Past:
    begun = _turn_begun(past, message)
    return evolve(begun, queue=past.queue[1:]) if past.queue[:1] == (message,) else begun


def _model_said(past: Past, message: AssistantMessage) -> Past:
    turn = past.turn
    slots = tuple(Slot(invocation=call) for call in message.calls)
    return evolve(past, log=past.log.append(message), turn=None if turn is None else evolve(turn, slots=slots, overrides=past.overrides))


def _call_commanded(past: Past, event: CallCommanded) -> Past:
    begun = _turn_begun(past, UserMessage(event.line))
    message = AssistantMessage(text="", place=place(begun.turns, 0), calls=(event.call,))
    slots = (Slot(invocation=event.call),)
    turn = Turn(number=begun.turns, generation=0, slots=slots, overrides=past.overrides, commanded=True)
    return evolve(begun, log=begun.log.append(message), turn=turn)


def _opened(past: Past, event: RequestOpened) -> Past:
    turn = past.turn
    if turn is None:
        return past
    opened = Opened(
        request_id=event.request_id,
        request=event.request,
        status=Status.ASKED if event.asked else Status.RUNNING,
        since_ms=event.at_ms,
        asked=event.asked,
    )
    if event.request_id.slot == MODEL:
        return evolve(past, turn=evolve(turn, model=opened))
    slot = _slot(turn, event.request_id.slot)
    if slot is None:
        return past
    requests = _placed(slot.requests, opened)
    return _with_slot(past, turn, event.request_id.slot, evolve(slot, requests=requests, opened=slot.opened + 1))


def _placed(requests: tuple[Opened, ...], opened: Opened) -> tuple[Opened, ...]:
    """``opened`` in the place of the lost request that it repeats, else at the end."""
    for index, earlier in enumerate(requests):
        if earlier.lost and earlier.request == opened.request:
            return (*requests[:index], opened, *requests[index + 1 :])
    return (*requests, opened)


def _slot(turn: Turn, index: int) -> Slot | None:
    return turn.slots[index] if 0 <= index < len(turn.slots) else None


def _with_slot(past: Past, turn: Turn, index: int, slot: Slot) -> Past:
    return evolve(past, turn=evolve(turn, slots=(*turn.slots[:index], slot, *turn.slots[index + 1 :])))


def _with_request(past: Past, request_id: RequestId, change: Callable[[Opened], Opened]) -> Past:
    """The past in which the open request is changed; unchanged where there is no such request."""
    turn = past.turn
    if turn is None or find_open(past, request_id) is None:
        return past
    if request_id.slot == MODEL:
        return evolve(past, turn=evolve(turn, model=None if turn.model is None else change(turn.model)))
    slot = turn.slots[request_id.slot]
    requests = tuple(change(each) if each.request_id == request_id else each for each in slot.requests)
    return _with_slot(past, turn, request_id.slot, evolve(slot, requests=requests))


def _closed(past: Past, request_id: RequestId, outcome: Outcome) -> Past:
    closed = _with_request(past, request_id, lambda opened: evolve(opened, outcome=outcome))
    if isinstance(outcome, ModelReplied) and closed is not past:
        return evolve(closed, usage=past.usage.plus(outcome.usage))
    return closed


def _call_closed(past: Past, event: CallClosed) -> Past:
    turn = past.turn
    slot = None if turn is None else _slot(turn, event.slot)
    if turn is None or slot is None:
        return past
    call_id = f"{place(turn.number, turn.generation)}.{event.slot}"
    result = ToolMessage(call_id=call_id, tool=slot.invocation.name, text=event.text, ok=event.ok)
    closed = _with_slot(past, turn, event.slot, evolve(slot, result=result))
    if event.memory is None:
        return closed
    members = past.memories.with_member(slot.invocation.name, event.memory).members
    by_name = sorted(members, key=lambda member: member[0])  # which tool was quicker leaves no trace
    return evolve(closed, memories=JsonObject(tuple(by_name)))


def _round_ended(past: Past) -> Past:
    turn = past.turn
    if turn is None:
        return past
    log = past.log
    for slot in turn.slots:
        log = log if slot.result is None else log.append(slot.result)
    return evolve(past, log=log, turn=evolve(turn, generation=turn.generation + 1, model=None, slots=()))


def _rewound(past: Past, to: int) -> Past:
    kept = 0
    while kept < len(past.marks) and past.marks[kept].turn < to:
        kept += 1
    if kept == len(past.marks):
        return past
    mark = past.marks[kept]
    return evolve(
        past,
        log=past.log.take(mark.log_length),
        memories=mark.memories,
        overrides=mark.overrides,
        marks=past.marks.take(kept),
        turn=None,
        queue=(),
    )

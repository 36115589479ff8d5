"""``apply`` remembers: one event into the past. It decides nothing, and is total: an event that speaks of what is not there changes only the count."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from attrs import evolve

from turnfold.core.agent.events import (
    CallClosed,
    CallCommanded,
    CancelAsked,
    Compacted,
    Event,
    Forgotten,
    Impersonated,
    MessageAdded,
    MessageQueued,
    Permitted,
    Reconfigured,
    Redone,
    Renamed,
    RequestClosed,
    RequestOpened,
    RestoreAsked,
    Rewound,
    RoundEnded,
    Started,
    SummaryAsked,
    TurnEnded,
    TurnInterrupted,
)
from turnfold.core.agent.ids import place
from turnfold.core.agent.requested import closed_in, opened_in, slot_of, with_request, with_slot
from turnfold.core.agent.rewinding import redone, rewound
from turnfold.core.agent.state import Mark, Past, Slot, Status, Turn, waits_for_person
from turnfold.core.agent.summary import Summary
from turnfold.core.agent.turn_events import CallEdited, Cause, FellBack, GuardrailChecked, HandedOff, ModelUrged
from turnfold.core.agent.writes import in_order, written_in
from turnfold.core.config.layers import Overrides
from turnfold.core.config.missing import MISSING
from turnfold.core.config.tables import Guarded
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.world.answers import images_of
from turnfold.core.world.images import Image

Commanded: TypeAlias = CallCommanded | Impersonated | SummaryAsked | Reconfigured | Renamed | Rewound | Redone | RestoreAsked
Issued: TypeAlias = HandedOff | GuardrailChecked | FellBack | CallEdited | ModelUrged
Rarer: TypeAlias = (
    Started | MessageQueued | CallClosed | RoundEnded | TurnInterrupted | TurnEnded | Compacted | Forgotten | Issued | Commanded
)


def apply(past: Past, event: Event) -> Past:
    """The past with ``event`` in it; cost independent of the conversation's length, ``Rewound`` apart."""
    return evolve(_applied(past, event), events=past.events + 1)


def _applied(past: Past, event: Event) -> Past:
    match event:
        case RequestOpened(at_ms=at_ms):
            return _timed(opened_in(past, event), at_ms)
        case RequestClosed(at_ms=at_ms):
            return _timed(closed_in(past, event), at_ms)
        case Permitted(request_id, at_ms):
            return _timed(with_request(past, request_id, lambda opened: evolve(opened, status=Status.RUNNING, since_ms=at_ms)), at_ms)
        case CancelAsked(request_id, at_ms):
            return with_request(past, request_id, lambda opened: evolve(opened, status=Status.CANCELLING, since_ms=at_ms))
        case MessageAdded(message, at_ms):
            return _user_said(past, message, at_ms) if isinstance(message, UserMessage) else _model_said(past, message)
        case _:
            return _applied_rarely(past, event)


def _applied_rarely(past: Past, event: Rarer) -> Past:
    match event:
        case CallClosed():
            return _call_closed(past, event)
        case RoundEnded():
            return _round_ended(past)
        case TurnEnded(at_ms=at_ms, text=text):
            return _turn_ended(past, text, at_ms)
        case Started():
            return evolve(past, conversation=event.conversation, cfg_digest=event.cfg_digest, tools_digest=event.tools_digest, name="")
        case MessageQueued(message):
            return evolve(past, queue=(*past.queue, message))
        case TurnInterrupted(limit=limit):
            return past if past.turn is None else evolve(past, turn=evolve(past.turn, interrupted=True, limit=limit))
        case Compacted(upto, summary, pinned):
            return _compacted(past, Summary(upto=upto, text=summary, pinned=pinned))
        case Forgotten(count):
            return evolve(past, writes=past.writes.without(count))
        case HandedOff() | GuardrailChecked() | FellBack() | CallEdited() | ModelUrged():
            return _applied_in_turn(past, event)
        case _:
            return _applied_command(past, event)


def _applied_command(past: Past, event: Commanded) -> Past:
    match event:
        case CallCommanded():
            return _call_commanded(past, event)
        case Impersonated(message, at_ms):
            return _impersonated(past, message, at_ms)
        case SummaryAsked(at_ms=at_ms):
            return _turn_begun(past, None, Turn(number=past.turns + 1, generation=0, began_ms=at_ms, commanded=True, summary=True))
        case Reconfigured(change):
            return _with_change(past, change)
        case Renamed(name):
            return evolve(past, name=name)
        case Rewound(to, at_ms, files):
            return evolve(rewound(past, to, files), worked_ms=past.worked_ms + worked_ms(past.turn, at_ms))
        case Redone():
            return redone(past)
        case RestoreAsked():
            return _restore_asked(past, event)
        case _:
            assert_never(event)


def _applied_in_turn(past: Past, event: Issued) -> Past:
    turn = past.turn
    match event:
        case HandedOff(change=change, upto=upto, told=told):
            led = _with_change(past, change)
            return led if told is None else _compacted(led, Summary(upto=upto, text="", messages=told))
        case GuardrailChecked():
            return past if turn is None else evolve(past, turn=evolve(turn, checked=(*turn.checked, event)))
        case FellBack(model):
            return past if turn is None else evolve(past, turn=evolve(turn, fallback=model, failures=0, model=None, overlong_bytes=0))
        case CallEdited(index, arguments):
            slot = None if turn is None else slot_of(turn, index)
            if turn is None or slot is None:
                return past
            call = ToolCall(slot.invocation.name, arguments)
            return with_slot(past, turn, index, evolve(slot, invocation=call, requests=(), edited=True))
        case ModelUrged(text=text, cause=cause):
            return past if turn is None else _urged(past, turn, text, cause)
        case _:
            assert_never(event)


def _urged(past: Past, turn: Turn, text: str, cause: Cause) -> Past:
    """The past with the model told; where its reply was not what it had to be, that of the next generation is due."""
    log = past.log.append(UserMessage(text, urged=True))
    if cause is Cause.ANSWER:
        return evolve(past, log=log, turn=evolve(turn, answering=True))
    return evolve(past, log=log, turn=evolve(_next_generation(turn), repairs=turn.repairs + 1))


def _turn_ended(past: Past, text: str, at_ms: int) -> Past:
    turn = past.turn
    log = past.log.append(AssistantMessage(text=text, place=place(turn.number, turn.generation))) if text and turn is not None else past.log
    return evolve(past, log=log, turn=None, worked_ms=past.worked_ms + worked_ms(turn, at_ms))


def _with_change(past: Past, change: Overrides) -> Past:
    """The past with changed settings; a model that they name comes in place of one that the turn has fallen back to."""
    turn = past.turn
    if turn is not None and turn.fallback and change.own_model != MISSING:
        turn = evolve(turn, fallback="", failures=0)
    return evolve(past, overrides=(change, *past.overrides), undone=(), turn=turn)


def worked_ms(turn: Turn | None, at_ms: int) -> int:
    """How long ``turn`` has taken at ``at_ms``, the waits for people apart."""
    if turn is None:
        return 0
    paused = 0 if turn.paused_ms is None else max(at_ms - turn.paused_ms, 0)
    return max(at_ms - turn.began_ms - turn.waited_ms - paused, 0)


def _compacted(past: Past, summary: Summary) -> Past:
    """The past with ``summary`` told; lessons that went with the messages they came with may come up again.

    What came to something may be done once more in the same turn, which may be a long one.
    """
    turn = None if past.turn is None else evolve(past.turn, summarised=False, overlong_bytes=0)
    past = evolve(past, summary=summary, turn=turn)
    if not past.told:
        return past
    kept = [past.log[index] for index in summary.pinned if 0 <= index < len(past.log)] + list(past.log.since(max(summary.upto, 0)))
    return evolve(past, told=tuple(path for each in kept if isinstance(each, UserMessage) for path in each.lessons))


def _timed(past: Past, at_ms: int) -> Past:
    """The past with the time counted that its turn is paused: all that is open are questions, from one event to another."""
    turn = past.turn
    if turn is None:
        return past
    if waits_for_person(past) == (turn.paused_ms is not None):
        return past
    if turn.paused_ms is None:
        return evolve(past, turn=evolve(turn, paused_ms=at_ms))
    return evolve(past, turn=evolve(turn, paused_ms=None, waited_ms=turn.waited_ms + max(at_ms - turn.paused_ms, 0)))


def _turn_begun(past: Past, message: Message | None, turn: Turn) -> Past:
    mark = Mark(
        turn=turn.number,
        log_length=len(past.log),
        memories=past.memories,
        overrides=past.overrides,
        summary=past.summary,
        told=past.told,
    )
    log = past.log if message is None else past.log.append(message)
    return evolve(past, turns=turn.number, log=log, marks=past.marks.append(mark), turn=turn, undone=())


def _user_said(past: Past, message: UserMessage, at_ms: int) -> Past:
    begun = _turn_begun(past, message, Turn(number=past.turns + 1, began_ms=at_ms))
    queue = past.queue[1:] if past.queue[:1] == (message,) else past.queue
    return evolve(begun, queue=queue, told=(*past.told, *message.lessons)) if queue or message.lessons or past.queue else begun


def _model_said(past: Past, message: AssistantMessage) -> Past:
    turn = past.turn
    slots = tuple(Slot(invocation=call) for call in message.calls)
    return evolve(past, log=past.log.append(message), turn=None if turn is None else evolve(turn, slots=slots, overrides=past.overrides))


def _call_commanded(past: Past, event: CallCommanded) -> Past:
    calls = (event.call, *event.more)
    turn = Turn(
        number=past.turns + 1,
        generation=0,
        began_ms=event.at_ms,
        slots=tuple(Slot(invocation=call) for call in calls),
        overrides=past.overrides,
        commanded=True,
        ask=event.ask,
    )
    begun = _turn_begun(past, UserMessage(event.line), turn)
    message = AssistantMessage(text="", place=place(begun.turns, 0), calls=calls)
    return evolve(begun, log=begun.log.append(message))


def _impersonated(past: Past, message: AssistantMessage, at_ms: int) -> Past:
    slots = tuple(Slot(invocation=call) for call in message.calls)
    turn = Turn(number=past.turns + 1, generation=0, began_ms=at_ms, slots=slots, overrides=past.overrides, commanded=True, ask=True)
    return _turn_begun(past, message, turn)


def _restore_asked(past: Past, event: RestoreAsked) -> Past:
    """The past with a turn that puts files back. It has no mark and takes nothing from what can be redone: it ends with both."""
    call = ToolCall("redo" if event.again else "undo", JsonObject())
    turn = Turn(
        number=past.turns + 1,
        generation=0,
        began_ms=event.at_ms,
        slots=(Slot(invocation=call),),
        overrides=past.overrides,
        commanded=True,
        restoring=event,
    )
    return evolve(past, turns=turn.number, turn=turn)


def _call_closed(past: Past, event: CallClosed) -> Past:
    turn = past.turn
    slot = None if turn is None else slot_of(turn, event.slot)
    if turn is None or slot is None:
        return past
    call_id = f"{place(turn.number, turn.generation)}.{event.slot}"
    edited = slot.invocation.arguments if slot.edited and isinstance(slot.invocation, ToolCall) else None
    result = ToolMessage(
        call_id=call_id, tool=slot.invocation.name, text=event.text, ok=event.ok, images=_images(slot, event), edited=edited
    )
    closed = with_slot(past, turn, event.slot, evolve(slot, result=result, ends=event.ends))
    if event.memory is None:
        return closed
    members = past.memories.with_member(slot.invocation.name, event.memory).members
    by_name = sorted(members, key=lambda member: member[0])  # which tool was quicker leaves no trace
    return evolve(closed, memories=JsonObject(tuple(by_name)))


def _images(slot: Slot, event: CallClosed) -> tuple[Image, ...]:
    """The pictures that the event names, from the call's answers: the journal holds each once."""
    if not event.images:
        return ()
    held = {image.digest: image for exchange in slot.exchanges for image in images_of(exchange.outcome)}
    return tuple(held[digest] for digest in event.images if digest in held)


def _round_ended(past: Past) -> Past:
    turn = past.turn
    if turn is None:
        return past
    log = past.log
    slots = turn.slots if turn.restoring is None else ()  # what puts files back is no part of the conversation
    for slot in slots:
        log = log if slot.result is None else log.append(slot.result)
    written = in_order(tuple(each for slot in slots for each in written_in(turn.number, slot.exchanges)))
    after = evolve(_next_generation(turn), slots=(), completed=_completed(turn.slots))
    return evolve(past, log=log, turn=after, writes=past.writes.plus(written))


def _next_generation(turn: Turn) -> Turn:
    """``turn`` where the model is asked anew; what guardrails still ask goes on beside it, and what they said of the input stays."""
    after = evolve(turn, generation=turn.generation + 1, model=None, asked=0, failures=0)
    if not (turn.checks or turn.checked):
        return after
    checks = tuple(each for each in turn.checks if each.outcome is None)
    return evolve(after, checks=checks, checked=tuple(each for each in turn.checked if each.on is Guarded.INPUT))


def _completed(slots: tuple[Slot, ...]) -> str:
    """The id of the first call that ends the turn; none where a call of the round failed, of which the model must hear."""
    results = tuple(slot.result for slot in slots)
    if not all(result is not None and result.ok for result in results):
        return ""
    return next((slot.result.call_id for slot in slots if slot.ends and slot.result is not None), "")

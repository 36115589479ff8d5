"""What is told of one event, besides the text and the calls of a reply: at most one item, which stands behind all these."""

from __future__ import annotations

from typing import TypeAlias, assert_never, final

from attrs import frozen

from turnfold.core.agent import events, turn_events
from turnfold.core.agent.events import Event, ModelReplied, Unanswered
from turnfold.core.agent.ids import RequestId, place
from turnfold.core.agent.state import Opened, Past, Status, effective, find_open
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import AssistantMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.stream import items
from turnfold.core.stream.items import Item
from turnfold.core.stream.position import Position
from turnfold.core.tools.preview import preview
from turnfold.core.world.answers import HumanSaid
from turnfold.core.world.described import described
from turnfold.core.world.requests import AskHuman, CallModel, Purpose, Wait


@final
@frozen(kw_only=True)
class Moment:
    """An event, what was true before and after it, and the event after it; ``at`` is the place behind it."""

    at: Position
    past: Past
    event: Event
    following: Event | None
    after: Past


def keeps_reply(event: Event | None) -> bool:
    """Whether ``event`` puts a model's reply into the log."""
    return isinstance(event, events.MessageAdded) and isinstance(event.message, AssistantMessage)


def told_of(moment: Moment, cfg: ChatConfig) -> Item | None:
    """The item of the moment's event, where it has one."""
    at, event = moment.at, moment.event
    match event:
        case events.RequestOpened():
            return _opened(moment, event, cfg)
        case events.RequestClosed():
            return _closed(moment, event)
        case events.Permitted(request_id):
            return items.PermissionDecided(at=at, request=str(request_id), allowed=True)
        case events.MessageAdded(message):
            return _turn_started(moment, message.text) if isinstance(message, UserMessage) else _message_done(moment, message)
        case events.MessageQueued(message):
            return items.MessageQueued(at=at, text=message.text)
        case events.CallCommanded(line=line) | events.SummaryAsked(line=line) | events.RestoreAsked(line=line):
            return _turn_started(moment, line)
        case events.Impersonated(message):
            return items.TurnStarted(at=at, turn=moment.after.turns, said=message.text, said_by_model=True)
        case events.CallClosed():
            return _output(moment, event)
        case events.TurnEnded(reason, problem, text=text):
            turn = moment.past.turn
            return None if turn is None else items.TurnEnded(at=at, turn=turn.number, reason=reason, problem=problem, text=text)
        case _:
            return _told_rarely(moment, event)


Rarer: TypeAlias = (
    events.Started
    | events.CancelAsked
    | events.RoundEnded
    | events.TurnInterrupted
    | turn_events.HandedOff
    | turn_events.GuardrailChecked
    | turn_events.FellBack
    | turn_events.CallEdited
    | turn_events.ModelUrged
    | events.Compacted
    | events.Reconfigured
    | events.Renamed
    | events.Rewound
    | events.Redone
    | events.Forgotten
)


def _told_rarely(moment: Moment, event: Rarer) -> Item | None:
    at = moment.at
    match event:
        case turn_events.HandedOff(agent=agent, call=call):
            return items.HandedOff(at=at, agent=agent, call=call)
        case turn_events.GuardrailChecked(name=name, on=on, tripped=tripped, reason=reason):
            return items.GuardrailChecked(at=at, name=name, on=on.value, tripped=tripped, reason=reason)
        case turn_events.FellBack(model, problem):
            return items.FellBack(at=at, model=model, problem=problem)
        case turn_events.CallEdited(slot, arguments):
            return _edited(moment, slot, arguments)
        case turn_events.ModelUrged(text=text):
            return items.ModelUrged(at=at, text=text)
        case events.Compacted(upto):
            return items.SummedUp(at=at, upto=upto)
        case events.Rewound(to):
            return items.TurnsTakenBack(at=at, to=to)
        case events.Redone():
            return items.TurnsRestored(at=at)
        case (
            events.Started()
            | events.CancelAsked()
            | events.RoundEnded()
            | events.TurnInterrupted()
            | events.Reconfigured()
            | events.Renamed()
            | events.Forgotten()
        ):
            return None
        case _:
            assert_never(event)


def _turn_started(moment: Moment, said: str) -> items.TurnStarted:
    return items.TurnStarted(at=moment.at, turn=moment.after.turns, said=said)


def _message_done(moment: Moment, message: AssistantMessage) -> items.MessageDone | None:
    turn = moment.past.turn
    if turn is None or turn.model is None:
        return None
    calls = tuple(f"{message.place}.{index}" for index in range(len(message.calls)))
    return items.MessageDone(at=moment.at, reply=str(turn.model.request_id), text=message.text, calls=calls, cut=message.cut)


def _output(moment: Moment, event: events.CallClosed) -> items.ToolOutput | None:
    turn = moment.past.turn
    if turn is None or not 0 <= event.slot < len(turn.slots):
        return None
    call = f"{place(turn.number, turn.generation)}.{event.slot}"
    tool = turn.slots[event.slot].invocation.name
    return items.ToolOutput(at=moment.at, call=call, tool=tool, ok=event.ok, text=event.text, images=event.images)


def _edited(moment: Moment, slot: int, arguments: JsonObject) -> items.CallEdited | None:
    turn = moment.past.turn
    call = "" if turn is None else f"{place(turn.number, turn.generation)}.{slot}"
    return items.CallEdited(at=moment.at, call=call, arguments=arguments) if call else None


def _opened(moment: Moment, event: events.RequestOpened, cfg: ChatConfig) -> Item | None:
    request = event.request
    if isinstance(request, Wait):
        return items.Retrying(at=moment.at, delay_ms=request.delay_ms)
    if isinstance(request, CallModel):
        model = f"{request.provider.name}/{request.model}"
        return items.ReplyStarted(at=moment.at, reply=str(event.request_id), model=model) if request.purpose is Purpose.REPLY else None
    opened = find_open(moment.after, event.request_id)
    return _asked(moment, opened, cfg) if event.asked and opened is not None else None


def _asked(moment: Moment, opened: Opened, cfg: ChatConfig) -> items.PermissionAsked:
    request, about = opened.request, described(opened.request)
    turn, slot = moment.after.turn, opened.request_id.slot
    exchanges = turn.slots[slot].exchanges if turn is not None and 0 <= slot < len(turn.slots) else ()
    return items.PermissionAsked(
        at=moment.at,
        request=str(opened.request_id),
        call=call_of(opened.request_id),
        kind=about.kind,
        subject=about.subject,
        reason=request.question if isinstance(request, AskHuman) else opened.asked,
        preview=preview(request, exchanges, effective(cfg, moment.after)),
        fields=request.fields if isinstance(request, AskHuman) else (),
    )


def call_of(request_id: RequestId) -> str:
    """The id of the call that asked.

    >>> call_of(RequestId(1, 2, 0, 3))
    '1.2.0'
    """
    return f"{place(request_id.turn, request_id.generation)}.{request_id.slot}"


def _closed(moment: Moment, event: events.RequestClosed) -> Item | None:
    at, request_id, outcome = moment.at, str(event.request_id), event.outcome
    opened = find_open(moment.past, event.request_id)
    if opened is None:
        return None
    if isinstance(outcome, ModelReplied):
        return items.UsageTold(at=at, request=request_id, usage=outcome.usage, total=moment.after.usage)
    if isinstance(opened.request, CallModel):
        dropped = opened.request.purpose is Purpose.REPLY and not keeps_reply(moment.following)
        return _dropped(moment, event) if dropped else None
    if opened.status is not Status.ASKED:
        return None
    note = outcome.note if isinstance(outcome, Unanswered) else ""
    return items.PermissionDecided(at=at, request=request_id, allowed=isinstance(outcome, HumanSaid), note=note)


def _dropped(moment: Moment, event: events.RequestClosed) -> items.ReplyDropped:
    why = event.outcome.why.value if isinstance(event.outcome, Unanswered) else ""
    problem = event.outcome if isinstance(event.outcome, Problem) else None
    return items.ReplyDropped(at=moment.at, reply=str(event.request_id), why=why, problem=problem)

"""What laws compare: pasts and journals without what may differ (event numbers and times), and every law's invariants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from attrs import evolve, fields

from turnfold.core.agent.effects import Cancel, Channel, Delta, Perform, Record
from turnfold.core.agent.events import (
    CallClosed,
    CallCommanded,
    Check,
    Event,
    Impersonated,
    MessageAdded,
    MessageQueued,
    ModelReplied,
    Permitted,
    RequestClosed,
    RequestOpened,
    RestoreAsked,
    Rewound,
    RoundEnded,
    SummaryAsked,
    TurnEnded,
    TurnInterrupted,
)
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.agent.state import Opened, Past, Turn
from turnfold.core.agent.turn_events import GuardrailChecked
from turnfold.core.codec.codec import EVENT, encode
from turnfold.core.conversation.messages import AssistantMessage, UserMessage
from turnfold.core.world.requests import CallModel, Purpose
from turnfold.testing.simulated import Sim


def without_times(event: Event) -> Event:
    """``event`` as it would be at any time, and wherever it stood in the journal."""
    timeless = evolve(event, at_ms=0)
    if isinstance(timeless, RequestOpened) and isinstance(timeless.request, CallModel):
        return evolve(timeless, request=evolve(timeless.request, upto=0))
    return timeless


def comparable(past: Past) -> Past:
    """``past`` without event numbers and times."""
    turn = past.turn
    return evolve(past, events=0, turn=None if turn is None else _turn(turn))


def _turn(turn: Turn) -> Turn:
    slots = tuple(evolve(slot, requests=tuple(map(_opened, slot.requests))) for slot in turn.slots)
    checks = tuple(sorted((evolve(_opened(each), request_id=None) for each in turn.checks), key=repr))  # type: ignore[arg-type]  # which was asked first leaves no trace
    checked = tuple(sorted((evolve(each, at_ms=0) for each in turn.checked), key=repr))
    model = None if turn.model is None else _opened(turn.model)
    return evolve(turn, model=model, slots=slots, waited_ms=0, paused_ms=None, checks=checks, checked=checked)


def _opened(opened: Opened) -> Opened:
    request = opened.request
    return evolve(opened, since_ms=0, request=evolve(request, upto=0) if isinstance(request, CallModel) else request)


def written(events: tuple[Event, ...]) -> tuple[str, ...]:
    """A journal as its store holds it."""
    return tuple(encode(EVENT, event) for event in events)


def assert_balanced(sim: Sim) -> None:
    """Law 11: what begins ends once, in order; nothing is done that was not opened, twice, or without a yes."""
    events = sim.events
    assert_numbers(sim)
    assert_requests(events)
    assert_turns(events)
    assert_performed(sim)
    assert_deltas(sim)


def assert_numbers(sim: Sim) -> None:
    """The events of a journal are numbered without gaps, and recorded before anything else is done."""
    numbers = [effect.number for effect in sim.effects if isinstance(effect, Record)]
    assert numbers == list(range(len(numbers)))
    assert sim.state.past.events == len(numbers)
    for taken in sim.history:
        kinds = [isinstance(effect, Record) for effect in taken.step.effects]
        assert kinds == sorted(kinds, reverse=True)


def assert_requests(events: tuple[Event, ...]) -> None:
    """A request is opened once and closed at most once, and once when its turn has ended."""
    opened = Counter(event.request_id for event in events if isinstance(event, RequestOpened))
    closed = Counter(event.request_id for event in events if isinstance(event, RequestClosed))
    assert max(opened.values(), default=1) == 1
    assert max(closed.values(), default=1) == 1
    assert closed.keys() <= opened.keys()
    waiting: set[RequestId] = set()
    for event in events:
        match event:
            case RequestOpened(request_id=request_id):
                waiting.add(request_id)
            case RequestClosed(request_id=request_id):
                waiting.remove(request_id)
            case TurnEnded():
                assert not waiting
            case _:
                pass


def assert_turns(events: tuple[Event, ...]) -> None:
    """Every turn ends once, every round closes each of its calls once, and no two turns run at once."""
    running = False
    calls: tuple[object, ...] = ()
    closed: list[int] = []
    for event in events:
        match event:
            case MessageAdded(message=UserMessage()) | CallCommanded() | Impersonated() | SummaryAsked():
                assert not running
                running, calls, closed = True, called(event), []
            case MessageAdded(message=AssistantMessage() as message):
                assert running
                assert not calls
                calls, closed = message.calls, []
            case CallClosed(slot=slot):
                closed.append(slot)
            case RoundEnded():
                assert sorted(closed) == list(range(len(calls)))
                calls, closed = (), []
            case TurnEnded():
                assert running
                assert not calls
                running = False
            case _:
                pass


def called(event: MessageAdded | CallCommanded | Impersonated | SummaryAsked) -> tuple[object, ...]:
    """The calls that a turn begins with."""
    match event:
        case CallCommanded(call=call, more=more):
            return (call, *more)
        case Impersonated(message):
            return message.calls
        case _:
            return ()


def assert_performed(sim: Sim) -> None:
    """Each Perform is of an open request, once; an asked one only after a yes; none of an interrupted turn."""
    performed = Counter(perform.request_id for perform in sim.performs)
    assert max(performed.values(), default=1) == 1
    opened: dict[RequestId, RequestOpened] = {}
    ended: set[RequestId] = set()
    permitted: set[RequestId] = set()
    interrupted = False
    for effect in sim.effects:
        match effect:
            case Record(event=RequestOpened() as event):
                assert not interrupted
                opened[event.request_id] = event
            case Record(event=RequestClosed(request_id=request_id)):
                ended.add(request_id)
            case Record(event=Permitted(request_id=request_id)):
                permitted.add(request_id)
            case Record(event=TurnInterrupted()):
                interrupted = True
            case Record(event=TurnEnded()):
                interrupted = False
            case Perform(request_id=request_id, request=request):
                assert opened[request_id].request == request
                assert request_id not in ended
                assert not opened[request_id].asked or request_id in permitted
            case Cancel(request_id=request_id):
                assert performed[request_id] == 1
            case _:
                pass


def assert_deltas(sim: Sim) -> None:
    """The deltas of a reply are numbered from 0, and join to what the log holds of it."""
    replies: dict[RequestId, list[Delta]] = {}
    for delta in sim.deltas:
        replies.setdefault(delta.request_id, []).append(delta)
    for deltas in replies.values():
        assert [delta.number for delta in deltas] == list(range(len(deltas)))
        assert all(delta.text for delta in deltas)
    for request_id, message in replied(sim.events):
        mine = replies.get(request_id, [])
        assert "".join(delta.text for delta in mine if delta.channel is Channel.TEXT) == message.text
        assert "".join(delta.text for delta in mine if delta.channel is Channel.REASONING) == message.reasoning


def replied(events: tuple[Event, ...]) -> Iterator[tuple[RequestId, AssistantMessage]]:
    """The messages that models wrote, each with the request that it answers."""
    last: RequestId | None = None
    for event in events:
        if isinstance(event, RequestClosed) and event.request_id.slot == MODEL:
            last = event.request_id
        if isinstance(event, MessageAdded) and isinstance(event.message, AssistantMessage):
            assert last is not None
            yield last, event.message


def assert_nothing_lost(events: tuple[Event, ...]) -> None:
    """All that the person said is in the log, in order; nothing that was answered was asked again, and no guardrail judged a thing twice."""
    queued = [event.message for event in events if isinstance(event, MessageQueued)]
    added = [event.message for event in events if isinstance(event, MessageAdded) and isinstance(event.message, UserMessage)]
    left = iter(added)
    assert all(message in left for message in queued)
    finished: set[tuple[int, int]] = set()
    summaries: set[RequestId] = set()
    judged: set[tuple[int, Check]] = set()
    turn = 0
    for event in events:
        match event:
            case RequestOpened(request_id=request_id, request=CallModel(purpose=Purpose.SUMMARY)):
                summaries.add(request_id)
            case RequestOpened(check=check) if check is not None:
                assert (event.request_id.turn, check) not in judged
            case GuardrailChecked():
                verdict = (turn, Check(name=event.name, on=event.on, generation=event.generation, slot=event.slot))
                assert verdict not in judged
                judged.add(verdict)
            case MessageAdded(message=UserMessage()) | CallCommanded() | Impersonated() | SummaryAsked() | RestoreAsked():
                turn += 1
            case RequestClosed(request_id=request_id, outcome=ModelReplied()) if request_id.slot == MODEL and request_id not in summaries:
                finished.add((request_id.turn, request_id.generation))
            case RequestOpened(request_id=request_id) if request_id.slot == MODEL:
                assert (request_id.turn, request_id.generation) not in finished
            case _:
                pass


def undone(events: tuple[Event, ...]) -> bool:
    """Whether something was taken back."""
    return any(isinstance(event, Rewound) for event in events)


def sent_bodies(sim: Sim) -> tuple[bytes, ...]:
    """The bodies of all model calls, in order."""
    return tuple(perform.body for perform in sim.performs if isinstance(perform.request, CallModel))


def assert_acceptable(body: bytes) -> None:
    """A history that providers accept: each call is followed by exactly its results, in order, before anything else."""
    waiting: list[str] = []
    for message in json.loads(body)["messages"]:
        if waiting:
            assert message["role"] == "tool"
        if message["role"] == "tool":
            assert waiting.pop(0) == message["tool_call_id"]
        waiting += [call["id"] for call in message.get("tool_calls", ())]
    assert not waiting


def mutable_parts(value: object, place: str = "") -> Iterator[str]:
    """Where a list, dict, set or bytearray is reachable from ``value``."""
    if isinstance(value, (list, dict, set, bytearray)):
        yield f"{place}: {type(value).__name__}"
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            yield from mutable_parts(part, f"{place}[{index}]")
    elif hasattr(type(value), "__attrs_attrs__"):
        for field in fields(type(value)):  # type: ignore[arg-type]  # it has fields, as was asked
            yield from mutable_parts(getattr(value, field.name), f"{place}.{field.name}")

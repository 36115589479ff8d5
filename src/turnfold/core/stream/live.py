"""What is told of a reply, while it is streamed and when it is over: what there is beyond what was given."""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import evolve, frozen

from turnfold.core.agent.live import LiveReply
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Invocation
from turnfold.core.json import dumps, scalar_text
from turnfold.core.llm.arguments import read_object_untrusted
from turnfold.core.llm.reply import CallSoFar
from turnfold.core.llm.wire import calls_so_far
from turnfold.core.stream.given import NONE, Extent, Given, more_of
from turnfold.core.stream.items import ArgumentsDelta, ReasoningDelta, TextDelta, ToolCallComplete, ToolCallStarted

LiveItem: TypeAlias = ReasoningDelta | TextDelta | ToolCallStarted | ArgumentsDelta | ToolCallComplete


@final
@frozen
class Told:
    """What a reader is told now, and what of the reply it was given by then."""

    given: Given
    items: tuple[LiveItem, ...] = ()


@final
@frozen(kw_only=True)
class Place:
    """Where it is told: after how many events, of which reply, in which round its calls are."""

    event: int
    reply: str
    round: str


def told_live(live: LiveReply, given: Given, place: Place) -> Told:
    """What has come of ``live`` beyond ``given``; linear in that."""
    items: tuple[LiveItem, ...] = ()
    thought = more_of(live.fold.reasoning, given.thought)
    if thought.text:
        given = evolve(given, thought=thought.extent)
        items += (ReasoningDelta(at=given.at(place.event), reply=place.reply, text=thought.text),)
    shown = more_of(live.fold.text, given.shown)
    if shown.text:
        given = evolve(given, shown=shown.extent)
        items += (TextDelta(at=given.at(place.event), reply=place.reply, text=shown.text),)
    told = Told(given, items)
    if live.scan is None:  # else calls are text
        for index, call in enumerate(calls_so_far(live.fold)):
            told = _with_call(told, index, call, place)
    return told


def _with_call(told: Told, index: int, call: CallSoFar, place: Place) -> Told:
    """``told`` with what has come of one call; nothing, where it was given as complete."""
    given, items = told.given, told.items
    call_id = f"{place.round}.{index}"
    if index < given.ended:
        return told
    if index >= len(given.calls):
        given = evolve(given, calls=(*given.calls, NONE))
        items += (ToolCallStarted(at=given.at(place.event), call=call_id, tool=call.name),)
    more = more_of(call.pieces, given.calls[index])
    if more.text:
        given = given.with_call(index, more.extent)
        items += (ArgumentsDelta(at=given.at(place.event), call=call_id, text=more.text),)
    if call.complete and index == given.ended:
        given = evolve(given, ended=index + 1)
        text = scalar_text("".join(call.pieces)).strip() or "{}"
        items += (_read(given, place, call_id, call.name, text),)
    return Told(given, items)


def _read(given: Given, place: Place, call_id: str, tool: str, text: str) -> ToolCallComplete:
    """The complete call whose arguments are written as ``text``."""
    arguments = read_object_untrusted(tool, text).value_or(None)
    at = given.at(place.event)
    return ToolCallComplete(at=at, call=call_id, tool=tool, arguments=arguments, text="" if arguments is not None else text)


def told_calls(calls: tuple[Invocation, ...], given: Given, place: Place) -> Told:
    """What is left to be told of calls that are known whole."""
    items: tuple[LiveItem, ...] = ()
    for index, call in enumerate(calls):
        if index < given.ended:
            continue
        call_id = f"{place.round}.{index}"
        text = call.text if isinstance(call, BrokenCall) else dumps(call.arguments)
        if index >= len(given.calls):
            given = evolve(given, calls=(*given.calls, NONE))
            items += (ToolCallStarted(at=given.at(place.event), call=call_id, tool=call.name),)
        if text and index < len(given.calls) and given.calls[index] == NONE:
            given = given.with_call(index, Extent(chars=len(text), part=len(text)))
            items += (ArgumentsDelta(at=given.at(place.event), call=call_id, text=text),)
        given = evolve(given, ended=index + 1)
        if isinstance(call, BrokenCall):
            items += (_read(given, place, call_id, call.name, text),)
        else:
            items += (ToolCallComplete(at=given.at(place.event), call=call_id, tool=call.name, arguments=call.arguments),)
    return Told(given, items)


def told_message(message: AssistantMessage, given: Given, place: Place) -> Told:
    """What is left to be told of a reply that is over."""
    items: tuple[LiveItem, ...] = ()
    reasoning, text = message.reasoning[given.thought.chars :], message.text[given.shown.chars :]
    if reasoning:
        given = evolve(given, thought=Extent(chars=len(message.reasoning)))
        items += (ReasoningDelta(at=given.at(place.event), reply=place.reply, text=reasoning),)
    if text:
        given = evolve(given, shown=Extent(chars=len(message.text)))
        items += (TextDelta(at=given.at(place.event), reply=place.reply, text=text),)
    rest = told_calls(message.calls, given, place)
    return Told(rest.given, items + rest.items)

"""Law 11 of streams: from every place on, live, later or from the journal alone, the rest is told without a gap; what starts ends once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeAlias

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.examples import examples
from turnfold.core.agent.events import Event
from turnfold.core.agent.state import ChatState
from turnfold.core.journal import recorded
from turnfold.core.llm.arguments import read_object_untrusted
from turnfold.core.stream import items
from turnfold.core.stream.cursor import Cursor, advanced, caught_up
from turnfold.core.stream.follow import follow
from turnfold.core.stream.items import Item
from turnfold.core.stream.position import START
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Move
from turnfold.testing.simulated import Sim, finished, walked


def states(sim: Sim) -> Iterable[tuple[tuple[Event, ...], ChatState]]:
    """The journal and the state after each step, with the reply that is streamed then."""
    events: tuple[Event, ...] = ()
    for taken in sim.history:
        events += recorded(taken.step)
        yield events, taken.step.state


def told_live(sim: Sim, looks: tuple[bool, ...]) -> tuple[Item, ...]:
    """What a reader is told who looks after those steps that ``looks`` says (again and again), and at the end."""
    told: tuple[Item, ...] = ()
    cursor, last = Cursor(), None
    everything = tuple(states(sim))
    for number, (events, state) in enumerate(everything):
        last = state.live.reply or last
        if not looks[number % len(looks)] and number + 1 < len(everything):
            continue
        while cursor.past.events < len(events):
            forward = caught_up(cursor, last)
            place = cursor.past.events
            after = advanced(forward.cursor, events[place], events[place + 1] if place + 1 < len(events) else None, sim.cfg)
            told += forward.items + after.items
            cursor = after.cursor
        forward = caught_up(cursor, state.live.reply)
        told, cursor = told + forward.items, forward.cursor
    return told


OfReply: TypeAlias = items.ReasoningDelta | items.TextDelta | items.ToolCallStarted | items.ArgumentsDelta | items.ToolCallComplete


def kept(told: Iterable[Item]) -> list[Item]:
    """What was told, without what is as if it never had been: all of a dropped reply, and calls that its message does not have."""
    whole: list[Item] = []
    reply: list[OfReply] = []
    for item in told:
        match item:
            case items.ReasoningDelta() | items.TextDelta() | items.ToolCallStarted() | items.ArgumentsDelta() | items.ToolCallComplete():
                reply.append(item)
            case items.MessageDone(calls=calls):
                whole += [each for each in reply if isinstance(each, (items.ReasoningDelta, items.TextDelta))]
                whole += [each for call in calls for each in reply if getattr(each, "call", "") == call]  # begun and complete in any order
                whole.append(item)
                reply = []
            case items.ReplyDropped():
                whole.append(item)
                reply = []
            case items.ToolOutput() | items.TurnEnded() | items.PermissionAsked():  # of calls that a person commanded
                whole += [*reply, item]
                reply = []
            case _:
                whole.append(item)
    return whole + reply


def joined(told: Iterable[Item]) -> tuple[list[tuple[str, str, str]], list[Item]]:
    """What was told: the joined deltas of each text, and all the rest, without what depends on when a reader looked."""
    texts: dict[tuple[str, str], str] = {}
    rest: list[Item] = []
    for item in kept(told):
        if isinstance(item, (items.ReasoningDelta, items.TextDelta)):
            key = (type(item).__name__, item.reply)
            texts[key] = texts.get(key, "") + item.text
        elif not isinstance(item, items.ArgumentsDelta):
            rest.append(evolve(item, at=START))
    return [(*key, text) for key, text in sorted(texts.items())], rest


LOOKS = st.lists(st.booleans(), min_size=1, max_size=7).map(tuple)


@given(sims(), lives(), LOOKS)
@examples(80)
def test_places_rise_and_whoever_joins_at_one_is_told_the_rest(sim: Sim, life: tuple[Move, ...], looks: tuple[bool, ...]) -> None:
    done = finished(walked(sim, life))
    told = told_live(done, looks)
    places = [item.at for item in told]
    assert all(before < after for before, after in pairwise(places))
    for index in range(0, len(told), max(len(told) // 12, 1)):
        rest = tuple(follow(done.events, done.cfg, told[index].at))
        assert joined(rest) == joined(told[index + 1 :])


@given(sims(), lives(), LOOKS, st.integers(0, 1000))
@examples(60)
def test_whoever_joins_while_a_reply_is_streamed_is_told_what_others_were(
    sim: Sim, life: tuple[Move, ...], looks: tuple[bool, ...], pick: int
) -> None:
    done = walked(sim, life)
    if not done.history:
        return
    told = told_live(done, looks)
    place = told[pick % len(told)].at if told else START
    rest = tuple(follow(done.events, done.cfg, place, done.state.live.reply))
    assert joined(rest) == joined(item for item in told if item.at > place)
    assert joined(follow(done.events, done.cfg, START, done.state.live.reply)) == joined(told)


@given(sims(), lives(wild=True), LOOKS)
@examples(80)
def test_what_is_told_as_started_ends_once(sim: Sim, life: tuple[Move, ...], looks: tuple[bool, ...]) -> None:
    done = finished(walked(sim, life))
    told = told_live(done, looks)
    started: Counter[str] = Counter()
    for item in told:
        match item:
            case items.ReplyStarted(reply=name) | items.PermissionAsked(request=name):
                started[name] += 1
                assert started[name] == 1
            case items.MessageDone(reply=name) | items.ReplyDropped(reply=name) | items.PermissionDecided(request=name):
                started[name] += 1
                assert started[name] == 2
            case items.TextDelta(reply=name) | items.ReasoningDelta(reply=name) | items.UsageTold(request=name):
                assert started[name] in {0, 1}  # usage is told of what nobody sees, too
            case _:
                pass
    turns = [item for item in told if isinstance(item, (items.TurnStarted, items.TurnEnded))]
    if done.state.idle:
        assert set(started.values()) <= {2}
        assert len(turns) % 2 == 0
    assert all(isinstance(item, items.TurnEnded) == bool(index % 2) for index, item in enumerate(turns))
    calls = [item for item in kept(told) if isinstance(item, (items.ToolCallStarted, items.ToolCallComplete, items.ToolOutput))]
    kinds: dict[str, list[str]] = {}
    for call in calls:
        kinds.setdefault(call.call, []).append(type(call).__name__)
    assert all(each == ["ToolCallStarted", "ToolCallComplete", "ToolOutput"] for each in kinds.values()) or not done.state.idle


@given(sims(), lives(), LOOKS)
@examples(60)
def test_the_deltas_of_a_message_join_to_its_text_and_its_arguments_to_its_calls(
    sim: Sim, life: tuple[Move, ...], looks: tuple[bool, ...]
) -> None:
    told = kept(told_live(walked(sim, life), looks))
    texts: dict[str, str] = {}
    for item in told:
        match item:
            case items.TextDelta(reply=name, text=text) | items.ArgumentsDelta(call=name, text=text):
                texts[name] = texts.get(name, "") + text
            case items.ToolCallComplete(call=name, tool=tool, arguments=arguments) if arguments is not None and name in texts:
                if arguments == read_object_untrusted(tool, texts[name]).value_or(None):
                    continue
                assert not all(looks)  # a reader that looks at each step is given all of them
            case items.MessageDone(reply=name, text=text):
                assert texts.get(name, "") == text
            case _:
                pass

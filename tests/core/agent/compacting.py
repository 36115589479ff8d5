"""Conversations that were said in a few words, for tests of what gives way to a summary."""

from __future__ import annotations

from attrs import evolve, frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from turnfold.core.agent.events import CallClosed, Event, MessageAdded, Reason, RoundEnded, Started, TurnEnded
from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import ModelProfile
from turnfold.core.conversation.messages import AssistantMessage, ToolCall, UserMessage
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.core.world.usage import Usage
from turnfold.testing.simulated import CONFIG, Stream
from turnfold.testing.wire import chat_stream


@frozen
class Said:
    """A turn: whether the person's message is pinned, and how many calls each of its rounds has."""

    pinned: bool = False
    rounds: tuple[int, ...] = ()
    ended: bool = True


def turns(*, most: int = 6) -> SearchStrategy[tuple[Said, ...]]:
    """Turns in a row, of which the last may be running."""
    some = st.lists(st.builds(Said, st.booleans(), st.lists(st.integers(1, 3), max_size=2).map(tuple)), min_size=1, max_size=most)
    return st.builds(lambda said, ended: (*said[:-1], evolve(said[-1], ended=ended)), some, st.booleans())


def past_of(said: tuple[Said, ...], before: Past | None = None) -> Past:
    """The past of these turns."""
    events: list[Event] = [] if before is not None else [Started(conversation="c", cfg_digest="", tools_digest="")]
    for number, turn in enumerate(said, 1 if before is None else before.turns + 1):
        events.append(MessageAdded(UserMessage(f"Say {number}.", pinned=turn.pinned)))
        for place, calls in enumerate(turn.rounds, 1):
            call = ToolCall("read", JsonObject.of(path="a.txt"))
            events.append(MessageAdded(AssistantMessage(text="", place=f"{number}.{place}", calls=(call,) * calls)))
            events += [CallClosed(slot=slot, text="alpha", ok=True) for slot in range(calls)]
            events.append(RoundEnded())
        if turn.ended:
            events.append(MessageAdded(AssistantMessage(text=f"Said {number}.", place=f"{number}.9")))
            events.append(TurnEnded(Reason.COMPLETED))
    return fold(events, Past() if before is None else before)


def keeping(keep_turns: int = 1, *, keep_first: bool = True, at: float = 0.8, auto: bool = True, model: str = "") -> Compaction:
    """A table ``[compaction]``."""
    return Compaction(keep_turns=keep_turns, keep_first=keep_first, at=at, auto=auto, model=model)


def windowed(tokens: int | None, compaction: Compaction, *profiles: ModelProfile) -> ChatConfig:
    """A config whose model has a window of so many tokens."""
    return evolve(CONFIG, models=(ModelProfile(pattern="scripted/model", window_tokens=tokens), *profiles), compaction=compaction)


def saying(text: str, tokens: int = 0) -> Stream:
    """A reply of a model whose provider counts its tokens."""
    return Stream(chat_stream(text, usage=Usage(input_tokens=tokens, output_tokens=1) if tokens else None, piece_chars=50))

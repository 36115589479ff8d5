"""Law 10: request n's messages are a byte prefix of request n+1's, and every message is encoded once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given

from tests.core.llm import chat_shape, gemini_shape, messages_shape, responses_shape
from tests.laws.examples import examples
from turnfold.core.agent import encoding
from turnfold.core.agent.effects import Perform, Record
from turnfold.core.agent.events import Compacted, MessageAdded, Reason, Reconfigured, Rewound, Started, TurnEnded
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.turn_events import HandedOff
from turnfold.core.config.values import ModelProfile, ToolFormat, Wire
from turnfold.core.conversation.messages import Message, ToolMessage, UserMessage
from turnfold.core.journal import fold
from turnfold.core.llm.protocol import Encoder
from turnfold.core.llm.wire import encoder
from turnfold.core.world.requests import CallModel, Purpose
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Command, Move, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, finished, walked

STARTS = {Wire.CHAT: b'"messages":[', Wire.RESPONSES: b',"input":[', Wire.MESSAGES: b',"messages":[', Wire.GEMINI: b',"contents":['}


def messages_of(body: bytes, wire: Wire) -> bytes:
    """The messages of a body, without the bracket that ends them."""
    head, start, messages = body.partition(STARTS[wire])
    assert start, f"{wire.value} begins with {head[:80]!r}"
    return messages.removesuffix(b"]}")


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """The messages that are encoded from now on."""
    encoded: list[Message] = []

    def counting(wire: Wire) -> Encoder:
        write = encoder(wire)

        def one(message: Message, form: ToolFormat) -> bytes:
            encoded.append(message)
            return write.encode_message(message, form)

        def all_of(messages: tuple[ToolMessage, ...]) -> bytes:
            encoded.extend(messages)
            return write.encode_round(messages)

        return evolve(write, encode_message=one, encode_round=all_of)

    monkeypatch.setattr(encoding, "encoder", counting)
    return encoded


def law_10(sim: Sim, life: tuple[Move, ...], wire: Wire, broken_rule: Callable[[bytes], str | None]) -> None:
    before: bytes | None = None
    for effect in finished(walked(sim, life)).effects:
        match effect:
            case Record(event=Rewound() | Reconfigured() | Compacted() | HandedOff()):
                before = None
            case Perform(request=CallModel(purpose=Purpose.REPLY), body=body):
                assert before is None or messages_of(body, wire).startswith(before)
                before = messages_of(body, wire)
                assert broken_rule(body) is None
            case _:
                pass


@given(sims(), lives())
@examples(60)
def test_each_request_begins_with_the_messages_of_the_last(sim: Sim, life: tuple[Move, ...]) -> None:
    law_10(sim, life, Wire.CHAT, chat_shape.broken_rule)


@given(sims(), lives())
@examples(30)
def test_so_does_each_where_roles_have_an_order_and_keeps_to_it(sim: Sim, life: tuple[Move, ...]) -> None:
    user = sim.cfg.project.base
    ordered = evolve(user, models=(ModelProfile(pattern="*", ordered=True),))
    native = evolve(sim.cfg, project=evolve(sim.cfg.project, base=evolve(ordered, tool_format=ToolFormat.NATIVE)))
    law_10(evolve(sim, cfg=native), life, Wire.CHAT, chat_shape.broken_order)


@given(sims(Wire.RESPONSES), lives())
@examples(30)
def test_so_does_each_of_responses_and_is_accepted(sim: Sim, life: tuple[Move, ...]) -> None:
    law_10(sim, life, Wire.RESPONSES, responses_shape.broken_rule)


@given(sims(Wire.MESSAGES), lives())
@examples(30)
def test_so_does_each_of_messages_and_is_accepted(sim: Sim, life: tuple[Move, ...]) -> None:
    law_10(sim, life, Wire.MESSAGES, messages_shape.broken_rule)


@given(sims(Wire.GEMINI), lives())
@examples(30)
def test_so_does_each_of_gemini_and_is_accepted(sim: Sim, life: tuple[Move, ...]) -> None:
    law_10(sim, life, Wire.GEMINI, gemini_shape.broken_rule)


@pytest.mark.parametrize("tool_format", list(ToolFormat))
def test_each_message_is_encoded_once(monkeypatch: pytest.MonkeyPatch, tool_format: ToolFormat) -> None:
    encoded = counted(monkeypatch)
    sim = Sim(tools=ALL_TOOLS, cfg=evolve(CONFIG, tool_format=tool_format))
    moves = tuple(move for n in range(5) for move in (Command("/shell ls"), Say(f"{n}"), Command(f"/model scripted/{n}")))
    for move in moves:
        sim = finished(walked(sim, (move,)))
    log = tuple(sim.state.past.log)
    assert encoded == list(log[: len(encoded)])
    assert len(encoded) == len(log) - 1  # what the model said last has not been sent yet


def test_what_a_summary_stands_for_is_not_encoded_when_a_long_conversation_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    long = tuple(event for n in range(500) for event in (MessageAdded(UserMessage(f"{n}")), TurnEnded(Reason.COMPLETED)))
    past = fold((Started(conversation="c", cfg_digest="", tools_digest=""), *long, Compacted(498, "They counted.", (0,))))
    encoded = counted(monkeypatch)
    walked(Sim(tools=ALL_TOOLS, state=ChatState(past)), (Say("on"),))
    assert len(encoded) == 5  # the two that stand for the beginning, the two behind it, and the new one


def test_what_was_lost_with_the_process_is_encoded_to_the_same_bytes() -> None:
    sim = finished(walked(Sim(tools=ALL_TOOLS), (Command("/shell ls"), Say("one"))))
    fresh = evolve(sim, state=type(sim.state)(sim.state.past))
    moves = (Say("two"),)
    assert walked(fresh, moves).performs[-1].body == walked(sim, moves).performs[-1].body

"""Recorded exchanges with Anthropic: every stream in every chunking, and each reply sent back as history."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm.messages_shape import blocks_of, broken_rule
from tests.core.llm.recorded import events_of, folded, items, member, recordings, said, text_of
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.conversation.messages import Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue, dumps, loads_untrusted
from turnfold.core.llm.messages import MESSAGES
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.provider_errors import error_problem
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.testing.messages_wire import event
from turnfold.testing.wire import chunked

RECORDINGS = recordings("anthropic_messages", lambda uri: uri.endswith("/messages"))
STREAMS = tuple(name for name, each in RECORDINGS.items() if member(each, "stream") is True)
WHOLES = tuple(name for name, each in RECORDINGS.items() if member(each, "stream") is False and member(each, "status") == 200)
ERRORS = tuple(name for name, each in RECORDINGS.items() if member(each, "status") != 200)
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="the recorded exchanges are not on this machine")


def response(name: str) -> bytes:
    return text_of(member(RECORDINGS[name], "response")).encode()


def reply_of(*chunks: bytes) -> Reply:
    return folded(Wire.MESSAGES, *chunks)


def events(name: str) -> tuple[JsonValue, ...]:
    return events_of(response(name).decode())


def joined(name: str, kind: str, key: str, index: int | None = None) -> str:
    deltas = (each for each in events(name) if index is None or member(each, "index") == index)
    return "".join(text_of(member(each, "delta", key)) for each in deltas if member(each, "delta", "type") == kind)


def recorded_blocks(name: str) -> tuple[JsonValue, ...]:
    """The blocks of a recorded reply, read plainly: a stream's deltas put into the blocks that they name."""
    if name in WHOLES:
        return items(member(loads_untrusted(response(name)).unwrap(), "content"))
    blocks: list[JsonValue] = []
    for each in events(name):
        block = member(each, "content_block")
        index = member(each, "index")
        if not isinstance(block, JsonObject) or not isinstance(index, int):
            continue
        for key, kind in (("text", "text_delta"), ("thinking", "thinking_delta"), ("signature", "signature_delta")):
            block = block.with_member(key, joined(name, kind, key, index)) if key in block and not block.get(key) else block
        if said_later := joined(name, "input_json_delta", "partial_json", index):
            block = block.with_member("input", loads_untrusted(said_later).unwrap())
        cited = tuple(member(more, "delta", "citation") for more in events(name) if member(more, "index") == index)
        cited = tuple(each for each in cited if each is not None)
        blocks.append(block.with_member("citations", cited) if cited else block)
    return tuple(blocks)


def test_there_are_recordings_of_each_kind() -> None:
    assert len(STREAMS) >= 7
    assert len(WHOLES) >= 12
    assert ERRORS


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_is_one_in_every_chunking(name: str) -> None:
    stream = response(name)
    whole = reply_of(stream)
    assert reply_of(*(bytes((byte,)) for byte in stream)) == whole
    assert reply_of(*(part + b"\n\n" for part in stream.split(b"\n\n") if part)) == whole
    dice = random.Random(name)
    for most in (3, 40, 700):
        assert reply_of(*chunked(stream, [dice.randint(0, most) for _ in range(len(stream) // most * 2)])) == whole
    crlf = stream.replace(b"\n", b"\r\n")
    assert reply_of(*chunked(crlf, [dice.randint(0, 90) for _ in range(len(crlf) // 45)])) == whole


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_reply_is_one_wherever_it_is_cut_twice(data: st.DataObject) -> None:
    stream = response(data.draw(st.sampled_from((*STREAMS, *WHOLES))))
    cuts = sorted((data.draw(st.integers(0, len(stream))), data.draw(st.integers(0, len(stream)))))
    assert reply_of(stream[: cuts[0]], stream[cuts[0] : cuts[1]], stream[cuts[1] :]) == reply_of(stream)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_what_a_plain_reading_gives(name: str) -> None:
    reply = reply_of(response(name))
    assert reply.text == joined(name, "text_delta", "text")
    assert reply.reasoning == joined(name, "thinking_delta", "thinking")
    blocks = recorded_blocks(name)
    calls = [(text_of(member(block, "name")), member(block, "input")) for block in blocks if member(block, "type") == "tool_use"]
    assert [(call.name, loads_untrusted(call.text).unwrap()) for call in reply.calls] == calls
    told = [each for each in events(name) if member(each, "type") == "message_delta"][-1]
    assert reply.usage.output_tokens == member(told, "usage", "output_tokens")
    assert reply.usage.input_tokens == member(told, "usage", "input_tokens")  # nothing of them was cached
    assert (reply.stop, reply.problem) == (Stop.CALLS if calls else Stop.END, None)


@pytest.mark.parametrize("name", WHOLES)
def test_a_whole_reply_is_read_as_one_and_as_the_stream_that_tells_it(name: str) -> None:
    body = loads_untrusted(response(name)).unwrap()
    reply = reply_of(response(name))
    blocks = recorded_blocks(name)
    assert reply.text == "".join(text_of(member(block, "text")) for block in blocks if member(block, "type") == "text")
    assert reply.stop is (Stop.CALLS if member(body, "stop_reason") == "tool_use" else Stop.END)
    read = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [member(body, "usage", key) for key in read]
    assert reply.usage.input_tokens == sum(each for each in counts if isinstance(each, int)) > 0
    assert [reply.usage.cached_tokens, reply.usage.cache_write_tokens] == counts[1:]
    assert reply_of(told_as_stream(body)) == reply


def told_as_stream(body: JsonValue) -> bytes:
    """A whole message as the events that a server would have streamed."""
    told = [event("message_start", message=JsonObject.of(content=(), usage=member(body, "usage"))), event("ping")]
    for index, block in enumerate(items(member(body, "content"))):
        assert isinstance(block, JsonObject)
        deltas = [
            (key, kind, value if isinstance(value, str) else dumps(value))
            for key, kind in (
                ("text", "text_delta"),
                ("thinking", "thinking_delta"),
                ("signature", "signature_delta"),
                ("input", "input_json_delta"),
            )
            if (value := block.get(key)) is not None
        ]
        opened = block
        for key, _, _ in deltas:
            opened = opened.with_member(key, JsonObject() if key == "input" else "")
        told.append(event("content_block_start", index=index, content_block=opened))
        for key, kind, value in deltas:
            delta = JsonObject.of(type=kind).with_member("partial_json" if key == "input" else key, value)
            told.append(event("content_block_delta", index=index, delta=delta))
        told.append(event("content_block_stop", index=index))
    return b"".join(told) + event("message_delta", delta=JsonObject.of(stop_reason=member(body, "stop_reason"))) + event("message_stop")


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_a_problem_in_the_provider_s_words(name: str) -> None:
    problem = error_problem(404, response(name), "anthropic", "ANTHROPIC_API_KEY")
    assert problem.code == "not-found"
    assert "model: claude-sonet-4-5" in problem.message


def sent_back(reply: Reply) -> bytes:
    """A request whose history holds ``reply``, its calls answered."""
    message = said(reply)
    outputs = tuple(ToolMessage(call_id=f"1.1.{number}", tool=call.name, text="done") for number, call in enumerate(reply.calls))
    encoder = MESSAGES.encoder
    log: tuple[Message, ...] = (UserMessage("Hi."), message)
    parts = [encoder.encode_message(each, ToolFormat.NATIVE) for each in log]
    round_ = [encoder.encode_round(outputs)] if outputs else []
    later = encoder.encode_message(UserMessage("And now?"), ToolFormat.NATIVE)
    return encoder.encode_request(encoder.encode_head(Head(model="claude", system="Be brief.")), (*parts, *round_, later))


def as_sent(block: JsonValue) -> JsonValue:
    """A recorded block as it has to go back: with our id, where it is a call of ours, and without what only replies have."""
    assert isinstance(block, JsonObject)
    kept = JsonObject(tuple((key, value) for key, value in block.members if (key, value) != ("citations", ()) and key != "caller"))
    return (
        JsonObject(tuple(sorted(kept.members))) if kept.get("type") != "tool_use" else JsonObject.of(input=kept["input"], name=kept["name"])
    )


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_is_taken_back_as_history_word_for_word(name: str) -> None:
    body = sent_back(reply_of(response(name)))
    assert broken_rule(body) is None
    told = blocks_of(member(loads_untrusted(body).unwrap(), "messages", 1))
    ours = tuple(block for block in told if isinstance(block, JsonObject))
    recorded = [block for block in recorded_blocks(name) if text_of(member(block, "text")) or member(block, "type") != "text"]
    assert [as_sent(block) for block in ours[:-1]] == [as_sent(block) for block in recorded[:-1]]
    last, theirs = as_sent(ours[-1]), as_sent(recorded[-1])
    assert isinstance(last, JsonObject)
    assert isinstance(theirs, JsonObject)
    assert last == (theirs.with_member("text", text_of(theirs["text"]).rstrip()) if "text" in theirs else theirs)


def test_our_encoding_is_that_of_the_requests_that_followed() -> None:
    followed = 0
    for name in (*STREAMS, *WHOLES):
        recorded = [as_sent(block) for block in recorded_blocks(name)]
        for each in RECORDINGS.values():
            for message in items(member(each, "request", "messages")):
                sent = [as_sent(block) for block in blocks_of(message)]
                if member(message, "role") == "assistant" and sent == recorded:
                    followed += 1
                    ours = MESSAGES.encoder.encode_message(said(reply_of(response(name))), ToolFormat.NATIVE)
                    assert [as_sent(block) for block in blocks_of(loads_untrusted(ours).unwrap())] == sent
    assert followed >= 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mutated_recording_raises_nothing_and_every_chunking_agrees(data: st.DataObject) -> None:
    stream = bytearray(response(data.draw(st.sampled_from(STREAMS + WHOLES)))[:6000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(stream)))
        gone = data.draw(st.integers(0, 30))
        stream[at : at + gone] = data.draw(
            st.one_of(
                st.binary(max_size=3), st.sampled_from((b"\n\n", b"\r", b'"', b"}", b"[]", b"null", b"data: ", b"event: ", b"0", b"-1"))
            )
        )
    sizes = data.draw(st.lists(st.integers(0, 400), max_size=30))
    reply = reply_of(*chunked(bytes(stream), sizes))
    assert reply == reply_of(bytes(stream))
    if reply.problem is None:
        assert broken_rule(sent_back(reply)) is None


def test_a_cut_recording_keeps_what_came() -> None:
    for each in STREAMS:
        stream = response(each)
        half = reply_of(stream[: len(stream) // 2])
        assert half.stop is Stop.CUT
        assert half.problem is not None
        assert half.problem.code == "cut-stream"
        assert reply_of(stream).text.startswith(half.text)


def test_calls_are_as_the_wire_had_them() -> None:
    name = next(name for name in STREAMS if "tool_search" in name)
    assert reply_of(response(name)).calls == (RawCall("get_exchange_rate", '{"from_currency": "USD", "to_currency": "EUR"}'),)

"""Recorded exchanges with OpenAI Responses: every stream in every chunking, and each reply sent back as history."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm.recorded import events_of, folded, items, member, recordings, said, text_of
from tests.core.llm.responses_shape import broken_rule
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.conversation.messages import Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.provider_errors import error_problem
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.core.llm.responses import RESPONSES
from turnfold.testing.wire import chunked

RECORDINGS = recordings("openai_responses", lambda uri: uri.endswith("/responses"))
STREAMS = tuple(name for name, each in RECORDINGS.items() if member(each, "stream") is True)
WHOLES = tuple(name for name, each in RECORDINGS.items() if member(each, "stream") is False and member(each, "status") == 200)
ERRORS = tuple(name for name, each in RECORDINGS.items() if member(each, "status") != 200)
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="the recorded exchanges are not on this machine")


def response(name: str) -> bytes:
    return text_of(member(RECORDINGS[name], "response")).encode()


def reply_of(*chunks: bytes) -> Reply:
    return folded(Wire.RESPONSES, *chunks)


def output(name: str) -> tuple[JsonValue, ...]:
    """The items of a recorded reply, as their own events or its body have them; the last event may seal reasoning anew."""
    if name in WHOLES:
        return items(member(loads_untrusted(response(name)).unwrap(), "output"))
    events = events_of(response(name).decode())
    done = tuple(member(each, "item") for each in events if member(each, "type") == "response.output_item.done")
    return done or items(member(events[-1], "response", "output"))


def written(name: str) -> str:
    parts = (part for item in output(name) if member(item, "type") == "message" for part in items(member(item, "content")))
    return "".join(text_of(member(part, "text")) for part in parts)


def called(name: str) -> list[RawCall]:
    found = (item for item in output(name) if member(item, "type") == "function_call")
    return [RawCall(text_of(member(item, "name")), text_of(member(item, "arguments"))) for item in found]


def test_there_are_recordings_of_each_kind() -> None:
    assert len(STREAMS) >= 14
    assert len(WHOLES) >= 12
    assert ERRORS


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_is_one_in_every_chunking(name: str) -> None:
    stream = response(name)
    whole = reply_of(stream)
    assert reply_of(*(bytes((byte,)) for byte in stream)) == whole
    assert reply_of(*(part + b"\n\n" for part in stream.split(b"\n\n") if part)) == whole
    dice = random.Random(name)
    for most in (40, 700):
        assert reply_of(*chunked(stream, [dice.randint(0, most) for _ in range(len(stream) // most * 2)])) == whole
    crlf = stream.replace(b"\n", b"\r\n")
    assert reply_of(*chunked(crlf, [dice.randint(0, 90) for _ in range(len(crlf) // 45)])) == whole


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_is_what_a_plain_reading_gives(name: str) -> None:
    reply = reply_of(response(name))
    assert (reply.text, list(reply.calls), reply.problem) == (written(name), called(name), None)
    assert reply.stop is (Stop.CALLS if reply.calls else Stop.END)
    body = loads_untrusted(response(name)).value_or(0) if name in WHOLES else member(events_of(response(name).decode())[-1], "response")
    told = (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens, reply.usage.reasoning_tokens)
    assert told == (
        member(body, "usage", "input_tokens"),
        member(body, "usage", "output_tokens"),
        member(body, "usage", "input_tokens_details", "cached_tokens"),
        member(body, "usage", "output_tokens_details", "reasoning_tokens"),
    )


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_goes_back_as_it_came(name: str) -> None:
    """Everything but ids of calls, and what is of no use there (annotations, items that wait for what we can't give)."""
    reply = reply_of(response(name))
    message = said(reply)
    outputs = tuple(ToolMessage(call_id=f"1.1.{number}", tool=call.name, text="out") for number, call in enumerate(message.calls))
    history: tuple[Message, ...] = (UserMessage("Go on."), message)
    write = RESPONSES.encoder
    parts = [write.encode_message(each, ToolFormat.NATIVE) for each in history]
    body = write.encode_request(write.encode_head(Head(model="m")), [*parts, write.encode_round(outputs) if outputs else b""])
    assert broken_rule(body) is None
    sent = items(member(loads_untrusted(body).unwrap(), "input"))[1:]
    sent = sent[: len(sent) - len(outputs)]
    came = tuple(item for item in output(name) if member(item, "execution") != "client" and kept(item))
    if not came:  # only what waits for a client that is not us
        assert [member(item, "content", 0, "text") for item in sent] == [""]
        return
    assert [shape(item) for item in sent] == [shape(item) for item in came]


def kept(item: JsonValue) -> bool:
    return member(item, "type") != "reasoning" or bool(member(item, "encrypted_content"))


def shape(item: JsonValue) -> object:
    """What of an item must be as it came."""
    kind = member(item, "type")
    if kind == "message":
        return (kind, "".join(text_of(member(part, "text")) for part in items(member(item, "content"))), member(item, "phase"))
    if kind == "function_call":
        return (kind, member(item, "name"), loads_untrusted(text_of(member(item, "arguments"))).unwrap(), member(item, "namespace"))
    return JsonObject(tuple((name, value) for name, value in item.members if value is not None)) if isinstance(item, JsonObject) else None


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_items_of_ours_are_those_of_recorded_requests(name: str) -> None:
    """Of each kind that we send, the recorded requests hold items with the same members, or fewer."""
    sent = {"function_call": {"type", "call_id", "name", "arguments"}, "function_call_output": {"type", "call_id", "output"}}
    for item in items(member(RECORDINGS[name], "request", "input")):
        kind = text_of(member(item, "type"))
        assert kind not in sent or set(item if isinstance(item, JsonObject) else ()) >= sent[kind]


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_a_problem_in_the_provider_s_words(name: str) -> None:
    problem = error_problem(400, response(name), "openai", "OPENAI_API_KEY")
    assert "The requested model" in problem.message
    assert reply_of(response(name)).problem is not None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mutated_recording_raises_nothing_and_every_chunking_agrees(data: st.DataObject) -> None:
    stream = bytearray(response(data.draw(st.sampled_from(STREAMS + WHOLES)))[:9000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(stream)))
        gone = data.draw(st.integers(0, 30))
        stream[at : at + gone] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from((b"\n\n", b"\r", b'"', b"}", b"[]", b"null", b"data: ")))
        )
    sizes = data.draw(st.lists(st.integers(0, 400), max_size=30))
    assert reply_of(*chunked(bytes(stream), sizes)) == reply_of(bytes(stream))

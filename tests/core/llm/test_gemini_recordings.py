"""Recorded exchanges with Gemini: every stream in every chunking, and each reply sent back as history."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm.gemini_shape import broken_rule
from tests.core.llm.recorded import events_of, folded, items, member, recordings, said, text_of
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.conversation.messages import Message, ToolMessage, UserMessage
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm.gemini import GEMINI
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.provider_errors import error_problem
from turnfold.core.llm.reply import Reply, Stop
from turnfold.testing.wire import chunked

ALL = recordings("gemini", lambda uri: True)
RECORDINGS = recordings("gemini", lambda uri: "enerateContent" in uri)
STREAMS = tuple(name for name, each in RECORDINGS.items() if member(each, "stream") is True)
WHOLES = tuple(name for name, each in RECORDINGS.items() if member(each, "stream") is False)
FOREIGN = tuple(name for name in ALL if name not in RECORDINGS)  # embeddings, counts of tokens, an error
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="the recorded exchanges are not on this machine")


def response(name: str) -> bytes:
    return text_of(member(ALL[name], "response")).encode()


def reply_of(*chunks: bytes) -> Reply:
    return folded(Wire.GEMINI, *chunks)


def events(name: str) -> tuple[JsonValue, ...]:
    text = response(name).decode()
    return events_of(text) if name in STREAMS else (loads_untrusted(text).unwrap(),)


def recorded_parts(name: str) -> list[JsonObject]:
    """The parts of a recorded reply in order: text that goes on without a signature is one, and empty text is none."""
    parts: list[JsonObject] = []
    for part in (part for each in events(name) for part in items(member(each, "candidates", 0, "content", "parts"))):
        assert isinstance(part, JsonObject)
        plain = set(part) == {"text"}
        if plain and parts and set(parts[-1]) == {"text"}:
            parts[-1] = JsonObject.of(text=text_of(parts[-1]["text"]) + text_of(part["text"]))
        elif not plain or part["text"]:
            parts.append(part)
    return parts


def test_there_are_recordings_of_each_kind() -> None:
    assert len(STREAMS) >= 11
    assert len(WHOLES) >= 6
    assert FOREIGN


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_is_one_in_every_chunking(name: str) -> None:
    stream = response(name)
    whole = reply_of(stream)
    assert reply_of(*(bytes((byte,)) for byte in stream)) == whole
    assert reply_of(*stream.splitlines(keepends=True)) == whole
    dice = random.Random(name)
    for most in (3, 40, 700):
        assert reply_of(*chunked(stream, [dice.randint(0, most) for _ in range(len(stream) // most * 2)])) == whole
    lf = stream.replace(b"\r\n", b"\n")
    assert reply_of(*chunked(lf, [dice.randint(0, 900) for _ in range(len(lf) // 450)])) == whole
    assert reply_of(*(part + b"\n\n" for part in lf.split(b"\n\n") if part)) == whole


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_reply_is_one_wherever_it_is_cut_twice(data: st.DataObject) -> None:
    stream = response(data.draw(st.sampled_from((*STREAMS, *WHOLES))))
    cuts = sorted((data.draw(st.integers(0, len(stream))), data.draw(st.integers(0, len(stream)))))
    assert reply_of(stream[: cuts[0]], stream[cuts[0] : cuts[1]], stream[cuts[1] :]) == reply_of(stream)


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_is_what_a_plain_reading_gives(name: str) -> None:
    reply = reply_of(response(name))
    parts = recorded_parts(name)
    assert reply.text == "".join(text_of(member(part, "text")) for part in parts)
    calls = [(member(part, "functionCall", "name"), member(part, "functionCall", "args")) for part in parts if "functionCall" in part]
    assert [(call.name, loads_untrusted(call.text).unwrap()) for call in reply.calls] == calls
    assert (reply.stop, reply.problem) == (Stop.CALLS if calls else Stop.END, None)
    told = member(events(name)[-1], "usageMetadata")
    read = [member(told, key) for key in ("promptTokenCount", "toolUsePromptTokenCount")]
    assert reply.usage.input_tokens == sum(each for each in read if isinstance(each, int))
    total = member(told, "totalTokenCount")
    assert isinstance(total, int)
    if member(told, "candidatesTokenCount") and member(told, "thoughtsTokenCount"):
        assert reply.usage.input_tokens + reply.usage.output_tokens == total


@pytest.mark.parametrize("name", STREAMS)
def test_the_same_reply_comes_as_a_list_of_its_events(name: str) -> None:
    """As the server sends without ``alt=sse``."""
    lines = [line[6:] for line in response(name).splitlines() if line.startswith(b"data: ")]
    assert reply_of(b"[" + b",\r\n".join(lines) + b"]") == reply_of(response(name))


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_reply_of_a_model_is_a_problem(name: str) -> None:
    reply = reply_of(response(name))
    assert (reply.text, reply.stop, reply.problem is None) == ("", Stop.CUT, False)
    if member(ALL[name], "status") != 200:
        problem = error_problem(404, response(name), "gemini", "GEMINI_API_KEY")
        assert "models/nonexistent-model is not found" in problem.message


def sent_back(reply: Reply) -> bytes:
    """A request whose history holds ``reply``, its calls answered."""
    outputs = tuple(ToolMessage(call_id=f"1.1.{number}", tool=call.name, text="done") for number, call in enumerate(reply.calls))
    encoder = GEMINI.encoder
    log: tuple[Message, ...] = (UserMessage("Hi."), said(reply))
    parts = [encoder.encode_message(each, ToolFormat.NATIVE) for each in log]
    round_ = [encoder.encode_round(outputs)] if outputs else []
    later = encoder.encode_message(UserMessage("And now?"), ToolFormat.NATIVE)
    return encoder.encode_request(encoder.encode_head(Head(model="gemini", system="Be brief.")), (*parts, *round_, later))


def as_sent(part: JsonValue) -> JsonValue:
    """A part as it has to go back, without the id of a call, which is ours."""
    assert isinstance(part, JsonObject)
    call = part.get("functionCall")
    if isinstance(call, JsonObject):
        part = part.with_member("functionCall", JsonObject.of(name=call["name"], args=call["args"]))
    return JsonObject(tuple(sorted(part.members)))


@pytest.mark.parametrize("name", [*STREAMS, *WHOLES])
def test_a_reply_is_taken_back_as_history_with_its_signatures_in_their_places(name: str) -> None:
    body = sent_back(reply_of(response(name)))
    assert broken_rule(body) is None
    ours = [as_sent(part) for part in items(member(loads_untrusted(body).unwrap(), "contents", 1, "parts"))]
    recorded = [as_sent(part) for part in recorded_parts(name)]
    unsigned = "skip_thought_signature_validator"  # on calls of models that sign none
    assert [
        JsonObject(tuple(each for each in part.members if each != ("thoughtSignature", unsigned)))
        for part in ours
        if isinstance(part, JsonObject)
    ] == recorded


def test_our_encoding_is_that_of_the_requests_that_followed() -> None:
    followed = 0
    for name in (*STREAMS, *WHOLES):
        recorded = [as_sent(part) for part in recorded_parts(name)]
        for each in RECORDINGS.values():
            for content in items(member(each, "request", "contents")):
                sent = [as_sent(part) for part in items(member(content, "parts"))]
                if member(content, "role") == "model" and sent == recorded:
                    followed += 1
                    ours = GEMINI.encoder.encode_message(said(reply_of(response(name))), ToolFormat.NATIVE)
                    assert as_sent(member(loads_untrusted(ours).unwrap(), "parts", 0)) in (sent[0], _with_word(sent[0]))
    assert followed >= 2


def _with_word(part: JsonValue) -> JsonValue:
    assert isinstance(part, JsonObject)
    return JsonObject(tuple(sorted(part.with_member("thoughtSignature", "skip_thought_signature_validator").members)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mutated_recording_raises_nothing_and_every_chunking_agrees(data: st.DataObject) -> None:
    stream = bytearray(response(data.draw(st.sampled_from(STREAMS + WHOLES)))[:6000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(stream)))
        gone = data.draw(st.integers(0, 30))
        stream[at : at + gone] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from((b"\n\n", b"\r", b'"', b"}", b"[]", b"null", b"data: ", b"true", b"-1")))
        )
    sizes = data.draw(st.lists(st.integers(0, 400), max_size=30))
    reply = reply_of(*chunked(bytes(stream), sizes))
    assert reply == reply_of(bytes(stream))
    told = () if reply.verbatim is None else reply.verbatim.items
    if reply.problem is None and all(
        item["type"] != "part" for item in told
    ):  # a part of another kind goes back as it came, whatever it is
        assert broken_rule(sent_back(reply)) is None

"""Recorded exchanges: every stream in every chunking, and our encoding beside the requests that followed."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, ToolCall
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.provider_errors import error_problem
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.core.problem import model_problem
from turnfold.testing.wire import chunked

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "wire" / "openai_chat"
FILES = tuple(sorted(FOLDER.glob("*.json")))
pytestmark = pytest.mark.skipif(not FILES, reason=f"the recorded exchanges are not at {FOLDER}")


def member(value: JsonValue, *path: str | int) -> JsonValue:
    for step in path:
        if isinstance(value, JsonObject) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, tuple) and isinstance(step, int) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def items(value: JsonValue) -> tuple[JsonValue, ...]:
    return value if isinstance(value, tuple) else ()


def text_of(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


RECORDINGS = {path.stem: loads_untrusted(path.read_bytes()).unwrap() for path in FILES}
CHAT_ONES = {name: each for name, each in RECORDINGS.items() if text_of(member(each, "uri")).endswith("/chat/completions")}
STREAMS = tuple(name for name, each in CHAT_ONES.items() if member(each, "stream") is True)
WHOLES = tuple(name for name, each in CHAT_ONES.items() if member(each, "stream") is False and member(each, "status") == 200)
ERRORS = tuple(name for name, each in CHAT_ONES.items() if member(each, "status") != 200)
FOREIGN = tuple(name for name in RECORDINGS if name not in CHAT_ONES)


def response(name: str) -> bytes:
    return text_of(member(RECORDINGS[name], "response")).encode()


def folded(chunks: tuple[bytes, ...]) -> Reply:
    fold, text = CHAT.begin(), ""
    for chunk in chunks:
        decoded = CHAT.decode(fold, chunk)
        fold, text = decoded.fold, text + decoded.text
    reply = CHAT.finish(fold)
    assert reply.text.startswith(text)
    return reply


def chunks_of(stream: bytes) -> tuple[JsonValue, ...]:
    lines = stream.decode().split("\n")
    return tuple(loads_untrusted(line[6:]).unwrap() for line in lines if line.startswith("data: {"))


def test_there_are_recordings_of_each_kind() -> None:
    assert len(STREAMS) >= 20
    assert len(WHOLES) >= 8
    assert ERRORS
    assert FOREIGN


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_one_reply_in_every_chunking(name: str) -> None:
    stream = response(name)
    whole = folded((stream,))
    assert folded(tuple(bytes((byte,)) for byte in stream)) == whole
    dice = random.Random(name)
    for most in (3, 40, 700):
        assert folded(chunked(stream, [dice.randint(0, most) for _ in range(len(stream) // most * 2)])) == whole
    crlf = stream.replace(b"\n", b"\r\n")
    assert folded(chunked(crlf, [dice.randint(0, 90) for _ in range(len(crlf) // 45)])) == whole


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_what_a_plain_reading_gives(name: str) -> None:
    chunks = chunks_of(response(name))
    deltas = [member(chunk, "choices", 0, "delta") for chunk in chunks]
    reply = folded((response(name),))
    assert reply.text == "".join(text_of(member(delta, "content")) for delta in deltas)
    assert reply.reasoning == "".join(text_of(member(delta, "reasoning")) for delta in deltas)
    calls: dict[object, list[str]] = {}
    for delta in deltas:
        for fragment in items(member(delta, "tool_calls")):
            call = calls.setdefault(member(fragment, "index"), ["", ""])
            call[0] += text_of(member(fragment, "function", "name"))
            call[1] += text_of(member(fragment, "function", "arguments"))
    assert reply.calls == tuple(RawCall(name, text or "{}") for name, text in calls.values())
    told = [member(chunk, "usage") for chunk in chunks if member(chunk, "usage")]
    assert (reply.usage.input_tokens or None) == (member(told[-1], "prompt_tokens") if told else None)
    failed = any(member(chunk, "error") for chunk in chunks)
    assert (reply.stop is Stop.CUT, reply.problem is not None) == (failed, failed)


@pytest.mark.parametrize("name", WHOLES)
def test_a_whole_reply_is_read_as_one(name: str) -> None:
    body = response(name)
    message = member(loads_untrusted(body).unwrap(), "choices", 0, "message")
    reply = folded(chunked(body, [7] * 50))
    calls = tuple(
        RawCall(text_of(member(call, "function", "name")), text_of(member(call, "function", "arguments")))
        for call in items(member(message, "tool_calls"))
    )
    assert (reply.text, reply.calls, reply.problem) == (text_of(member(message, "content")), calls, None)
    assert reply.stop is (Stop.CALLS if calls else Stop.END)
    assert reply.usage.input_tokens > 0


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_a_problem_in_the_provider_s_words(name: str) -> None:
    problem = error_problem(404, response(name), "openai", "OPENAI_API_KEY")
    assert problem.code == "not-found"
    assert "does not exist or you do not have access to it" in problem.message


@pytest.mark.parametrize("name", FOREIGN)
def test_a_stream_of_another_format_is_a_problem(name: str) -> None:
    reply = folded((response(name),))
    assert (reply.text, reply.stop, reply.problem is None) == ("", Stop.CUT, False)


def answered(name: str) -> frozenset[str]:
    """The ids of the calls in a recorded reply."""
    chunks = chunks_of(response(name)) if name in STREAMS else (loads_untrusted(response(name)).unwrap(),)
    found = (member(chunk, "choices", 0, "delta") or member(chunk, "choices", 0, "message") for chunk in chunks)
    return frozenset(text_of(member(call, "id")) for each in found for call in items(member(each, "tool_calls"))) - {""}


def shape(message: JsonValue) -> object:
    """What of an assistant's message must be as recorded: everything but ids, spacing of arguments and how "no text" is told."""
    calls = [
        (member(call, "type"), member(call, "function", "name"), loads_untrusted(text_of(member(call, "function", "arguments"))).unwrap())
        for call in items(member(message, "tool_calls"))
    ]
    return (member(message, "role"), member(message, "content") or None, calls)


PAIRS = tuple(
    (name, message)
    for name in (*STREAMS, *WHOLES)
    for each in CHAT_ONES.values()
    for message in items(member(each, "request", "messages"))
    if answered(name) and answered(name) == frozenset(text_of(member(call, "id")) for call in items(member(message, "tool_calls")))
)


def test_our_encoding_has_the_shape_of_the_requests_that_followed() -> None:
    assert len(PAIRS) >= 3
    for name, recorded in PAIRS:
        reply = folded((response(name),))
        calls = []
        for call in reply.calls:
            arguments = loads_untrusted(call.text).unwrap()
            broken = BrokenCall(call.name, call.text, model_problem("x", "x"))
            calls.append(ToolCall(call.name, arguments) if isinstance(arguments, JsonObject) else broken)
        message = AssistantMessage(text=reply.text, place="1.1", calls=tuple(calls))
        ours = loads_untrusted(CHAT.encoder.encode_message(message, ToolFormat.NATIVE)).unwrap()
        assert shape(ours) == shape(recorded)
        assert [member(call, "id") for call in items(member(ours, "tool_calls"))] == [f"t001g010{number}" for number in range(len(calls))]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mutated_recording_raises_nothing_and_every_chunking_agrees(data: st.DataObject) -> None:
    stream = bytearray(response(data.draw(st.sampled_from(STREAMS + WHOLES)))[:6000])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(stream)))
        gone = data.draw(st.integers(0, 30))
        stream[at : at + gone] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from((b"\n\n", b"\r", b'"', b"}", b"[]", b"null", b"data: ")))
        )
    sizes = data.draw(st.lists(st.integers(0, 400), max_size=30))
    assert folded(chunked(bytes(stream), sizes)) == folded((bytes(stream),))


def test_json_of_python_agrees_with_ours() -> None:
    """The recordings hold nothing that our JSON values can't."""
    for path in FILES:
        assert json.loads(path.read_bytes())["uri"] == member(RECORDINGS[path.stem], "uri")

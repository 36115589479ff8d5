"""Recorded exchanges with Mistral, whose Chat Completions differ in small things: contents that are lists, ids of nine characters."""

from __future__ import annotations

import re

import pytest

from tests.core.llm.recorded import folded, items, member, recordings, said, text_of
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.json import JsonValue, loads_untrusted
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.testing.wire import chunked

RECORDINGS = recordings("mistral_chat", lambda uri: uri.endswith("/chat/completions"))
ID = re.compile("[a-zA-Z0-9]{9}")  # "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9"
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="the recorded exchanges are not on this machine")


def response(name: str) -> bytes:
    return text_of(member(RECORDINGS[name], "response")).encode()


def parts(content: JsonValue, kind: str) -> str:
    """The text of a content's parts of ``kind``, read plainly."""
    if isinstance(content, str):
        return content if kind == "text" else ""
    found = (part for part in items(content) if member(part, "type") == kind)
    return "".join(text_of(member(part, "text")) or parts(member(part, "thinking"), "text") for part in found)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_reply_is_what_a_plain_reading_gives_in_every_chunking(name: str) -> None:
    body = response(name)
    reply = folded(Wire.CHAT, *chunked(body, [7] * 200))
    assert reply == folded(Wire.CHAT, body) == folded(Wire.CHAT, *(bytes((byte,)) for byte in body))
    choice = member(loads_untrusted(body).unwrap(), "choices", 0)
    message, usage = member(choice, "message"), member(loads_untrusted(body).unwrap(), "usage")
    calls = tuple(
        RawCall(text_of(member(call, "function", "name")), text_of(member(call, "function", "arguments")))
        for call in items(member(message, "tool_calls"))
    )
    content = member(message, "content")
    assert (reply.text, reply.reasoning) == (parts(content, "text"), parts(content, "thinking"))
    assert (reply.calls, reply.problem) == (calls, None)
    assert reply.stop is (Stop.CALLS if calls else Stop.LENGTH if member(choice, "finish_reason") == "length" else Stop.END)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (member(usage, "prompt_tokens"), member(usage, "completion_tokens"))
    assert reply.usage.cached_tokens == (member(usage, "prompt_tokens_details", "cached_tokens") or 0)


def called() -> tuple[Reply, ...]:
    return tuple(reply for name in RECORDINGS if (reply := folded(Wire.CHAT, response(name))).calls)


def test_ids_of_calls_are_such_as_mistral_takes() -> None:
    assert called()
    for reply in called():
        sent = loads_untrusted(CHAT.encoder.encode_message(said(reply, "12.3"), ToolFormat.NATIVE)).unwrap()
        output = loads_untrusted(CHAT.encoder.encode_round((ToolMessage(call_id="12.3.0", tool="x", text="out"),))).unwrap()
        first = text_of(member(sent, "tool_calls", 0, "id"))
        assert ID.fullmatch(first)
        assert member(output, "tool_call_id") == first


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_recorded_ids_are_of_that_kind(name: str) -> None:
    for message in items(member(RECORDINGS[name], "request", "messages")):
        told = (*(text_of(member(call, "id")) for call in items(member(message, "tool_calls"))), text_of(member(message, "tool_call_id")))
        assert all(ID.fullmatch(each) for each in told if each)

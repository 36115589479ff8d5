"""All wire formats behind one interface: what a server streams is the reply, however it is cut, and goes back as history."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm import chat_shape, gemini_shape, messages_shape, responses_shape
from tests.core.llm.recorded import folded, said
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.conversation.messages import ToolMessage, UserMessage
from turnfold.core.json import loads_untrusted
from turnfold.core.llm import wire as wires
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.reply import RawCall, Stop
from turnfold.core.world.usage import Usage
from turnfold.testing.wire import chunked
from turnfold.testing.wires import error_in, stream_in

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
CALLS = st.lists(
    st.builds(RawCall, st.text("abc_", min_size=1, max_size=5), st.sampled_from(("{}", '{"a":"ü"}', '{"a":[1,{}]}'))), max_size=3
)
USAGES = st.builds(
    lambda read, cached, written, thought: Usage(
        input_tokens=read + cached, cached_tokens=cached, output_tokens=written + thought, reasoning_tokens=thought
    ),
    *(4 * [st.integers(1, 9)]),  # a real reply has some of each
)
EACH = pytest.mark.parametrize("wire", list(Wire))
CHECKERS: dict[Wire, Callable[[bytes], str | None]] = {
    Wire.CHAT: chat_shape.broken_rule,
    Wire.RESPONSES: responses_shape.broken_rule,
    Wire.MESSAGES: messages_shape.broken_rule,
    Wire.GEMINI: gemini_shape.broken_rule,
}


@EACH
@settings(max_examples=20, deadline=None)
@given(TEXTS, TEXTS, CALLS.map(tuple), USAGES, st.lists(st.integers(0, 60), max_size=30), st.integers(1, 9))
def test_a_stream_is_the_reply_that_it_was_made_of_and_goes_back(
    wire: Wire, text: str, reasoning: str, calls: tuple[RawCall, ...], usage: Usage, sizes: list[int], piece_chars: int
) -> None:
    stream = stream_in(wire, text, calls, usage, reasoning=reasoning, piece_chars=piece_chars)
    reply = folded(wire, *chunked(stream, sizes))
    assert reply == folded(wire, stream)
    assert (reply.text, reply.reasoning, reply.problem) == (text, reasoning, None)
    assert [(call.name, loads_untrusted(call.text)) for call in reply.calls] == [(call.name, loads_untrusted(call.text)) for call in calls]
    assert reply.stop is (Stop.CALLS if calls else Stop.END)
    told = (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens)
    assert told == (usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    write, message = wires.encoder(wire), said(reply)
    outputs = tuple(ToolMessage(call_id=f"1.1.{number}", tool=call.name, text="out") for number, call in enumerate(calls))
    parts = [write.encode_message(UserMessage("Go on."), ToolFormat.NATIVE), write.encode_message(message, ToolFormat.NATIVE)]
    body = write.encode_request(write.encode_head(Head(model="m")), [*parts, write.encode_round(outputs) if outputs else b""])
    assert CHECKERS[wire](body) is None


@EACH
def test_calls_so_far_only_grow_and_are_the_reply_s_in_the_end(wire: Wire) -> None:
    calls = (RawCall("read", '{"path":"a"}'), RawCall("save", '{"path":"b","content":"c"}'))
    fold, before = wires.begin(wire), [("", "")]
    for piece in chunked(stream_in(wire, "So.", calls), [11] * 500):
        fold = wires.decode(fold, piece).fold
        now = [(call.name, "".join(call.pieces)) for call in wires.calls_so_far(fold)]
        assert all(new[1].startswith(old[1]) for old, new in zip(before, now, strict=False))
        before = now
    assert all(call.complete for call in wires.calls_so_far(fold))
    assert [loads_untrusted(text) for _, text in before] == [loads_untrusted(call.text) for call in wires.finish(fold).calls]


@EACH
def test_an_error_in_mid_stream_keeps_what_came_before(wire: Wire) -> None:
    begun = stream_in(wire, "Once upon a time").split(b"\n\n")
    reply = folded(wire, b"\n\n".join(begun[: len(begun) // 2]) + b"\n\n" + error_in(wire, "Overheated."))
    assert "Once upon a time".startswith(reply.text)
    assert reply.problem is not None
    assert "Overheated" in reply.problem.message


@EACH
@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(list(Wire)), st.integers(0, 400))
def test_no_bytes_raise_nor_do_those_of_another_format(wire: Wire, junk: bytes, other: Wire, at: int) -> None:
    stream = stream_in(other, "Hi", (RawCall("a", "{}"),))
    for data in (junk, stream, stream[:at] + junk, junk + stream[at:]):
        reply = folded(wire, data)
        assert reply == folded(wire, *(bytes((byte,)) for byte in data))
        assert reply.problem is not None or reply.stop is not Stop.CUT


@EACH
def test_one_output_is_told_as_a_round_of_one(wire: Wire) -> None:
    write, output = wires.encoder(wire), ToolMessage(call_id="1.1.0", tool="read", text="out")
    assert write.encode_message(output, ToolFormat.NATIVE) == write.encode_round((output,))

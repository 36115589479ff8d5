"""Chat Completions folded: what servers send, and what is made of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, Verbatim
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.chat_calls import MAX_CALLS
from turnfold.core.llm.chat_reply import MAX_BYTES
from turnfold.core.llm.chat_request import as_returned
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.core.world.usage import Usage
from turnfold.testing.wire import DONE, chat_body, chat_stream, chunked

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)
CALLS = st.lists(st.builds(RawCall, st.text("abc_", min_size=1, max_size=5), st.sampled_from(("{}", '{"a": "ü"}', '{"a":1}'))), max_size=3)
USAGES = st.builds(Usage, input_tokens=st.integers(0, 9), output_tokens=st.integers(0, 9), cached_tokens=st.integers(0, 9))


def folded(*chunks: bytes) -> Reply:
    """The reply of these chunks; checks that the deltas are what the text and the reasoning begin with."""
    fold, text, reasoning = CHAT.begin(), "", ""
    for chunk in chunks:
        decoded = CHAT.decode(fold, chunk)
        fold, text, reasoning = decoded.fold, text + decoded.text, reasoning + decoded.reasoning
    reply = CHAT.finish(fold)
    assert reply.text.startswith(text)
    assert reply.reasoning.startswith(reasoning)
    return reply


def events(*objects: object) -> bytes:
    return b"".join(f"data: {json.dumps(each)}\n\n".encode() for each in objects)


def delta(finish_reason: str | None = None, **members: object) -> object:
    return {"choices": [{"index": 0, "delta": members, "finish_reason": finish_reason}]}


def fragments(*fragments: object, finish_reason: str | None = None) -> object:
    return delta(finish_reason, tool_calls=list(fragments))


def code(reply: Reply) -> str:
    assert reply.problem is not None
    return reply.problem.code


@settings(deadline=None)  # the machine may be busy
@given(TEXTS, TEXTS, CALLS, USAGES, st.lists(st.integers(0, 50), max_size=40))
def test_a_stream_is_the_reply_it_was_made_of_in_every_chunking(
    text: str, reasoning: str, calls: list[RawCall], usage: Usage, sizes: list[int]
) -> None:
    stream = chat_stream(text, tuple(calls), usage, reasoning=reasoning)
    stop = Stop.CALLS if calls else Stop.END
    expected = Reply(text=text, reasoning=reasoning, calls=tuple(calls), usage=usage, stop=stop)
    assert folded(stream) == expected
    assert folded(*chunked(stream, sizes)) == expected
    assert folded(*(event + b"\n\n" for event in stream.split(b"\n\n") if event)) == expected
    assert folded(*chunked(stream.replace(b"\n", b"\r\n"), sizes)) == expected


@settings(deadline=None)  # the machine may be busy
@given(TEXTS, CALLS, USAGES, st.lists(st.integers(0, 50), max_size=10))
def test_a_body_that_is_no_stream_is_the_same_reply(text: str, calls: list[RawCall], usage: Usage, sizes: list[int]) -> None:
    body = chat_body(text, tuple(calls), usage)
    assert folded(*chunked(body, sizes)) == folded(chat_stream(text, tuple(calls), usage))
    assert folded(b"\xef\xbb\xbf" + json.dumps(json.loads(body), indent=2).encode()) == folded(body)


PIECES = (
    b"data: ", b"\n\n", b"\r\n\r\n", b"\n", b"[DONE]", b"{", b"}", b'{"choices":', b'[{"delta":{"content":"', b'"}}]}', b"null", b'"\\ud83d"', b"\xff",
    b'{"choices":[{"delta":{"content":"x"}}]}', b'{"choices":[{"delta":{"tool_calls":[{}]}}]}', b'{"error":[]}', b"event: error\n", b"[" * 2000, b"1" * 5000,
    b'{"choices":[{"index":0,"delta":{"content":[{"text":1},2],"reasoning":3,"refusal":4,"tool_calls":[5,{"function":6}]},"finish_reason":7}],"usage":[8]}',
)  # fmt: skip


@settings(deadline=None)  # the machine may be busy
@given(
    st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)),
    st.lists(st.integers(0, 9), max_size=60),
)
@example(b'data: {"choices":{}}\n\ndata: {"choices":[1]}\n\ndata: {"choices":[{"delta":1}]}\n\n', [])
@example(b'data: {"error":' + b'{"message":' * 300 + b"1" + b"}" * 300 + b"}\n\n", [])
def test_no_bytes_raise_and_every_chunking_gives_one_reply(stream: bytes, sizes: list[int]) -> None:
    whole = folded(stream)
    assert folded(*chunked(stream, sizes)) == whole
    assert (whole.stop is Stop.CUT) <= (whole.problem is not None)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("stop", Stop.END),
        ("tool_calls", Stop.END),  # of none
        ("length", Stop.LENGTH),
        ("content_filter", Stop.FILTER),
        ("eos", Stop.END),
        ("error", Stop.CUT),
    ],
)
def test_finish_reasons(reason: str, stop: Stop) -> None:
    assert folded(events(delta(content="a"), delta(reason)), DONE).stop is stop


def test_an_end_with_calls_asks_for_the_calls_whatever_the_reason() -> None:
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}
    assert folded(events(fragments(call, finish_reason="stop"))).stop is Stop.CALLS
    assert folded(events(fragments(call)) + DONE).stop is Stop.CALLS
    assert folded(events(fragments(call, finish_reason="length"))).stop is Stop.LENGTH


def test_done_alone_is_an_end_and_nothing_at_all_is_cut() -> None:
    assert folded(events(delta(content="a")) + DONE) == Reply(text="a", stop=Stop.END)
    cut = folded(events(delta(content="a")))
    assert (cut.text, cut.stop, code(cut)) == ("a", Stop.CUT, "cut-stream")
    assert code(folded()) == "bad-reply"


def test_the_last_event_counts_without_its_empty_line_if_it_is_whole() -> None:
    stream = events(delta(content="a"), delta("stop"))
    assert folded(stream[:-2]) == folded(stream) == Reply(text="a", stop=Stop.END)
    assert folded(stream[:-4]).stop is Stop.CUT
    assert folded(events(delta(content="a")) + b"data: [DONE]").stop is Stop.END


def test_a_null_first_content_a_refusal_and_parts() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yes"}, 1]
    reply = folded(events(delta(role="assistant", content=None), delta(refusal="No."), delta(content=parts), delta("stop")))
    assert reply.stop is Stop.REFUSED
    assert (reply.text, reply.reasoning, reply.problem) == ("No.yes", "hm", None)


def test_reasoning_in_parts_is_kept_and_goes_back_as_it_came() -> None:
    def part(**members: object) -> object:
        return delta(reasoning_details=[{"index": 0, **members}, 7])

    stream = events(
        part(type="reasoning.text", text="Hm", signature=None, format="f"),
        part(type="reasoning.text", text=", so.", signature="s"),
        part(type="reasoning.encrypted", data="ab", id="x"),
        delta("stop", content="Hi"),
    )
    reply = folded(stream)
    assert reply == folded(*(bytes((byte,)) for byte in stream))
    details: list[dict[str, JsonValue]] = [
        {"index": 0, "type": "reasoning.text", "text": "Hm, so.", "signature": "s", "format": "f"},
        {"index": 0, "type": "reasoning.encrypted", "data": "ab", "id": "x"},
    ]
    assert (reply.text, reply.verbatim) == ("Hi", Verbatim(Wire.CHAT, tuple(JsonObject.of(**each) for each in details)))
    message = AssistantMessage(text=reply.text, place="1.1", reasoning="Hm, so.", verbatim=reply.verbatim)
    sent = json.loads(CHAT.encoder.encode_message(message, ToolFormat.NATIVE))
    assert sent == {"role": "assistant", "content": "Hi", "reasoning_details": details}
    bare = CHAT.encoder.encode_message(as_returned(message, returns=False), ToolFormat.NATIVE)
    assert json.loads(bare) == {"role": "assistant", "content": "Hi"}
    assert folded(events(delta(reasoning_details="x"), delta("stop", content="Hi"))).verbatim is None


def test_reasoning_under_either_name_counts_once() -> None:
    reply = folded(events(delta(reasoning_content="a"), delta(reasoning="b"), delta(reasoning="c", reasoning_content="c"), delta("stop")))
    assert reply.reasoning == "abc"


def test_other_choices_are_passed_over() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}]}
    both = {"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "no"}}]}
    assert folded(events(other, both, other, delta("stop"))) == Reply(text="a", stop=Stop.END)


def test_several_plain_events_in_one_chunk() -> None:
    first, more = events(delta(content="a")), events(delta(content="b"), delta(reasoning="c"), delta(content="d"))
    decoded = CHAT.decode(CHAT.decode(CHAT.begin(), first).fold, more)
    assert (decoded.text, decoded.reasoning) == ("bd", "c")


def test_usages_add_up() -> None:
    total = Usage(input_tokens=1, cached_tokens=1).plus(Usage(input_tokens=2, output_tokens=3))
    assert total == Usage(input_tokens=3, output_tokens=3, cached_tokens=1)


def test_usage_is_the_last_that_was_told() -> None:
    first, last = (
        {"prompt_tokens": 5, "completion_tokens": 1},
        {"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 3}},
    )
    odd = {"prompt_tokens": True, "completion_tokens": -1, "prompt_tokens_details": None}
    stream = events({"choices": [], "usage": first}, delta("stop"), {"choices": [], "usage": last}, {"choices": [], "usage": None})
    assert folded(stream).usage == Usage(input_tokens=5, output_tokens=7, cached_tokens=3)
    assert folded(events({"usage": odd}) + DONE).usage == Usage()


def test_a_character_cut_into_two_escapes_is_put_together() -> None:
    halves = b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\ndata: {"choices":[{"delta":{"content":"\\ude00b"}}]}\n\n'
    first = events(delta(content=""))
    assert folded(first + halves + DONE) == Reply(text="a😀b", stop=Stop.END)
    assert folded(first + halves[: len(halves) // 2] + b"\n\n" + DONE).text == "a"
    lone = b'data: {"choices":[{"delta":{"content":"\\ude00b","reasoning":"\\ud83d"}}]}\n\n'
    assert folded(first + lone + DONE).text == "\ufffdb"


class TestCalls:
    def test_fragments_by_index(self) -> None:
        stream = events(
            fragments({"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}),
            fragments({"index": 0, "function": {"arguments": '{"x"'}}),
            fragments({"index": 1, "id": "b", "function": {"name": "g"}}),
            fragments({"index": 0, "function": {"arguments": ":1}"}}),
            fragments({"index": 1, "function": None}, finish_reason="tool_calls"),
        )
        assert folded(stream) == Reply(calls=(RawCall("f", '{"x":1}'), RawCall("g", "{}")), stop=Stop.CALLS)

    def test_the_name_in_every_fragment_and_ids_that_change(self) -> None:
        stream = events(
            fragments({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}),
            fragments({"index": 0, "id": "a", "function": {"name": "f", "arguments": '"x"'}}),
            fragments({"index": 0, "id": "other", "function": {"arguments": ":1}"}}),
            delta("tool_calls"),
        )
        assert folded(stream).calls == (RawCall("f", '{"x":1}'),)

    def test_a_name_in_pieces(self) -> None:
        stream = events(
            fragments({"index": 0, "function": {"name": "get_"}}), fragments({"index": 0, "function": {"name": "time"}}), delta("stop")
        )
        assert folded(stream).calls == (RawCall("get_time", "{}"),)

    def test_whole_calls_at_index_0(self) -> None:
        first = {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":1}'}}
        second = {"index": 0, "id": "b", "function": {"name": "f", "arguments": {"x": "ü"}}}
        assert folded(events(fragments(first), fragments(second), delta("stop"))).calls == (
            RawCall("f", '{"x":1}'),
            RawCall("f", '{"x": "ü"}'),
        )

    def test_no_index(self) -> None:
        stream = events(
            fragments({"id": "a", "function": {"name": "f", "arguments": "{"}}),
            fragments({"id": "b", "function": {"name": "g", "arguments": "{"}}),
            fragments({"id": "a", "function": {"arguments": "}"}}),
            fragments({"function": {"arguments": "}"}}),
            fragments({"function": {"name": "h"}}, {"function": {"arguments": "{}"}}),
            delta("stop"),
        )
        assert folded(stream).calls == (RawCall("f", "{}"), RawCall("g", "{}"), RawCall("h", "{}"))

    def test_arguments_as_an_object_after_the_name(self) -> None:
        stream = events(fragments({"index": 0, "function": {"name": "f"}}), fragments({"index": 0, "function": {"arguments": {"x": 1}}}))
        assert folded(stream + DONE).calls == (RawCall("f", '{"x": 1}'),)

    def test_what_is_no_fragment_is_passed_over(self) -> None:
        stream = events(fragments(1, {}, {"function": {"arguments": "{}"}}), delta("stop", tool_calls={"a": 1}))
        assert folded(stream).calls == ()

    def test_more_calls_than_anyone_makes(self) -> None:
        each = [{"index": number, "function": {"name": "f"}} for number in range(MAX_CALLS + 1)]
        for first in (events(*(fragments(one) for one in each)), events(fragments(*each))):
            reply = folded(first + events(delta("stop")))
            assert (len(reply.calls), code(reply)) == (MAX_CALLS, "too-many-calls")


class TestProblems:
    @pytest.mark.parametrize(
        ("stream", "words"),
        [
            (events({"error": {"message": "Overloaded.", "code": 502}}), "(Overloaded)"),
            (events({"error": "no memory", "choices": []}), "(no memory)"),
            (events({"error": {}, "choices": []}, {"error": {"code": 1}}), "it does not say why"),
            (b'event: error\ndata: {"message": "gone"}\n\n', "(gone)"),
            (b'data: {"error": {"message": "x", "n": 1e999}}\n\n', "it does not say why"),
        ],
    )
    def test_an_error_in_the_middle(self, stream: bytes, words: str) -> None:
        reply = folded(events(delta(content="so far")) + stream + DONE)
        assert (reply.text, reply.stop, code(reply)) == ("so far", Stop.CUT, "provider-failed")
        assert words in str(reply.problem)

    def test_an_event_that_is_no_json_spoils_nothing_else(self) -> None:
        reply = folded(events(delta(content="a")) + b"data: <html>\n\ndata: 5\n\n" + events(delta("stop", content="b")))
        assert (reply.text, reply.stop, code(reply)) == ("ab", Stop.END, "bad-reply")
        assert '"<html>"' in str(reply.problem)

    def test_a_page_in_place_of_a_stream_is_quoted(self) -> None:
        reply = folded(b"<!doctype html>\n\n<title>Welcome to nginx</title>" + b"x" * 200)
        assert (reply.stop, code(reply)) == (Stop.CUT, "bad-reply")
        assert '("<!doctype html> <title>Welcome to nginx</title>xxx' in str(reply.problem)
        assert "…" in str(reply.problem)
        assert len(str(reply.problem)) < 200

    def test_an_error_as_the_whole_body(self) -> None:
        assert "(nope)" in str(folded(b'{"error": {"message": "nope"}}').problem)
        assert code(folded(b'{"hello": 1}')) == "bad-reply"
        assert code(folded(b" \n ")) == "bad-reply"

    def test_too_much_without_an_event(self) -> None:
        line = b"x" * 999_999 + b"\n"
        reply = folded(*(line for _ in range(MAX_BYTES // len(line) + 2)))
        assert code(reply) == "too-large"

    def test_one_event_that_is_too_long(self) -> None:
        reply = folded(events(delta(content="a")), b"data: ", *(b"x" * 1_000_000 for _ in range(9)), b"\n\n", events(delta("stop")))
        assert (reply.text, reply.stop, code(reply)) == ("a", Stop.CUT, "too-large")

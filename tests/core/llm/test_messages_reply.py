"""Anthropic Messages folded: what servers send, and what is made of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.llm.recorded import folded
from turnfold.core.config.values import Wire
from turnfold.core.conversation.messages import Verbatim
from turnfold.core.json import JsonObject
from turnfold.core.llm.intake import MAX_BYTES
from turnfold.core.llm.messages import MESSAGES
from turnfold.core.llm.messages_blocks import MAX_BLOCKS
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.core.world.usage import Usage
from turnfold.testing.messages_wire import messages_body, messages_stream
from turnfold.testing.wire import chunked

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)
CALLS = st.lists(st.builds(RawCall, st.text("abc_", min_size=1, max_size=5), st.sampled_from(("{}", '{"a":"ü"}', '{"a":1}'))), max_size=3)
USAGES = st.builds(
    lambda fresh, cached, written, output: Usage(
        input_tokens=fresh + cached + written, cached_tokens=cached, cache_write_tokens=written, output_tokens=output
    ),
    *(st.integers(0, 9) for _ in range(3)),
    st.integers(1, 9),
)


def reply_of(*chunks: bytes) -> Reply:
    return folded(Wire.MESSAGES, *chunks)


def events(*objects: object) -> bytes:
    return b"".join(f"event: x\ndata: {json.dumps(each)}\n\n".encode() for each in objects)


def opened(index: int, **block: object) -> object:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **members: object) -> object:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def closed(index: int) -> object:
    return {"type": "content_block_stop", "index": index}


def stopped(reason: str, **members: object) -> object:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **members}}


DONE = {"type": "message_stop"}


def text(index: int, said: str) -> tuple[object, ...]:
    return (opened(index, type="text", text=""), delta(index, "text_delta", text=said), closed(index))


def thinking(index: int, said: str, signature: str) -> tuple[object, ...]:
    deltas = (delta(index, "thinking_delta", thinking=said), delta(index, "signature_delta", signature=signature))
    return (opened(index, type="thinking", thinking="", signature=""), *deltas, closed(index))


def code(reply: Reply) -> str:
    assert reply.problem is not None
    return reply.problem.code


def items(reply: Reply) -> tuple[JsonObject, ...]:
    assert isinstance(reply.verbatim, Verbatim)
    assert reply.verbatim.wire is Wire.MESSAGES
    return reply.verbatim.items


@settings(deadline=None)  # the machine may be busy
@given(TEXTS, TEXTS, st.text("ab=", max_size=4), CALLS, USAGES, st.lists(st.integers(0, 50), max_size=40))
def test_a_stream_is_the_reply_it_was_made_of_in_every_chunking(
    said: str, reasoning: str, signature: str, calls: list[RawCall], usage: Usage, sizes: list[int]
) -> None:
    stream = messages_stream(said, tuple(calls), usage, reasoning=reasoning, signature=signature)
    reply = reply_of(stream)
    stop = Stop.CALLS if calls else Stop.END
    assert (reply.text, reply.reasoning, reply.calls, reply.stop, reply.problem) == (said, reasoning, tuple(calls), stop, None)
    assert reply.usage == usage
    assert (reply.verbatim is None) == (not signature)
    assert reply_of(*chunked(stream, sizes)) == reply
    assert reply_of(*(event + b"\n\n" for event in stream.split(b"\n\n") if event)) == reply
    assert reply_of(*chunked(stream.replace(b"\n", b"\r\n"), sizes)) == reply


@settings(deadline=None)  # the machine may be busy
@given(TEXTS, CALLS, USAGES, st.lists(st.integers(0, 50), max_size=10))
def test_a_body_that_is_no_stream_is_the_same_reply(said: str, calls: list[RawCall], usage: Usage, sizes: list[int]) -> None:
    body = messages_body(said, tuple(calls), usage)
    assert reply_of(*chunked(body, sizes)) == reply_of(messages_stream(said, tuple(calls), usage))
    assert reply_of(b"\xef\xbb\xbf" + json.dumps(json.loads(body), indent=2).encode()) == reply_of(body)


PIECES = (
    b"data: ", b"event: ", b"event: error\n", b"\n\n", b"\r\n\r\n", b"\n", b"[DONE]", b"{", b"}", b"null", b"\xff", b"[" * 2000, b"1" * 5000,
    b'{"type":"content_block_delta"', b',"delta":{"type":"text_delta","text":"x"}}', b',"delta":{"type":"thinking_delta","thinking":"\\ud83d"}}',
    b'{"type":"content_block_start","content_block":{"type":"text","citations":{}}}', b'{"type":"content_block_stop","index":[]}',
    b'{"type":"content_block_start","content_block":{"type":"tool_use","name":3,"input":[1]}}', b'{"type":"message_start","message":[]}',
    b'{"type":"content_block_start","index":1,"content_block":{"type":"x_tool_use","id":{}}}', b'{"type":"message_delta","delta":{"stop_reason":7}}',
    b'{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":4}}', b'{"type":"message_stop"}', b'{"error":[]}',
    b'{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"explanation":5}},"usage":{"output_tokens_details":3,"input_tokens":true}}',
    b'{"content":[3,{"type":[]},{"type":"tool_use"},{"tool_use_id":{}}],"stop_reason":null}', b'{"type":"content_block_delta","delta":7}',
)  # fmt: skip


@settings(deadline=None)  # the machine may be busy
@given(
    st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)),
    st.lists(st.integers(0, 9), max_size=60),
)
@example(b'data: {"error":' + b'{"message":' * 300 + b"1" + b"}" * 300 + b"}\n\n", [])
@example(b'data: {"type":"content_block_start","content_block":{"type":"new","deep":' + b"[" * 300 + b"]" * 300 + b"}}\n\n", [])
def test_no_bytes_raise_and_every_chunking_gives_one_reply(stream: bytes, sizes: list[int]) -> None:
    whole = reply_of(stream)
    assert reply_of(*chunked(stream, sizes)) == whole
    assert (whole.stop is Stop.CUT) <= (whole.problem is not None)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", Stop.END),
        ("stop_sequence", Stop.END),
        ("tool_use", Stop.END),  # of none
        ("max_tokens", Stop.LENGTH),
        ("model_context_window_exceeded", Stop.LENGTH),
        ("pause_turn", Stop.LENGTH),
        ("refusal", Stop.REFUSED),
        ("tomorrow's", Stop.END),
    ],
)
def test_stop_reasons(reason: str, stop: Stop) -> None:
    assert reply_of(events(*text(0, "a"), stopped(reason), DONE)).stop is stop


def test_an_end_with_calls_asks_for_the_calls_and_the_end_alone_is_one() -> None:
    call = opened(0, type="tool_use", name="f", input={})
    assert reply_of(events(call, stopped("end_turn"))).stop is Stop.CALLS
    assert reply_of(events(call, stopped("max_tokens"))).stop is Stop.LENGTH
    assert reply_of(events(*text(0, "a"), DONE)).stop is Stop.END
    assert reply_of(events(*text(0, "a")) + b"data: [DONE]\n\n").stop is Stop.END


def test_one_who_declines_without_a_word_is_told_with_the_provider_s_words() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    declined = reply_of(events(stopped("refusal", stop_details=details), DONE))
    assert (declined.text, declined.stop, declined.problem) == ("Not this.", Stop.REFUSED, None)
    assert reply_of(events(*text(0, "No."), stopped("refusal", stop_details=details))).text == "No."
    assert reply_of(events(stopped("refusal", stop_details=None))).text == ""


def test_blocks_that_overlap_are_told_apart_by_their_index() -> None:
    """llama.cpp opens block 1 before it closes 0; here their deltas alternate, too."""
    reply = reply_of(
        events(
            opened(0, type="thinking", thinking=""),
            delta(0, "thinking_delta", thinking="h"),
            opened(1, type="tool_use", name="a", input={}),
            delta(1, "input_json_delta", partial_json='{"x"'),
            delta(0, "thinking_delta", thinking="m"),
            opened(2, type="tool_use", name="b", input={}),
            delta(2, "input_json_delta", partial_json='{"y":2}'),
            delta(1, "input_json_delta", partial_json=":1}"),
            delta(0, "signature_delta", signature="s"),
            *(closed(index) for index in range(3)),
            stopped("tool_use"),
        )
    )
    assert reply.reasoning == "hm"
    assert reply.calls == (RawCall("a", '{"x":1}'), RawCall("b", '{"y":2}'))
    assert items(reply)[0] == JsonObject.of(type="thinking", chars=2, signature="s")


def test_thinking_that_comes_by_turns_is_not_sent_back() -> None:
    mixed = (
        opened(0, type="thinking"),
        opened(1, type="thinking"),
        delta(0, "thinking_delta", thinking="a"),
        delta(1, "thinking_delta", thinking="b"),
    )
    signed = (delta(0, "signature_delta", signature="s"), delta(1, "signature_delta", signature="t"))
    reply = reply_of(events(*mixed, *signed, *text(2, "x"), DONE))
    assert (reply.reasoning, reply.verbatim) == ("ab", None)


def test_a_delta_without_a_block_opens_one_and_other_deltas_without_one_are_passed_over() -> None:
    deltas = (delta(3, "text_delta", text="a"), delta(3, "text_delta", text="b"), delta(4, "thinking_delta", thinking="c"))
    reply = reply_of(events(*deltas, delta(9, "input_json_delta", partial_json="{}"), closed(9), stopped("end_turn")))
    assert (reply.text, reply.reasoning, reply.calls, reply.problem) == ("ab", "c", (), None)


def test_text_and_arguments_that_come_when_a_block_is_opened() -> None:
    blocks = (opened(0, type="text", text="Hi"), delta(0, "text_delta", text="!"), opened(1, type="tool_use", name="f", input={"a": [1]}))
    reply = reply_of(
        events(
            *blocks, opened(2, type="tool_use", name="g", input='{"b":2}'), opened(3, type="thinking", thinking="hm", signature="s"), DONE
        )
    )
    assert (reply.text, reply.reasoning) == ("Hi!", "hm")
    assert reply.calls == (RawCall("f", '{"a":[1]}'), RawCall("g", '{"b":2}'))
    assert items(reply)[-1] == JsonObject.of(type="thinking", chars=2, signature="s")


def test_arguments_that_are_empty_missing_a_list_or_cut() -> None:
    def call(**members: object) -> object:
        return opened(0, type="tool_use", name="f", **members)

    empty = events(call(input={}), delta(0, "input_json_delta", partial_json=""), stopped("tool_use"))
    assert reply_of(empty).calls == reply_of(events(call(), DONE)).calls == (RawCall("f", "{}"),)
    assert reply_of(events(call(input=[1]), DONE)).calls == (RawCall("f", "[1]"),)
    cut = reply_of(events(call(input={}), delta(0, "input_json_delta", partial_json='{"a": ')))
    assert (cut.calls, cut.stop, code(cut)) == ((RawCall("f", '{"a":'),), Stop.CUT, "cut-stream")


def test_repeated_indexes_and_ids_are_calls_of_their_own() -> None:
    one = (opened(0, type="tool_use", id="x", name="f", input={}), delta(0, "input_json_delta", partial_json='{"a":1}'))
    assert reply_of(events(*one, *one, DONE)).calls == (RawCall("f", '{"a":1}'),) * 2


def test_calls_are_shown_as_they_come() -> None:
    fold = MESSAGES.decode(
        MESSAGES.begin(), events(opened(0, type="tool_use", name="f", input={}), opened(1, type="tool_use", name="g", input={"b": 2}))
    ).fold
    fold = MESSAGES.decode(fold, events(delta(0, "input_json_delta", partial_json='{"a":'))).fold
    assert [(call.name, "".join(call.pieces), call.complete) for call in MESSAGES.calls_so_far(fold)] == [
        ("f", '{"a":', False),
        ("g", '{"b":2}', False),
    ]
    fold = MESSAGES.decode(fold, events(closed(0))).fold
    assert [call.complete for call in MESSAGES.calls_so_far(fold)] == [True, False]
    fold = MESSAGES.decode(fold, events(stopped("tool_use"))).fold
    assert [call.complete for call in MESSAGES.calls_so_far(fold)] == [True, True]


def test_what_the_provider_ran_is_kept_with_its_answer_or_not_at_all() -> None:
    use = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    result = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"title": "T"}]}
    asked = (opened(0, **use), delta(0, "input_json_delta", partial_json='{"q":'), delta(0, "input_json_delta", partial_json='"x"}'))
    both = reply_of(events(*asked, opened(1, **result), *text(2, "a"), DONE))
    kept = JsonObject.of(type="server_tool_use", id="s1", name="web_search", input=JsonObject.of(q="x"))
    assert items(both)[0] == kept
    assert items(both)[1]["tool_use_id"] == "s1"
    assert reply_of(events(*asked, *text(2, "a"), stopped("pause_turn"))).verbatim is None
    assert reply_of(events(opened(1, **result), *text(2, "a"), DONE)).verbatim is None
    broken = (opened(0, **use), delta(0, "input_json_delta", partial_json='{"q":'))
    assert reply_of(events(*broken, opened(1, **result), *text(2, "a"), DONE)).verbatim is None


def test_kinds_of_tomorrow_are_kept_as_they_were_opened_and_not_if_they_grow_in_a_way_that_nobody_knows() -> None:
    new = opened(0, type="redacted_thinking", data="abc")
    assert items(reply_of(events(new, *text(1, "a"), DONE))) == (
        JsonObject.of(type="redacted_thinking", data="abc"),
        JsonObject.of(type="text", chars=1),
    )
    assert reply_of(events(new, delta(0, "data_delta", data="d"), *text(1, "a"), DONE)).verbatim is None
    unknown = (
        delta(1, "new_delta"),
        {"type": "new_event"},
        delta(1, "signature_delta", signature="s"),
        {"type": "content_block_start"},
        {"type": "content_block_delta"},
    )
    assert reply_of(events(*text(1, "a"), *unknown, DONE)) == Reply(text="a", stop=Stop.END)


def test_citations_stay_with_the_text_that_has_them() -> None:
    cited = (
        opened(1, type="text", text="", citations=[]),
        delta(1, "citations_delta", citation={"url": "u"}),
        delta(1, "text_delta", text="bc"),
    )
    reply = reply_of(events(*text(0, "a"), *cited, *text(2, "d"), DONE))
    assert items(reply)[1] == JsonObject.of(type="text", chars=2, citations=(JsonObject.of(url="u"),))
    assert [item["chars"] for item in items(reply)] == [1, 2, 1]


def test_thinking_that_nobody_signed_needs_no_word_but_holds_its_place_before_thinking_that_is() -> None:
    unsigned = (opened(0, type="thinking"), delta(0, "thinking_delta", thinking="ab"))
    assert reply_of(events(*unsigned, *text(1, "x"), DONE)).verbatim is None
    both = items(reply_of(events(*unsigned, *thinking(1, "cde", "s"), *text(2, "x"), DONE)))
    assert both[:2] == (JsonObject.of(type="thinking", chars=2), JsonObject.of(type="thinking", chars=3, signature="s"))


def test_tokens_are_sums_and_the_cache_counts_as_read() -> None:
    start = {
        "type": "message_start",
        "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 2, "output_tokens": 1}},
    }
    later = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 30, "output_tokens_details": {"thinking_tokens": 9}},
    }
    usage = reply_of(events(start, *text(0, "a"), later)).usage
    assert usage == Usage(input_tokens=14, cached_tokens=7, cache_write_tokens=2, output_tokens=30, reasoning_tokens=9)
    all_late = {"type": "message_delta", "usage": {"input_tokens": 50, "output_tokens": 3}}
    assert reply_of(events({"type": "message_start", "message": {}}, all_late)).usage == Usage(input_tokens=50, output_tokens=3)


def test_an_error_in_the_midst_of_a_stream_keeps_what_came() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reply = reply_of(events(*text(0, "a"), error))
    assert (reply.text, reply.stop) == ("a", Stop.CUT)
    assert reply.problem is not None
    assert "Overloaded" in reply.problem.message
    assert reply_of(events(*text(0, "a"), error, error)) == reply
    body = json.dumps(error).encode()
    assert reply_of(body).problem == reply.problem


def test_what_is_no_reply_is_a_problem() -> None:
    for body in (b"", b"<html>502</html>", b"[1]", b'"text"', b'{"object":"list"}', b'{"content":"x"}', b"data: <html>\n\n"):
        assert code(reply_of(body)) == "bad-reply"
    assert code(reply_of(b'data: {"type":')) == "bad-reply"
    long = reply_of(b"<html>" + b"x" * 1000).problem
    assert long is not None
    assert len(long.message) < 200


def test_an_event_of_fifty_megabytes_is_left_out() -> None:
    piece = b"x" * 1_000_000
    fold = MESSAGES.decode(MESSAGES.begin(), events(*text(0, "a")) + b"data: ").fold
    for _ in range(50):
        fold = MESSAGES.decode(fold, piece).fold
    reply = MESSAGES.finish(fold)
    assert (reply.text, code(reply)) == ("a", "too-large")
    fold = MESSAGES.begin()
    for _ in range(50):
        fold = MESSAGES.decode(fold, b":" + piece + b"\n").fold
    assert code(MESSAGES.finish(fold)) == "too-large"
    assert fold.intake.body_bytes <= MAX_BYTES
    assert code(reply_of(b"data: " + piece * 9)) == "too-large"


def test_more_blocks_than_a_reply_may_hold_are_left_out() -> None:
    many = b"".join(events(opened(index, type="tool_use", name="f", input={})) for index in range(MAX_BLOCKS + 2))
    reply = reply_of(many + events(*text(MAX_BLOCKS + 3, "a"), DONE))
    assert (len(reply.calls), reply.text, code(reply)) == (MAX_BLOCKS, "a", "too-many-calls")


def test_characters_that_are_cut_into_two_escapes() -> None:
    halves = b"".join(
        f'data: {{"type":"content_block_delta","index":0,"delta":{{"type":"{kind}_delta","{kind}":"{half}"}}}}\n\n'.encode()
        for kind in ("text", "thinking")
        for half in ("a\\ud83d", "\\ude00b", "\\udc00", "\\ud83d")
    )
    reply = reply_of(events(*text(0, "")) + halves + events(DONE))
    assert (reply.text, reply.reasoning) == ("a😀b\ufffd", "a😀b\ufffd")


def test_a_stream_cut_in_a_character_keeps_what_was_whole() -> None:
    stream = events(*text(0, "a")) + 'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é'.encode()[:-1]
    reply = reply_of(stream)
    assert (reply.text, code(reply)) == ("a", "cut-stream")


def test_the_last_event_counts_without_its_empty_line_if_it_is_whole() -> None:
    stream = events(*text(0, "a"), stopped("end_turn"))
    assert reply_of(stream[:-2]) == reply_of(stream) == Reply(text="a", stop=Stop.END)
    assert reply_of(stream[:-4]).stop is Stop.CUT

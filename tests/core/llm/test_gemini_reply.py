"""Gemini folded: what the server sends, and what is made of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.llm.recorded import folded
from turnfold.core.config.values import Wire
from turnfold.core.conversation.messages import Verbatim
from turnfold.core.json import JsonObject
from turnfold.core.llm.gemini import GEMINI
from turnfold.core.llm.gemini_parts import MAX_PARTS
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.core.world.usage import Usage
from turnfold.testing.gemini_wire import gemini_body, gemini_stream
from turnfold.testing.wire import chunked

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)
CALLS = st.lists(st.builds(RawCall, st.text("abc_", min_size=1, max_size=5), st.sampled_from(("{}", '{"a":"ü"}', '{"a":1}'))), max_size=3)
USAGES = st.builds(
    lambda read, cached, written, thought: Usage(
        input_tokens=read, cached_tokens=cached, output_tokens=written + thought, reasoning_tokens=thought
    ),
    *(st.integers(0, 9) for _ in range(4)),
)


def reply_of(*chunks: bytes) -> Reply:
    return folded(Wire.GEMINI, *chunks)


def events(*objects: object) -> bytes:
    return b"".join(f"data: {json.dumps(each)}\r\n\r\n".encode() for each in objects)


def parts(*parts: object, finish_reason: str | None = None, **members: object) -> object:
    candidate: dict[str, object] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish_reason is not None:
        candidate["finishReason"] = finish_reason
    return {"candidates": [candidate], **members}


def text(said: str, **members: object) -> object:
    return {"text": said, **members}


def call(name: str = "f", **members: object) -> object:
    return {"functionCall": {"name": name, **members}}


STOPPED = {"candidates": [{"finishReason": "STOP"}]}


def code(reply: Reply) -> str:
    assert reply.problem is not None
    return reply.problem.code


def items(reply: Reply) -> tuple[JsonObject, ...]:
    assert isinstance(reply.verbatim, Verbatim)
    assert reply.verbatim.wire is Wire.GEMINI
    return reply.verbatim.items


@settings(deadline=None, max_examples=50)  # the machine may be busy
@given(TEXTS, TEXTS, st.text("ab=", max_size=4), CALLS, USAGES, st.lists(st.integers(0, 50), max_size=40))
def test_a_stream_is_the_reply_it_was_made_of_in_every_chunking(
    said: str, reasoning: str, signature: str, calls: list[RawCall], usage: Usage, sizes: list[int]
) -> None:
    stream = gemini_stream(said, tuple(calls), usage, reasoning=reasoning, signature=signature)
    reply = reply_of(stream)
    stop = Stop.CALLS if calls else Stop.END
    assert (reply.text, reply.reasoning, reply.calls, reply.stop, reply.problem) == (said, reasoning, tuple(calls), stop, None)
    assert reply.usage == usage
    assert (reply.verbatim is None) == (not signature)
    assert reply_of(*chunked(stream, sizes)) == reply
    assert reply_of(*(event + b"\n\n" for event in stream.split(b"\n\n") if event)) == reply
    crlf = stream.replace(b"\n", b"\r\n")
    assert reply_of(*chunked(crlf, sizes)) == reply
    assert reply_of(*(event + b"\r\n\r\n" for event in crlf.split(b"\r\n\r\n") if event)) == reply


@settings(deadline=None, max_examples=50)  # the machine may be busy
@given(TEXTS, CALLS, USAGES, st.lists(st.integers(0, 50), max_size=10))
def test_a_body_that_is_no_stream_is_the_same_reply(said: str, calls: list[RawCall], usage: Usage, sizes: list[int]) -> None:
    body = gemini_body(said, tuple(calls), usage)
    assert reply_of(*chunked(body, sizes)) == reply_of(gemini_stream(said, tuple(calls), usage))
    assert reply_of(b"\xef\xbb\xbf[" + json.dumps(json.loads(body), indent=2).encode() + b"]") == reply_of(body)


PIECES = (
    b"data: ", b"\n\n", b"\r\n\r\n", b"\n", b"[DONE]", b"{", b"}", b"null", b"\xff", b"[" * 2000, b"1" * 5000, b'"\\ud83d"',
    b'{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}', b'{"candidates":[{"content":{"parts":[{"text":"\\ud83d"}]}}]}',
    b'{"candidates":[{"content":{"parts":[{"text":"x","thought":true},{"functionCall":3},{"functionCall":{"name":4,"args":[1]}},5,{}]},"finishReason":7}]}',
    b'{"candidates":[{"content":{"parts":[{"executableCode":{"code":"x"},"thoughtSignature":9}]},"index":"0"}]}', b'{"candidates":{}}', b'{"candidates":[1]}',
    b'{"usageMetadata":{"promptTokenCount":-1,"thoughtsTokenCount":true},"promptFeedback":[]}', b'{"promptFeedback":{"blockReason":"SAFETY"}}', b'{"error":[]}',
    b'{"candidates":[{"content":{"parts":{}},"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":[]}]}', b'{"error":{"code":503}}',
)  # fmt: skip


@settings(deadline=None)  # the machine may be busy
@given(
    st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)),
    st.lists(st.integers(0, 9), max_size=60),
)
@example(b'data: {"error":' + b'{"message":' * 300 + b"1" + b"}" * 300 + b"}\n\n", [])
@example(b'data: {"candidates":[{"content":{"parts":[{"x":' + b"[" * 300 + b"]" * 300 + b"}]}}]}\n\n", [])
@example(b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"args":{"a":NaN}}}]}}]}\n\n', [])
def test_no_bytes_raise_and_every_chunking_gives_one_reply(stream: bytes, sizes: list[int]) -> None:
    whole = reply_of(stream)
    assert reply_of(*chunked(stream, sizes)) == whole
    assert (whole.stop is Stop.CUT) <= (whole.problem is not None)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("STOP", Stop.END),
        ("MAX_TOKENS", Stop.LENGTH),
        ("SAFETY", Stop.FILTER),
        ("RECITATION", Stop.FILTER),
        ("OTHER", Stop.CUT),
        ("MISSING_THOUGHT_SIGNATURE", Stop.CUT),
        ("TOMORROWS", Stop.END),
    ],
)
def test_finish_reasons(reason: str, stop: Stop) -> None:
    reply = reply_of(events(parts(text("a"), finish_reason=reason)))
    assert (reply.text, reply.stop, reply.problem is None) == ("a", stop, stop is not Stop.CUT)


def test_a_call_that_the_provider_could_not_read_says_so() -> None:
    candidate = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "Malformed function call: print(x"}
    reply = reply_of(events({"candidates": [candidate]}))
    assert (reply.stop, code(reply)) == (Stop.CUT, "bad-reply")
    assert reply.problem is not None
    assert "print(x" in reply.problem.message
    assert "UNEXPECTED_TOOL_CALL" in str(reply_of(events(parts(finish_reason="UNEXPECTED_TOOL_CALL"))).problem)
    failed = {"candidates": [candidate], "error": {"message": "first"}}
    assert "first" in str(reply_of(events(failed)).problem)


def test_a_prompt_that_is_withheld_has_no_reply() -> None:
    blocked = reply_of(events({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 5}}))
    assert (blocked.text, blocked.stop, blocked.problem, blocked.usage.input_tokens) == ("", Stop.FILTER, None, 5)
    fine = reply_of(events(parts(text("a"), finish_reason="STOP", promptFeedback={"safetyRatings": []})))
    assert fine.stop is Stop.END


def test_calls_in_parallel_whole_with_arguments_or_none() -> None:
    reply = reply_of(
        events(
            parts(call("a", args={"x": [1]}, id="1"), call("a", args={"x": [1]}, id="1"), call("b")), parts(call("c", args=[1])), STOPPED
        )
    )
    assert reply.calls == (RawCall("a", '{"x":[1]}'), RawCall("a", '{"x":[1]}'), RawCall("b", "{}"), RawCall("c", "[1]"))
    assert (reply.stop, reply.verbatim) == (Stop.CALLS, None)
    assert reply_of(events(parts(call(args={"a": 1}), finish_reason="MAX_TOKENS"))).stop is Stop.LENGTH


def test_calls_are_shown_when_they_come() -> None:
    fold = GEMINI.decode(GEMINI.begin(), events(parts(call("a", args={"x": 1}), call("b")))).fold
    assert [(each.name, "".join(each.pieces), each.complete) for each in GEMINI.calls_so_far(fold)] == [
        ("a", '{"x":1}', True),
        ("b", "", True),
    ]


def test_a_signature_stays_with_its_part() -> None:
    signed = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "s+/="}
    thoughts = (text("hm", thought=True), text("ok", thought=True))
    reply = reply_of(
        events(
            parts(*thoughts), parts(text("a")), parts(text("b")), parts(signed, call("g")), parts(text("", thoughtSignature="t")), STOPPED
        )
    )
    assert (reply.text, reply.reasoning) == ("ab", "hmok")
    assert items(reply) == (
        JsonObject.of(type="thought", chars=4),
        JsonObject.of(type="text", chars=2),
        JsonObject.of(type="call", thoughtSignature="s+/="),
        JsonObject.of(type="call"),
        JsonObject.of(type="text", chars=0, thoughtSignature="t"),
    )


def test_signed_texts_are_not_joined() -> None:
    reply = reply_of(
        events(parts(text("a", thoughtSignature="s"), text("b")), parts(text("c")), parts(text("d", thoughtSignature="t")), STOPPED)
    )
    assert reply.text == "abcd"
    assert [(item["chars"], item.get("thoughtSignature")) for item in items(reply)] == [(1, "s"), (2, None), (1, "t")]


def test_what_the_provider_ran_is_kept_as_it_is() -> None:
    code_part = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "s"}
    reply = reply_of(
        events(parts(code_part), parts({"codeExecutionResult": {"outcome": "OUTCOME_OK"}}), parts({}), parts(text("a")), STOPPED)
    )
    assert [item["type"] for item in items(reply)] == ["part", "part", "text"]
    kept = items(reply)[0]["part"]
    assert isinstance(kept, JsonObject)
    assert kept["thoughtSignature"] == "s"


def test_other_candidates_and_events_without_any_are_passed_over() -> None:
    second = {"candidates": [{"content": {"parts": [{"text": "no"}]}, "index": 1}]}
    assert reply_of(events({}, parts(text("a")), second, {"candidates": []}, {"candidates": [{"content": None}]}, STOPPED)).text == "a"


def test_tokens_are_sums_and_thoughts_and_tools_count() -> None:
    first = {"promptTokenCount": 10, "candidatesTokenCount": 4, "thoughtsTokenCount": 6}
    last = {"promptTokenCount": 12, "toolUsePromptTokenCount": 30, "cachedContentTokenCount": 8, "thoughtsTokenCount": 7}
    reply = reply_of(events(parts(text("a"), usageMetadata=first), parts(text("b"), finish_reason="STOP", usageMetadata=last)))
    assert reply.usage == Usage(input_tokens=42, cached_tokens=8, output_tokens=11, reasoning_tokens=7)


def test_an_error_in_the_stream_or_as_a_body_or_a_list_of_one() -> None:
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    reply = reply_of(events(parts(text("a")), error))
    assert (reply.text, reply.stop) == ("a", Stop.CUT)
    assert "The model is overloaded" in str(reply.problem)
    assert reply_of(json.dumps(error).encode()).problem == reply_of(json.dumps([error]).encode()).problem == reply.problem


def test_what_is_no_reply_is_a_problem() -> None:
    for body in (b"", b"<html>502</html>", b"[]", b"[1]", b'{"totalTokens":5}', b"data: <html>\n\n"):
        assert code(reply_of(body)) == "bad-reply"


def test_a_stream_that_stops_without_a_reason_is_cut() -> None:
    stream = events(parts(text("a"))) + 'data: {"candidates":[{"content":{"parts":[{"text":"é'.encode()[:-1]
    assert (reply_of(stream).text, code(reply_of(stream))) == ("a", "cut-stream")
    assert reply_of(events(parts(text("a"), finish_reason="STOP")) + b"data: [DONE]\n\n").problem is None


def test_more_parts_than_a_reply_may_hold_are_left_out() -> None:
    reply = reply_of(b"".join(events(parts(call())) for _ in range(MAX_PARTS + 2)) + events(STOPPED))
    assert (len(reply.calls), code(reply)) == (MAX_PARTS, "too-many-calls")


def test_characters_that_are_cut_into_two_escapes() -> None:
    halves = b"".join(
        f'data: {{"candidates":[{{"content":{{"parts":[{{"text":"{half}","thought":{thought}}}]}}}}]}}\n\n'.encode()
        for thought in ("false", "true")
        for half in ("a\\ud83d", "\\ude00b", "\\udc00", "\\ud83d")
    )
    reply = reply_of(halves + events(STOPPED))
    assert (reply.text, reply.reasoning) == ("a😀b\ufffd", "a😀b\ufffd")
    plain = b"".join(
        f'data: {{"candidates":[{{"content":{{"parts":[{{"text":"{half}"}}]}}}}]}}\n\n'.encode()
        for half in ("a", "\\ud83d", "\\ude00", "é")
    )
    assert reply_of(plain + events(STOPPED)).text == "a😀é"

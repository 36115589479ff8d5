"""OpenAI Responses folded: what servers send besides what the pages say, and what is made of it."""

from __future__ import annotations

import json

import pytest

from tests.core.llm.recorded import folded, said
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.json import JsonObject, freeze
from turnfold.core.llm import wire as wires
from turnfold.core.llm.reply import RawCall, Reply, Stop
from turnfold.core.llm.responses import RESPONSES
from turnfold.core.llm.responses_items import MAX_ITEMS
from turnfold.core.world.usage import Usage
from turnfold.testing.responses_wire import responses_stream
from turnfold.testing.wire import data as event_of

DONE = {"type": "response.completed", "response": {"status": "completed", "output": []}}
MESSAGE = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "m"}}
CALL = {"type": "response.output_item.added", "output_index": 1, "item": {"type": "function_call", "id": "c", "name": "read"}}


def events(*objects: object) -> bytes:
    return b"".join(event_of(freeze(each)) for each in objects)


def text(piece: object, item_id: object = "m") -> dict[str, object]:
    return {"type": "response.output_text.delta", "item_id": item_id, "delta": piece}


def arguments(piece: object, **members: object) -> dict[str, object]:
    return {"type": "response.function_call_arguments.delta", "item_id": "c", "delta": piece, **members}


def reply_of(*objects: object) -> Reply:
    return folded(Wire.RESPONSES, events(*objects))


def code(reply: Reply) -> str:
    assert reply.problem is not None
    return reply.problem.code


def test_what_llama_cpp_leaves_out_is_borne() -> None:
    """Neither indexes nor sequence numbers, and a stream that names its events and ends with [DONE]."""
    call = {"type": "response.output_item.added", "item": {"type": "function_call", "id": "c", "name": "read", "arguments": ""}}
    opened = {"type": "response.output_item.added", "item": {"type": "message", "id": "m"}}
    stream = events(opened, text("Hi"), call, arguments('{"a"'), arguments(":1}"), DONE) + b"data: [DONE]\n\n"
    reply = folded(Wire.RESPONSES, stream)
    assert (reply.text, reply.calls, reply.stop) == ("Hi", (RawCall("read", '{"a":1}'),), Stop.CALLS)


def test_a_call_that_the_token_limit_cut_counts_as_cut_though_the_server_says_completed() -> None:
    assert reply_of(CALL, arguments('{"path": "a'), DONE).stop is Stop.LENGTH
    assert reply_of(CALL, DONE) == reply_of(CALL, arguments("{}"), DONE)
    assert reply_of(CALL, arguments("{}"), DONE).stop is Stop.CALLS


def test_deltas_that_name_no_item_are_told_by_the_index_or_open_a_message() -> None:
    by_index = {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"}
    assert reply_of(CALL, by_index, DONE).calls == (RawCall("read", "{}"),)
    assert reply_of(text("Hi", None), text(" you", None), DONE).text == "Hi you"
    assert reply_of(text("Hi", "other"), DONE).text == "Hi"
    assert reply_of(MESSAGE, {**text("Hi", None), "output_index": 0}, DONE).text == "Hi"
    assert reply_of({**MESSAGE, "output_index": True}, {**text("Hi", None), "output_index": 7}, DONE).text == "Hi"


@pytest.mark.parametrize(
    "stray",
    [
        arguments("{}", item_id="nobody"),
        arguments(7),
        {"type": "response.function_call_arguments.done", "item_id": "m", "arguments": "{}"},
        {"type": "response.function_call_arguments.done", "item_id": "c", "arguments": None},
        {"type": "response.output_item.added", "item": 7},
        {"type": "response.output_item.done", "item": None},
        {"type": "response.tomorrow", "delta": "x"},
        {"type": "response.reasoning_summary_text.delta", "delta": 7},
        {"type": ["x"]},
        {},
        text(7),
        arguments("x", item_id="m"),
    ],
)
def test_what_can_t_be_used_is_passed_over(stray: object) -> None:
    reply = reply_of(MESSAGE, text("Hi"), CALL, stray, arguments('{"a":1}'), DONE)
    assert (reply.text, reply.calls, reply.problem) == ("Hi", (RawCall("read", '{"a":1}'),), None)


def test_arguments_that_come_whole_take_the_place_of_their_pieces() -> None:
    whole = {"type": "response.function_call_arguments.done", "item_id": "c", "arguments": '{"a":1}'}
    assert reply_of(CALL, whole, DONE).calls == (RawCall("read", '{"a":1}'),)
    assert reply_of(CALL, arguments('{"a":'), whole, DONE).calls == (RawCall("read", '{"a":1}'),)
    done = {"type": "response.output_item.done", "item": {"type": "function_call", "id": "c", "name": "read", "arguments": {"a": 1}}}
    assert reply_of(CALL, done, arguments("late"), DONE).calls == (RawCall("read", '{"a":1}'),)
    assert reply_of(done, DONE).calls == (RawCall("read", '{"a":1}'),)


def test_a_text_that_comes_whole_with_its_item_s_end_is_told() -> None:
    parts = [{"type": "output_text", "text": "Hi"}, 7, {"type": "output_text", "text": " you"}]
    done = {"type": "response.output_item.done", "item": {"type": "message", "id": "m", "content": parts}}
    assert reply_of(MESSAGE, done, DONE).text == "Hi you"
    assert reply_of(done, DONE).text == "Hi you"
    assert reply_of(MESSAGE, text("Hi you"), done, DONE).text == "Hi you"
    assert reply_of(MESSAGE, CALL, done, arguments("{}"), DONE).text == ""  # whose text would stand behind the call
    ended = {"type": "response.completed", "response": {"status": "completed", "output": [done["item"], 7]}}
    assert reply_of(ended).text == "Hi you"
    assert reply_of({"type": "response.completed"}).stop is Stop.END


def test_reasoning_is_its_summary_or_its_text() -> None:
    begun = {"type": "response.output_item.added", "item": {"type": "reasoning", "id": "r", "summary": []}}
    first = {"type": "response.reasoning_summary_part.added", "item_id": "r", "summary_index": 0}
    told = {"type": "response.reasoning_summary_text.delta", "item_id": "r", "delta": "One."}
    reply = reply_of(begun, first, told, {**first, "summary_index": 1}, {**told, "delta": "Two."}, MESSAGE, text("Hi"), DONE)
    assert (reply.reasoning, reply.text, reply.verbatim) == ("One.\n\nTwo.", "Hi", None)
    assert reply_of({"type": "response.reasoning_text.delta", "delta": "Hm."}, DONE).reasoning == "Hm."
    for item in ({"summary": [{"text": "A"}, {"text": "B"}]}, {"summary": [], "content": [{"text": "A"}, {"text": "B"}]}):
        done = {"type": "response.output_item.done", "item": {"type": "reasoning", "id": "r", **item}}
        assert reply_of(begun, done, DONE).reasoning == "A\n\nB"
    assert reply_of({"type": "response.output_item.done", "item": {"type": "reasoning", "id": "r"}}, DONE).reasoning == ""


def test_a_refusal_is_the_text_and_says_so() -> None:
    reply = reply_of(
        MESSAGE,
        {"type": "response.refusal.delta", "item_id": "m", "delta": "No"},
        {"type": "response.refusal.delta", "item_id": "m", "delta": "."},
        DONE,
    )
    assert (reply.text, reply.stop) == ("No.", Stop.REFUSED)
    sent = json.loads(RESPONSES.encoder.encode_message(said(reply), ToolFormat.NATIVE))
    assert sent["content"] == [{"type": "refusal", "refusal": "No."}]
    whole = {"type": "message", "id": "m", "content": [{"type": "refusal", "refusal": "No."}]}
    assert reply_of({"type": "response.completed", "response": {"status": "completed", "output": [whole]}}) == reply


@pytest.mark.parametrize(
    ("response", "stop", "problem"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, Stop.LENGTH, None),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, Stop.FILTER, None),
        ({"status": "incomplete"}, Stop.LENGTH, None),
        ({"status": "failed", "error": {"code": "server_error", "message": "Boom."}}, Stop.CUT, "Boom"),
        ({"status": "cancelled"}, Stop.CUT, "does not say why"),
        ({"status": "completed"}, Stop.END, None),
    ],
)
def test_why_a_reply_ended(response: dict[str, object], stop: Stop, problem: str | None) -> None:
    reply = reply_of(MESSAGE, text("Hi"), {"type": f"response.{response['status']}", "response": response})
    if response["status"] == "cancelled":  # no event of that name is known
        reply = reply_of(MESSAGE, text("Hi"), {"type": "response.failed", "response": response})
    assert (reply.text, reply.stop) == ("Hi", stop)
    assert (reply.problem is None) == (problem is None)
    assert problem is None or (reply.problem is not None and problem in reply.problem.message)


@pytest.mark.parametrize(
    "error",
    [{"type": "error", "code": "x", "message": "Boom."}, {"type": "error", "error": {"message": "Boom."}}, {"error": {"message": "Boom."}}],
)
def test_an_error_in_the_middle_is_a_problem_and_what_came_before_is_there(error: object) -> None:
    reply = reply_of(MESSAGE, text("Hi"), error)
    assert (reply.text, reply.stop) == ("Hi", Stop.CUT)
    assert reply.problem is not None
    assert "Boom" in reply.problem.message


def test_a_stream_that_is_cut_off_or_no_stream_at_all_is_a_problem() -> None:
    assert code(reply_of(MESSAGE, text("Hi"))) == "cut-stream"
    assert code(folded(Wire.RESPONSES)) == "bad-reply"
    assert code(folded(Wire.RESPONSES, b"<html>")) == "bad-reply"
    assert code(folded(Wire.RESPONSES, b'{"a":1}')) == "bad-reply"
    assert code(folded(Wire.RESPONSES, b"[1]")) == "bad-reply"
    assert code(folded(Wire.RESPONSES, b'{"error":{"message":"x"}}')) == "provider-failed"
    assert code(folded(Wire.RESPONSES, events(MESSAGE) + b"data: {oops\n\n")) == "bad-reply"


def test_tokens_from_the_cache_into_it_and_of_reasoning() -> None:
    read, written = {"cached_tokens": 5, "cache_write_tokens": 3}, {"reasoning_tokens": 1}
    usage = {"input_tokens": 9, "input_tokens_details": read, "output_tokens": 2, "output_tokens_details": written}
    told = reply_of({"type": "response.completed", "response": {"status": "completed", "usage": usage}}).usage
    assert told == Usage(input_tokens=9, output_tokens=2, cached_tokens=5, cache_write_tokens=3, reasoning_tokens=1)
    odd = {
        "type": "response.completed",
        "response": {"usage": {"input_tokens": "x", "input_tokens_details": 7, "output_tokens_details": []}},
    }
    assert reply_of(odd).usage == Usage()


def test_too_many_items_are_a_problem() -> None:
    item = {"type": "response.output_item.added", "item": {"type": "function_call", "name": "a"}}
    assert code(reply_of(*[item] * (MAX_ITEMS + 1), DONE)) == "too-many-calls"
    done = {"type": "response.output_item.done", "item": {"type": "message", "id": "m", "content": [{"text": "late"}]}}
    assert reply_of(*[item] * MAX_ITEMS, done, DONE).text == ""


def test_a_character_in_two_escapes_is_one() -> None:
    halves = b'data: {"type":"response.output_text.delta","item_id":"m","delta":"\\ud83d"}\n\n'
    other = b'data: {"type":"response.output_text.delta","item_id":"m","delta":"\\ude00"}\n\n'
    assert folded(Wire.RESPONSES, events(MESSAGE), halves, other, events(DONE)).text == "😀"
    thought = halves.replace(b"output_text", b"reasoning_text"), other.replace(b"output_text", b"reasoning_text")
    assert folded(Wire.RESPONSES, events(MESSAGE), *thought, events(DONE)).reasoning == "😀"


def test_calls_are_told_as_far_as_they_have_come() -> None:
    stream = responses_stream("", (RawCall("read", '{"path":"a"}'), RawCall("save", "{}")))
    seen = []
    fold = wires.begin(Wire.RESPONSES)
    for part in stream.split(b"\n\n"):
        fold = wires.decode(fold, part + b"\n\n").fold
        seen.append([(call.name, "".join(call.pieces), call.complete) for call in wires.calls_so_far(fold)])
    assert [("read", '{"path":', False)] in seen
    assert [("read", '{"path":"a"}', True), ("save", "", False)] in seen
    assert seen[-1] == [("read", '{"path":"a"}', True), ("save", "{}", True)]


def test_items_that_can_t_go_back_take_the_ids_of_the_others_with_them() -> None:
    thought: dict[str, object] = {"type": "reasoning", "id": "r", "summary": []}
    reasoned = {"type": "response.output_item.done", "item": thought}
    search = {"type": "response.output_item.done", "item": {"type": "web_search_call", "id": "w", "status": "completed"}}
    done = {"type": "response.output_item.done", "item": {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Hi"}]}}
    reply = reply_of(reasoned, search, MESSAGE, text("Hi"), done, DONE)
    assert reply.verbatim is not None
    assert reply.verbatim.items == (
        JsonObject.of(type="web_search_call", id="w", status="completed"),
        JsonObject.of(type="message", chars=2),
    )
    sealed = {"type": "response.output_item.done", "item": {**thought, "encrypted_content": "x"}}
    kept = reply_of(sealed, MESSAGE, text("Hi"), done, DONE).verbatim
    assert kept is not None
    assert [item.get("id") for item in kept.items] == ["r", "m"]


def test_text_that_comes_by_turns_for_several_messages_is_told_as_one() -> None:
    other = {"type": "response.output_item.added", "output_index": 2, "item": {"type": "message", "id": "n", "phase": "commentary"}}
    reply = reply_of(MESSAGE, text("a"), other, text("b", "n"), text("c"), DONE)
    assert (reply.text, reply.verbatim) == ("abc", None)
    apart = reply_of(MESSAGE, text("a"), other, text("b", "n"), DONE).verbatim
    assert apart is not None
    assert [item.get("chars") for item in apart.items] == [1, 1]
    strange = reply_of(CALL, text("a", "c"), DONE)
    assert (strange.text, strange.verbatim) == ("a", None)

"""Messages and requests as bytes."""

from __future__ import annotations

import json
from math import inf

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import TokensParameter, ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.chat_request import as_returned, output_text
from turnfold.core.llm.protocol import Head
from turnfold.core.problem import model_problem
from turnfold.core.tools.spec import Call, Done, Next, ToolSpec

PROBLEM = model_problem("bad-json", "Write JSON.")
NATIVE, MARKDOWN = ToolFormat.NATIVE, ToolFormat.MARKDOWN


def nothing(call: Call, cfg: ChatConfig) -> Next:
    return Done("")


READ = ToolSpec(name="read", description="Read a file — all of it.", parameters=JsonObject.of(type="object"), advance=nothing)

CALLS = st.one_of(
    st.builds(ToolCall, st.text(max_size=5), st.just(JsonObject.of(path="ä"))),
    st.builds(BrokenCall, st.text(max_size=5), st.one_of(st.text(max_size=9), st.just('{"a": 1}')), st.just(PROBLEM)),
)
TEXTS = st.text(st.characters(), max_size=20)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(UserMessage, TEXTS),
    st.builds(AssistantMessage, text=TEXTS, place=st.just("1.2"), calls=st.lists(CALLS, max_size=3).map(tuple), cut=st.booleans()),
    st.builds(ToolMessage, call_id=st.just("1.2.0"), tool=TEXTS, text=TEXTS, ok=st.booleans()),
)


def encoded(message: Message, tool_format: ToolFormat = NATIVE) -> object:
    return json.loads(CHAT.encoder.encode_message(message, tool_format))


def requested(head: Head, *messages: Message) -> dict[str, object]:
    body = json.loads(
        CHAT.encoder.encode_request(
            CHAT.encoder.encode_head(head), [CHAT.encoder.encode_message(each, head.tool_format) for each in messages]
        )
    )
    assert isinstance(body, dict)
    return body


@settings(deadline=None)  # the machine may be busy
@given(st.lists(MESSAGES, max_size=5), MESSAGES, st.sampled_from(ToolFormat), TEXTS)
def test_requests_are_json_and_the_messages_of_one_begin_the_next(
    before: list[Message], new: Message, form: ToolFormat, system: str
) -> None:
    head = Head(model="m", system=system, tools=(READ,), tool_format=form)
    parts = [CHAT.encoder.encode_message(each, form) for each in before]
    first, second = (
        CHAT.encoder.encode_request(CHAT.encoder.encode_head(head), parts),
        CHAT.encoder.encode_request(CHAT.encoder.encode_head(head), [*parts, CHAT.encoder.encode_message(new, form)]),
    )
    assert second.startswith(first.removesuffix(b"]}"))
    assert len(json.loads(second)["messages"]) == len(before) + 1 + bool(system)


def test_a_whole_conversation_natively() -> None:
    calls = (
        ToolCall("read", JsonObject.of(path="ü")),
        BrokenCall("read", '{"path":1}', PROBLEM),
        BrokenCall("no such tool!", "{", PROBLEM),
    )
    message = AssistantMessage(text="", place="3.1", calls=calls, reasoning="hm")
    functions = [("t003g0100", "read", '{"path":"ü"}'), ("t003g0101", "read", '{"path":1}'), ("t003g0102", "no_such_tool_", "{}")]
    made = [{"id": place, "type": "function", "function": {"name": name, "arguments": text}} for place, name, text in functions]
    assert encoded(message) == {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": made}
    assert encoded(as_returned(message, returns=False)) == {"role": "assistant", "content": None, "tool_calls": made}
    assert as_returned(message, returns=True) is message
    assert encoded(ToolMessage(call_id="3.1.0", tool="read", text="out")) == {"role": "tool", "tool_call_id": "t003g0100", "content": "out"}
    assert encoded(AssistantMessage(text="so f", place="3.1", cut=True)) == {"role": "assistant", "content": "so f"}
    assert encoded(AssistantMessage(text="", place="3.1")) == {"role": "assistant", "content": ""}
    assert encoded(AssistantMessage(text="Reading.", place="3.1", calls=calls[:1])) == {
        "role": "assistant",
        "content": "Reading.",
        "tool_calls": made[:1],
    }


def test_a_call_without_a_name_is_given_one() -> None:
    message = AssistantMessage(text="", place="1.1", calls=(BrokenCall("", "", PROBLEM), BrokenCall("x" * 99, "[]", PROBLEM)))
    text = CHAT.encoder.encode_message(message, NATIVE).decode()
    assert '"name":"unknown","arguments":"{}"' in text
    assert f'"name":"{"x" * 64}","arguments":"{{}}"' in text


def test_markdown_keeps_the_text_and_tells_outputs_as_a_user() -> None:
    message = AssistantMessage(text="```read a.txt\n```", place="1.1", calls=(ToolCall("read", JsonObject.of(path="a.txt")),))
    assert encoded(message, MARKDOWN) == {"role": "assistant", "content": "```read a.txt\n```"}
    assert encoded(UserMessage(""), MARKDOWN) == {"role": "user", "content": ""}
    output = ToolMessage(call_id="1.1.0", tool="read", text="a\n```` b\n")
    assert encoded(output, MARKDOWN) == {"role": "user", "content": "Output of read:\n`````\na\n```` b\n`````"}


def test_calls_that_were_never_text_are_told_in_the_format_of_the_conversation() -> None:
    message = AssistantMessage(text="", place="1.1", calls=(ToolCall("read", JsonObject.of(path="a & b")), BrokenCall("x", "{", PROBLEM)))
    assert encoded(message, MARKDOWN) == {"role": "assistant", "content": '```read --json\n{"path":"a & b"}\n```\n\n```x --json\n{}\n```'}
    told = (
        '<tool-use>\n<read args="--json">\n{"path":"a & b"}\n</read>\n</tool-use>\n\n<tool-use>\n<x args="--json">\n{}\n</x>\n</tool-use>'
    )
    assert encoded(message, ToolFormat.XML) == {"role": "assistant", "content": told}


@pytest.mark.parametrize(("text", "told"), [("", "```\n```"), ("a", "```\na\n```"), ("`` `", "```\n`` `\n```"), ("```", "````\n```\n````")])
def test_the_fence_is_longer_than_any_inside(text: str, told: str) -> None:
    assert output_text(ToolMessage(call_id="1", tool="x", text=text)) == f"Output of x:\n{told}"


def test_the_head_says_what_is_set_and_the_messages_come_last() -> None:
    head = Head(model="m", system="Be brief.", temperature=0.0, max_tokens=9, tools=(READ,), grammar='root ::= "a"')
    body = requested(head, UserMessage("hi"))
    assert list(body) == ["model", "stream", "stream_options", "temperature", "max_tokens", "tools", "grammar", "messages"]
    function = {"name": "read", "description": "Read a file — all of it.", "parameters": {"type": "object"}}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    assert (body["stream"], body["stream_options"], body["temperature"]) == (True, {"include_usage": True}, 0.0)


def test_the_head_leaves_out_what_is_not_set() -> None:
    assert list(requested(Head(model="m"))) == ["model", "stream", "stream_options", "messages"]
    assert "tools" not in requested(Head(model="m", tools=(READ,), tool_format=MARKDOWN))
    assert "temperature" not in requested(Head(model="m", temperature=inf))


def test_choice_of_tools_and_the_schema_of_the_text() -> None:
    head = Head(model="m", tools=(READ,), tool_choice="required", parallel_calls=False, output=JsonObject.of(type="object"))
    body = requested(head)
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "output", "schema": {"type": "object"}}}
    named = evolve(head, tool_choice="read", parameters=JsonObject.of(tool_choice="none", top_k=1))
    assert requested(named)["tool_choice"] == {"type": "function", "function": {"name": "read"}}
    assert requested(named)["top_k"] == 1
    assert "tool_choice" not in requested(evolve(head, tools=()))
    assert requested(Head(model="m", parameters=JsonObject.of(tool_choice="none")))["tool_choice"] == "none"


def test_a_stream_is_not_asked_for_its_tokens_where_the_provider_refuses_that() -> None:
    assert "stream_options" not in requested(Head(model="m", asks_usage=False))


def test_parameters_go_as_they_are_but_for_what_is_said_anyway() -> None:
    parameters = JsonObject.of(top_p=0.5, reasoning=JsonObject.of(effort="low"), model="evil", stream=False, max_completion_tokens=1)
    body = requested(Head(model="m", max_tokens=9, parameters=parameters))
    assert (body["top_p"], body["reasoning"], body["model"], body["stream"], body["max_tokens"]) == (0.5, {"effort": "low"}, "m", True, 9)
    assert "max_completion_tokens" not in body


def test_the_longest_reply_is_called_what_the_provider_calls_it() -> None:
    body = requested(Head(model="m", max_tokens=9, tokens_parameter=TokensParameter.MAX_COMPLETION_TOKENS))
    assert (body["max_completion_tokens"], "max_tokens" in body) == (9, False)

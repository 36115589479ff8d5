"""Requests in Anthropic's words: what the API demands, whatever the history is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from tests.core.llm.histories import DATA, ROUND, Part, histories, told
from tests.core.llm.messages_shape import blocks_of, broken_rule
from tests.core.llm.recorded import items, member
from turnfold.core.config.values import ExampleTurn, Role, ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Message, ToolCall, ToolMessage, UserMessage, Verbatim
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm.messages import MESSAGES
from turnfold.core.llm.messages_request import MAX_TOKENS
from turnfold.core.llm.protocol import Head
from turnfold.core.problem import model_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.testing.sample_tools import ALL_TOOLS

ENCODER = MESSAGES.encoder
EPHEMERAL = JsonObject.of(type="ephemeral")


def encoded(message: Message, tool_format: ToolFormat = ToolFormat.NATIVE) -> JsonValue:
    return loads_untrusted(ENCODER.encode_message(message, tool_format)).unwrap()


def head(**members: object) -> JsonObject:
    opening = ENCODER.encode_head(Head(model="claude", **members))  # type: ignore[arg-type]  # each test names fields of a head
    request = loads_untrusted(ENCODER.encode_request(opening, ())).unwrap()
    assert isinstance(request, JsonObject)
    return request


def assistant(text: str, *given: JsonObject, calls: tuple[ToolCall, ...] = (), reasoning: str = "") -> tuple[JsonValue, ...]:
    verbatim = Verbatim(Wire.MESSAGES, given) if given else None
    return blocks_of(encoded(AssistantMessage(text=text, place="1.1", calls=calls, reasoning=reasoning, verbatim=verbatim)))


@settings(deadline=None, max_examples=60)
@given(histories(Wire.MESSAGES))
def test_every_history_is_one_that_the_api_takes(parts: tuple[Part, ...]) -> None:
    for tool_format in ToolFormat:
        messages = told(ENCODER, parts, tool_format)
        body = ENCODER.encode_request(ENCODER.encode_head(Head(model="claude", tools=ALL_TOOLS, tool_format=tool_format)), messages)
        assert broken_rule(body) is None


@settings(deadline=None, max_examples=30)
@given(histories(Wire.MESSAGES))
def test_messages_are_a_prefix_of_the_next_request_s(parts: tuple[Part, ...]) -> None:
    opening = ENCODER.encode_head(Head(model="claude"))
    messages = told(ENCODER, parts, ToolFormat.NATIVE)
    bodies = [ENCODER.encode_request(opening, messages[:count]).removesuffix(b"]}") for count in range(1, len(messages) + 1)]
    assert all(after.startswith(before) for before, after in pairwise(bodies))


def test_a_round_is_one_message_with_pictures_and_failures_in_it() -> None:
    results = blocks_of(loads_untrusted(ENCODER.encode_round(ROUND)).unwrap())
    assert [member(result, "tool_use_id") for result in results] == ["1_1_0", "1_1_1", "1_1_2", "1_1_3"]
    assert member(results[0], "content") == "a"
    assert member(results[1], "is_error") is True
    assert [member(each, "type") for each in items(member(results[2], "content"))] == ["text", "image"]
    assert member(results[2], "content", 1, "source") == JsonObject.of(type="base64", media_type="image/png", data=DATA)
    assert (member(results[3], "content"), member(results[3], "is_error")) == (None, None)


def test_an_error_that_shows_a_picture_is_not_marked_since_the_api_takes_only_text_in_errors() -> None:
    shown = ToolMessage(call_id="1.1.0", tool="vision", text=" ", ok=False, images=ROUND[2].images)
    result = blocks_of(encoded(shown))[0]
    assert member(result, "is_error") is None
    assert [member(each, "type") for each in items(member(result, "content"))] == ["image"]


def test_outputs_in_a_text_format_are_the_person_s_messages() -> None:
    assert member(encoded(ROUND[0], ToolFormat.MARKDOWN), "content") == "Output of read:\n```\na\n```"
    assert [member(block, "type") for block in blocks_of(encoded(ROUND[2], ToolFormat.XML))] == ["text", "image"]


def test_blank_texts_say_so_and_the_assistant_s_end_without_white_space() -> None:
    assert member(encoded(UserMessage("\n ")), "content") == "(nothing)"
    assert member(encoded(AssistantMessage(text=" ", place="1.1")), "content") == "(nothing)"
    assert member(encoded(AssistantMessage(text="a \n", place="1.1")), "content") == "a"
    assert member(encoded(UserMessage("a \n", context="files")), "content") == "files\n\na \n"


def test_calls_have_ids_without_dots_good_names_and_objects() -> None:
    broken = BrokenCall("re ad", '{"a": [', model_problem("x", "x"))
    calls = (ToolCall("read", JsonObject.of(path="ü")), broken, BrokenCall("", ' {"b":"\\ud83d"} ', model_problem("x", "x")))
    blocks = blocks_of(encoded(AssistantMessage(text="Let me.\n", place="3.2", calls=calls)))
    assert blocks[0] == JsonObject.of(type="text", text="Let me.")
    assert blocks[1] == JsonObject.of(type="tool_use", id="3_2_0", name="read", input=JsonObject.of(path="ü"))
    assert [(member(block, "name"), member(block, "input")) for block in blocks[2:]] == [
        ("re_ad", JsonObject()),
        ("unknown", JsonObject.of(b="\ufffd")),
    ]
    assert [member(block, "type") for block in blocks_of(encoded(AssistantMessage(text="", place="3.2", calls=calls[:1])))] == ["tool_use"]


def test_calls_that_were_never_text_are_written_in_a_text_format() -> None:
    message = AssistantMessage(text="", place="3.0", calls=(ToolCall("read", JsonObject.of(path="a")),))
    assert member(encoded(message, ToolFormat.MARKDOWN), "content") == '```read --json\n{"path":"a"}\n```'


SIGNED = JsonObject.of(type="thinking", chars=2, signature="s+/=")
CALL = ToolCall("read", JsonObject.of(path="a"))


def test_blocks_go_back_in_their_order_with_text_thinking_and_calls_in_their_places() -> None:
    ran = JsonObject.of(type="server_tool_use", id="s1", name="web_search", input=JsonObject())
    came = JsonObject.of(type="web_search_tool_result", tool_use_id="s1", content=())
    cited = JsonObject.of(type="text", chars=1, citations=(JsonObject.of(url="u"),))
    given = (SIGNED, JsonObject.of(type="text", chars=2), ran, came, cited, JsonObject.of(type="tool_use"), JsonObject.of(type="tool_use"))
    blocks = assistant("a\nb", *given, calls=(CALL, CALL), reasoning="hm")
    assert blocks[0] == JsonObject.of(type="thinking", thinking="hm", signature="s+/=")
    assert blocks[1:4] == (JsonObject.of(type="text", text="a\n"), ran, came)
    assert blocks[4] == JsonObject.of(type="text", text="b", citations=(JsonObject.of(url="u"),))
    assert [member(block, "id") for block in blocks[5:]] == ["1_1_0", "1_1_1"]


def test_thinking_that_is_not_what_was_signed_is_left_out() -> None:
    text = JsonObject.of(type="text", chars=1)
    assert [member(block, "type") for block in assistant("a", SIGNED, text, reasoning="h")] == ["text"]
    unsigned = JsonObject.of(type="thinking", chars=2)
    assert [member(block, "thinking") for block in assistant("a", unsigned, SIGNED, text, reasoning="xxhm")] == ["hm", None]


def test_a_message_never_ends_in_thinking_nor_is_empty() -> None:
    redacted = JsonObject.of(type="redacted_thinking", data="x")
    assert assistant("", SIGNED, redacted, reasoning="hm") == (JsonObject.of(type="text", text="(nothing)"),)
    assert [member(block, "type") for block in assistant("a", JsonObject.of(type="text", chars=1), SIGNED, reasoning="hm")] == ["text"]


def test_text_that_was_cut_and_calls_that_are_more_or_fewer_than_there_were() -> None:
    given = (SIGNED, JsonObject.of(type="text", chars=4), JsonObject.of(type="tool_use"), JsonObject.of(type="text", chars=4))
    assert [member(block, "type") for block in assistant("ab", *given, reasoning="hm")] == ["thinking", "text"]
    assert [member(block, "type") for block in assistant("abcdefghij", *given, calls=(CALL, CALL), reasoning="hm")] == [
        "thinking",
        "text",
        "tool_use",
        "text",
        "text",
        "tool_use",
    ]


def test_what_another_format_must_get_back_is_left_out() -> None:
    message = AssistantMessage(
        text="a", place="1.1", verbatim=Verbatim(Wire.GEMINI, (JsonObject.of(type="part", part=JsonObject.of(x=1)),))
    )
    assert member(encoded(message), "content") == "a"


def test_a_history_that_begins_with_the_assistant_s_words_is_led_by_the_person_s() -> None:
    spoken = ENCODER.encode_message(AssistantMessage(text="a", place="1.0"), ToolFormat.NATIVE)
    examples = (ExampleTurn(Role.USER, "q"), ExampleTurn(Role.ASSISTANT, "a\n"))
    plain = loads_untrusted(ENCODER.encode_request(ENCODER.encode_head(Head(model="m")), (b"", spoken))).unwrap()
    led = loads_untrusted(ENCODER.encode_request(ENCODER.encode_head(Head(model="m", examples=examples)), (spoken,))).unwrap()
    assert [member(message, "content") for message in items(member(plain, "messages"))] == ["Go on.", "a"]
    assert [member(message, "content") for message in items(member(led, "messages"))] == ["q", "a", "a"]


def test_the_head_says_all_that_is_said_and_no_more() -> None:
    plain = head()
    assert dict(plain) == {"model": "claude", "max_tokens": MAX_TOKENS, "stream": True, "cache_control": EPHEMERAL, "messages": ()}
    full = head(
        system="Be brief.", temperature=0.5, max_tokens=9, output_tokens=99, parameters=JsonObject.of(top_k=5, model="x", system="x")
    )
    assert (full["max_tokens"], full["temperature"], full["top_k"], full["model"]) == (9, 0.5, 5, "claude")
    assert full["system"] == (JsonObject.of(type="text", text="Be brief.", cache_control=EPHEMERAL),)
    assert head(output_tokens=99)["max_tokens"] == 99
    assert "temperature" not in head(temperature=float("nan"))


def test_tools_and_where_the_cache_ends() -> None:
    bare = head(tools=ALL_TOOLS[:2])
    assert [member(tool, "cache_control") for tool in items(bare["tools"])] == [None, EPHEMERAL]
    assert [member(tool, "cache_control") for tool in items(head(tools=ALL_TOOLS[:2], system="x")["tools"])] == [None, None]
    assert "tools" not in head(tools=ALL_TOOLS, tool_format=ToolFormat.MARKDOWN)
    none = head(tools=ALL_TOOLS[:1], system="x", parameters=JsonObject.of(cache_control=False))
    assert "cache_control" not in none
    assert none["system"] == (JsonObject.of(type="text", text="x"),)
    hour = JsonObject.of(type="ephemeral", ttl="1h")
    long = head(system="x", parameters=JsonObject.of(cache_control=hour))
    assert (long["cache_control"], member(long["system"], 0, "cache_control")) == (hour, hour)


@pytest.mark.parametrize(
    ("choice", "parallel", "told_choice"),
    [
        ("", None, None),
        ("", True, None),
        ("auto", None, JsonObject.of(type="auto")),
        ("required", None, JsonObject.of(type="any")),
        ("none", False, JsonObject.of(type="none")),
        ("read", None, JsonObject.of(type="tool", name="read")),
        ("", False, JsonObject.of(type="auto", disable_parallel_tool_use=True)),
        ("read", False, JsonObject.of(type="tool", name="read", disable_parallel_tool_use=True)),
    ],
)
def test_how_tools_are_to_be_used(choice: str, parallel: bool | None, told_choice: JsonObject | None) -> None:
    assert head(tools=ALL_TOOLS, tool_choice=choice, parallel_calls=parallel).get("tool_choice") == told_choice
    assert "tool_choice" not in head(tool_choice=choice, parallel_calls=parallel)


def test_the_reply_s_schema_is_shut_and_joined_with_what_the_parameters_say() -> None:
    schema = JsonObject.of(type="object", properties=JsonObject.of(n=JsonObject.of(type="integer", minimum=1)))
    told_output = head(output=schema, parameters=JsonObject.of(output_config=JsonObject.of(effort="low")))["output_config"]
    assert member(told_output, "effort") == "low"
    assert member(told_output, "format", "type") == "json_schema"
    assert member(told_output, "format", "schema", "additionalProperties") is False
    assert member(told_output, "format", "schema", "properties", "n") == JsonObject.of(type="integer", description="(minimum: 1)")
    assert member(head(output=schema)["output_config"], "format", "type") == "json_schema"


def test_a_tool_without_a_schema_or_with_alternatives_at_its_top() -> None:
    odd = ToolSpec(
        name="odd", description="x", parameters=JsonObject.of(oneOf=(JsonObject.of(type="object"),)), advance=ALL_TOOLS[0].advance
    )
    assert member(head(tools=(odd,))["tools"], 0, "input_schema") == JsonObject.of(type="object")

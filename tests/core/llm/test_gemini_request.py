"""Requests in Google's words: what the API demands, whatever the history is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from tests.core.llm.gemini_shape import broken_rule
from tests.core.llm.histories import DATA, ROUND, Part, histories, told
from tests.core.llm.recorded import items, member
from turnfold.core.config.values import ExampleTurn, Role, ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Message, ToolCall, UserMessage, Verbatim
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted
from turnfold.core.llm.gemini import GEMINI
from turnfold.core.llm.gemini_request import UNSIGNED
from turnfold.core.llm.protocol import Head
from turnfold.core.problem import model_problem
from turnfold.testing.sample_tools import ALL_TOOLS

ENCODER = GEMINI.encoder
CALL = ToolCall("read", JsonObject.of(path="a"))


def encoded(message: Message, tool_format: ToolFormat = ToolFormat.NATIVE) -> JsonValue:
    return loads_untrusted(ENCODER.encode_message(message, tool_format)).unwrap()


def head(**members: object) -> JsonObject:
    opening = ENCODER.encode_head(Head(model="gemini", **members))  # type: ignore[arg-type]  # each test names fields of a head
    request = loads_untrusted(ENCODER.encode_request(opening, ())).unwrap()
    assert isinstance(request, JsonObject)
    return request


def model(text: str, *given: JsonObject, calls: tuple[ToolCall, ...] = (), reasoning: str = "") -> tuple[JsonValue, ...]:
    verbatim = Verbatim(Wire.GEMINI, given) if given else None
    return items(member(encoded(AssistantMessage(text=text, place="1.1", calls=calls, reasoning=reasoning, verbatim=verbatim)), "parts"))


@settings(deadline=None, max_examples=60)
@given(histories(Wire.GEMINI))
def test_every_history_is_one_that_the_api_takes(parts: tuple[Part, ...]) -> None:
    for tool_format in ToolFormat:
        messages = told(ENCODER, parts, tool_format)
        body = ENCODER.encode_request(ENCODER.encode_head(Head(model="gemini", tools=ALL_TOOLS, tool_format=tool_format)), messages)
        assert broken_rule(body) is None


@settings(deadline=None, max_examples=30)
@given(histories(Wire.GEMINI))
def test_contents_are_a_prefix_of_the_next_request_s(parts: tuple[Part, ...]) -> None:
    opening = ENCODER.encode_head(Head(model="gemini"))
    messages = told(ENCODER, parts, ToolFormat.NATIVE)
    bodies = [ENCODER.encode_request(opening, messages[:count]).removesuffix(b"]}") for count in range(1, len(messages) + 1)]
    assert all(after.startswith(before) for before, after in pairwise(bodies))


def test_a_round_is_one_content_and_what_it_shows_another() -> None:
    responses, shown = items(loads_untrusted(b"[" + ENCODER.encode_round(ROUND) + b"]").unwrap())
    told_responses = [member(part, "functionResponse") for part in items(member(responses, "parts"))]
    assert told_responses[0] == JsonObject.of(id="1_1_0", name="read", response=JsonObject.of(output="a"))
    assert [member(each, "response") for each in told_responses[1:]] == [
        JsonObject.of(error="no"),
        JsonObject.of(output="b"),
        JsonObject.of(output="\n"),
    ]
    assert member(shown, "parts", 0, "text") == "Shown by vision, in this order:"
    assert member(shown, "parts", 1, "inlineData") == JsonObject.of(mimeType="image/png", data=DATA)


def test_an_output_alone_is_a_round_of_its_own() -> None:
    assert ENCODER.encode_message(ROUND[0], ToolFormat.NATIVE) == ENCODER.encode_round(ROUND[:1])


def test_outputs_in_a_text_format_are_the_person_s_contents() -> None:
    assert member(encoded(ROUND[0], ToolFormat.MARKDOWN), "parts", 0, "text") == "Output of read:\n```\na\n```"
    assert member(encoded(ROUND[2], ToolFormat.XML), "parts", 1, "inlineData", "data") == DATA


def test_blank_texts_say_so() -> None:
    assert member(encoded(UserMessage("\n ")), "parts", 0, "text") == "(nothing)"
    assert model(" ") == (JsonObject.of(text="(nothing)"),)
    assert member(encoded(UserMessage("a \n", context="files")), "parts", 0, "text") == "files\n\na \n"


def test_calls_have_our_ids_good_names_and_objects_and_the_first_has_a_signature() -> None:
    broken = BrokenCall("re ad", '{"a": [', model_problem("x", "x"))
    parts = items(member(encoded(AssistantMessage(text="Let me.", place="3.2", calls=(CALL, broken))), "parts"))
    assert parts[0] == JsonObject.of(text="Let me.")
    called = JsonObject.of(id="3_2_0", name="read", args=JsonObject.of(path="a"))
    assert parts[1] == JsonObject.of(functionCall=called, thoughtSignature=UNSIGNED)
    assert parts[2] == JsonObject.of(functionCall=JsonObject.of(id="3_2_1", name="re_ad", args=JsonObject()))


def test_calls_that_were_never_text_are_written_in_a_text_format() -> None:
    message = AssistantMessage(text="", place="3.0", calls=(CALL,))
    assert member(encoded(message, ToolFormat.MARKDOWN), "parts", 0, "text") == '```read --json\n{"path":"a"}\n```'


def test_parts_go_back_in_their_order_with_their_signatures() -> None:
    ran = JsonObject.of(executableCode=JsonObject.of(code="1"), thoughtSignature="r")
    given = (
        JsonObject.of(type="thought", chars=1),
        JsonObject.of(type="thought", chars=2, thoughtSignature="h"),
        JsonObject.of(type="text", chars=1),
        JsonObject.of(type="part", part=ran),
        JsonObject.of(type="call", thoughtSignature="c+/="),
        JsonObject.of(type="call"),
        JsonObject.of(type="call"),
        JsonObject.of(type="text", chars=0, thoughtSignature="t"),
    )
    parts = model("a", *given, calls=(CALL, CALL), reasoning="xhm")
    assert parts[:3] == (JsonObject.of(thought=True, text="hm", thoughtSignature="h"), JsonObject.of(text="a"), ran)
    assert [member(part, "thoughtSignature") for part in parts[3:]] == ["c+/=", None, "t"]
    assert [member(part, "functionCall", "id") for part in parts[3:]] == ["1_1_0", "1_1_1", None]


def test_a_signature_does_not_go_back_with_another_text() -> None:
    signed = (JsonObject.of(type="text", chars=4, thoughtSignature="s"), JsonObject.of(type="thought", chars=4, thoughtSignature="h"))
    assert model("ab", *signed, reasoning="x") == (JsonObject.of(text="ab"),)
    assert model("abcdef", signed[0]) == (JsonObject.of(text="abcd", thoughtSignature="s"), JsonObject.of(text="ef"))


def test_calls_beyond_those_that_the_parts_hold_a_place_for() -> None:
    parts = model("a", JsonObject.of(type="call", thoughtSignature="c"), calls=(CALL, CALL))
    assert [(member(part, "text"), member(part, "thoughtSignature")) for part in parts] == [(None, "c"), ("a", None), (None, None)]


def test_what_another_format_must_get_back_is_left_out() -> None:
    message = AssistantMessage(text="a", place="1.1", verbatim=Verbatim(Wire.MESSAGES, (JsonObject.of(type="x"),)))
    assert member(encoded(message), "parts") == (JsonObject.of(text="a"),)


def test_what_a_person_said_as_the_model_with_calls_is_led_by_the_person_s_words() -> None:
    said = ENCODER.encode_message(AssistantMessage(text="I look.", place="2.0", calls=(CALL,)), ToolFormat.NATIVE)
    assert [member(each, "role") for each in items(loads_untrusted(b"[" + said + b"]").unwrap())] == ["user", "model"]
    commanded = AssistantMessage(text="", place="2.0", calls=(CALL,))  # behind the line of the command
    assert member(encoded(commanded), "role") == "model"


def test_a_history_that_begins_with_the_model_s_words_is_led_by_the_person_s() -> None:
    spoken = ENCODER.encode_message(AssistantMessage(text="a", place="1.0"), ToolFormat.NATIVE)
    examples = (ExampleTurn(Role.USER, "q"), ExampleTurn(Role.ASSISTANT, "a"))
    plain = loads_untrusted(ENCODER.encode_request(ENCODER.encode_head(Head(model="m")), (b"", spoken))).unwrap()
    led = loads_untrusted(ENCODER.encode_request(ENCODER.encode_head(Head(model="m", examples=examples)), (spoken,))).unwrap()
    assert [member(each, "role") for each in items(member(plain, "contents"))] == ["user", "model"]
    assert [member(each, "role") for each in items(member(led, "contents"))] == ["user", "model", "model"]


def test_the_head_says_all_that_is_said_and_no_more() -> None:
    assert dict(head(parallel_calls=False)) == {"contents": ()}
    schema = JsonObject.of(type="object")
    parameters = JsonObject.of(generationConfig=JsonObject.of(topK=5, temperature=1), safetySettings=(), contents="x", stream=True)
    full = head(system="Be brief.", temperature=0.5, max_tokens=9, output=schema, parameters=parameters)
    assert full["systemInstruction"] == JsonObject.of(parts=(JsonObject.of(text="Be brief."),))
    generation: dict[str, JsonValue] = {
        "topK": 5,
        "temperature": 0.5,
        "maxOutputTokens": 9,
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    assert full["generationConfig"] == JsonObject(tuple(generation.items()))
    assert list(full) == ["systemInstruction", "generationConfig", "safetySettings", "contents"]
    assert "generationConfig" not in head(temperature=float("inf"))


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("", None),
        ("auto", JsonObject.of(mode="AUTO")),
        ("required", JsonObject.of(mode="ANY")),
        ("none", JsonObject.of(mode="NONE")),
        ("read", JsonObject.of(mode="ANY", allowedFunctionNames=("read",))),
    ],
)
def test_how_tools_are_to_be_used(choice: str, config: JsonObject | None) -> None:
    assert member(head(tools=ALL_TOOLS, tool_choice=choice).get("toolConfig"), "functionCallingConfig") == config
    assert "toolConfig" not in head(tool_choice=choice)


def test_tools_are_declared_with_the_schemas_that_they_have() -> None:
    given = JsonObject.of(toolConfig=JsonObject.of(includeServerSideToolInvocations=True))
    request = head(tools=ALL_TOOLS[:2], tool_choice="auto", parameters=given)
    declared = items(member(request["tools"], 0, "functionDeclarations"))
    assert [member(each, "parametersJsonSchema") for each in declared] == [tool.parameters for tool in ALL_TOOLS[:2]]
    config = request["toolConfig"]
    assert isinstance(config, JsonObject)
    assert list(config) == ["includeServerSideToolInvocations", "functionCallingConfig"]
    assert "tools" not in head(tools=ALL_TOOLS, tool_format=ToolFormat.MARKDOWN)

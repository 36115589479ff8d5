"""OpenAI Responses, requests: what is said of each kind of message, and of the head."""

from __future__ import annotations

import json
from math import inf

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.llm.plain_tools import READ, TOOLS
from tests.core.llm.responses_shape import broken_rule
from turnfold.core.config.values import ExampleTurn, Role, ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Message, ToolCall, ToolMessage, UserMessage, Verbatim
from turnfold.core.json import JsonObject
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.responses import RESPONSES
from turnfold.core.problem import model_problem
from turnfold.core.world.images import Image

WRITE = RESPONSES.encoder
NATIVE, MARKDOWN = ToolFormat.NATIVE, ToolFormat.MARKDOWN
PROBLEM = model_problem("x", "x")
CALL = ToolCall("read", JsonObject.of(path="ü"))
PICTURE = Image("image/png", "AA==")
REASONING = JsonObject.of(type="reasoning", id="rs", summary=(), encrypted_content="x")


def told(message: Message, tool_format: ToolFormat = NATIVE) -> list[dict[str, object]]:
    items = json.loads(b"[" + WRITE.encode_message(message, tool_format) + b"]")
    assert isinstance(items, list)
    return items


def requested(head: Head, *messages: Message) -> dict[str, object]:
    body = json.loads(WRITE.encode_request(WRITE.encode_head(head), [WRITE.encode_message(each, head.tool_format) for each in messages]))
    assert isinstance(body, dict)
    return body


def output(text: str) -> list[dict[str, object]]:
    return [{"type": "output_text", "text": text, "annotations": []}]


def test_messages_calls_and_outputs_are_items() -> None:
    assert told(UserMessage("hi", context="There is a.txt.")) == [{"type": "message", "role": "user", "content": "There is a.txt.\n\nhi"}]
    calls = (CALL, BrokenCall("no such tool!", "{", PROBLEM))
    said, first, second = told(AssistantMessage(text="So.", place="3.1", calls=calls, reasoning="hm"))
    assert said == {"type": "message", "role": "assistant", "content": output("So.")}
    assert first == {"type": "function_call", "call_id": "3.1.0", "name": "read", "arguments": '{"path":"ü"}'}
    assert second == {"type": "function_call", "call_id": "3.1.1", "name": "no_such_tool_", "arguments": "{}"}
    assert told(AssistantMessage(text="", place="3.1", calls=(CALL,))) == [first]
    assert told(AssistantMessage(text="", place="3.1"))[0]["content"] == output("")
    assert told(ToolMessage(call_id="3.1.0", tool="read", text="out")) == [
        {"type": "function_call_output", "call_id": "3.1.0", "output": "out"}
    ]


def test_a_round_is_one_part_and_an_output_shows_its_pictures() -> None:
    round_ = (ToolMessage(call_id="1.1.0", tool="read", text="a"), ToolMessage(call_id="1.1.1", tool="look", text="b", images=(PICTURE,)))
    first, second = json.loads(b"[" + WRITE.encode_round(round_) + b"]")
    assert first["output"] == "a"
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
    assert second["output"] == [{"type": "input_text", "text": "b"}, picture]
    (in_text,) = told(round_[1], MARKDOWN)
    assert in_text == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Output of look:\n```\nb\n```"}, picture],
    }


def test_a_text_format_keeps_the_text_and_tells_calls_that_were_none() -> None:
    assert told(AssistantMessage(text="```read a```", place="1.1", calls=(CALL,)), MARKDOWN)[0]["content"] == output("```read a```")
    assert told(AssistantMessage(text="", place="1.1", calls=(CALL,)), MARKDOWN)[0]["content"] == output(
        '```read --json\n{"path":"ü"}\n```'
    )


def test_what_came_with_the_message_goes_back_with_it() -> None:
    items = (
        REASONING,
        JsonObject.of(type="message", chars=3, id="m", phase="commentary"),
        JsonObject.of(type="function_call", id="f", namespace="n"),
        JsonObject.of(type="message", chars=4),
    )
    message = AssistantMessage(text="So. Done", place="1.1", calls=(CALL,), verbatim=Verbatim(Wire.RESPONSES, items))
    fitting = evolve(message, text="So.Done")
    reasoned, said, call, rest = told(fitting)
    assert reasoned == {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}
    assert (said["content"], said["id"], said["phase"]) == (output("So."), "m", "commentary")
    assert (call["call_id"], call["id"], call["namespace"], rest["content"]) == ("1.1.0", "f", "n", output("Done"))
    plain = evolve(message, verbatim=None)
    assert told(message) == told(plain)  # the text is another one
    assert told(evolve(fitting, calls=())) == told(evolve(fitting, calls=(), verbatim=None))
    other = evolve(fitting, verbatim=Verbatim(Wire.MESSAGES, items))
    assert told(other) == told(evolve(fitting, verbatim=None))
    odd = evolve(fitting, verbatim=Verbatim(Wire.RESPONSES, (*items, JsonObject.of(type="message", chars="x"))))
    assert told(odd)[-1]["content"] == output("")
    assert told(fitting, MARKDOWN) == told(plain, MARKDOWN) or told(fitting, MARKDOWN)[0]["content"] == output("So.Done")


def test_the_head_says_what_is_set_and_the_input_comes_last() -> None:
    head = Head(model="m", system="Be brief.", temperature=0.0, max_tokens=9, tools=(READ,))
    body = requested(head, UserMessage("hi"))
    assert list(body) == ["model", "stream", "store", "instructions", "temperature", "max_output_tokens", "tools", "input"]
    tool = {"type": "function", "name": "read", "description": READ.description, "parameters": {}, "strict": False}
    assert body["tools"] == [tool]
    assert (body["store"], body["instructions"], body["max_output_tokens"]) == (False, "Be brief.", 9)
    assert list(requested(Head(model="m", temperature=inf))) == ["model", "stream", "store", "input"]
    assert "tools" not in requested(Head(model="m", tools=(READ,), tool_format=MARKDOWN))


def test_worked_examples_are_told_before_the_first_message() -> None:
    turns = (ExampleTurn(Role.USER, "ls?"), ExampleTurn(Role.ASSISTANT, "ls"))
    body = requested(Head(model="m", examples=turns), UserMessage("hi"))
    assert body["input"] == [
        {"type": "message", "role": "user", "content": "ls?"},
        {"type": "message", "role": "assistant", "content": output("ls")},
        {"type": "message", "role": "user", "content": "hi"},
    ]


def test_choice_of_tools_and_the_schema_of_the_text() -> None:
    head = Head(model="m", tools=(READ,), tool_choice="required", parallel_calls=False, output=JsonObject.of(type="object"))
    body = requested(head)
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    assert body["text"] == {"format": {"type": "json_schema", "name": "output", "schema": {"type": "object"}}}
    assert requested(evolve(head, tool_choice="read"))["tool_choice"] == {"type": "function", "name": "read"}
    assert "tool_choice" not in requested(evolve(head, tools=()))
    low = JsonObject.of(text=JsonObject.of(verbosity="low"), tool_choice="auto")
    both = requested(evolve(head, parameters=low))
    assert both["text"] == {"verbosity": "low", "format": {"type": "json_schema", "name": "output", "schema": {"type": "object"}}}
    assert both["tool_choice"] == "required"
    assert requested(Head(model="m", parameters=low)) == {**requested(Head(model="m")), "text": {"verbosity": "low"}, "tool_choice": "auto"}
    assert requested(Head(model="m", parameters=JsonObject.of(text=7)))["text"] == 7


def test_encrypted_reasoning_is_asked_for_where_the_model_reasons() -> None:
    sealed = "reasoning.encrypted_content"
    assert "include" not in requested(Head(model="m"))
    assert requested(Head(model="m", reasons=True))["include"] == [sealed]
    assert requested(Head(model="m", parameters=JsonObject.of(reasoning=JsonObject.of(effort="low"))))["include"] == [sealed]
    more = JsonObject.of(include=("web_search_call.action.sources",), store=True)
    body = requested(Head(model="m", reasons=True, parameters=more))
    assert (body["include"], body["store"]) == (["web_search_call.action.sources", sealed], True)
    assert requested(Head(model="m", reasons=True, parameters=JsonObject.of(include=(sealed,))))["include"] == [sealed]


def test_parameters_go_as_they_are_but_for_what_is_said_anyway() -> None:
    parameters = JsonObject.of(top_p=0.5, model="evil", input="x", instructions="x", max_output_tokens=1, stream=False)
    body = requested(Head(model="m", parameters=parameters))
    assert body == {"model": "m", "stream": True, "store": False, "top_p": 0.5, "input": []}


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
CALLS = st.lists(st.builds(BrokenCall, TEXTS, TEXTS, st.just(PROBLEM)) | st.just(CALL), max_size=3).map(tuple)
VERBATIM = st.none() | st.just(
    Verbatim(Wire.RESPONSES, (REASONING, JsonObject.of(type="message", chars=1), JsonObject.of(type="function_call")))
)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(TEXTS, CALLS, VERBATIM, st.booleans()), max_size=4), TEXTS)
def test_every_conversation_is_accepted_and_begins_as_the_one_before(
    turns: list[tuple[str, tuple[object, ...], Verbatim, bool]], system: str
) -> None:
    opening = WRITE.encode_head(Head(model="m", system=system, tools=TOOLS))
    parts: list[bytes] = []
    before = b""
    for number, (text, calls, verbatim, sees) in enumerate(turns, 1):
        message = AssistantMessage(text=text, place=f"{number}.1", calls=calls, verbatim=verbatim)  # type: ignore[arg-type]
        images = (PICTURE,) if sees else ()
        outputs = tuple(ToolMessage(call_id=f"{number}.1.{slot}", tool="read", text=text, images=images) for slot, _ in enumerate(calls))
        parts += [WRITE.encode_message(UserMessage(text), NATIVE), WRITE.encode_message(message, NATIVE)]
        parts += [WRITE.encode_round(outputs)] if outputs else []
        body = WRITE.encode_request(opening, parts)
        assert broken_rule(body) is None
        assert body.startswith(before)
        before = body.removesuffix(b"]}")

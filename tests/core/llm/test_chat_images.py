"""Pictures on the wire: behind their round with native calls, in their output in a text format, named where nobody sees them."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from turnfold.core.agent.encoding import encoded_for, request_body
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.config.values import ModelProfile, ToolFormat
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.chat_images import IMAGE_BYTES, spared_bytes
from turnfold.core.world.images import Image
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG

RED, BLUE = Image("image/png", "A" * 40_000), Image("image/jpeg", "Qk==")
CALLS = (
    ToolCall("vision", JsonObject.of(path="r.png")),
    ToolCall("read", JsonObject.of(path="a")),
    ToolCall("vision", JsonObject.of(path="b.jpg")),
)
ROUND: tuple[Message, ...] = (
    UserMessage("Look."),
    AssistantMessage(text="", place="1.1", calls=CALLS),
    ToolMessage(call_id="1.1.0", tool="vision", text="r.png", images=(RED,)),
    ToolMessage(call_id="1.1.1", tool="read", text="a"),
    ToolMessage(call_id="1.1.2", tool="vision", text="b.jpg", images=(BLUE,)),
)
SEES, BLIND, UNKNOWN = (ModelProfile(pattern="*", sees_images=sees) for sees in (True, False, None))


def past_of(messages: tuple[Message, ...]) -> Past:
    return Past(log=Log.of(*messages))


def sent(messages: tuple[Message, ...], profile: ModelProfile, tool_format: ToolFormat = ToolFormat.NATIVE) -> bytes:
    past = past_of(messages)
    return request_body(encoded_for(ChatState(past), ALL_TOOLS, evolve(CONFIG, tool_format=tool_format), profile), past)


def told(messages: tuple[Message, ...], profile: ModelProfile, tool_format: ToolFormat = ToolFormat.NATIVE) -> list[dict[str, object]]:
    said = json.loads(sent(messages, profile, tool_format))["messages"]
    return [each for each in said if each["role"] != "system"]


@pytest.mark.parametrize("profile", [SEES, UNKNOWN], ids=["sees", "unknown"])
def test_a_round_shows_its_images_behind_all_of_its_outputs(profile: ModelProfile) -> None:
    said = told((*ROUND, AssistantMessage(text="A dot.", place="1.2")), profile)
    assert [each["role"] for each in said] == ["user", "assistant", "tool", "tool", "tool", "user", "assistant"]
    assert said[2]["content"] == "r.png"
    assert said[5]["content"] == [
        {"type": "text", "text": "Shown by vision, in this order:"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{RED.data}"}},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,Qk=="}},
    ]


def test_a_text_format_shows_an_image_in_its_output() -> None:
    said = told(ROUND, SEES, ToolFormat.MARKDOWN)
    content = said[2]["content"]
    assert isinstance(content, list)
    assert content[0]["text"] == "Output of vision:\n```\nr.png\n```"
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,AAAA")
    assert len(said) == len(ROUND)


@pytest.mark.parametrize("tool_format", [ToolFormat.NATIVE, ToolFormat.MARKDOWN])
def test_a_model_that_cannot_see_is_told_so(tool_format: ToolFormat) -> None:
    body = sent(ROUND, BLIND, tool_format)
    assert b"image_url" not in body
    assert RED.data[:100].encode() not in body
    assert body.count(b"1 image is not shown to you: this model can see none.") == 2


@pytest.mark.parametrize("tool_format", [ToolFormat.NATIVE, ToolFormat.MARKDOWN])
def test_messages_stay_a_prefix_and_are_encoded_once(tool_format: ToolFormat) -> None:
    """Law 10, with pictures: the request after a round begins with the bytes of the one before."""
    cfg = evolve(CONFIG, tool_format=tool_format)
    again: tuple[Message, ...] = tuple(
        evolve(each, call_id=each.call_id.replace("1.", "2.", 1)) if isinstance(each, ToolMessage) else each for each in ROUND[1:]
    )
    log = (*ROUND, *again, AssistantMessage(text="Done.", place="3.1"), UserMessage("And now?"))
    state, before = ChatState(past_of(())), b""
    for upto in (1, len(ROUND), len(ROUND) + len(again), len(log)):
        past = past_of(log[:upto])
        encoded = encoded_for(evolve(state, past=past), ALL_TOOLS, cfg, SEES)
        body = request_body(encoded, past).removesuffix(b"]}")
        assert body.startswith(before)
        assert len(encoded.told.parts) == upto
        before, state = body, ChatState(past, evolve(state.live, encoded=encoded))
    assert before == sent(log, SEES, tool_format).removesuffix(b"]}")


def test_a_model_that_sees_is_shown_what_the_one_before_was_not() -> None:
    past = past_of(ROUND)
    blind = encoded_for(ChatState(past), ALL_TOOLS, CONFIG, BLIND)
    state = ChatState(past, evolve(ChatState().live, encoded=blind))
    assert request_body(encoded_for(state, ALL_TOOLS, CONFIG, SEES), past) == sent(ROUND, SEES)


def test_an_image_counts_as_what_it_costs_and_not_as_its_bytes() -> None:
    past = past_of(ROUND)
    seeing = encoded_for(ChatState(past), ALL_TOOLS, CONFIG, SEES)
    blind = encoded_for(ChatState(past), ALL_TOOLS, CONFIG, BLIND)
    assert spared_bytes(ROUND[2]) == 40_000 - IMAGE_BYTES
    assert spared_bytes(ROUND[0]) == 0
    assert abs(seeing.size_bytes - blind.size_bytes - 2 * IMAGE_BYTES) < 500
    assert len(request_body(seeing, past)) > 40_000

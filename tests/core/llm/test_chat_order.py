"""Chat Completions for servers that keep to an order of roles."""

from __future__ import annotations

from tests.core.llm.recorded import items, member
from turnfold.core.conversation.messages import AssistantMessage, ToolMessage, UserMessage
from turnfold.core.json import loads_untrusted
from turnfold.core.llm.chat_order import BRIDGE, ORDERED, bridged
from turnfold.core.world.images import Image

OUTPUT = ToolMessage(call_id="1.1.0", tool="look", text="a", images=(Image("image/png", "AA=="),))


def test_words_of_the_model_stand_between_a_round_and_what_it_shows() -> None:
    messages = items(loads_untrusted(b"[" + ORDERED.encode_round((OUTPUT, OUTPUT)) + b"]").unwrap())
    assert [member(each, "role") for each in messages] == ["tool", "tool", "assistant", "user"]


def test_they_stand_before_a_person_s_words_behind_an_output_and_nowhere_else() -> None:
    said = UserMessage("hi")
    assert bridged(b"1", said, OUTPUT) == BRIDGE + b",1"
    for message, before in ((said, None), (said, said), (AssistantMessage(text="", place="1.1"), OUTPUT)):
        assert bridged(b"1", message, before) == b"1"

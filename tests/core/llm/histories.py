"""Histories of all kinds for the encoders: messages of the person and the model, and rounds of outputs."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, Invocation, ToolCall, ToolMessage, UserMessage, Verbatim
from turnfold.core.json import JsonObject
from turnfold.core.llm.protocol import Encoder
from turnfold.core.problem import model_problem
from turnfold.core.world.images import Image

DATA = "aGk="
IMAGE = Image("image/png", DATA)
ROUND = (
    ToolMessage(call_id="1.1.0", tool="read", text="a"),
    ToolMessage(call_id="1.1.1", tool="shell", text="no", ok=False),
    ToolMessage(call_id="1.1.2", tool="vision", text="b", images=(IMAGE,)),
    ToolMessage(call_id="1.1.3", tool="read", text="\n"),
)

Part: TypeAlias = UserMessage | AssistantMessage | tuple[ToolMessage, ...]

TEXTS = st.one_of(st.sampled_from(("", " ", "\n", "a ", "ü\n", "\ud83d", "<a>", '"')), st.text(max_size=5))
CALLS: SearchStrategy[Invocation] = st.one_of(
    st.builds(ToolCall, st.sampled_from(("read", "re ad", "", "ü" * 99)), st.sampled_from((JsonObject(), JsonObject.of(a="\n", b=(1,))))),
    st.builds(BrokenCall, st.just("read"), st.sampled_from(("", "{", "[1]", '{"a":"\\ud800"}')), st.just(model_problem("x", "x"))),
)
MESSAGES_ITEMS = st.sampled_from(
    (
        JsonObject.of(type="text", chars=2),
        JsonObject.of(type="text", chars=0),
        JsonObject.of(type="text", chars=1, citations=(JsonObject.of(url="u"),)),
        JsonObject.of(type="thinking", chars=2, signature="s"),
        JsonObject.of(type="thinking", chars=1),
        JsonObject.of(type="tool_use"),
        JsonObject.of(type="redacted_thinking", data="x"),
    )
)
GEMINI_ITEMS = st.sampled_from(
    (
        JsonObject.of(type="text", chars=2),
        JsonObject.of(type="text", chars=0, thoughtSignature="cw=="),
        JsonObject.of(type="text", chars=1, thoughtSignature="cw=="),
        JsonObject.of(type="thought", chars=2, thoughtSignature="cw=="),
        JsonObject.of(type="thought", chars=1),
        JsonObject.of(type="call"),
        JsonObject.of(type="call", thoughtSignature="cw=="),
        JsonObject.of(type="part", part=JsonObject.of(executableCode=JsonObject.of(code="1"))),
    )
)


@st.composite
def histories(draw: st.DrawFn, wire: Wire) -> tuple[Part, ...]:
    """A history as a log has it: turns of the person, each with replies; every call is answered in the round behind it."""
    parts: tuple[Part, ...] = ()
    items = MESSAGES_ITEMS if wire is Wire.MESSAGES else GEMINI_ITEMS
    for turn in range(1, draw(st.integers(1, 4)) + 1):
        parts += (
            UserMessage(
                draw(TEXTS),
                context=draw(st.sampled_from(("", "", "files"))),
            ),
        )
        for generation in range(1, draw(st.integers(0, 3)) + 1):
            calls = tuple(draw(st.lists(CALLS, max_size=3)))
            kept = tuple(draw(st.lists(items, max_size=5)))
            verbatim = draw(st.sampled_from((None, Verbatim(wire, kept), Verbatim(Wire.RESPONSES, kept))))
            place = f"{turn}.{generation}"
            message = AssistantMessage(text=draw(TEXTS), place=place, calls=calls, reasoning=draw(TEXTS), verbatim=verbatim)
            outputs = tuple(
                ToolMessage(
                    call_id=f"{place}.{number}",
                    tool=call.name,
                    text=draw(TEXTS),
                    ok=draw(st.booleans()),
                    images=draw(st.sampled_from(((), (), (IMAGE,)))),
                )
                for number, call in enumerate(calls)
            )
            parts += (message, outputs) if outputs else (message,)
            if not outputs:
                break
    return (*parts, UserMessage("And now?"))


def told(encoder: Encoder, parts: tuple[Part, ...], tool_format: ToolFormat) -> tuple[bytes, ...]:
    """The parts as they are encoded: a round as one, or, in a text format, each output by itself."""
    encoded: tuple[bytes, ...] = ()
    for part in parts:
        if not isinstance(part, tuple):
            encoded += (encoder.encode_message(part, tool_format),)
        elif tool_format is ToolFormat.NATIVE:
            encoded += (encoder.encode_round(part),)
        else:
            encoded += tuple(encoder.encode_message(each, tool_format) for each in part)
    return encoded

"""Replies as model servers stream them, in each wire format, made from text and calls: ``stream_in(wire, …)``."""

from __future__ import annotations

from typing import assert_never

from turnfold.core.config.values import Wire
from turnfold.core.json import JsonObject, loads_untrusted
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage
from turnfold.testing.responses_wire import named, responses_stream
from turnfold.testing.wire import chat_stream, data, pieces

NO_USAGE: Usage = Usage()


def stream_in(
    wire: Wire,
    text: str = "",
    calls: tuple[RawCall, ...] = (),
    usage: Usage = NO_USAGE,
    *,
    reasoning: str = "",
    refusal: bool = False,
    cut: bool = False,
    piece_chars: int = 4,
) -> bytes:
    """The stream of this reply in ``wire``, deltas of ``piece_chars`` characters each.

    ``refusal``: the text is the model's refusal; ``cut``: the token limit ended it. Gemini refuses by saying nothing.

    >>> [stream_in(wire, "Hi").count(b"Hi") for wire in Wire]
    [1, 3, 1, 1]
    """
    match wire:
        case Wire.CHAT:
            reason = "length" if cut else ""
            return chat_stream(text, calls, usage, reasoning=reasoning, finish_reason=reason, refusal=refusal, piece_chars=piece_chars)
        case Wire.RESPONSES:
            return responses_stream(text, calls, usage, reasoning=reasoning, refusal=refusal, cut=cut, piece_chars=piece_chars)
        case Wire.MESSAGES:
            return _messages(text, calls, usage, reasoning, refusal, cut, piece_chars)
        case Wire.GEMINI:
            return _gemini(text, calls, usage, reasoning, refusal, cut, piece_chars)
        case _:
            assert_never(wire)


def error_in(wire: Wire, message: str) -> bytes:
    """The event that tells of an error in the middle of a stream."""
    match wire:
        case Wire.CHAT | Wire.GEMINI:
            return data(JsonObject.of(error=JsonObject.of(message=message, code=500)))
        case Wire.RESPONSES:
            return named(JsonObject.of(type="error", code="server_error", message=message))
        case Wire.MESSAGES:
            return named(JsonObject.of(type="error", error=JsonObject.of(type="api_error", message=message)))
        case _:
            assert_never(wire)


def _messages(text: str, calls: tuple[RawCall, ...], usage: Usage, reasoning: str, refusal: bool, cut: bool, piece_chars: int) -> bytes:
    read = JsonObject.of(
        input_tokens=usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        cache_read_input_tokens=usage.cached_tokens,
        cache_creation_input_tokens=usage.cache_write_tokens,
    )
    events = [named(JsonObject.of(type="message_start", message=JsonObject.of(role="assistant", content=(), usage=read)))]
    blocks: list[tuple[JsonObject, tuple[JsonObject, ...]]] = []
    if reasoning:
        thoughts = (JsonObject.of(type="thinking_delta", thinking=piece) for piece in pieces(reasoning, piece_chars))
        signed = JsonObject.of(type="signature_delta", signature="c2lnbmVk")
        blocks.append((JsonObject.of(type="thinking", thinking="", signature=""), (*thoughts, signed)))
    if text:
        said = tuple(JsonObject.of(type="text_delta", text=piece) for piece in pieces(text, piece_chars))
        blocks.append((JsonObject.of(type="text", text=""), said))
    for number, call in enumerate(calls):
        opened = JsonObject.of(type="tool_use", id=f"toolu_{number}", name=call.name, input=JsonObject())
        blocks.append(
            (opened, tuple(JsonObject.of(type="input_json_delta", partial_json=piece) for piece in pieces(call.text, piece_chars)))
        )
    for index, (block, deltas) in enumerate(blocks):
        events.append(named(JsonObject.of(type="content_block_start", index=index, content_block=block)))
        events += [named(JsonObject.of(type="content_block_delta", index=index, delta=delta)) for delta in deltas]
        events.append(named(JsonObject.of(type="content_block_stop", index=index)))
    reason = "refusal" if refusal else "max_tokens" if cut else "tool_use" if calls else "end_turn"
    written = JsonObject.of(output_tokens=usage.output_tokens)
    events.append(named(JsonObject.of(type="message_delta", delta=JsonObject.of(stop_reason=reason), usage=written)))
    return b"".join((*events, named(JsonObject.of(type="message_stop"))))


def _gemini(text: str, calls: tuple[RawCall, ...], usage: Usage, reasoning: str, refusal: bool, cut: bool, piece_chars: int) -> bytes:
    parts = [JsonObject.of(text=piece, thought=True) for piece in pieces(reasoning, piece_chars)]
    parts += [JsonObject.of(text=piece) for piece in pieces("" if refusal else text, piece_chars)]
    parts += [
        JsonObject.of(functionCall=JsonObject.of(name=call.name, args=loads_untrusted(call.text).value_or(JsonObject()))) for call in calls
    ]
    reason = "SAFETY" if refusal else "MAX_TOKENS" if cut else "STOP"
    tokens = JsonObject.of(
        promptTokenCount=usage.input_tokens,
        candidatesTokenCount=usage.output_tokens - usage.reasoning_tokens,
        thoughtsTokenCount=usage.reasoning_tokens,
        cachedContentTokenCount=usage.cached_tokens,
    )
    contents = (JsonObject.of(content=JsonObject.of(role="model", parts=(part,)), index=0) for part in parts)
    ended = JsonObject.of(content=JsonObject.of(role="model", parts=()), finishReason=reason, index=0)
    events = [data(JsonObject.of(candidates=(each,))) for each in contents]
    return b"".join((*events, data(JsonObject.of(candidates=(ended,), usageMetadata=tokens))))

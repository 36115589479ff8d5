"""Replies as model servers stream them, in each wire format, made from text and calls: ``stream_in(wire, …)``."""

from __future__ import annotations

from typing import assert_never

from turnfold.core.config.values import Wire
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage
from turnfold.testing.gemini_wire import gemini_stream
from turnfold.testing.messages_wire import messages_stream
from turnfold.testing.responses_wire import named, responses_stream
from turnfold.testing.wire import chat_stream, data

NO_USAGE: Usage = Usage()
SEALED = "c2VhbGVk"  # what stands for a signature


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
            reason = "refusal" if refusal else "max_tokens" if cut else ""
            signature = SEALED if reasoning else ""
            return messages_stream(
                text, calls, usage, reasoning=reasoning, signature=signature, stop_reason=reason, piece_chars=piece_chars
            )
        case Wire.GEMINI:
            reason = "SAFETY" if refusal else "MAX_TOKENS" if cut else "STOP"
            said = "" if refusal else text
            signature = SEALED if reasoning else ""
            return gemini_stream(
                said, calls, usage, reasoning=reasoning, signature=signature, finish_reason=reason, piece_chars=piece_chars
            )
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

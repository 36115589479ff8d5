"""Bytes as Gemini sends them, made from text and calls."""

from __future__ import annotations

from turnfold.core.json import JsonObject, JsonValue, dumps, loads_untrusted
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage
from turnfold.testing.wire import data


def gemini_stream(
    text: str = "",
    calls: tuple[RawCall, ...] = (),
    usage: Usage | None = None,
    *,
    reasoning: str = "",
    signature: str = "",
    finish_reason: str = "STOP",
    piece_chars: int = 4,
) -> bytes:
    """A stream of this reply, events of ``piece_chars`` characters each; the ``signature`` is on its first call, or behind its text.

    >>> gemini_stream("Hi").count(b"data: ")
    2
    """
    parts: list[JsonObject] = [JsonObject.of(text=piece, thought=True) for piece in _pieces(reasoning, piece_chars)]
    parts += [JsonObject.of(text=piece) for piece in _pieces(text, piece_chars)]
    parts += _called(calls, signature)
    last = JsonObject.of(text="", thoughtSignature=signature) if signature and not calls else JsonObject.of(text="")
    events = [data(JsonObject.of(candidates=(_candidate((part,), ""),), usageMetadata=_usage(usage))) for part in parts]
    return b"".join(events) + data(JsonObject.of(candidates=(_candidate((last,), finish_reason),), usageMetadata=_usage(usage)))


def gemini_body(text: str = "", calls: tuple[RawCall, ...] = (), usage: Usage | None = None) -> bytes:
    """The same reply as the one JSON object that a server sends when it does not stream."""
    parts = (*((JsonObject.of(text=text),) if text else ()), *_called(calls, ""))
    return dumps(JsonObject.of(candidates=(_candidate(parts, "STOP"),), usageMetadata=_usage(usage))).encode()


def _called(calls: tuple[RawCall, ...], signature: str) -> tuple[JsonObject, ...]:
    told = tuple(
        JsonObject.of(functionCall=JsonObject.of(name=call.name, args=loads_untrusted(call.text).value_or(JsonObject()))) for call in calls
    )
    return (told[0].with_member("thoughtSignature", signature), *told[1:]) if told and signature else told


def _candidate(parts: tuple[JsonObject, ...], finish_reason: str) -> JsonObject:
    members: JsonObject = JsonObject.of(content=JsonObject.of(parts=parts, role="model"), index=0)
    return members.with_member("finishReason", finish_reason) if finish_reason else members


def _usage(usage: Usage | None) -> JsonValue:
    told = usage or Usage()
    return JsonObject.of(
        promptTokenCount=told.input_tokens,
        candidatesTokenCount=told.output_tokens - told.reasoning_tokens,
        thoughtsTokenCount=told.reasoning_tokens,
        cachedContentTokenCount=told.cached_tokens,
    )


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]

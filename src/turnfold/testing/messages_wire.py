"""Bytes as servers of Anthropic Messages send them, made from text and calls."""

from __future__ import annotations

from turnfold.core.json import JsonObject, JsonValue, dumps, loads_untrusted
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage


def messages_stream(
    text: str = "",
    calls: tuple[RawCall, ...] = (),
    usage: Usage | None = None,
    *,
    reasoning: str = "",
    signature: str = "",
    stop_reason: str = "",
    piece_chars: int = 4,
) -> bytes:
    """A stream of this reply, deltas of ``piece_chars`` characters each; ``stop_reason`` is what it would have unless one is given.

    >>> messages_stream("Hi").count(b"event: ")
    6
    """
    events = [_started(usage)]
    index = 0
    if reasoning or signature:
        events.append(_block(index, JsonObject.of(type="thinking", thinking="", signature="")))
        events += [_delta(index, "thinking_delta", "thinking", piece) for piece in _pieces(reasoning, piece_chars)]
        events += [_delta(index, "signature_delta", "signature", signature)] if signature else []
        events.append(_closed(index))
        index += 1
    if text:
        events.append(_block(index, JsonObject.of(type="text", text="")))
        events += [_delta(index, "text_delta", "text", piece) for piece in _pieces(text, piece_chars)]
        events.append(_closed(index))
        index += 1
    for number, call in enumerate(calls, index):
        events.append(_block(number, JsonObject.of(type="tool_use", id=f"toolu_{number}", name=call.name, input=JsonObject())))
        events += [_delta(number, "input_json_delta", "partial_json", piece) for piece in ("", *_pieces(call.text, piece_chars))]
        events.append(_closed(number))
    reason = stop_reason or ("tool_use" if calls else "end_turn")
    counted = JsonObject.of(output_tokens=0 if usage is None else usage.output_tokens)
    events.append(event("message_delta", delta=JsonObject.of(stop_reason=reason, stop_sequence=None), usage=counted))
    return b"".join(events) + event("message_stop")


def messages_body(text: str = "", calls: tuple[RawCall, ...] = (), usage: Usage | None = None) -> bytes:
    """The same reply as the one JSON object that a server sends when it does not stream."""
    blocks: list[JsonValue] = [JsonObject.of(type="text", text=text)] if text else []
    for number, call in enumerate(calls):
        blocks.append(
            JsonObject.of(type="tool_use", id=f"toolu_{number}", name=call.name, input=loads_untrusted(call.text).value_or(JsonObject()))
        )
    counted = _read(usage).with_member("output_tokens", 0 if usage is None else usage.output_tokens)
    message = JsonObject.of(type="message", role="assistant", content=tuple(blocks), stop_reason="tool_use" if calls else "end_turn")
    return dumps(message.with_member("usage", counted)).encode()


def event(kind: str, **members: JsonValue) -> bytes:
    r"""One event of the stream.

    >>> event("ping")
    b'event: ping\ndata: {"type":"ping"}\n\n'
    """
    return f"event: {kind}\ndata: {dumps(JsonObject.of(type=kind, **members))}\n\n".encode()


def _started(usage: Usage | None) -> bytes:
    message = JsonObject.of(type="message", role="assistant", content=(), stop_reason=None, usage=_read(usage))
    return event("message_start", message=message)


def _read(usage: Usage | None) -> JsonObject:
    """What was read, as the provider counts: the cached tokens apart."""
    told = usage or Usage()
    fresh = max(told.input_tokens - told.cached_tokens - told.cache_write_tokens, 0)
    return JsonObject.of(
        input_tokens=fresh, cache_read_input_tokens=told.cached_tokens, cache_creation_input_tokens=told.cache_write_tokens, output_tokens=1
    )


def _block(index: int, block: JsonObject) -> bytes:
    return event("content_block_start", index=index, content_block=block)


def _delta(index: int, kind: str, name: str, piece: str) -> bytes:
    return event("content_block_delta", index=index, delta=JsonObject.of(type=kind).with_member(name, piece))


def _closed(index: int) -> bytes:
    return event("content_block_stop", index=index)


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]

"""Bytes as model servers send them, made from text and calls."""

from __future__ import annotations

from collections.abc import Iterable

from turnfold.core.json import JsonObject, JsonValue, dumps
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage

DONE = b"data: [DONE]\n\n"


def chat_stream(
    text: str = "",
    calls: tuple[RawCall, ...] = (),
    usage: Usage | None = None,
    *,
    reasoning: str = "",
    finish_reason: str = "",
    refusal: bool = False,
    piece_chars: int = 4,
) -> bytes:
    """A Chat Completions stream of this reply, deltas of ``piece_chars`` characters each.

    ``finish_reason`` is what the reply would have unless one is given; ``refusal``: the text is the model's refusal.

    >>> chat_stream("Hi").count(b"data: ")
    4
    """
    deltas: list[JsonObject] = [JsonObject.of(role="assistant", content=None if calls and not text else "")]
    deltas += [JsonObject.of(reasoning_content=piece) for piece in pieces(reasoning, piece_chars)]
    said = "refusal" if refusal else "content"
    deltas += [JsonObject(((said, piece),)) for piece in pieces(text, piece_chars)]
    for index, call in enumerate(calls):
        begun = JsonObject.of(index=index, id=f"call_{index}", type="function", function=JsonObject.of(name=call.name, arguments=""))
        deltas.append(JsonObject.of(tool_calls=(begun,)))
        deltas += [_more(index, piece) for piece in pieces(call.text, piece_chars)]
    reason = finish_reason or ("tool_calls" if calls else "stop")
    events = [*(_event(delta, None) for delta in deltas), _event(JsonObject(), reason)]
    if usage is not None:
        events.append(data(JsonObject.of(choices=(), usage=_usage(usage))))
    return b"".join(events) + DONE


def chat_body(text: str = "", calls: tuple[RawCall, ...] = (), usage: Usage | None = None) -> bytes:
    """The same reply as the one JSON object that a server sends when it does not stream."""
    made = tuple(
        JsonObject.of(id=f"call_{index}", type="function", function=JsonObject.of(name=call.name, arguments=call.text))
        for index, call in enumerate(calls)
    )
    message = JsonObject.of(role="assistant", content=text or None)
    message = message.with_member("tool_calls", made) if made else message
    choice = JsonObject.of(index=0, message=message, finish_reason="tool_calls" if calls else "stop")
    members: JsonValue = JsonObject.of(object="chat.completion", choices=(choice,), usage=_usage(usage) if usage else None)
    return dumps(members).encode()


def chunked(data: bytes, sizes: Iterable[int]) -> tuple[bytes, ...]:
    """``data`` cut into chunks of these sizes, the last taking what is left; sizes below 1 give empty chunks.

    >>> chunked(b"abcdef", (1, 2))
    (b'a', b'bc', b'def')
    """
    chunks: list[bytes] = []
    start = 0
    for size in sizes:
        end = start + max(size, 0)
        chunks.append(data[start:end])
        start = end
    return (*chunks, data[start:])


def data(value: JsonValue) -> bytes:
    """One server-sent event that holds ``value``."""
    return f"data: {dumps(value)}\n\n".encode()


def _event(delta: JsonObject, finish_reason: str | None) -> bytes:
    return data(JsonObject.of(choices=(JsonObject.of(index=0, delta=delta, finish_reason=finish_reason),)))


def _more(index: int, piece: str) -> JsonObject:
    return JsonObject.of(tool_calls=(JsonObject.of(index=index, function=JsonObject.of(arguments=piece)),))


def _usage(usage: Usage) -> JsonObject:
    return JsonObject.of(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details=JsonObject.of(cached_tokens=usage.cached_tokens),
        completion_tokens_details=JsonObject.of(reasoning_tokens=usage.reasoning_tokens),
    )


def pieces(text: str, size: int) -> list[str]:
    """``text`` cut into pieces of ``size`` characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]

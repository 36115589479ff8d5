"""Bytes as OpenAI Responses sends them, made from text and calls."""

from __future__ import annotations

from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.usage import Usage
from turnfold.testing.wire import data, pieces


def named(value: JsonObject) -> bytes:
    """One event that is called as its ``type`` says."""
    return f"event: {value['type']}\n".encode() + data(value)


def responses_stream(
    text: str = "",
    calls: tuple[RawCall, ...] = (),
    usage: Usage | None = None,
    *,
    reasoning: str = "",
    refusal: bool = False,
    cut: bool = False,
    piece_chars: int = 4,
) -> bytes:
    """A Responses stream of this reply, deltas of ``piece_chars`` characters each; reasoning comes with its encrypted form.

    >>> responses_stream("Hi").count(b"response.output_text.delta")
    2
    """
    events: list[bytes] = [named(_about("response.created", "in_progress", ()))]
    items: list[JsonObject] = []
    if reasoning:
        summary = (JsonObject.of(type="summary_text", text=reasoning),)
        item = JsonObject.of(type="reasoning", id="rs_0", summary=summary, encrypted_content="c2VhbGVk")
        events += _item(item.with_member("summary", ()), item, "response.reasoning_summary_text.delta", pieces(reasoning, piece_chars), 0)
        items.append(item)
    if text:
        kind = "refusal" if refusal else "output_text"
        part = JsonObject.of(type=kind).with_member("refusal" if refusal else "text", text)
        item = JsonObject.of(type="message", id=f"msg_{len(items)}", role="assistant", status="completed", content=(part,))
        events += _item(item.with_member("content", ()), item, f"response.{kind}.delta", pieces(text, piece_chars), len(items))
        items.append(item)
    for number, call in enumerate(calls):
        item = JsonObject.of(type="function_call", id=f"fc_{number}", call_id=f"call_{number}", name=call.name, arguments=call.text)
        opened = item.with_member("arguments", "")
        events += _item(opened, item, "response.function_call_arguments.delta", pieces(call.text, piece_chars), len(items))
        items.append(item)
    ended = _about("response.incomplete" if cut else "response.completed", "incomplete" if cut else "completed", tuple(items), usage)
    return b"".join((*events, named(ended)))


def _item(opened: JsonObject, item: JsonObject, kind: str, told: list[str], index: int) -> list[bytes]:
    """An item opened, its deltas, and the item done."""
    deltas = (JsonObject.of(type=kind, item_id=item["id"], output_index=index, delta=piece) for piece in told)
    first = JsonObject.of(type="response.output_item.added", output_index=index, item=opened)
    last = JsonObject.of(type="response.output_item.done", output_index=index, item=item)
    return [named(first), *(named(delta) for delta in deltas), named(last)]


def _about(kind: str, status: str, output: tuple[JsonObject, ...], usage: Usage | None = None) -> JsonObject:
    told: JsonValue = None
    if usage is not None:
        told = JsonObject.of(
            input_tokens=usage.input_tokens,
            input_tokens_details=JsonObject.of(cached_tokens=usage.cached_tokens),
            output_tokens=usage.output_tokens,
            output_tokens_details=JsonObject.of(reasoning_tokens=usage.reasoning_tokens),
        )
    why = JsonObject.of(reason="max_output_tokens") if status == "incomplete" else None
    response = JsonObject.of(object="response", status=status, output=output, usage=told, incomplete_details=why)
    return JsonObject.of(type=kind, response=response)

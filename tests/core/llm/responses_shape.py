"""What OpenAI's pages demand of a request of the Responses API, as a checker: the first rule that is broken, or None."""

from __future__ import annotations

import re

from tests.core.llm.recorded import items, member, text_of
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KEYS = frozenset(
    {
        "model", "stream", "store", "instructions", "temperature", "max_output_tokens", "include", "text", "tools", "tool_choice",
        "parallel_tool_calls", "input", "reasoning", "top_p", "metadata", "service_tier", "truncation",
    }
)  # fmt: skip
ITEM_KEYS = {
    "message": {"type", "role", "content", "status", "id", "phase"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "namespace", "status"},
    "function_call_output": {"type", "call_id", "output"},
}
PARTS = {
    "input_text": {"type", "text"},
    "input_image": {"type", "image_url"},
    "output_text": {"type", "text", "annotations"},
    "refusal": {"type", "refusal"},
}
TAKEN_BACK = ("reasoning", "web_search_call", "code_interpreter_call", "tool_search_call", "tool_search_output")


def broken_rule(body: bytes) -> str | None:
    """Which rule a request's body breaks."""
    request = loads_untrusted(body).unwrap()
    assert isinstance(request, JsonObject)
    if unknown := [name for name in request if name not in KEYS]:
        return f"unknown members {unknown}"
    if len(re.findall(rb'^\{"model"|,"(?:model|stream|store|input)":', body)) < 3:
        return "a member is missing"
    for tool in items(request.get("tools")):
        if NAME.fullmatch(text_of(member(tool, "name"))) is None or not isinstance(member(tool, "strict"), bool):
            return f"a tool: {tool}"
    told = items(request.get("input"))
    return next((rule for rule in map(_broken_item, told) if rule), None) or _broken_pairs(told)


def _broken_item(item: JsonValue) -> str | None:
    kind = text_of(member(item, "type"))
    if kind in TAKEN_BACK:
        return None if kind != "reasoning" or member(item, "encrypted_content") else "reasoning that nobody keeps"
    if kind not in ITEM_KEYS or set(item if isinstance(item, JsonObject) else ()) - ITEM_KEYS[kind]:
        return f"an item's members: {item}"
    if kind == "message":
        return _broken_message(item)
    if not text_of(member(item, "call_id")):
        return "a call without an id"
    if kind == "function_call":
        whole = isinstance(loads_untrusted(text_of(member(item, "arguments"))).value_or(None), JsonObject)
        return None if whole and NAME.fullmatch(text_of(member(item, "name"))) else f"a call: {item}"
    return _broken_content(member(item, "output"), ("input_text", "input_image"))


def _broken_message(item: JsonValue) -> str | None:
    role = member(item, "role")
    if role not in ("user", "assistant"):
        return f"a role: {role}"
    content = member(item, "content")
    if role == "assistant":
        return "words of the model that are no parts" if isinstance(content, str) else _broken_content(content, ("output_text", "refusal"))
    return _broken_content(content, ("input_text", "input_image"))


def _broken_content(content: JsonValue, kinds: tuple[str, ...]) -> str | None:
    if isinstance(content, str):
        return None
    for part in items(content):
        kind = text_of(member(part, "type"))
        if kind not in kinds or not isinstance(part, JsonObject) or set(part) != PARTS[kind]:
            return f"a part: {part}"
    return None if items(content) else "no content"


def _broken_pairs(told: tuple[JsonValue, ...]) -> str | None:
    """Each call has its one output, after it."""
    asked: list[str] = []
    for item in told:
        call_id = text_of(member(item, "call_id"))
        if member(item, "type") == "function_call":
            if call_id in asked:
                return f"a call's id twice: {call_id}"
            asked.append(call_id)
        elif member(item, "type") == "function_call_output":
            if call_id not in asked:
                return f"an output of no call: {call_id}"
            asked.remove(call_id)
    return f"calls without outputs: {asked}" if asked else None

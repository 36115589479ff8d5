"""What Anthropic's pages demand of a request, as a checker: the first rule that is broken, or None."""

from __future__ import annotations

import re

from tests.core.llm.recorded import items, member, text_of
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ID = re.compile(r"[a-zA-Z0-9_-]+")
KEYS = frozenset(
    {
        "model", "max_tokens", "stream", "temperature", "tools", "tool_choice", "system", "output_config", "cache_control", "messages",
        "thinking", "metadata", "stop_sequences", "top_k", "top_p", "service_tier",
    }
)  # fmt: skip
BLOCK_KEYS = {
    "text": {"type", "text", "citations", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "tool_use": {"type", "id", "name", "input"},
    "tool_result": {"type", "tool_use_id", "content", "is_error"},
    "image": {"type", "source"},
}


def broken_rule(body: bytes) -> str | None:
    """Which rule a request's body breaks."""
    request = loads_untrusted(body).unwrap()
    assert isinstance(request, JsonObject)
    if unknown := [name for name in request if name not in KEYS]:
        return f"unknown members {unknown}"
    if len(set(request)) != len(request):
        return "a member twice"
    longest, model = request.get("max_tokens"), request.get("model")
    if not (isinstance(longest, int) and longest > 0 and isinstance(model, str) and model):
        return "no max_tokens or model"
    if any(not text_of(member(block, "text")).strip() for block in items(request.get("system"))):
        return "an empty system prompt"
    if len(re.findall(rb'"cache_control"', body)) > 4:
        return "more than four places for the cache"
    if any(NAME.fullmatch(text_of(member(tool, "name"))) is None for tool in items(request.get("tools"))):
        return "a tool's name"
    if any(member(tool, "input_schema", "type") != "object" for tool in items(request.get("tools"))):
        return "a tool's schema"
    messages = items(request.get("messages"))
    if not messages or member(messages[0], "role") != "user":
        return "the first message is not the user's"
    return next((rule for rule in map(_broken_message, messages) if rule), None) or _broken_pairs(messages)


def blocks_of(message: JsonValue) -> tuple[JsonValue, ...]:
    content = member(message, "content")
    return (JsonObject.of(type="text", text=content),) if isinstance(content, str) else items(content)


def _broken_message(message: JsonValue) -> str | None:
    role, blocks = member(message, "role"), blocks_of(message)
    if role not in ("user", "assistant") or set(message if isinstance(message, JsonObject) else ()) != {"role", "content"}:
        return f"a message's members: {message}"
    if not blocks:
        return "a message without content"
    if role == "assistant" and member(blocks[-1], "type") in ("thinking", "redacted_thinking"):
        return "the final block is thinking"
    last = member(blocks[-1], "text")
    if role == "assistant" and isinstance(last, str) and last != last.rstrip():
        return "trailing white space"
    kinds = [member(block, "type") for block in blocks]
    if "tool_result" in kinds and kinds != ["tool_result"] * len(kinds):
        return "text beside results"  # stricter than the API: they must come first
    return next((rule for rule in (_broken_block(block, role) for block in blocks) if rule), None)


def _broken_block(block: JsonValue, role: JsonValue) -> str | None:
    kind = text_of(member(block, "type"))
    own = BLOCK_KEYS.get(kind)
    if own is not None and not set(block if isinstance(block, JsonObject) else ()) <= own:
        return f"members of a block: {block}"
    if own is None and (role == "user" or not kind):
        return f"a block of kind {kind}"
    if kind == "text" and not text_of(member(block, "text")).strip():
        return "blank text"
    if kind == "thinking" and not text_of(member(block, "signature")):
        return "unsigned thinking"
    if kind == "tool_use":
        name, call_id, given = (member(block, key) for key in ("name", "id", "input"))
        good = NAME.fullmatch(text_of(name)) and ID.fullmatch(text_of(call_id)) and isinstance(given, JsonObject)
        return None if good and role == "assistant" else f"a call: {block}"
    if kind == "tool_result":
        content = member(block, "content")
        texts = (
            [content] if isinstance(content, str) else [member(each, "text") for each in items(content) if member(each, "type") == "text"]
        )
        if any(not text_of(text).strip() for text in texts):
            return "blank text in a result"
        if member(block, "is_error") is True and any(member(each, "type") != "text" for each in items(content)):
            return "all content must be type text if is_error is true"
        return None if role == "user" else "a result that the assistant gives"
    if kind == "image":
        source = [member(block, "source", key) for key in ("type", "media_type", "data")]
        return None if source[0] == "base64" and all(source) else "an image's source"
    return None


def _broken_pairs(messages: tuple[JsonValue, ...]) -> str | None:
    """Each call is answered once, in the next message; what the provider ran is answered in the same one; no id comes twice."""
    open_ids: list[JsonValue] = []
    seen: set[JsonValue] = set()
    for message in messages:
        blocks = blocks_of(message)
        answered = [member(block, "tool_use_id") for block in blocks if member(block, "type") == "tool_result"]
        if sorted(map(text_of, answered)) != sorted(map(text_of, open_ids)):
            return f"calls {open_ids}, answers {answered}"
        open_ids = [member(block, "id") for block in blocks if member(block, "type") == "tool_use"]
        if len(set(open_ids)) != len(open_ids) or seen & set(open_ids):
            return "an id twice"
        seen |= set(open_ids)
        ran = [member(block, "id") for block in blocks if text_of(member(block, "type")).endswith("_tool_use")]
        came = [member(block, "tool_use_id") for block in blocks if text_of(member(block, "type")).endswith("_tool_result")]
        if ran != came and sorted(map(text_of, ran)) != sorted(map(text_of, came)):
            return f"the provider ran {ran} and answered {came}"
    return f"calls without answers: {open_ids}" if open_ids else None

"""What OpenAI's pages, and Mistral's, demand of a request of Chat Completions, as a checker: the first rule that is broken, or None."""

from __future__ import annotations

import re
from itertools import pairwise

from tests.core.llm.recorded import items, member, text_of
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ID = re.compile(r"[a-zA-Z0-9]{9}")  # Mistral's; OpenAI takes any
MEMBERS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "reasoning_content"},
    "tool": {"role", "content", "tool_call_id"},
}
PARTS = {"text": {"type", "text"}, "image_url": {"type", "image_url"}}


def broken_rule(body: bytes) -> str | None:
    """Which rule a request's body breaks."""
    request = loads_untrusted(body).unwrap()
    messages = items(member(request, "messages"))
    if not isinstance(request, JsonObject) or not messages or member(request, "stream") is not True:
        return "no messages, or no stream"
    if any(NAME.fullmatch(text_of(member(tool, "function", "name"))) is None for tool in items(request.get("tools"))):
        return "a tool's name"
    return next((rule for rule in map(_broken_message, messages) if rule), None) or _broken_pairs(messages)


def broken_order(body: bytes) -> str | None:
    """Which rule of a server that keeps to an order of roles a request's body breaks."""
    roles = [member(message, "role") for message in items(member(loads_untrusted(body).unwrap(), "messages"))]
    found = ("tool", "user") in pairwise(roles) or any(role == "tool" and before in ("user", "system") for before, role in pairwise(roles))
    return f"an order of roles: {roles}" if found else broken_rule(body)


def _broken_message(message: JsonValue) -> str | None:
    role, content = text_of(member(message, "role")), member(message, "content")
    if not isinstance(message, JsonObject) or role not in MEMBERS or set(message) - MEMBERS[role]:
        return f"a message's members: {message}"
    if role == "user" and not isinstance(content, str):
        odd = next(
            (part for part in items(content) if not isinstance(part, JsonObject) or set(part) != PARTS[text_of(part.get("type"))]), None
        )
        return f"a part: {odd}" if odd is not None or not items(content) else None
    if not isinstance(content, str) and not (role == "assistant" and content is None and items(message.get("tool_calls"))):
        return f"a content: {message}"
    for call in items(message.get("tool_calls")):
        whole = isinstance(loads_untrusted(text_of(member(call, "function", "arguments"))).value_or(None), JsonObject)
        if not whole or NAME.fullmatch(text_of(member(call, "function", "name"))) is None or member(call, "type") != "function":
            return f"a call: {call}"
    return None


def _broken_pairs(messages: tuple[JsonValue, ...]) -> str | None:
    """The calls of a message are answered, all and in no other place, by the messages behind it."""
    waiting: list[str] = []
    for message in messages:
        if member(message, "role") == "tool":
            call_id = text_of(member(message, "tool_call_id"))
            if call_id not in waiting or ID.fullmatch(call_id) is None:
                return f"an output of no call: {call_id}"
            waiting.remove(call_id)
        elif waiting:
            return f"calls without outputs: {waiting}"
        waiting += [text_of(member(call, "id")) for call in items(member(message, "tool_calls"))]
    return f"calls without outputs: {waiting}" if waiting else None

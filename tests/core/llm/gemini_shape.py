"""What Google's pages demand of a request, as a checker: the first rule that is broken, or None."""

from __future__ import annotations

import re

from tests.core.llm.recorded import items, member, text_of
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
KEYS = frozenset({"systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent", "contents"})
DATA = ("text", "functionCall", "functionResponse", "inlineData", "executableCode", "codeExecutionResult", "toolCall", "toolResponse")


def broken_rule(body: bytes) -> str | None:
    """Which rule a request's body breaks."""
    request = loads_untrusted(body).unwrap()
    assert isinstance(request, JsonObject)
    if unknown := [name for name in request if name not in KEYS]:
        return f"unknown members {unknown}"
    declared = [each for tool in items(request.get("tools")) for each in items(member(tool, "functionDeclarations"))]
    if any(NAME.fullmatch(text_of(member(each, "name"))) is None for each in declared):
        return "a tool's name"
    if not all(isinstance(member(each, "parametersJsonSchema"), JsonObject) for each in declared):
        return "a tool's schema"
    contents = items(request.get("contents"))
    if not contents or member(contents[0], "role") != "user":
        return "the first content is not the user's"
    return next((rule for rule in map(_broken_content, contents) if rule), None) or _broken_pairs(contents)


def _broken_content(content: JsonValue) -> str | None:
    role, parts = member(content, "role"), items(member(content, "parts"))
    if role not in ("user", "model") or set(content if isinstance(content, JsonObject) else ()) != {"role", "parts"}:
        return f"a content's members: {content}"
    if not parts:
        return "a content without parts"
    kinds = [next((name for name in DATA if member(part, name) is not None), "") for part in parts]
    if "" in kinds:
        return f"a part without data: {parts}"
    if "functionResponse" in kinds and kinds != ["functionResponse"] * len(kinds):
        return "something else beside responses"
    if role == "user" and any(member(part, "thoughtSignature") for part in parts):
        return "a signature that is the user's"
    calls = [part for part in parts if member(part, "functionCall")]
    if calls and not text_of(member(calls[0], "thoughtSignature")):
        return "the first call has no signature"
    for part, kind in zip(parts, kinds, strict=True):
        if kind == "text" and not text_of(member(part, "text")).strip() and not member(part, "thoughtSignature"):
            return "blank text"
        if kind == "functionCall" and (role != "model" or not isinstance(member(part, "functionCall", "args"), JsonObject)):
            return f"a call: {part}"
        if kind == "functionResponse" and (role != "user" or not isinstance(member(part, "functionResponse", "response"), JsonObject)):
            return f"a response: {part}"
    return None


def _named(content: JsonValue, key: str) -> list[tuple[str, str]]:
    return [
        (text_of(member(part, key, "id")), text_of(member(part, key, "name")))
        for part in items(member(content, "parts"))
        if member(part, key)
    ]


def _broken_pairs(contents: tuple[JsonValue, ...]) -> str | None:
    """Each call is answered once, by id and name, in the next content; calls follow the user's words or responses."""
    asked: list[tuple[str, str]] = []
    seen: set[str] = set()
    before: JsonValue = None
    for content in contents:
        answered, calls = _named(content, "functionResponse"), _named(content, "functionCall")
        if answered != asked:
            return f"calls {asked}, responses {answered}"
        if calls and member(before, "role") != "user":
            return "function call turn comes immediately after a user turn or after a function response turn"
        ids = [call_id for call_id, _ in calls]
        if len(set(ids)) != len(ids) or seen & set(ids) or not all(NAME.fullmatch(name) for _, name in calls):
            return f"ids or names of calls: {calls}"
        asked, before = calls, content
        seen |= set(ids)
    return f"calls without responses: {asked}" if asked else None

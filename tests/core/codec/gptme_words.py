"""gptme's config in turnfold's words: a small table for the recorded cases, so that they run through turnfold's own reader and layers."""

from __future__ import annotations

from collections.abc import Mapping

Words = dict[str, object]

# Keys of gptme that turnfold has no setting for: left out of a case, unless they are of the wrong type (then the reader has to refuse).
SECTIONS = ("rag", "agent", "lessons", "context", "context_selector", "plugins", "plugin", "architect", "subagent", "settings", "hooks")
MCP_SWITCH = ("auto_start", "enabled")
CHAT_ONLY = ("stream", "interactive", "gear", "name")
PROMPT_ONLY = ("project", "system")
VARIABLES = (("MODEL", "model"), ("TOOL_FORMAT", "tool_format"), ("TOOL_ALLOWLIST", "tools"))
FORMATS = (("tool", "native"), ("markdown", "markdown"))


def in_turnfolds_words(said: Mapping[str, object]) -> Words:
    """What a file of gptme's says, as a file of turnfold's."""
    words: Words = {}
    for name in sorted(said, key=lambda name: name == "prompt"):  # the base prompt comes first
        words = _laid(words, _section(name, said[name]))
    about = _of_table(said.get("prompt"), "about_user"), _of_table(said.get("prompt"), "response_preference")
    user = {name: value for name, value in zip(("about", "style"), about, strict=True) if value is not None}
    own = words.get("user")
    return {**words, "user": {**user, **own} if isinstance(own, dict) else user} if user else words


def _laid(words: Words, more: Words) -> Words:
    """Both; texts of ``instructions`` one after the other, tables as one."""
    whole = dict(words)
    for name, value in more.items():
        old = whole.get(name)
        if name == "instructions" and isinstance(old, str):
            whole[name] = f"{old}\n\n{value}"
        else:
            whole[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return whole


def _section(name: str, value: object) -> Words:
    if name in SECTIONS and isinstance(value, dict):
        return {}
    if name == "env" and isinstance(value, dict):
        return _environment(value)
    if name == "mcp" and isinstance(value, dict) and isinstance(value.get("servers", []), list):
        return {"mcp": _servers(value)}
    if name == "chat" and isinstance(value, dict):
        return {each: _plain(each, inner) for each, inner in value.items() if each not in CHAT_ONLY}
    if name == "user" and isinstance(value, dict):
        return {"user": {"style" if each == "response_preference" else each: inner for each, inner in value.items()}}
    if name == "prompt" and isinstance(value, dict):
        kept = {each: inner for each, inner in value.items() if each == "files"}
        return {"prompt": kept} if kept else {}
    return _text(name, value)


def _text(name: str, value: object) -> Words:
    if name in ("prompt", "base_prompt"):
        return {"instructions": value}
    if name == "files":
        return {"prompt": {"files": value}}
    if name == "context_cmd":
        return {"prompt": {"commands": [value]}}
    if name == "exclude":
        return {}
    return {"environment" if name == "env" else name: value}


def _environment(said: Mapping[str, object]) -> Words:
    names = dict(VARIABLES)
    words: Words = {names[name]: _plain(names[name], value) for name, value in said.items() if name in names}
    return {**words, "environment": {name: value for name, value in said.items() if name not in names}}


def _plain(name: str, value: object) -> object:
    if name == "tool_format":
        return dict(FORMATS).get(str(value), value)
    if name == "tools" and isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _servers(said: Mapping[str, object]) -> Words:
    """``[[mcp.servers]]`` as named tables; turnfold has no switch for all of a file's, so each is off where all are."""
    names = {"args": "arguments", "env": "environment"}
    servers = said.get("servers", [])
    assert isinstance(servers, list)
    off = {"enabled": False} if said.get("enabled") is False else {}
    return {each["name"]: {names.get(key, key): inner for key, inner in each.items() if key != "name"} | off for each in servers}


def _of_table(table: object, name: str) -> object:
    return table.get(name) if isinstance(table, dict) else None

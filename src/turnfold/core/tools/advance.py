"""Asking a tool what it needs next, whatever its code does."""

from __future__ import annotations

from returns.result import Failure

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, freeze, scalar_text
from turnfold.core.problem import Blame, Problem, model_problem, near_misses
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.soundness import sound_images, sound_request
from turnfold.core.tools.spec import Call, Done, Need, Next, Refuse, ToolSpec

SHOWN_CHARS = 80  # of a name that is none


def unknown_tool(name: str, tools: tuple[ToolSpec, ...]) -> Problem:
    """There is no tool of that name; names those that look like it (whatever their case), else all.

    >>> unknown_tool("Shell", ()).message
    'There is no tool "Shell", and no other.'
    """
    shown = name if len(name) <= SHOWN_CHARS else name[:SHOWN_CHARS] + "…"
    names = tuple(tool.name for tool in tools)
    if not names:
        return model_problem("unknown-tool", f'There is no tool "{shown}", and no other.')
    near = near_misses(name, names)
    if near:
        return model_problem("unknown-tool", f'There is no tool "{shown}". Did you mean {" or ".join(near)}?')
    return model_problem("unknown-tool", f'There is no tool "{shown}". The tools are: {", ".join(names)}.')


def advance_untrusted(name: str, tool: ToolSpec | None, call: Call, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Next:
    """What ``tool`` says, as a value that can be trusted to be a ``Next``: the code of a tool may be anyone's.

    Arguments are checked against the schema before the first round. An exception, or an answer of another type, is a
    refusal with the tool to blame.
    """
    if tool is None:
        return Refuse(unknown_tool(name, tools))
    if not call.exchanges:
        checked = check_untrusted(call.arguments, tool.parameters)
        if isinstance(checked, Failure):
            return Refuse(checked.failure())
    try:
        return _sound(name, tool.advance(call, cfg))
    except Exception as error:  # noqa: BLE001 - a tool's code is outside code: whatever it raises is data here
        return Refuse(_broken(name, f"raised {_told(error)}"))


def _told(error: Exception) -> str:
    try:
        return scalar_text(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 - an exception's own text is the tool's code, too
        return type(error).__name__


def _sound(name: str, due: object) -> Next:
    """``due`` where it is all that a ``Next`` says it is; nothing has checked the code that made it."""
    if isinstance(due, Need):
        sound = _is(due.requests, tuple) and bool(due.requests) and all(map(sound_request, due.requests))
        return due if sound else Refuse(_broken(name, "asked for nothing that can be performed"))
    if isinstance(due, Done):
        return _sound_end(name, due)
    if isinstance(due, Refuse) and _is(due.problem, Problem):
        return due
    return Refuse(_broken(name, f"returned {type(due).__name__}" if not isinstance(due, Refuse) else "refused without a Problem"))


def _sound_end(name: str, done: Done) -> Next:
    if not (_is(done.text, str) and _is(done.ok, bool) and _is(done.ends, bool) and _is(done.memory, JsonObject, type(None))):
        return Refuse(_broken(name, "ended with something that is no text"))
    try:
        memory = None if done.memory is None else freeze(done.memory)
    except ValueError as error:
        return Refuse(_broken(name, f"wants to remember what is no JSON: {error}"))
    images = done.images if sound_images(done.images) else ()
    return Done(scalar_text(done.text), memory if isinstance(memory, JsonObject) else None, done.ok, images, done.ends)


def _is(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds)


def _broken(name: str, what: str) -> Problem:
    message = f"The tool {name} {what}. This is a fault of the tool: go on without it, or tell the user."
    return Problem(code="tool-failed", message=message, blame=Blame.TOOL)

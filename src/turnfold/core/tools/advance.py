"""Asking a tool what it needs next, whatever its code does."""

from __future__ import annotations

from returns.result import Failure

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Blame, Problem, model_problem
from turnfold.core.tools.near import near_misses
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.spec import Call, Done, Need, Next, Refuse, ToolSpec
from turnfold.core.world.requests import WorldRequest

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
        due: object = tool.advance(call, cfg)
    except Exception as error:  # noqa: BLE001 - a tool's code is outside code: whatever it raises is data here
        return Refuse(_broken(name, f"raised {type(error).__name__}: {error}"))
    if isinstance(due, Need):
        sound = bool(due.requests) and all(isinstance(request, WorldRequest) for request in due.requests)
        return due if sound else Refuse(_broken(name, "asked for nothing that can be performed"))
    if isinstance(due, Done):
        sound = all(isinstance(part, kind) for part, kind in _parts(due))
        return due if sound else Refuse(_broken(name, "ended with something that is no text"))
    return due if isinstance(due, Refuse) else Refuse(_broken(name, f"returned {type(due).__name__}"))


def _parts(done: Done) -> tuple[tuple[object, tuple[type, ...]], ...]:
    """What a ``Done`` holds, with what it must be: nothing has checked the code that made it."""
    return ((done.text, (str,)), (done.memory, (JsonObject, type(None))), (done.ok, (bool,)))


def _broken(name: str, what: str) -> Problem:
    message = f"The tool {name} {what}. This is a fault of the tool: go on without it, or tell the user."
    return Problem(code="tool-failed", message=message, blame=Blame.TOOL)

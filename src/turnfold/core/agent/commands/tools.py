"""Calls of tools by a person: ``/TOOL args``, a call as a value, the same calls again, and calls that are spoken as the model.

``/TOOL args``: the first words are the tool's header parameters, the rest is its body; or ``/TOOL --json {…}`` with the
arguments as JSON.
"""

from __future__ import annotations

import re

from attrs import evolve
from returns.result import Failure, Result, Success

from turnfold.core.agent.commands.command import Command, busy, or_near, parted, refuse, wrong
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.events import CallCommanded, Impersonated
from turnfold.core.agent.ids import place
from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import format_of
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, BrokenCall, ToolCall
from turnfold.core.json import JsonObject, dumps, freeze, loads_untrusted
from turnfold.core.llm.call_format import parse
from turnfold.core.problem import Blame, Problem, caller_problem
from turnfold.core.tools.output import counted
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.spec import ToolSpec

JSON_FLAG = "--json"
FLAGGED = re.compile(r"--json(?=[\s{]|\Z)")
MOST_REPLAYED = 50  # calls of one round


def usage(tool: ToolSpec) -> str:
    """How a call of ``tool`` is written as a command."""
    words = [name.upper() for name in (*tool.header, tool.body) if name]
    return f"/{tool.name} {' '.join(words) or JSON_FLAG + ' {…}'}"


def call_line(draft: Draft, line: str, rest: str, tool: ToolSpec) -> Draft:
    """The draft with ``tool`` called as ``line`` says, whose text after the name is ``rest``."""
    read = read_arguments_untrusted(tool, rest)
    if isinstance(read, Failure):
        return refuse(draft, read.failure())
    return _call(draft, line, ToolCall(tool.name, read.unwrap()), tool)


def call_value(draft: Draft, call: ToolCall, tool: ToolSpec) -> Draft:
    """The draft with ``tool`` called by a value, whose arguments nothing has read yet."""
    try:
        arguments = freeze(call.arguments)
    except ValueError as error:
        return wrong(draft, f"The arguments of {tool.name} are no JSON: {error}.", "bad-arguments")
    sound = ToolCall(tool.name, arguments if isinstance(arguments, JsonObject) else JsonObject())
    return _call(draft, f"/{tool.name} {JSON_FLAG} {dumps(sound.arguments)}", sound, tool)


def _call(draft: Draft, line: str, call: ToolCall, tool: ToolSpec) -> Draft:
    if draft.past.turn is not None:
        return busy(draft, call.name)
    checked = check_untrusted(call.arguments, tool.parameters)
    if isinstance(checked, Failure):
        return refuse(draft, _misfit(tool, call.arguments, checked.failure()))
    return draft.record(CallCommanded(line, call, draft.at_ms))


def _misfit(tool: ToolSpec, arguments: JsonObject, problem: Problem) -> Problem:
    """``problem`` of a call that a person commanded; where a part of the command is missing, how it is written."""
    required = tool.parameters.get("required")
    missing = tuple(
        name.upper() for name in (*tool.header, tool.body) if isinstance(required, tuple) and name in required and name not in arguments
    )
    if not missing:
        return evolve(problem, blame=Blame.CALLER)
    return caller_problem("bad-arguments", f"/{tool.name} needs {' and '.join(missing)}: write  {usage(tool)}")


def read_arguments_untrusted(tool: ToolSpec, text: str) -> Result[JsonObject, Problem]:
    """The arguments that a command line gives to ``tool``.

    >>> from turnfold.core.tools.builtin import BUILTIN_TOOLS
    >>> read_arguments_untrusted(BUILTIN_TOOLS[1], "a.txt hello world").unwrap()
    JsonObject.of(path='a.txt', content='hello world')
    """
    rest = text.strip()
    if FLAGGED.match(rest) or not (tool.header or tool.body):
        parsed = loads_untrusted(rest.removeprefix(JSON_FLAG).strip() or "{}").map(
            lambda value: value if isinstance(value, JsonObject) else None
        )
        arguments = parsed.value_or(None)
        if arguments is None:
            wants = f"{JSON_FLAG} wants" if FLAGGED.match(rest) else "takes its arguments as"
            return Failure(caller_problem("bad-arguments", f"/{tool.name} {wants} a JSON object: {usage(tool)}"))
        return Success(arguments)
    members: tuple[tuple[str, str], ...] = ()
    for index, name in enumerate(tool.header):
        last = index == len(tool.header) - 1 and not tool.body
        word, rest = (rest, "") if last else parted(rest.lstrip())
        members = (*members, (name, word)) if word else members
    return Success(JsonObject((*members, (tool.body, rest)) if tool.body and rest else members))


def _replay(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if draft.past.turn is not None:
        return busy(draft, "replay")
    rounds = _rounds(draft.past)
    calls = tuple(call for made in rounds for call in made)
    if not calls:
        return wrong(draft, "No tool was called yet, so there is nothing to call again.", "nothing-to-replay")
    names = tuple(dict.fromkeys(call.name for call in calls))
    wanted = rounds[-1] if rest in ("", "last") else calls if rest == "all" else tuple(call for call in calls if call.name == rest)
    if not wanted:
        near = or_near(rest, ("last", "all", *names))
        return wrong(draft, f"/replay takes last, all, or the name of a tool that was called ({', '.join(names)}), not {rest[:40]!r}{near}")
    if len(wanted) > MOST_REPLAYED:
        return wrong(
            draft, f"These are {counted(len(wanted), 'call')}, and /replay makes at most {MOST_REPLAYED}: name a tool, or write last."
        )
    return draft.record(CallCommanded(f"/replay {rest}".rstrip(), wanted[0], draft.at_ms, wanted[1:], ask=True))


def _rounds(past: Past) -> tuple[tuple[ToolCall, ...], ...]:
    """The calls that could be read, of each reply that has such, in order."""
    made = (
        tuple(call for call in message.calls if isinstance(call, ToolCall)) for message in past.log if isinstance(message, AssistantMessage)
    )
    return tuple(calls for calls in made if calls)


def _impersonate(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if not rest:
        return wrong(draft, "/impersonate wants what the model shall have said: write  /impersonate TEXT")
    if draft.past.turn is not None:
        return busy(draft, "impersonate")
    format = format_of(cfg)
    calls = parse(rest, ToolFormat.MARKDOWN if format is ToolFormat.NATIVE else format, tools)
    for call in calls:
        if isinstance(call, BrokenCall):
            return refuse(draft, evolve(call.problem, blame=Blame.CALLER))
    message = AssistantMessage(text=rest, place=place(draft.past.turns + 1, 0), calls=calls)
    return draft.record(Impersonated(message, draft.at_ms))


REPLAY = Command(
    name="replay",
    arguments="[last|all|TOOL]",
    help="Call the tools of the last round again, or of all rounds, or one tool as often as it was called.\n"
    "It is one round; you are asked as if the model called them.",
    run=_replay,
)
IMPERSONATE = Command(
    name="impersonate",
    arguments="TEXT",
    help="Speak as the model.\nCalls in it (blocks, or elements where the format is xml) are made, and you are asked as if the model made them.",
    run=_impersonate,
)

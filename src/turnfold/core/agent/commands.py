"""Commands: what a person can have done besides talking, as a table of names, arguments, help and pure operations.

``/TOOL args`` calls a tool, for every tool: the first words are its header parameters, the rest is its body; or
``/TOOL --json {…}`` with the arguments as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias, final

from attrs import evolve, frozen
from returns.result import Failure, Result, Success

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Notice, Publish
from turnfold.core.agent.events import CallCommanded, Reconfigured, Rewound
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.models import find_provider
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject, dumps, freeze, loads_untrusted, scalar_text
from turnfold.core.problem import Blame, Problem, caller_problem, near_misses
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.spec import ToolSpec, find_tool

Operation: TypeAlias = Callable[[Draft, str, tuple[ToolSpec, ...], ChatConfig], Draft]

JSON_FLAG = "--json"
FLAGGED = re.compile(r"--json(?=[\s{]|\Z)")
SPACE = re.compile(r"\s")


@final
@frozen(kw_only=True)
class Command:
    """A command as data. ``run`` takes the draft and the text after the name."""

    name: str
    arguments: str
    help: str
    run: Operation


def refuse(draft: Draft, problem: Problem) -> Draft:
    """The draft as it was, with the Problem published."""
    return draft.act(Publish(problem))


def _notice(draft: Draft, text: str) -> Draft:
    return draft.act(Publish(Notice(text)))


def _help(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    rows = [(f"/{command.name} {command.arguments}".rstrip(), command.help) for command in COMMANDS]
    rows += [(_usage(tool), tool.description.partition("\n")[0]) for tool in tools]
    width = max(len(usage) for usage, _ in rows)
    return _notice(draft, "\n".join(f"{usage:{width}}  {text}" for usage, text in rows))


def _usage(tool: ToolSpec) -> str:
    words = [name.upper() for name in (*tool.header, tool.body) if name]
    return f"/{tool.name} {' '.join(words) or JSON_FLAG + ' {…}'}"


def _tools(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    rows = [f"{tool.name}: {tool.description.partition(chr(10))[0]}" for tool in tools]
    return _notice(draft, "\n".join(rows) or "There are no tools.")


def _undo(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    count = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 7 else 0 if rest else 1
    marks = draft.past.marks
    if count < 1:
        return refuse(draft, caller_problem("bad-argument", f"/undo takes how many turns to take back, not {rest!r}."))
    if draft.past.turn is not None:
        return refuse(draft, _busy("undo"))
    if not len(marks):
        return refuse(draft, caller_problem("nothing-to-undo", "There is no turn to take back."))
    to = marks[max(len(marks) - count, 0)].turn
    taken = min(count, len(marks))
    return _notice(
        draft.record(Rewound(to, draft.at_ms)),
        f"Took back {taken} turn{'s' if taken > 1 else ''}; files and commands are as they were left.",
    )


def _model(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if not rest:
        return _notice(draft, f"The model is {cfg.model or 'not chosen'}.")
    change = Overrides(model=rest)
    found = find_provider(evolve(cfg, overrides=(change, *cfg.overrides)))
    if isinstance(found, Problem):
        return refuse(draft, found)
    return _notice(draft.record(Reconfigured(change, draft.at_ms)), f"The model is now {rest}.")


COMMANDS: tuple[Command, ...] = (
    Command(name="help", arguments="", help="List the commands.", run=_help),
    Command(name="tools", arguments="", help="List the tools.", run=_tools),
    Command(name="undo", arguments="[N]", help="Take back the last turn, or the last N.", run=_undo),
    Command(name="model", arguments="[PROVIDER/NAME]", help="Say which model is used, or use another from now on.", run=_model),
)


def _busy(what: str) -> Problem:
    return caller_problem("busy", f"A turn is running, so /{what} can't be done now. Wait for its end, or interrupt it.")


def command_given(draft: Draft, command: str | ToolCall, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The draft with ``command`` done; an unknown or malformed one publishes a Problem and changes nothing."""
    if isinstance(command, ToolCall):
        return _call_given(draft, command, tools)
    line = scalar_text(command).strip()
    name, rest = _parted(line.removeprefix("/"))
    if not line.startswith("/") or not name:
        return refuse(
            draft, caller_problem("not-a-command", f"A command starts with / and a name, unlike {line[:40]!r}. /help lists them.")
        )
    for known in COMMANDS:
        if known.name == name:
            return known.run(draft, rest.strip(), tools, cfg)
    tool = find_tool(tools, name)
    if tool is None:
        return refuse(draft, _unknown(name, tools))
    read = read_arguments_untrusted(tool, rest)
    if isinstance(read, Failure):
        return refuse(draft, read.failure())
    return _call(draft, line, ToolCall(name, read.unwrap()), tools)


def _parted(text: str) -> tuple[str, str]:
    """The first word of ``text``, and what follows the one space or newline behind it."""
    match SPACE.split(text, 1):
        case [word, rest]:
            return word, rest
        case _:
            return text, ""


def _call_given(draft: Draft, call: ToolCall, tools: tuple[ToolSpec, ...]) -> Draft:
    """The draft with a call given as a value, whose arguments nothing has read yet."""
    name = scalar_text(call.name)
    try:
        arguments = freeze(call.arguments)
    except ValueError as error:
        return refuse(draft, caller_problem("bad-arguments", f"The arguments of {name} are no JSON: {error}."))
    sound = ToolCall(name, arguments if isinstance(arguments, JsonObject) else JsonObject())
    return _call(draft, f"/{name} {JSON_FLAG} {dumps(sound.arguments)}", sound, tools)


def _unknown(name: str, tools: tuple[ToolSpec, ...]) -> Problem:
    names = [*(known.name for known in COMMANDS), *(tool.name for tool in tools)]
    near = near_misses(name, names)
    meant = " Did you mean " + " or ".join(f"/{each}" for each in near) + "?" if near else ""
    return caller_problem("unknown-command", f"There is no command /{name[:40]}.{meant} /help lists them.")


def _call(draft: Draft, line: str, call: ToolCall, tools: tuple[ToolSpec, ...]) -> Draft:
    if draft.past.turn is not None:
        return refuse(draft, _busy(call.name))
    tool = find_tool(tools, call.name)
    if tool is None:
        return refuse(draft, _unknown(call.name, tools))
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
    return caller_problem("bad-arguments", f"/{tool.name} needs {' and '.join(missing)}: write  {_usage(tool)}")


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
            return Failure(caller_problem("bad-arguments", f"/{tool.name} {JSON_FLAG} wants a JSON object: /{_usage(tool)[1:]}"))
        return Success(arguments)
    members: tuple[tuple[str, str], ...] = ()
    for index, name in enumerate(tool.header):
        last = index == len(tool.header) - 1 and not tool.body
        word, rest = (rest, "") if last else _parted(rest.lstrip())
        members = (*members, (name, word)) if word else members
    return Success(JsonObject((*members, (tool.body, rest)) if tool.body and rest else members))

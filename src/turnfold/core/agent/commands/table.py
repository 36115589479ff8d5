"""The table of all commands, and what a command line means: a command by its name, else a tool by its name."""

from __future__ import annotations

from turnfold.core.agent.commands import config, deciding, history, settings, telling
from turnfold.core.agent.commands import tools as calling
from turnfold.core.agent.commands.command import Command, columns, parted, refuse, tell, wrong
from turnfold.core.agent.draft import Draft
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject, dumps, scalar_text
from turnfold.core.problem import Problem, caller_problem, near_misses
from turnfold.core.tools.spec import ToolSpec, find_tool
from turnfold.core.tools.textlines import clipped

LINE_CHARS = 100  # of a tool's description in the list


def command_given(draft: Draft, command: str | ToolCall, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The draft with ``command`` done; an unknown or malformed one publishes a Problem and changes nothing."""
    if isinstance(command, ToolCall):
        name = scalar_text(command.name)
        tool = find_tool(tools, name)
        return refuse(draft, _unknown(name, tools)) if tool is None else calling.call_value(draft, command, tool)
    line = scalar_text(command).strip()
    name, rest = parted(line.removeprefix("/"))
    if not line.startswith("/") or not name:
        return wrong(draft, f"A command starts with / and a name, unlike {line[:40]!r}. /help lists them.", "not-a-command")
    known = find_command(name)
    if known is not None and rest.strip() and not known.arguments:
        return wrong(draft, f"/{known.name} takes nothing, so not {clipped(rest.strip(), 40)!r} either: write  /{known.name}")
    if known is not None:
        return known.run(draft, rest.strip(), tools, cfg)
    tool = find_tool(tools, name)
    return refuse(draft, _unknown(name, tools)) if tool is None else calling.call_line(draft, line, rest, tool)


def find_command(name: str) -> Command | None:
    """The command of this name or alias, without the slash.

    >>> find_command("quit").name
    'exit'
    """
    return next((known for known in COMMANDS if name == known.name or name in known.aliases), None)


def asks_model(command: str | ToolCall) -> bool:
    """Whether what ``command`` begins may ask a model.

    >>> asks_model("/retry"), asks_model("/undo 2"), asks_model("hello")
    (True, False, False)
    """
    if isinstance(command, ToolCall) or not command.lstrip().startswith("/"):
        return False
    known = find_command(parted(command.strip().removeprefix("/"))[0])
    return known is not None and known.asks_model


def _unknown(name: str, tools: tuple[ToolSpec, ...]) -> Problem:
    names = (*(name for known in COMMANDS for name in (known.name, *known.aliases)), *(tool.name for tool in tools))
    near = near_misses(name, names)
    meant = " Did you mean " + " or ".join(f"/{each}" for each in near) + "?" if near else ""
    return caller_problem("unknown-command", f"There is no command /{name[:40]}.{meant} /help lists them.")


def _help(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    if not rest:
        commands = tuple((known.usage, known.help.partition("\n")[0]) for known in COMMANDS)
        called = tuple((calling.usage(tool), clipped(tool.description.partition("\n")[0], LINE_CHARS)) for tool in tools)
        return tell(draft, columns((*commands, *called)))
    name = rest.removeprefix("/")
    known, tool = find_command(name), find_tool(tools, name)
    if known is not None:
        also = f"\nAlso: {', '.join(f'/{alias}' for alias in known.aliases)}" if known.aliases else ""
        return tell(draft, f"{known.usage}\n{known.help}{also}")
    if tool is not None:
        return tell(draft, f"{calling.usage(tool)}\n{tool.description}\n{calling.JSON_FLAG} takes: {dumps(_parameters(tool))}")
    return refuse(draft, _unknown(name, tools))


def _parameters(tool: ToolSpec) -> JsonObject:
    found = tool.parameters.get("properties")
    return found if isinstance(found, JsonObject) else tool.parameters


HELP = Command(name="help", arguments="[COMMAND]", help="List the commands, or say all about one.", run=_help)

COMMANDS: tuple[Command, ...] = (
    HELP,
    telling.TOOLS,
    settings.MODEL,
    settings.AGENT,
    config.CONFIG,
    deciding.DECIDE,
    settings.ALLOW,
    settings.PERMISSION,
    history.UNDO,
    history.REDO,
    history.REWIND,
    history.EDIT,
    history.RETRY,
    history.FORK,
    history.COMPACT,
    calling.REPLAY,
    calling.IMPERSONATE,
    telling.LOG,
    telling.TRACE,
    telling.TOKENS,
    telling.COST,
    telling.EXPORT,
    settings.RENAME,
    telling.EXIT,
)

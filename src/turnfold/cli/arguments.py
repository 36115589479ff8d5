"""From argv to what is to be done. Pure, and of the standard library alone, so that ``--help`` waits for nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple, NoReturn, TypeAlias

from typing_extensions import override

from turnfold.cli.exits import Exit

WIDTH = 100

EPILOG = """\
other commands:
  turnfold list [--json]      the conversations that are kept, the last one first
  turnfold show ID [--json]   one of them, to read (or its events as JSON Lines)
  turnfold models [PATTERN]   which model would be used and why, and the models that are known (--all, --json)
  turnfold doctor             what turnfold found on this machine, and which model it would use

  A prompt that is one of these words alone goes after --:  turnfold -- list
  A prompt that starts with / is a command, such as  turnfold '/shell ls'  or  turnfold /help;  a space before the / makes it text.

  Standard input, when it is no terminal, is read as context:  git diff | turnfold "review this"

permission:
  Reading in the workspace needs none. Everything else is shown first and asked for on the terminal, unless --yes is given or a rule
  of config.toml allows it. With no terminal (or with --json) the question stays open, and the command ends with exit code 3.

settings:
  config.toml in the config folder (turnfold doctor says where), turnfold.toml in the workspace or above, and TURNFOLD_MODEL,
  TURNFOLD_TEMPERATURE, TURNFOLD_MAX_TOKENS, TURNFOLD_TOOLS, TURNFOLD_TOOL_FORMAT, TURNFOLD_INSTRUCTIONS; TURNFOLD_HOME moves all folders.

exit codes:
  0 done · 1 failed · 2 wrong arguments or config · 3 waits for permission · 4 limit reached · 130 interrupted
"""


class Talk(NamedTuple):
    """Say something in a conversation. ``resume``: None starts one, empty goes on with the last one of the workspace."""

    prompt: str = ""
    files: tuple[str, ...] = ()
    yes: bool = False
    dry_run: bool = False
    json: bool = False
    model: str = ""
    tools: tuple[str, ...] | None = None
    workspace: str = ""
    resume: str | None = None
    name: str = ""


class Listing(NamedTuple):
    """List the conversations."""

    json: bool = False


class Showing(NamedTuple):
    """Show one conversation."""

    conversation: str
    json: bool = False


class Checkup(NamedTuple):
    """Say what is found on this machine."""

    workspace: str = ""


class ModelList(NamedTuple):
    """Say which model would be used, and which are known."""

    pattern: str = ""
    json: bool = False
    everything: bool = False
    workspace: str = ""


class Version(NamedTuple):
    """Say the version."""


class Told(NamedTuple):
    """Nothing to do but to say this: the help, or what was wrong with the arguments."""

    text: str
    code: Exit


Plan: TypeAlias = Talk | Listing | Showing | ModelList | Checkup | Version | Told


class _UsageError(Exception):
    """The arguments are wrong."""


class _Parser(argparse.ArgumentParser):
    """A parser that raises in place of printing and leaving."""

    def __init__(self, prog: str, usage: str, epilog: str = "") -> None:
        super().__init__(prog=prog, usage=usage, epilog=epilog, add_help=False, allow_abbrev=False, formatter_class=_wide)
        self.color = False  # Python 3.14 colours the help by the environment
        self.add_argument("-h", "--help", action="store_true", help="show this and exit")

    @override
    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)


def _wide(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=WIDTH)


def parse_arguments(argv: Sequence[str]) -> Plan:
    """What ``argv`` (without the program's name) asks for; never raises.

    >>> parse_arguments(["hi", "a.txt", "--yes"])
    Talk(prompt='hi', files=('a.txt',), yes=True, dry_run=False, json=False, model='', tools=None, workspace='', resume=None, name='')
    >>> parse_arguments(["list"]), parse_arguments(["--", "list"]).prompt
    (Listing(json=False), 'list')
    """
    first = argv[0] if argv else ""
    parsers = {"list": _listing, "show": _showing, "models": _models, "doctor": _checkup}
    try:
        return parsers[first](argv[1:]) if first in parsers else _talk(argv)
    except _UsageError as error:
        command = f"turnfold {first}" if first in parsers else "turnfold"
        sentence = str(error)
        end = "" if sentence.endswith("?") else "."
        return Told(f"{sentence}{end} See  {command} --help\n", Exit.USAGE)


def talk_parser() -> argparse.ArgumentParser:
    """The parser of the main command."""
    parser = _Parser("turnfold", 'turnfold [options] "PROMPT" [FILE ...]', EPILOG)
    parser.description = (
        "Give an AI agent a task in this folder. It reads, writes and runs things here; each act is shown before it happens."
    )
    parser.add_argument("words", nargs="*", metavar="PROMPT, FILE", help="what to do, then text files that the model shall see")
    parser.add_argument("-y", "--yes", action="store_true", help="allow every act of this run that no rule denies")
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="show what would be done; files are read, nothing else happens or is kept"
    )
    parser.add_argument("--json", action="store_true", help="print events and deltas as JSON Lines, and nothing else, to standard output")
    parser.add_argument("-m", "--model", default="", metavar="PROVIDER/NAME", help="the model to use, such as ollama/qwen3 or embedded")
    parser.add_argument("--tools", metavar="A,B", help="the tools that the model may use (turnfold /tools lists them)")
    parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="where to work (default: the current folder)")
    parser.add_argument(
        "-r", "--resume", nargs="?", const="", metavar="ID|NAME", help="go on with a conversation (default: the last one of the workspace)"
    )
    parser.add_argument("--name", default="", help="what to call the new conversation")
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    return parser


def _talk(argv: Sequence[str]) -> Plan:
    cut = list(argv).index("--") if "--" in argv else len(argv)
    parser = talk_parser()
    found = _parsed(parser, argv[:cut])
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    if found.version:
        return Version()
    words: tuple[str, ...] = (*found.words, *argv[cut + 1 :])
    talk = Talk(
        prompt=words[0] if words else "",
        files=words[1:],
        yes=found.yes,
        dry_run=found.dry_run,
        json=found.json,
        model=found.model.strip(),
        tools=None if found.tools is None else tuple(word.strip() for word in found.tools.split(",") if word.strip()),
        workspace=found.workspace,
        resume=found.resume,
        name=" ".join(found.name.split()),
    )
    wrong = _contradiction(talk)
    if wrong:
        raise _UsageError(wrong)
    return talk


def _contradiction(talk: Talk) -> str:
    """Why the arguments make no sense together; empty where they do."""
    if talk.resume is not None and talk.name:
        return "--name is for a new conversation; one that is resumed keeps its name"
    if talk.yes and talk.dry_run:
        return "--yes and --dry-run contradict each other"
    if talk.prompt.startswith("/") and talk.files:
        return f"{talk.prompt.split()[0][:40]} is a command, and commands take no files; a space before the / makes it a prompt"
    return ""


def _listing(argv: Sequence[str]) -> Plan:
    parser = _Parser("turnfold list", "turnfold list [--json]")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    found = _parsed(parser, argv)
    return Told(parser.format_help(), Exit.DONE) if found.help else Listing(found.json)


def _showing(argv: Sequence[str]) -> Plan:
    parser = _Parser("turnfold show", "turnfold show ID [--json]")
    parser.add_argument("conversation", nargs="?", metavar="ID|NAME", help="which one; see  turnfold list")
    parser.add_argument("--json", action="store_true", help="its events, one JSON object a line")
    found = _parsed(parser, argv)
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    if not found.conversation:
        raise _UsageError("which conversation? turnfold list shows them all")
    return Showing(found.conversation, found.json)


def _models(argv: Sequence[str]) -> Plan:
    parser = _Parser("turnfold models", "turnfold models [PATTERN] [--all] [--json] [--workspace FOLDER]")
    parser.description = "Which model would be used now and why, what else was found, and the models that are known."
    parser.add_argument(
        "pattern", nargs="?", default="", metavar="PATTERN", help="only models with this in their name or alias (* is any text)"
    )
    parser.add_argument("--all", action="store_true", help="also models of providers that can't be asked now")
    parser.add_argument("--json", action="store_true", help="JSON Lines: what was found, then one model a line")
    parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="whose settings to look at (default: the current folder)")
    found = _parsed(parser, argv)
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    return ModelList(found.pattern.strip(), json=found.json, everything=found.all, workspace=found.workspace)


def _checkup(argv: Sequence[str]) -> Plan:
    parser = _Parser("turnfold doctor", "turnfold doctor [--workspace FOLDER]")
    parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="whose settings to look at (default: the current folder)")
    found = _parsed(parser, argv)
    return Told(parser.format_help(), Exit.DONE) if found.help else Checkup(found.workspace)


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    found, rest = parser.parse_known_intermixed_args(list(argv))
    if rest:
        known = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - argparse has no other list
        if not rest[0].startswith("-"):
            raise _UsageError(f"there is nothing to do with {rest[0][:60]}")
        near = get_close_matches(rest[0].partition("=")[0], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; a prompt that starts with - goes after --"
        raise _UsageError(f"there is no option {rest[0][:60]}{hint}")
    return found

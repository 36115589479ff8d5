"""From argv to what is to be done. Pure, and of the standard library alone, so that ``--help`` waits for nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias

from turnfold.cli.epilog import EPILOG
from turnfold.cli.exits import Exit
from turnfold.cli.parsing import Parser, UsageError, parsed

SANDBOXES = ("off", "workspace", "read-only")  # as the settings have them, which would cost an import
PRESETS = ("read-only", "ask", "edit", "all")  # as core.config.values.Preset has them, which is not imported for --help


class Talk(NamedTuple):
    """Say something in a conversation. ``resume``: None starts one, empty goes on with the last one of the workspace."""

    prompt: str = ""
    files: tuple[str, ...] = ()
    yes: bool = False
    dry_run: bool = False
    json: bool = False
    model: str = ""
    agent: str = ""
    tools: tuple[str, ...] | None = None
    permission: str = ""
    workspace: str = ""
    resume: str | None = None
    name: str = ""
    sandbox: str = ""
    images: tuple[str, ...] = ()


class Listing(NamedTuple):
    """List the conversations."""

    json: bool = False
    children: bool = False


class Showing(NamedTuple):
    """Show one conversation."""

    conversation: str
    json: bool = False


class Tracing(NamedTuple):
    """Tell what happened in one conversation; ``turn`` 0: in all of its turns. ``form``: text, json, otlp-json or html, in ``file``."""

    conversation: str
    turn: int = 0
    form: str = "text"
    content: bool = False
    file: str = ""


class Checkup(NamedTuple):
    """Say what is found on this machine."""

    workspace: str = ""


class ModelList(NamedTuple):
    """Say which model would be used, and which are known."""

    pattern: str = ""
    json: bool = False
    everything: bool = False
    workspace: str = ""


class Importing(NamedTuple):
    """Take over what gptme keeps: in ``folder`` (empty: where it is by itself); ``only`` config or conversations, those of these ``names``.

    ``project``: the file of the project in ``workspace``, too.
    """

    folder: str = ""
    only: str = ""
    dry_run: bool = False
    project: bool = False
    workspace: str = ""
    names: tuple[str, ...] = ()


class Configuring(NamedTuple):
    """Show, explain, check or edit the settings; ``subject`` is a key or a folder."""

    action: str
    subject: str = ""
    workspace: str = ""
    json: bool = False
    all: bool = False
    project: bool = False
    local: bool = False
    list: bool = False
    remove: bool = False
    yes: bool = False


class Version(NamedTuple):
    """Say the version."""


class Told(NamedTuple):
    """Nothing to do but to say this: the help, or what was wrong with the arguments."""

    text: str
    code: Exit


Plan: TypeAlias = Talk | Listing | Showing | Tracing | ModelList | Checkup | Configuring | Importing | Version | Told


def parse_arguments(argv: Sequence[str]) -> Plan:
    """What ``argv`` (without the program's name) asks for; never raises.

    >>> parse_arguments(["hi", "a.txt", "--yes"])
    Talk(prompt='hi', files=('a.txt',), yes=True, dry_run=False, json=False, model='', agent='', tools=None, permission='', workspace='', resume=None, name='', sandbox='', images=())
    >>> parse_arguments(["list"]), parse_arguments(["--", "list"]).prompt
    (Listing(json=False, children=False), 'list')
    """
    first = argv[0] if argv else ""
    parser = next((read for name, read in _commands() if name == first), None)
    try:
        return _talk(argv) if parser is None else parser(argv[1:])
    except UsageError as error:
        command = "turnfold" if parser is None else f"turnfold {first}"
        sentence = str(error)
        end = "" if sentence.endswith("?") else "."
        return Told(f"{sentence}{end} See  {command} --help\n", Exit.USAGE)


def talk_parser() -> argparse.ArgumentParser:
    """The parser of the main command."""
    parser = Parser("turnfold", 'turnfold [options] "PROMPT" [FILE ...]', EPILOG)
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
    parser.add_argument("--agent", default="", metavar="NAME", help="the agent that shall lead, of those in the config")
    parser.add_argument("--tools", metavar="A,B", help="the tools that the model may use (turnfold /tools lists them)")
    parser.add_argument("--permission", choices=PRESETS, default="", metavar="PRESET", help=f"what needs no question: {', '.join(PRESETS)}")
    parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="where to work (default: the current folder)")
    parser.add_argument(
        "-r", "--resume", nargs="?", const="", metavar="ID|NAME", help="go on with a conversation (default: the last one of the workspace)"
    )
    parser.add_argument("--name", default="", help="what to call the new conversation")
    parser.add_argument(
        "--sandbox", choices=SANDBOXES, default="", metavar="PROFILE", help=f"how far commands may reach: {', '.join(SANDBOXES)}"
    )
    parser.add_argument("--image", action="append", default=[], metavar="FILE", help="a picture that the model shall see; may be repeated")
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    return parser


def _talk(argv: Sequence[str]) -> Plan:
    cut = list(argv).index("--") if "--" in argv else len(argv)
    parser = talk_parser()
    found = parsed(parser, argv[:cut])
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    if found.version:
        return Version()
    words: tuple[str, ...] = (*found.words, *argv[cut + 1 :])
    if found.resume is not None and found.resume.startswith("/"):  # -r '/export': a command for the last one
        found.resume, words = "", (found.resume, *words)
    talk = Talk(
        prompt=words[0] if words else "",
        files=words[1:],
        yes=found.yes,
        dry_run=found.dry_run,
        json=found.json,
        model=found.model.strip(),
        agent=found.agent.strip(),
        tools=None if found.tools is None else tuple(word.strip() for word in found.tools.split(",") if word.strip()),
        permission=found.permission,
        workspace=found.workspace,
        resume=found.resume,
        name=" ".join(found.name.split()),
        sandbox=found.sandbox,
        images=tuple(found.image),
    )
    if wrong := _contradiction(talk):
        raise UsageError(wrong)
    return talk


def _contradiction(talk: Talk) -> str:
    """Why the arguments make no sense together; empty where they do."""
    if talk.resume is not None and talk.name:
        return "--name is for a new conversation; one that is resumed keeps its name"
    if talk.yes and talk.dry_run:
        return "--yes and --dry-run contradict each other"
    if talk.prompt.startswith("/") and talk.files:
        name = talk.prompt.split()[0][:40]
        return f"{name} is a command, and commands take no files: quote the whole line, as in '{name} …'; a space before the / makes it a prompt"
    return ""


def _listing(argv: Sequence[str]) -> Plan:
    parser = Parser("turnfold list", "turnfold list [--children] [--json]")
    parser.add_argument("--children", action="store_true", help="those that tools of others started, too")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    found = parsed(parser, argv)
    return Told(parser.format_help(), Exit.DONE) if found.help else Listing(found.json, found.children)


def _showing(argv: Sequence[str]) -> Plan:
    parser = Parser("turnfold show", "turnfold show ID [--json]")
    parser.add_argument("conversation", nargs="?", metavar="ID|NAME", help="which one; see  turnfold list")
    parser.add_argument("--json", action="store_true", help="its events, one JSON object a line")
    found = parsed(parser, argv)
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    if not found.conversation:
        raise UsageError("which conversation? turnfold list shows them all")
    return Showing(found.conversation, found.json)


def _models(argv: Sequence[str]) -> Plan:
    parser = Parser("turnfold models", "turnfold models [PATTERN] [--all] [--json] [--workspace FOLDER]")
    parser.description = "Which model would be used now and why, what else was found, and the models that are known."
    parser.add_argument("pattern", nargs="?", default="", metavar="PATTERN", help="only models with this in their name or alias")
    parser.add_argument("--all", action="store_true", help="also models of providers that can't be asked now")
    parser.add_argument("--json", action="store_true", help="JSON Lines: what was found, then one model a line")
    parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="whose settings to look at (default: the current folder)")
    found = parsed(parser, argv)
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    return ModelList(found.pattern.strip(), json=found.json, everything=found.all, workspace=found.workspace)


def _tracing(argv: Sequence[str]) -> Plan:
    parser = Parser("turnfold trace", "turnfold trace ID [TURN] [--html [FILE] | --json | --otlp-json] [--content]")
    parser.add_argument("conversation", nargs="?", metavar="ID|NAME", help="which one; see  turnfold list")
    parser.add_argument("turn", nargs="?", default="0", metavar="TURN", help="the number of one turn (default: all of them)")
    parser.add_argument("--html", nargs="?", const="", metavar="FILE", help="a page with waterfalls (default: trace-ID.html; - for here)")
    parser.add_argument(
        "--json", action="store_const", dest="form", const="json", help="one span a line, as the exporter jsonl writes them"
    )
    about = "what a receiver of OpenTelemetry takes: POST it to /v1/traces"
    parser.add_argument("--otlp-json", action="store_const", dest="form", const="otlp-json", help=about)
    parser.add_argument("--content", action="store_true", help="with what was said, for --json and --otlp-json")
    found = parsed(parser, argv)
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    if not found.conversation:
        raise UsageError("which conversation? turnfold list shows them all")
    if found.html is not None and found.form:
        raise UsageError(f"choose one of --html and --{found.form}")
    if not (found.turn.isascii() and found.turn.isdigit() and len(found.turn) < 7):
        raise UsageError(f"a turn is a number, not {found.turn[:40]!r}")
    form = "text" if found.html is None else "html"
    return Tracing(found.conversation, int(found.turn), found.form or form, content=found.content, file=found.html or "")


def _checkup(argv: Sequence[str]) -> Plan:
    parser = Parser("turnfold doctor", "turnfold doctor [--workspace FOLDER]")
    parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="whose settings to look at (default: the current folder)")
    found = parsed(parser, argv)
    return Told(parser.format_help(), Exit.DONE) if found.help else Checkup(found.workspace)


def _importing(argv: Sequence[str]) -> Plan:
    parser = Parser("turnfold import", "turnfold import gptme [options] [NAME ...]")
    parser.description = (
        "Take over gptme's config and conversations. gptme's folders are only read; what could not be taken over is said, with its reason."
    )
    parser.add_argument("words", nargs="*", metavar="gptme, NAME", help="gptme, then the conversations to take (default: all)")
    parser.add_argument(
        "--from", default="", dest="folder", metavar="FOLDER", help="where gptme's files are (default: where gptme keeps them)"
    )
    parser.add_argument("--only", choices=("config", "conversations"), default="", help="take only these")
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would be taken over; write nothing")
    parser.add_argument("--project", action="store_true", help="take over the workspace's gptme.toml, too, as its turnfold.toml")
    parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="the project's folder (default: the current folder)")
    found = parsed(parser, argv)
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    if found.words[:1] != ["gptme"]:
        raise UsageError("turnfold can import from gptme alone: write  turnfold import gptme")
    return Importing(
        folder=found.folder,
        only=found.only,
        dry_run=found.dry_run,
        project=found.project,
        workspace=found.workspace,
        names=tuple(found.words[1:]),
    )


def _config(argv: Sequence[str]) -> Plan:
    names = tuple(name for name, _ in CONFIG_ACTIONS)
    action = argv[0] if argv else "-h"
    if action in ("-h", "--help"):
        lines = "".join(f"  {name:9}{about}\n" for name, about in CONFIG_ACTIONS)
        return Told(f"usage: turnfold config ACTION [options]\n\n{lines}\nturnfold config ACTION --help says more.\n", Exit.DONE)
    if action not in names:
        near = get_close_matches(action, names, n=1)
        raise UsageError(
            f"there is no action {action[:40]!r}; " + (f"did you mean {near[0]}?" if near else f"choose one of {', '.join(names)}")
        )
    parser = _config_parser(action)
    found = parsed(parser, argv[1:])
    if found.help:
        return Told(parser.format_help(), Exit.DONE)
    if action == "explain" and not found.subject:
        raise UsageError("which key? Such as  turnfold config explain model")
    given = {name: value for name, value in vars(found).items() if name != "help" and value is not None}
    return Configuring(action, **given)


CONFIG_ACTIONS = (
    ("show", "what is set, and where"),
    ("explain", "where one value comes from, and what it lies over"),
    ("paths", "every file that is read or would be, the one that counts most first"),
    ("check", "everything that is wrong with the files"),
    ("edit", "edit your file (or a project's), checked before it is written"),
    ("schema", "the JSON Schema of the files, for editors"),
    ("trust", "let a project's file grant permissions and name programs"),
)


def _config_parser(action: str) -> argparse.ArgumentParser:
    usages = {
        "explain": " KEY [--json]",
        "show": " [--all] [--json]",
        "edit": " [--project] [--local]",
        "trust": " [FOLDER] [--list|--remove] [--yes]",
    }
    parser = Parser(f"turnfold config {action}", f"turnfold config {action}{usages.get(action, '')}")
    parser.description = next(about for name, about in CONFIG_ACTIONS if name == action)
    if action == "explain":
        parser.add_argument(
            "subject", nargs="?", metavar="KEY", help='such as model, limits.usd or models."openai/gpt-5-mini".window_tokens'
        )
    if action == "trust":
        parser.add_argument("subject", nargs="?", metavar="FOLDER", help="the folder of the project (default: the current one's project)")
        parser.add_argument("--list", action="store_true", help="the folders that you trust")
        parser.add_argument("--remove", action="store_true", help="trust it no more")
        parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    if action == "show":
        parser.add_argument("--all", action="store_true", help="the defaults, too")
    if action in ("show", "explain"):
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
    if action == "edit":
        parser.add_argument("--project", action="store_true", help="the project's file, not yours")
        parser.add_argument("--local", action="store_true", help="the private file beside it")
    if action not in ("schema", "trust"):
        parser.add_argument("-w", "--workspace", default="", metavar="FOLDER", help="whose settings (default: the current folder)")
    return parser


def _commands() -> tuple[tuple[str, Callable[[Sequence[str]], Plan]], ...]:
    """The commands besides the main one: the word that each begins with, and what reads the rest."""
    return (
        ("list", _listing),
        ("show", _showing),
        ("trace", _tracing),
        ("models", _models),
        ("doctor", _checkup),
        ("config", _config),
        ("import", _importing),
    )

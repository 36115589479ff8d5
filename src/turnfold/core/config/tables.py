"""The tables of settings: each class is a table of a config file, each field a setting with its default and its note."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import field, frozen

from turnfold.core.config.notes import Form, note
from turnfold.core.config.values import SecretRef
from turnfold.core.json import JsonObject

SERVER = "the server"
RUNS = "runs, streams and traces"

# what holds the keys to other things, in a person's home
HIDDEN = (
    "~/.ssh", "~/.gnupg", "~/.aws", "~/.azure", "~/.config/gcloud", "~/.config/gh", "~/.docker/config.json", "~/.kube", "~/.netrc",
    "~/.git-credentials", "~/.config/git/credentials", "~/.pypirc", "~/.npmrc", "~/.cargo/credentials.toml", "~/.password-store",
    "~/.local/share/keyrings", "~/.mozilla", "~/.config/google-chrome", "~/.config/chromium",
)  # fmt: skip


@final
@frozen(kw_only=True)
class User:
    """``[user]``: who is talking."""

    name: str = field(default="", metadata=note("what the model calls you"))
    about: str = field(default="", metadata=note("what the model should know of you"))
    style: str = field(default="", metadata=note("how answers should be"))


@final
@frozen(kw_only=True)
class Prompt:
    """``[prompt]``: what the model is told of the project before anything is said."""

    files: tuple[str, ...] = field(default=(), metadata=note("files and globs, from the workspace, whose text is included", form=Form.PATH))
    commands: tuple[str, ...] = field(default=(), metadata=note("commands whose output is included", granted=True))
    guides: tuple[str, ...] = field(
        default=("AGENTS.md", "CLAUDE.md", "GEMINI.md", ".github/copilot-instructions.md"),
        metadata=note(
            "names of files that are included where they are found, in your config folder, the workspace and the folders above it",
            form=Form.PATH,
        ),
    )
    limit_bytes: int = field(default=100_000, metadata=note("of all that is included together", least=0, granted=True))


@final
@frozen(kw_only=True)
class Skills:
    """``[skills]``: what the model can look up, and lessons that come up when they fit."""

    folders: tuple[str, ...] = field(
        default=(".turnfold/skills", ".claude/skills"),
        metadata=note(
            "folders of skills (a folder with a SKILL.md each), from the workspace; yours in the config folder are always there",
            form=Form.PATH,
        ),
    )
    lessons: tuple[str, ...] = field(
        default=(".turnfold/lessons", "lessons"),
        metadata=note("folders of lesson files, from the workspace; yours in the config folder are always there", form=Form.PATH),
    )
    lessons_at_once: int = field(default=3, metadata=note("the most lessons that one message brings up", least=0))


class SandboxProfile(Enum):
    """How far a command may reach."""

    OFF = "off"
    WORKSPACE = "workspace"  # writes only below the workspace and the extra roots
    READ_ONLY = "read-only"


@final
@frozen(kw_only=True)
class Sandbox:
    """``[sandbox]``: what commands and Python code may touch."""

    profile: SandboxProfile = field(default=SandboxProfile.OFF, metadata=note("how far a command may reach", granted=True))
    writable: tuple[str, ...] = field(default=(), metadata=note("more folders that may be written (`~/` is your home)", granted=True))
    hidden: tuple[str, ...] = field(
        default=HIDDEN, metadata=note("files and folders that can't be read (`~/` is your home); turnfold's own never can", granted=True)
    )
    network: bool = field(default=True, metadata=note("whether the network can be reached", granted=True))
    hosts: tuple[str, ...] = field(
        default=(), metadata=note("where the network can be reached: the only hosts; none named: all", form=Form.SOME, granted=True)
    )
    memory_bytes: int | None = field(
        default=None, metadata=note("the most memory of a command and all its children", least=1, granted=True)
    )
    processes: int | None = field(default=None, metadata=note("the most processes of a command, at once", least=1, granted=True))
    unconfined: bool = field(
        default=False, metadata=note("whether commands run without a sandbox where none works, instead of not at all", granted=True)
    )
    secrets: tuple[str, ...] = field(
        default=("*KEY", "*TOKEN", "*SECRET", "*PASSWORD", "*PASSWD", "*PASSPHRASE", "*CREDENTIALS"),
        metadata=note(
            "globs of variables' names; the values of such variables of turnfold's own environment are masked wherever they turn up,"
            " as those of all secrets that the settings refer to",
            granted=True,
        ),
    )


@final
@frozen(kw_only=True)
class Web:
    """``[web]``: how far the tools ``fetch`` and ``browser`` reach."""

    private_hosts: tuple[str, ...] = field(
        default=(),
        metadata=note(
            "globs of hosts that may be reached although they are on a private network, such as localhost or 192.168.*", granted=True
        ),
    )
    timeout_s: float = field(
        default=30.0, metadata=note("the longest that one page, or one act of the browser, may take", over=0, granted=True)
    )
    browser: str = field(default="", metadata=note("the Chromium that is started; by default one that is found", granted=True))


@final
@frozen(kw_only=True)
class Compaction:
    """``[compaction]``: when and how the beginning of a long conversation gives way to a summary."""

    auto: bool = field(default=True, metadata=note("whether it is done when the conversation nears the model's window"))
    at: float = field(default=0.8, metadata=note("the part of the model's window that a conversation may fill", over=0, most=1))
    keep_turns: int = field(default=2, metadata=note("the last turns, which stay as they are", least=0))
    keep_rounds: int = field(
        default=4, metadata=note("the last rounds of calls of a turn that alone nears the window, which stay as they are", least=1)
    )
    keep_first: bool = field(default=True, metadata=note("whether your first message stays as it is"))
    model: str = field(default="", metadata=note("who writes the summary; the conversation's own model where empty", form=Form.MODEL))


@final
@frozen(kw_only=True)
class McpServer:
    """``[mcp.NAME]``: a server of tools."""

    name: str
    enabled: bool = field(default=True, metadata=note("whether its tools are offered", granted=True))
    command: str = field(default="", metadata=note("the program to start", granted=True))
    arguments: tuple[str, ...] = field(default=(), metadata=note("what the program is started with", granted=True))
    environment: JsonObject = field(
        factory=JsonObject, metadata=note('its variables: text, or {secret = "NAME"}', form=Form.PAIRS, granted=True)
    )
    url: str = field(default="", metadata=note("its address, where it is no program", form=Form.URL, granted=True))
    headers: JsonObject = field(
        factory=JsonObject, metadata=note('HTTP headers: text, or {secret = "NAME"}', form=Form.PAIRS, granted=True)
    )
    timeout_s: float = field(default=60.0, metadata=note("the longest wait for an answer", over=0))


class Guarded(Enum):
    """What a guardrail looks at."""

    INPUT = "input"  # what the person said
    OUTPUT = "output"  # the reply that a turn would end with
    CALL = "call"  # a call of a tool, before anything of it is done


class Then(Enum):
    """What comes of a call that trips a guardrail."""

    STOP = "stop"  # the turn ends
    REFUSE = "refuse"  # the call is refused, and the model told why


@final
@frozen(kw_only=True)
class Guardrail:
    """``[guardrails.NAME]``: a check that can stop a run."""

    name: str
    on: Guarded = field(default=Guarded.INPUT, metadata=note("what it looks at", granted=True))
    pattern: str = field(
        default="", metadata=note("a regular expression (Python's); it trips where that is found", form=Form.PATTERN, granted=True)
    )
    question: str = field(default="", metadata=note("a yes-or-no question that a model is asked; it trips on a yes", granted=True))
    model: str = field(default="", metadata=note("who is asked; the conversation's own model where empty", form=Form.MODEL, granted=True))
    blocking: bool = field(default=True, metadata=note("whether nothing more is done until the verdict is there", granted=True))
    then: Then = field(
        default=Then.STOP, metadata=note("what a call that trips it comes to: the turn stops, or the call is refused", granted=True)
    )


class ExporterKind(Enum):
    """Where traces go."""

    JSON_LINES = "jsonl"
    CONSOLE = "console"
    OTLP = "otlp"


class Encoding(Enum):
    """How OTLP is written."""

    PROTOBUF = "protobuf"
    JSON = "json"


class Propagate(Enum):
    """Who is told which trace they are part of."""

    OFF = "off"
    SERVICES = "services"  # models and MCP servers
    ALL = "all"  # and commands, by the variable TRACEPARENT


class Kept(Enum):
    """Which turns are exported."""

    ALL = "all"
    FAILED = "failed"


@final
@frozen(kw_only=True)
class Exporter:
    """``[exporters.NAME]``: who gets the traces of a run."""

    name: str
    kind: ExporterKind = field(default=ExporterKind.JSON_LINES, metadata=note("how they are written", granted=True))
    path: str = field(
        default="",
        metadata=note("the file, for jsonl, seen from the workspace; NAME.jsonl among turnfold's data where empty", granted=True),
    )
    url: str = field(default="", metadata=note("the receiver, for otlp; http://localhost:4318 where empty", form=Form.URL, granted=True))
    headers: JsonObject = field(
        factory=JsonObject, metadata=note('HTTP headers: text, or {secret = "NAME"}', form=Form.PAIRS, granted=True)
    )
    encoding: Encoding = field(default=Encoding.PROTOBUF, metadata=note("how otlp is written", granted=True))
    service: str = field(default="turnfold", metadata=note("what otlp calls the program (service.name)", form=Form.SOME, granted=True))
    content: bool = field(default=False, metadata=note("whether texts go along, or only names, times and figures", granted=True))
    sample: float = field(default=1.0, metadata=note("the part of all conversations that is exported", least=0, most=1, granted=True))
    keep: Kept = field(
        default=Kept.ALL, metadata=note("whether all turns are exported, or only those that came to no good end", granted=True)
    )
    propagate: Propagate = field(
        default=Propagate.SERVICES,
        metadata=note("who is told of the trace by a traceparent: the services that are asked, commands too, or nobody", granted=True),
    )
    buffer: int = field(
        default=50_000,
        metadata=note("spans of a run that wait to be sent; beyond it, what comes is counted and told", least=1, granted=True),
    )
    batch: int = field(default=512, metadata=note("the most spans that are sent at once", least=1, most=10_000, granted=True))
    timeout_s: float = field(
        default=5.0, metadata=note("how long the end of a run waits for what is still to be sent", least=0, most=600, granted=True)
    )


@final
@frozen(kw_only=True)
class Server:
    """``[server]``: the server's address and who may ask it."""

    host: str = field(default="127.0.0.1", metadata=note("the address it listens on", form=Form.SOME, granted=True, awaits=SERVER))
    port: int = field(default=5700, metadata=note("the port it listens on; 0 for any", least=0, most=65535, granted=True, awaits=SERVER))
    secret: SecretRef | None = field(
        default=None, metadata=note("the NAME of the variable that holds the token that callers must send", granted=True, awaits=SERVER)
    )
    origins: tuple[str, ...] = field(default=(), metadata=note("web origins whose pages may ask it", granted=True, awaits=SERVER))


@final
@frozen(kw_only=True)
class Hook:
    """``[hooks.NAME]``: a command that is run when something has happened."""

    name: str
    on: tuple[str, ...] = field(default=(), metadata=note("the names of the events that it is run for; * for all", granted=True))
    command: str = field(default="", metadata=note("what is run, by bash in the workspace; it reads the event as JSON", granted=True))
    timeout_s: float = field(default=30.0, metadata=note("the longest that it may take", over=0, granted=True))

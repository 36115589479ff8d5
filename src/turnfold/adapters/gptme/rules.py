"""What becomes of each key of gptme's files: the user's, a project's and a chat's. One line a key; the first that fits decides.

Where two keys say the same thing here, the one whose rule stands first wins, as it does in gptme; texts and lists are joined.
"""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import Final, final

from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.adapters.gptme.leaves import Act, Found, Keys, Leaf, Put, Rule, left
from turnfold.adapters.gptme.left import Left
from turnfold.adapters.gptme.reading import (
    HEADER,
    Reader,
    Reading,
    arguments,
    budget,
    flag,
    line,
    model,
    name,
    number,
    of_secret,
    secret,
    single,
    taken,
    text,
    tool_format,
    tool_here,
    tool_names,
    url,
    whole,
    words,
)
from turnfold.core.codec.forms import ENTRY, VARIABLE
from turnfold.core.config.values import DEFAULT_PROVIDERS
from turnfold.core.json import JsonValue


class Kind(Enum):
    """Whose file it is."""

    USER = "user"
    PROJECT = "project"
    CHAT = "chat"


@final
@frozen(kw_only=True)
class Place:
    """Where a file stands: its ``folder`` and the person's ``home``, absolute POSIX paths, which make its paths whole.

    ``known`` are the providers that need no line in turnfold's file.
    """

    kind: Kind
    folder: str = "/"
    home: str = "/"
    known: tuple[str, ...] = tuple(provider.name for provider in DEFAULT_PROVIDERS)


JOINED: Final = (("instructions",), ("prompt", "files"), ("prompt", "commands"), ("skills", "lessons"))

# Providers of gptme's that turnfold ships no line for and that speak its protocol: what gptme asks, and where the key has to be.
PROVIDERS: Final = (
    ("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    ("requesty", "https://router.requesty.ai/v1", "REQUESTY_API_KEY"),
    ("local", "http://localhost:11434/v1", ""),
)

# Names in [env] that steer gptme itself. They would mean nothing to a command.
SWITCHES: Final = tuple(
    "AGENT_COLOR AGENT_NAME ALLOW_HOSTS ANTHROPIC_FAST_MODE ANTHROPIC_WEB_SEARCH AUTOCOMMIT AUTOCOMPACT_KEEP_HEAD AUTO_SNAPSHOTS"
    " AUTO_SNAPSHOT_MAX AZURE_OPENAI_ENDPOINT BREAK_ON_TOOLUSE BROWSER_CDP_URL BROWSER_ENGINE BROWSER_EXECUTABLE_PATH"
    " BROWSER_STORAGE_STATE CHAT_HISTORY CHECK CHECK_PER_FILE CONTEXT_LENGTH CONTEXT_TREE COSTS DEBUG_ERRORS DING EXIT_STATS"
    " FOLD_SYSTEM_MESSAGES FORM_AUTO_DETECT FRESH HEADLESS HOOK_ALLOWLIST IPYTHON_BACKEND IPYTHON_TIMEOUT LESSONS_AUTO_INCLUDE"
    " LESSONS_EXTRA_DIRS LESSONS_MAX_SESSION LESSONS_TOKEN_BUDGET LESSONS_USE_HYBRID LLM_API_TIMEOUT LLM_MAX_RETRIES LLM_PROXY_URL"
    " LOGS_HOME LOG_LEVEL NO_EXAMPLES OPENAI_RESPONSES_API OPENROUTER_DATA_COLLECTION OPENROUTER_PROVIDER_ORDER OPENROUTER_QUANTIZATION"
    " PATCH_RECOVERY PRUNE_TOOL_OUTPUT PRUNE_TOOL_OUTPUT_MODEL PRUNE_TOOL_OUTPUT_THRESHOLD_TOKENS REASONING REASONING_BUDGET SANDBOX"
    " SERVER_TOKEN SERVER_URL SHELLCHECK SHELL_MAX_OUTPUT_BYTES SHELL_MEMORY_GUARD SHELL_MEMORY_LIMIT SHOW_COST SHOW_WORKED"
    " SUBAGENT_MAX_CONCURRENT SUGGEST_LLM TELEMETRY_ENABLED THINKING_EFFORT TOOLUSE_PARALLEL TOOL_MODULES TOOL_SOUNDS TRACK_TOKENS"
    " TTS_SPEED TTS_VOICE VERIFY_COMPLETION VOICE_FINISH WATCH_IDLE_MAX WORKSPACE".split()
)


def carry(to: str, read: Reader = text) -> Act:
    """Carry the leaf over to ``to``, in which ``*`` stands for the entry's name."""

    def act(leaf: Leaf) -> tuple[Found, ...]:
        target = _target(leaf, to)
        value = target.bind(lambda _: read(leaf.value))
        return (Left(leaf.path, value.failure()),) if isinstance(value, Failure) else (Put(leaf.path, target.unwrap(), value.unwrap()),)

    return act


def _target(leaf: Leaf, to: str) -> Result[Keys, str]:
    """Where the leaf goes; the entry's name is the key before its last."""
    entry = leaf.keys[2 if leaf.keys[0] == "mcp" else 1] if "*" in to else ""
    if "*" in to and ENTRY.fullmatch(entry) is None:
        return Failure("turnfold needs a name for it, of letters, digits, - and _")
    return Success(tuple(entry if word == "*" else word for word in to.split("."))) if to else Success(())


def _model(place: Place) -> Act:
    """The model, and where it is served, if that has to be said."""

    def act(leaf: Leaf) -> tuple[Found, ...]:
        found = carry("model", model)(leaf)
        provider = str(leaf.value).partition("/")[0]
        known = next((each for each in PROVIDERS if each[0] == provider), None)
        if isinstance(found[0], Left) or known is None or provider in place.known or place.kind is Kind.PROJECT:
            return found
        called, base_url, variable = known
        served = Put(leaf.path, ("providers", called, "base_url"), base_url, fallback=True)
        return (*found, served, *((Put(leaf.path, ("providers", called, "secret"), variable, fallback=True),) if variable else ()))

    return act


def _tools(leaf: Leaf) -> tuple[Found, ...]:
    """Those tools that there are here; the others are named."""
    names = tool_names(leaf.value)
    here = tuple(tool_here(each) for each in names)
    gone = tuple(each for each, known in zip(names, here, strict=True) if not known)
    lost = (Left(leaf.path, f"turnfold has no tools of this name: {', '.join(gone)}"),) if gone else ()
    kept = tuple(dict.fromkeys(each for each in here if each))
    if not kept:
        return lost or (Left(leaf.path, "it names no tool"),)
    if len({each[:1] in ("+", "-") for each in kept}) > 1:
        return (Left(leaf.path, "turnfold's list either has names or what + and - change of the list below"),)
    return (Put(leaf.path, ("tools",), kept), *lost)


def _variable(leaf: Leaf) -> tuple[Found, ...]:
    """A variable of every command, unless it is a secret or steers gptme."""
    called = leaf.keys[-1]
    if secret(called, leaf.value):
        return (Left(leaf.path, f"keep {called} in the environment: turnfold's files hold no keys"),)
    if called.removeprefix("GPTME_") in SWITCHES or called.startswith("GPTME_"):
        return (Left(leaf.path, "it steers gptme itself; turnfold has no such switch"),)
    if VARIABLE.fullmatch(called) is None:
        return (Left(leaf.path, "it is no name of a variable"),)
    return (
        (Put(leaf.path, ("environment", called), leaf.value),)
        if isinstance(leaf.value, str) and "\0" not in leaf.value
        else (Left(leaf.path, "it is no text"),)
    )


def _server_variable(leaf: Leaf) -> tuple[Found, ...]:
    """A variable of a server of tools; a secret one is named."""
    called = leaf.keys[-1]
    if VARIABLE.fullmatch(called) is None:
        return (Left(leaf.path, "it is no name of a variable"),)
    if not secret(called, leaf.value):
        return carry(f"mcp.*.environment.{called}", line)(leaf)
    kept = Left(leaf.path, f"keep {called} in the environment: turnfold's file only names it")
    return (*carry(f"mcp.*.environment.{called}", lambda _: Success(of_secret(called)))(leaf), kept)


def _server_header(leaf: Leaf) -> tuple[Found, ...]:
    """A header of a server of tools; a secret one gets the name of a variable."""
    called = leaf.keys[-1]
    if HEADER.fullmatch(called) is None:
        return (Left(leaf.path, "it is no name of a header"),)
    if not secret(called, leaf.value):
        return carry(f"mcp.*.headers.{called}", line)(leaf)
    variable = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in f"MCP_{leaf.keys[2]}_{called}").upper()
    kept = Left(leaf.path, f"put it into the environment as {variable}: turnfold's file only names it")
    return (*carry(f"mcp.*.headers.{called}", lambda _: Success(of_secret(variable)))(leaf), kept)


def _provider_key(leaf: Leaf) -> tuple[Found, ...]:
    """A key in the file: the variable that is to hold it."""
    variable = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in leaf.keys[1]).upper() + "_API_KEY"
    if VARIABLE.fullmatch(variable) is None:
        return (Left(leaf.path, "turnfold's files hold no keys: name the variable that does, as secret"),)
    kept = Left(leaf.path, f"put the key into the environment as {variable}: turnfold's file only names it")
    return (*carry("providers.*.secret", lambda _: Success(variable))(leaf), kept)


def _only(why: str, *, value: bool = True) -> Act:
    """Carried over where it says what is so here anyway."""
    return lambda leaf: (Put(leaf.path, (), value),) if leaf.value is value else (Left(leaf.path, why),)


def _whole_paths(place: Place) -> Reader:
    """Paths made absolute that start from the person's home or, in the person's own file, from gptme's folder."""

    def whole_path(path: str) -> str:
        if path == "~" or path.startswith("~/"):
            return posixpath.join(place.home, path[2:])
        return posixpath.join(place.folder, path) if place.kind is Kind.USER else path

    def read(value: JsonValue) -> Reading:
        return words(value).map(lambda said: tuple(whole_path(str(each)) for each in said) if isinstance(said, tuple) else said)

    return read


def rules_of(place: Place) -> tuple[Rule, ...]:
    """The rules for a file that stands there."""
    match place.kind:
        case Kind.USER:
            return (*_shared(place), *_of_user(place), *_everywhere())
        case Kind.PROJECT:
            return (*_shared(place), *_of_project(place), *_everywhere())
        case Kind.CHAT:
            return (*_of_chat(place), *_shared(place), *_everywhere())


def _of_user(place: Place) -> tuple[Rule, ...]:
    paths = _whole_paths(place)
    return (
        Rule("user.name", carry("user.name")),
        Rule("user.about", carry("user.about")),
        Rule("user.response_preference", carry("user.style")),
        Rule("user.avatar", left("turnfold shows no pictures of who speaks")),
        Rule("user.color", left("turnfold has one colour for you")),
        Rule("prompt.about_user", carry("user.about")),
        Rule("prompt.response_preference", carry("user.style")),
        Rule("prompt.files", carry("prompt.files", paths)),
        Rule("prompt.fragments.*", carry("instructions")),
        Rule("prompt.project.*", left("say it in that project's turnfold.toml, as instructions")),
        Rule("lessons.dirs", carry("skills.lessons", paths)),
        Rule("models.favorites", left("turnfold has no list of favourites; [models] can give short names (aliases)")),
        Rule("models.*.context_budget", left("turnfold's compaction.at holds for all models")),
        Rule("tui.**", left("turnfold has no screen of that kind")),
    )


def _of_project(place: Place) -> tuple[Rule, ...]:
    paths = _whole_paths(place)
    return (
        Rule("base_prompt", carry("instructions")),
        Rule("prompt.base_prompt", carry("instructions")),
        Rule("prompt", carry("instructions")),
        Rule("prompt.prompt", carry("instructions")),
        Rule("prompt.system", left("turnfold has one system prompt; a model's profile can replace it ([models], instructions)")),
        Rule("files", carry("prompt.files", paths)),
        Rule("prompt.files", carry("prompt.files", paths)),
        Rule("prompt.exclude", left("turnfold includes only what prompt.files names")),
        Rule("context_cmd", carry("prompt.commands", single)),
        Rule("prompt.context_cmd", carry("prompt.commands", single)),
        Rule("lessons.dirs", carry("skills.lessons", paths)),
        Rule("agent.urls.**", left("turnfold's agents have no addresses")),
        Rule("agent.**", left("in turnfold an agent is a way to lead a conversation ([agents.NAME]), no person")),
        Rule("rag.**", left("turnfold has no retrieval of its own; a server of tools ([mcp.NAME]) can do it")),
        Rule("subagent.**", left("turnfold has no agents in the background yet")),
        Rule("context_selector.**", left("turnfold chooses lessons by their keywords, without a model")),
        Rule("compression.**", left("turnfold summarises ([compaction]), it does not compress")),
    )


def _of_chat(place: Place) -> tuple[Rule, ...]:
    return (
        Rule("chat.name", carry("")),
        Rule("chat.workspace", carry("")),
        Rule("chat.model", _model(place)),
        Rule("chat.tools", _tools),
        Rule("chat.tool_format", carry("tool_format", tool_format)),
        Rule("chat.max_tokens", carry("max_tokens", whole(1))),
        Rule("chat.temperature", carry("temperature", number(0, 2))),
        Rule("chat.top_p", carry("parameters.top_p", number(0, 1))),
        Rule("chat.context_budget", carry("compaction.at", budget)),
        Rule("chat.system_prompt", carry("instructions")),
        Rule("chat.stream", _only("turnfold always streams")),
        Rule("chat.interactive", _only("whether somebody can be asked is seen from the terminal")),
        Rule("chat.no_confirm", _only("what needs no question is said by [[rules]], or by --yes for one run", value=False)),
        Rule("chat.allow_hosts", left("turnfold has no tool for the web yet")),
        Rule("chat.**", left("turnfold's conversations have nothing like it")),
    )


def _shared(place: Place) -> tuple[Rule, ...]:
    """[models].default, [env] and [context]: what the files have in common, and what goes first."""
    named = (
        ("MODEL", _model(place)),
        ("TOOL_FORMAT", carry("tool_format", tool_format)),
        ("TOOL_ALLOWLIST", _tools),
        ("MAX_TOKENS", carry("max_tokens", whole(1))),
        ("MAX_STEPS", carry("limits.generations", whole(1))),
        ("SHELL_TIMEOUT", carry("limits.command_s", number(0, open_below=True))),
        ("CONTEXT_BUDGET", carry("compaction.at", budget)),
        ("LESSONS_MAX_PER_TURN", carry("skills.lessons_at_once", whole(0))),
        ("OPENAI_BASE_URL", carry("providers.local.base_url", url)),
        ("OPENAI_API_BASE", carry("providers.local.base_url", url)),
    )
    default = (Rule("models.default", _model(place)),) if place.kind is Kind.USER else ()
    return (
        *_lists(),
        *default,
        *(Rule(f"env.{prefix}{called}", act) for called, act in named for prefix in ("", "GPTME_")),
        Rule("env.*", _variable),
        Rule("context.budget", carry("compaction.at", budget)),
        Rule("context.keep_recent_tokens", left("turnfold keeps whole turns: compaction.keep_turns")),
        Rule("context.**", left("turnfold summarises by [compaction] alone")),
    )


def _lists() -> tuple[Rule, ...]:
    """The tables in lists, which turnfold has as tables with names."""
    return (
        Rule("providers.*.name", carry("")),
        Rule("providers.*.base_url", carry("providers.*.base_url", url)),
        Rule("providers.*.api_key_env", carry("providers.*.secret", name)),
        Rule("providers.*.api_key", _provider_key),
        Rule("providers.*.default_model", carry("providers.*.default_model")),
        Rule("mcp.servers.*.name", carry("")),
        Rule("mcp.servers.*.enabled", carry("mcp.*.enabled", flag)),
        Rule("mcp.servers.*.command", carry("mcp.*.command")),
        Rule("mcp.servers.*.args", carry("mcp.*.arguments", arguments)),
        Rule("mcp.servers.*.url", carry("mcp.*.url", url)),
        Rule("mcp.servers.*.env.*", _server_variable),
        Rule("mcp.servers.*.headers.*", _server_header),
        Rule("mcp.enabled", carry("", taken)),
        Rule("mcp.auto_start", left("turnfold starts a server when its tools are offered")),
    )


def _everywhere() -> tuple[Rule, ...]:
    return (
        Rule("plugins.**", left("gptme's plugins are Python for gptme; turnfold takes tools as values, or from [mcp.NAME]")),
        Rule("plugin.**", left("it is for a plugin of gptme")),
        Rule("hooks.**", left("turnfold's hooks run on events of a conversation; a session has none")),
        Rule("settings.**", left("what may be done without a question is said by [[rules]]")),
    )

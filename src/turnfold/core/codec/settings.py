"""Settings from TOML text and from environment variables, as sparse layers. Pure: the shell reads the files.

::

    model = "ollama/qwen3"            temperature = 0.2        max_tokens = 2000
    instructions = "Be brief."        tools = ["read"]         tool_format = "markdown"

    [providers.NAME]                  base_url, secret (the name of an environment variable), timeout_s
    [[profiles]]                      pattern, tool_format, grammar, instructions, temperature, max_tokens
    [[rules]]                         verdict ("allow", "ask", "deny"), kind, pattern
    [environment]                     NAME = "value"
    [limits]                          generations, reply_bytes, output_bytes, file_bytes, command_s, grace_s

A project's file comes with the project, from whoever wrote it. So it may ask for less than the person allows, never for
more: no rule that allows, no key, no server but on this machine, no variable that has other code loaded or other servers asked.
"""

from __future__ import annotations

import re
import tomllib
from typing import TypeVar, final

from attrs import evolve, frozen
from returns.result import Failure, Result, Success

from turnfold.core.codec.toml_values import (
    NAME,
    Node,
    Problems,
    Read,
    Reader,
    Source,
    Table,
    array,
    faults,
    gathered,
    members,
    number,
    one_of,
    settled,
    some_text,
    table,
    text,
    truth,
    whole,
    word_of,
)
from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import Config, ProjectConfig
from turnfold.core.config.missing import Missing
from turnfold.core.config.values import (
    DEFAULT_LIMITS,
    DEFAULT_PROVIDERS,
    Environment,
    Limits,
    ModelProfile,
    Provider,
    Rule,
    SecretRef,
    ToolFormat,
    Variable,
    Verdict,
)
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import caller_problem

L = TypeVar("L", bound=Layer)
V = TypeVar("V")

SETTINGS = (
    "model",
    "temperature",
    "max_tokens",
    "instructions",
    "tools",
    "tool_format",
    "providers",
    "profiles",
    "rules",
    "environment",
    "limits",
)
PROVIDER_KEYS = ("base_url", "secret", "timeout_s")
PROFILE_KEYS = ("pattern", "tool_format", "grammar", "instructions", "temperature", "max_tokens")
RULE_KEYS = ("verdict", "kind", "pattern")
LIMIT_KEYS = ("generations", "reply_bytes", "output_bytes", "file_bytes", "command_s", "grace_s")
KINDS = ("*", "model", "read", "list", "write", "run", "python")

PREFIX = "TURNFOLD_"
VARIABLES = ("model", "temperature", "max_tokens", "instructions", "tools", "tool_format")  # as TURNFOLD_MODEL …

_LOADS_CODE = re.compile(
    r"PATH|IFS|ENV|BASH_ENV|BASH_FUNC.*|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|HOME|CDPATH|LD_.*|DYLD_.*|PYTHON.*|NODE_.*|PERL.*|RUBY.*|GEM_.*"
    r"|JAVA_.*|_JAVA.*|JDK_.*|GIT_.*|SSH_.*|.*PROXY|.*EDITOR|.*PAGER|BROWSER|.*PRELOAD.*|.*_?OPTIONS|.*OPTS|LESS.*|.*FLAGS|CC|CXX|AR|LD|SHELL"
    r"|.*PATH|.*HOME|.*DIR|.*WRAPPER|.*HOOKS?|CARGO_.*|RUST.*|NPM_.*|YARN_.*|PIP_.*|UV_.*|POETRY_.*|CONDA_.*|VIRTUAL_ENV|DOTNET_.*|XDG_.*"
    r"|.*(_URL|_HOST|_ENDPOINT|_REGISTRY)|.*CERT.*|.*CA_BUNDLE|.*RC",
    re.IGNORECASE,
)
_LOCAL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/.*)?", re.ASCII | re.DOTALL)
_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?", re.ASCII)
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")

TEMPERATURE: Reader[float] = number(0.0, 2.0)
TOKENS: Reader[int] = whole(1)


@final
@frozen
class Rights:
    """What a file may say: ``trusted`` is the person's own; ``known`` are the providers of the layers below it."""

    trusted: bool
    known: tuple[Provider, ...]


def read_config_untrusted(toml: str, place: str) -> Result[Config, Problems]:
    """The person's own settings in ``toml``, the text of the file ``place``; all faults at once, each with its line.

    >>> read_config_untrusted('model = "ollama/qwen3"', "config.toml").unwrap().model
    'ollama/qwen3'
    >>> print(*read_config_untrusted("modle = 1", "config.toml").failure())
    config.toml:1: there is no setting 'modle' here; did you mean model? @ $.modle
    """
    return _root_untrusted(toml, place).bind(lambda root: _filled(Config(), root, Rights(trusted=True, known=DEFAULT_PROVIDERS)))


def read_project_untrusted(toml: str, place: str, base: Config) -> Result[ProjectConfig, Problems]:
    """A project's settings over ``base``; what a project may not decide is refused, see above."""
    return _root_untrusted(toml, place).bind(lambda root: _filled(ProjectConfig(base), root, Rights(trusted=False, known=base.providers)))


def read_variables_untrusted(variables: tuple[tuple[str, str], ...], project: ProjectConfig) -> Result[ProjectConfig, Problems]:
    """``project`` with the settings of variables such as ``TURNFOLD_MODEL`` laid over it; empty and other ones count for nothing.

    >>> read_variables_untrusted((("TURNFOLD_TEMPERATURE", "0.5"),), ProjectConfig(Config())).unwrap().temperature
    0.5
    """
    said = tuple((name, value) for name, value in variables if value.strip())
    problems: Problems = ()
    for setting in VARIABLES:
        for name, value in said:
            if name == PREFIX + setting.upper():
                root = Node(JsonObject(((setting, _spelled(setting, value)),)), (), Source(name))
                read = _filled(project, root, Rights(trusted=True, known=()))
                problems = (*problems, *faults(read))
                project = read.value_or(project)
    return Failure(problems) if problems else Success(project)


def _spelled(name: str, value: str) -> JsonValue:
    """What the text of a variable stands for; itself where it stands for no such thing."""
    if name == "tools":
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if name == "max_tokens" and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        return int(value)
    if name == "temperature" and re.fullmatch(r"\s*\d{1,9}(\.\d{0,17})?\s*", value, re.ASCII):
        return float(value)
    return value


def _root_untrusted(toml: str, place: str) -> Read[Node]:
    source = Source(place, toml)
    try:
        parsed = settled(tomllib.loads(toml))
    except RecursionError:
        return Failure((caller_problem("bad-settings", f"{place}: it is nested too deeply to be a config file."),))
    except ValueError as error:  # TOMLDecodeError, or an integer of more digits than Python converts
        where = _AT_LINE.search(str(error))
        line = where[1] if where else str(toml.count("\n") + 1)
        what = _AT_LINE.sub("", str(error)).removesuffix(" (at end of document)").rstrip(".")
        column = f", column {where[2]}" if where else ""
        message = (
            f"{place}:{line}: this is not TOML{column}: {what[:200]}. Text stands in quotes, and every line is NAME = VALUE or [TABLE]."
        )
        return Failure((caller_problem("bad-settings", message),))
    return Success(Node(parsed, (), source))


def _filled(blank: L, root: Node, rights: Rights) -> Result[L, Problems]:
    """``blank`` with all that the file says, or all its faults."""
    return table(root, SETTINGS).bind(lambda said: _layer(blank, said, rights))


def _layer(blank: L, said: Table, rights: Rights) -> Result[L, Problems]:
    model = said.said("model", some_text)
    temperature = said.said("temperature", TEMPERATURE)
    max_tokens = said.said("max_tokens", TOKENS)
    instructions = said.said("instructions", text)
    tools = said.said("tools", array(some_text))
    tool_format = said.said("tool_format", one_of(ToolFormat))
    providers = said.said("providers", _providers(rights))
    profiles = said.said("profiles", array(_profile))
    rules = said.said("rules", array(_rule(rights)))
    environment = said.said("environment", _environment(rights))
    limits = said.said("limits", _limits)
    read = (model, temperature, max_tokens, instructions, tools, tool_format, providers, profiles, rules, environment, limits)
    problems = (*said.unknown, *faults(*read))
    if problems:
        return Failure(problems)
    filled = evolve(
        blank,
        model=_over(model.unwrap(), blank.own_model),
        temperature=_over(temperature.unwrap(), blank.own_temperature),
        max_tokens=_over(max_tokens.unwrap(), blank.own_max_tokens),
        instructions=_over(instructions.unwrap(), blank.own_instructions),
        tools=_over(tools.unwrap(), blank.own_tools),
        tool_format=_over(tool_format.unwrap(), blank.own_tool_format),
        providers=_over(providers.unwrap(), blank.own_providers),
        models=_over(profiles.unwrap(), blank.own_models),
        rules=_over(rules.unwrap(), blank.own_rules),
        environment=_over(environment.unwrap(), blank.own_environment),
        limits=_over(limits.unwrap(), blank.own_limits),
    )
    return Success(filled)


def _over(value: V | Missing, below: V | Missing) -> V | Missing:
    return below if isinstance(value, Missing) else value


def _or(value: V | Missing, default: V) -> V:
    return default if isinstance(value, Missing) else value


def _providers(rights: Rights) -> Reader[tuple[Provider, ...]]:
    def read(node: Node) -> Read[tuple[Provider, ...]]:
        return members(node).bind(lambda named: gathered(tuple(_provider(name, each, rights) for name, each in named)))

    return read


def _provider(name: str, node: Node, rights: Rights) -> Read[Provider]:
    if not name or "/" in name or not name.isprintable():
        return node.refused(f"{name[:60]!r} can't be a provider's name: models are called NAME/MODEL.")
    return table(node, PROVIDER_KEYS).bind(lambda said: _provider_of(name, said, rights))


def _provider_of(name: str, said: Table, rights: Rights) -> Read[Provider]:
    known = next((provider for provider in rights.known if provider.name == name), None)
    base_url: Result[str | Missing, Problems] = said.said("base_url", _url)
    if known is None:
        base_url = said.due("base_url", _url)
    secret = said.said("secret", _secret)
    timeout_s = said.said("timeout_s", number(0.0, open_below=True))
    problems = (*said.unknown, *faults(base_url, secret, timeout_s), *_redirects(name, said, known, rights))
    if problems:
        return Failure(problems)
    below = known or Provider(name=name, base_url="")
    made = evolve(
        below,
        base_url=_or(base_url.unwrap(), below.base_url),
        secret=_or(secret.unwrap(), below.secret),
        timeout_s=_or(timeout_s.unwrap(), below.timeout_s),
    )
    return Success(made)


def _redirects(name: str, said: Table, known: Provider | None, rights: Rights) -> Problems:
    """What a project's file may not say of a provider."""
    if rights.trusted:
        return ()
    mine = "put it into your own config.toml."
    secrets = tuple(
        node.fault(f"a project may not name a secret, which could be sent anywhere: {mine}") for key, node in said.values if key == "secret"
    )
    moved = tuple(
        node.fault(f"a project may not say where {name} is, since your key and your texts would go there: {mine}")
        for key, node in said.values
        if key == "base_url" and known is not None
    )
    elsewhere = tuple(
        node.fault(f"a project may not name a server elsewhere, {name}, since your texts would go there: {mine}")
        for key, node in said.values
        if key == "base_url" and known is None and isinstance(node.value, str) and _LOCAL.fullmatch(node.value) is None
    )
    return (*secrets, *moved, *elsewhere)


def _url(node: Node) -> Read[str]:
    def checked(url: str) -> Read[str]:
        if _URL.fullmatch(url) is None:
            return node.refused("base_url is an address such as http://127.0.0.1:8080/v1, without a user, a query or spaces.")
        return Success(url.rstrip("/"))

    return some_text(node).bind(checked)


def _secret(node: Node) -> Read[SecretRef | None]:
    def checked(name: str) -> Read[SecretRef | None]:
        if NAME.fullmatch(name) is None:
            return node.refused("secret is the name of an environment variable, such as OPENAI_API_KEY, never the key itself.")
        return Success(SecretRef(name))

    return some_text(node).bind(checked)


def _profile(node: Node) -> Read[ModelProfile]:
    return table(node, PROFILE_KEYS).bind(_profile_of)


def _profile_of(said: Table) -> Read[ModelProfile]:
    pattern = said.due("pattern", some_text)
    tool_format = said.said("tool_format", one_of(ToolFormat))
    grammar = said.said("grammar", truth)
    instructions = said.said("instructions", text)
    temperature = said.said("temperature", TEMPERATURE)
    max_tokens = said.said("max_tokens", TOKENS)
    problems = (*said.unknown, *faults(pattern, tool_format, grammar, instructions, temperature, max_tokens))
    if problems:
        return Failure(problems)
    made = ModelProfile(
        pattern=pattern.unwrap(),
        tool_format=_or(tool_format.unwrap(), ToolFormat.NATIVE),
        grammar=_or(grammar.unwrap(), default=False),
        instructions=_or(instructions.unwrap(), ""),
        temperature=None if isinstance(heat := temperature.unwrap(), Missing) else heat,
        max_tokens=None if isinstance(most := max_tokens.unwrap(), Missing) else most,
    )
    return Success(made)


def _rule(rights: Rights) -> Reader[Rule]:
    def read(node: Node) -> Read[Rule]:
        return table(node, RULE_KEYS).bind(lambda said: _rule_of(said, rights))

    return read


def _rule_of(said: Table, rights: Rights) -> Read[Rule]:
    verdict = said.due("verdict", one_of(Verdict))
    kind = said.said("kind", word_of(KINDS))
    pattern = said.said("pattern", some_text)
    grants = () if rights.trusted or verdict != Success(Verdict.ALLOW) else (said.node.fault(_NO_GRANT),)
    problems = (*said.unknown, *faults(verdict, kind, pattern), *grants)
    if problems:
        return Failure(problems)
    return Success(Rule(verdict.unwrap(), _or(kind.unwrap(), "*"), _or(pattern.unwrap(), "*")))


_NO_GRANT = 'a project may not allow anything to itself: put this rule into your own config.toml (verdict "ask" and "deny" are fine here).'


def _environment(rights: Rights) -> Reader[Environment]:
    def variable(name: str, node: Node) -> Read[Variable]:
        if NAME.fullmatch(name) is None:
            return node.refused(f"{name[:60]!r} is no name of an environment variable.")
        if not rights.trusted and _LOADS_CODE.fullmatch(name):
            return node.refused(
                f"a project may not set {name}, which can have other code run or other servers asked: put it into your own config.toml."
            )
        return text(node).map(lambda value: Variable(name, value))

    def read(node: Node) -> Read[Environment]:
        return members(node).bind(lambda named: gathered(tuple(variable(name, each) for name, each in named)))

    return read


def _limits(node: Node) -> Read[Limits]:
    return table(node, LIMIT_KEYS).bind(_limits_of)


def _limits_of(said: Table) -> Read[Limits]:
    generations = said.said("generations", whole(1))
    reply_bytes = said.said("reply_bytes", whole(1000))
    output_bytes = said.said("output_bytes", whole(100))
    file_bytes = said.said("file_bytes", whole(1))
    command_s = said.said("command_s", number(0.0, open_below=True))
    grace_s = said.said("grace_s", number(0.0))
    problems = (*said.unknown, *faults(generations, reply_bytes, output_bytes, file_bytes, command_s, grace_s))
    if problems:
        return Failure(problems)
    made = Limits(
        generations=_or(generations.unwrap(), DEFAULT_LIMITS.generations),
        reply_bytes=_or(reply_bytes.unwrap(), DEFAULT_LIMITS.reply_bytes),
        output_bytes=_or(output_bytes.unwrap(), DEFAULT_LIMITS.output_bytes),
        file_bytes=_or(file_bytes.unwrap(), DEFAULT_LIMITS.file_bytes),
        command_s=_or(command_s.unwrap(), DEFAULT_LIMITS.command_s),
        grace_s=_or(grace_s.unwrap(), DEFAULT_LIMITS.grace_s),
    )
    return Success(made)

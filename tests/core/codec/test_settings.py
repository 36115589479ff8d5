"""Settings from TOML: every form, every fault with its line, and what reading promises of any text."""

from __future__ import annotations

from turnfold.core.codec.settings import FileSettings, read_file_untrusted, read_settings_untrusted
from turnfold.core.codec.shapes import SETTINGS
from turnfold.core.codec.toml_lines import lines_of
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig, Config, Line, Origin, Overrides, ProjectConfig
from turnfold.core.config.missing import DEFAULT, MISSING
from turnfold.core.config.said import said, saying
from turnfold.core.config.tables import (
    Exporter,
    ExporterKind,
    Guarded,
    Guardrail,
    Hook,
    McpServer,
    Prompt,
    Sandbox,
    SandboxProfile,
    Server,
    Skills,
    User,
    Web,
)
from turnfold.core.config.values import (
    DEFAULT_LIMITS,
    Limits,
    ModelProfile,
    Preset,
    Provider,
    Rule,
    SecretRef,
    ToolFormat,
    Variable,
    Verdict,
)
from turnfold.core.json import JsonObject

EVERYTHING = """
extends = ["base.toml", "more.toml"]
defaults = ["compaction.at", "agent", "limits.usd"]
model = "lab/big"
fallbacks = ["lab/small"]
output = { type = "object" }
tool_choice = "none"
parallel_calls = false
stop_on = ["read"]
temperature = 1
max_tokens = 500
instructions = ""
tools = ["read", "shell"]
tool_modules = ["acme.tools"]
tool_format = "markdown"
permission = "edit"
workspace = "/w"
roots = []

[parameters]
top_p = 0.5
extra = {a = [1, "b", true]}

[providers.lab]
base_url = "https://lab.example/v1/"
secret = "LAB_KEY"
headers = {X-Team = "red", X-Key = {secret = "OTHER_KEY"}}
timeout_s = 9.5

[providers.openai]
timeout_s = 30

[models."lab/*"]
tool_format = "markdown"
grammar = true
aliases = ["big"]
input_usd = 0

[models."*"]

[agents.critic]
instructions = "Be hard."
tools = ["+read", "-shell"]
output = {type = "object"}
limits = {usd = 1}

[[rules]]
verdict = "allow"
kind = "write"
pattern = "*.md"

[[rules]]
verdict = "deny"

[environment]
LANG = "C"
PAGER = false

[sandbox]
profile = "read-only"
network = false

[web]
private_hosts = ["localhost"]
timeout_s = 5

[prompt]
files = ["README.md"]

[skills]
folders = []

[user]
name = "Ada"

[limits]
generations = 3
command_s = 1

[mcp.files]
command = "serve"
arguments = ["-v"]
environment = {TOKEN = {secret = "T"}}

[guardrails.no_keys]
on = "output"
pattern = "sk-"

[exporters.file]
kind = "jsonl"
path = "trace.jsonl"

[server]
port = 0
secret = "SERVER_TOKEN"

[hooks.done]
on = ["TurnEnded"]
command = "true"
"""

KNOWN = Overrides(
    model="lab/big",
    fallbacks=("lab/small",),
    output=JsonObject.of(type="object"),
    tool_choice="none",
    parallel_calls=False,
    stop_on=("read",),
    temperature=1.0,
    max_tokens=500,
    instructions="",
    tools=("read", "shell"),
    tool_modules=("acme.tools",),
    tool_format=ToolFormat.MARKDOWN,
    agent=DEFAULT,
    permission=Preset.EDIT,
    workspace="/w",
    roots=(),
    parameters=JsonObject.of(top_p=0.5, extra=JsonObject.of(a=(1, "b", True))),
    providers=(
        said(
            Provider,
            name="lab",
            base_url="https://lab.example/v1",
            secret=SecretRef("LAB_KEY"),
            headers=JsonObject((("X-Team", "red"), ("X-Key", JsonObject.of(secret="OTHER_KEY")))),
            timeout_s=9.5,
        ),
        said(Provider, name="openai", timeout_s=30.0),
    ),
    models=(
        said(ModelProfile, pattern="lab/*", tool_format=ToolFormat.MARKDOWN, grammar=True, aliases=("big",), input_usd=0.0),
        said(ModelProfile, pattern="*"),
    ),
    agents=(
        said(
            AgentSpec,
            name="critic",
            instructions="Be hard.",
            tools=("+read", "-shell"),
            output=JsonObject.of(type="object"),
            limits=said(Limits, usd=1.0),
        ),
    ),
    rules=(Rule(Verdict.ALLOW, "write", "*.md"), Rule(Verdict.DENY)),
    environment=(Variable("LANG", "C"), Variable("PAGER", None)),
    sandbox=said(Sandbox, profile=SandboxProfile.READ_ONLY, network=False),
    web=said(Web, private_hosts=("localhost",), timeout_s=5.0),
    prompt=said(Prompt, files=("README.md",)),
    skills=said(Skills, folders=()),
    user=said(User, name="Ada"),
    limits=saying((("generations", 3), ("command_s", 1.0), ("usd", DEFAULT))),
    compaction=saying((("at", DEFAULT),)),
    mcp=(
        said(
            McpServer,
            name="files",
            command="serve",
            arguments=("-v",),
            environment=JsonObject.of(TOKEN=JsonObject.of(secret="T")),
        ),
    ),
    guardrails=(said(Guardrail, name="no_keys", on=Guarded.OUTPUT, pattern="sk-"),),
    exporters=(said(Exporter, name="file", kind=ExporterKind.JSON_LINES, path="trace.jsonl"),),
    server=said(Server, port=0, secret=SecretRef("SERVER_TOKEN")),
    hooks=(said(Hook, name="done", on=("TurnEnded",), command="true"),),
)


def read(toml: str) -> Overrides:
    """The file's settings, without where they stand."""
    layer = read_file_untrusted(toml, "c.toml", "user").unwrap().layer
    fields = {key.name: getattr(layer, f"own_{key.name}") for key in SETTINGS.keys}
    return Overrides(**fields)


def test_every_setting() -> None:
    assert read(EVERYTHING) == KNOWN
    assert isinstance(read(EVERYTHING).temperature, float)
    assert {key.name for key in SETTINGS.keys if getattr(KNOWN, f"own_{key.name}") == MISSING} == set()
    whole = read_file_untrusted(EVERYTHING, "c.toml", "user").unwrap()
    assert (whole.extends, whole.withheld) == (("base.toml", "more.toml"), ())


def test_a_setting_says_where_it_stands() -> None:
    origin = read_file_untrusted('model = "a/b"\n[limits]\nusd = 1\n[[rules]]\nverdict="ask"\n', "c.toml", "project").unwrap().layer.origin
    lines = (("$.model", 1), ("$.limits", 2), ("$.limits.usd", 3), ("$.rules[0]", 4), ("$.rules[0].verdict", 5))
    assert {Line(*line) for line in lines} <= set(origin.lines)
    assert (origin.layer, origin.place) == ("project", "c.toml")


def test_what_is_not_mentioned_is_missing() -> None:
    assert read("") == Overrides()
    assert read("\n# nothing\n") == Overrides()
    assert read_file_untrusted("", "c.toml", "user").unwrap() == FileSettings(Overrides(origin=Origin(layer="user", place="c.toml")))


def test_limits_not_mentioned_are_the_default_ones() -> None:
    limits = read("[limits]\ngenerations = 1\n").limits
    assert (limits.generations, limits.command_s) == (1, DEFAULT_LIMITS.command_s)


def test_what_is_put_back_hides_what_is_below() -> None:
    over = read("defaults = ['model', 'limits.command_s']")
    under = read("model = 'a/b'\n[limits]\ncommand_s = 1\nturns = 2")
    cfg = ChatConfig(ProjectConfig(Config(files=(over, under))))
    assert (cfg.model, cfg.limits.command_s, cfg.limits.turns) == ("", DEFAULT_LIMITS.command_s, 2)


def test_settings_are_read_from_json_too() -> None:
    value = JsonObject.of(model="a/b", parameters=JsonObject.of(stop=None), defaults=("agent",))
    layer = read_settings_untrusted(value, "request", "chat").unwrap()
    assert (layer.own_model, layer.own_parameters, layer.own_agent) == ("a/b", JsonObject.of(stop=None), DEFAULT)
    told = read_settings_untrusted(JsonObject.of(model=None, extends="x"), "request", "chat").failure()
    assert str(told[0]) == "request: model takes text in quotes, not null. @ $.model"
    assert str(told[1]).startswith("request: there is no setting 'extends' here")


def test_lines_are_found_by_path() -> None:
    toml = (
        'a.b = 1\n"c d" = 2 # [no]\n[x]\ny = [ # ]\n  "a]", """x\n[no]\n"""\n]\nw = \'\'\'b\n\'\'\'\'\n'
        "[[z]]\nk = {a=1, b='}'}\n[[z]]\nk = 2\n[z.m]\nl = 1\n[[z.n]]\n[[z.n]]\no = 1"
    )
    found = {place.path: place.line for place in lines_of(toml)}
    assert found == {
        ("a", "b"): 1,
        ("c d",): 2,
        ("x",): 3,
        ("x", "y"): 4,
        ("x", "w"): 9,
        ("z", 0): 11,
        ("z", 0, "k"): 12,
        ("z", 1): 13,
        ("z", 1, "k"): 14,
        ("z", 1, "m"): 15,
        ("z", 1, "m", "l"): 16,
        ("z", 1, "n", 0): 17,
        ("z", 1, "n", 1): 18,
        ("z", 1, "n", 1, "o"): 19,
    }

"""gptme's config as turnfold's: each value is carried over or told as left, and no key comes along."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from tests.adapters.gptme.support import DATA
from tests.laws.examples import examples
from turnfold.adapters.gptme.leaves import leaves
from turnfold.adapters.gptme.rules import PROVIDERS, Kind, Place, rules_of
from turnfold.adapters.gptme.settings import Converted, read_toml_untrusted, settings_of_untrusted
from turnfold.core.codec.settings import read_file_untrusted, read_settings_untrusted
from turnfold.core.json import JsonObject, freeze, thaw
from turnfold.shell.catalogue import catalogue
from turnfold.shell.settings_text import settings_toml

KNOWN = tuple(provider.name for provider in catalogue().providers)
USER = Place(kind=Kind.USER, folder="/home/ann/.config/gptme", home="/home/ann", known=KNOWN)
PROJECT = Place(kind=Kind.PROJECT, folder="/work/shop", home="/home/ann", known=KNOWN)
CHAT = Place(kind=Kind.CHAT, folder="/logs/x", home="/home/ann", known=KNOWN)
FILES = (
    ("config/config.toml", USER),
    ("config/config.local.toml", USER),
    ("project/gptme.toml", PROJECT),
    ("project/old.toml", PROJECT),
    ("project/chat.toml", CHAT),
)

# The sections that gptme's documentation and its classes (0.35.1: UserConfig, ProjectConfig, ChatConfig) have.
OF_USER = "user prompt env models providers mcp lessons context plugins plugin settings hooks tui".split()
OF_PROJECT = "prompt hooks rag agent lessons context context_selector compression plugins plugin subagent settings env mcp".split()
OF_CHAT = "chat env mcp".split()


def tree(file: str) -> JsonObject:
    return read_toml_untrusted((DATA / file).read_text(encoding="utf-8"), file).unwrap()


def converted(file: str, place: Place) -> Converted:
    return settings_of_untrusted(tree(file), place)


def of(place: Place, **tables: object) -> Converted:
    value = freeze(tables)
    assert isinstance(value, JsonObject)
    return settings_of_untrusted(value, place)


def assert_nothing_lost(config: JsonObject, found: Converted) -> None:
    """The law: each leaf is carried or left; and what is told speaks of leaves."""
    paths = {leaf.path for leaf in leaves(config)}
    left = {each.path for each in found.left}
    assert paths == set(found.carried) | (left & paths)
    assert left <= paths | {"model"}


@pytest.mark.parametrize(("file", "place"), FILES)
def test_each_value_of_the_documentation_is_carried_or_told(file: str, place: Place) -> None:
    found = converted(file, place)
    assert_nothing_lost(tree(file), found)
    assert not [each for each in found.left if each.why == "turnfold has no setting for it"], "each key of gptme's is known by name"


@pytest.mark.parametrize(("file", "place"), FILES)
def test_turnfold_reads_what_is_made_of_it(file: str, place: Place) -> None:
    settings = converted(file, place).settings
    layer = read_settings_untrusted(settings, "config.toml", "user").unwrap()
    toml = settings_toml(layer)
    read = read_file_untrusted(toml, "config.toml", "user").unwrap()
    assert settings_toml(read.layer) == toml
    assert read.layer.model == settings.get("model", "")


def test_the_files_use_every_section() -> None:
    assert sorted(tree("config/config.toml")) == sorted(OF_USER)
    assert sorted(tree("project/gptme.toml")) == sorted(OF_PROJECT)
    assert sorted(tree("project/chat.toml")) == sorted(OF_CHAT)


def test_a_persons_file() -> None:
    found = converted("config/config.toml", USER)
    assert thaw(found.settings) == {
        "model": "anthropic/claude-sonnet-4-6",
        "user": {"name": "Ann", "about": "I mend bicycles.", "style": "Short answers."},
        "prompt": {"files": ["/home/ann/notes/tips.md", "/etc/motd", "/home/ann/.config/gptme/house.md"]},
        "instructions": "Use metric units.\n\nNo exclamation marks.",
        "tools": ["save", "append", "patch", "python", "shell", "browser"],
        "tool_format": "markdown",
        "max_tokens": 4096,
        "environment": {"EDITOR_THEME": "dark"},
        "limits": {"command_s": 90.0, "generations": 25},
        "compaction": {"at": 0.85},
        "skills": {"lessons": ["/home/ann/lessons", "/home/ann/.config/gptme/own-lessons"]},
        "providers": {
            "vllm-local": {"base_url": "http://localhost:8000/v1", "default_model": "meta-llama/Llama-3.1-8B"},
            "work": {"base_url": "https://models.example.com/v1", "secret": "WORK_API_KEY"},
            "old": {"base_url": "https://old.example.com/v1", "secret": "OLD_API_KEY"},
            "local": {"base_url": "http://localhost:11434/v1"},
        },
        "mcp": {
            "files": {
                "enabled": True,
                "command": "npx",
                "arguments": ["-y", "server-files", "/home/ann"],
                "environment": {"LOG_LEVEL": "debug", "API_TOKEN": {"secret": "API_TOKEN"}},
            },
            "web": {
                "enabled": False,
                "url": "https://mcp.example.com/mcp",
                "headers": {"Authorization": {"secret": "MCP_WEB_AUTHORIZATION"}, "X-Team": "bikes"},
            },
        },
    }


def test_what_is_left_of_a_persons_file_says_why() -> None:
    left = {each.path: each.why for each in converted("config/config.toml", USER).left}
    assert left["env.MODEL"] == "models.default says it, too, and wins"
    assert left["env.OPENAI_API_KEY"] == "keep OPENAI_API_KEY in the environment: turnfold's files hold no keys"
    assert left["env.TOOL_ALLOWLIST"] == "turnfold has no tools of this name: computer"
    assert left["providers[2].api_key"] == "put the key into the environment as OLD_API_KEY: turnfold's file only names it"
    assert left["prompt.about_user"] == "user.about says it, too, and wins"
    assert {"hooks.scripts[0].event", "tui.statusline", "settings.gear", "plugin.retrieval.top_k"} <= left.keys()


def test_no_key_comes_along() -> None:
    for file, place in FILES:
        found = converted(file, place)
        told = json.dumps(thaw(found.settings)) + " ".join(map(str, found.left))
        for key in ("sk-not-a-real-key", "0123456789abcdef", "tok-1234", "tok-5678", "Bearer abc"):
            assert key not in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "x"),
        ("APIKEY", "x"),
        ("GH_TOKEN", "x"),
        ("DATABASE_URL", "postgres://ann:pw@db/x"),
        ("X", "ghp_0123456789"),
        ("MY_PAT", "x"),
    ],
)
def test_what_looks_like_a_secret_stays_where_it_is(name: str, value: str) -> None:
    found = of(
        USER, env={name: value}, mcp={"enabled": True, "servers": [{"name": "a", "env": {name: value}, "args": ["--key", "sk-0123456789"]}]}
    )
    assert thaw(found.settings) == {"mcp": {"a": {"environment": {name: {"secret": name}}}}}
    assert value not in "".join(each.why for each in found.left).replace("turnfold's file only names it", "") or value == "x"


@pytest.mark.parametrize("name", ["MAX_TOKENS_SHOWN", "PATH_STYLE", "AUTHOR", "KEYBOARD", "TOKENIZER"])
def test_what_is_no_secret_comes_along(name: str) -> None:
    assert thaw(of(USER, env={name: "1"}).settings) == {"environment": {name: "1"}}


def test_a_projects_file() -> None:
    found = converted("project/gptme.toml", PROJECT)
    assert thaw(found.settings) == {
        "model": "openai/gpt-5-mini",
        "instructions": "You mend bicycles.\n\nThis is the bicycle shop.",
        "prompt": {"files": ["README.md", "docs/*.md"], "commands": ["git status -v"]},
        "skills": {"lessons": ["lessons", ".lessons"]},
        "environment": {"SHOP": "bikes"},
        "mcp": {"stock": {"enabled": False, "command": "stock-server"}},
    }
    old = converted("project/old.toml", PROJECT)
    assert old.left == ()
    assert old.settings["instructions"] == found.settings["instructions"]


def test_a_chats_file() -> None:
    found = converted("project/chat.toml", CHAT)
    assert thaw(found.settings) == {
        "model": "anthropic/claude-sonnet-4-6",
        "tools": ["save", "patch", "shell", "python", "vision"],
        "tool_format": "native",
        "max_tokens": 2048,
        "temperature": 0.2,
        "parameters": {"top_p": 0.9},
        "compaction": {"at": 0.6},
        "instructions": "You are careful.",
        "environment": {"CI": "1"},
        "mcp": {"files": {"command": "npx"}},
    }
    assert {"chat.name", "chat.workspace"} <= set(found.carried)


def test_a_model_of_an_unknown_provider_is_kept_with_a_word() -> None:
    found = of(USER, models={"default": "azure/gpt-4"})
    assert found.settings == JsonObject.of(model="azure/gpt-4")
    assert [each.path for each in found.left] == ["model"]
    assert "your config.toml" in of(PROJECT, env={"MODEL": "nvidia/llama"}).left[0].why


def test_a_provider_that_turnfold_ships_no_line_for_gets_one() -> None:
    found = of(USER, models={"default": "nvidia/llama"})
    assert found.left == ()
    assert thaw(found.settings["providers"]) == {"nvidia": {"base_url": "https://integrate.api.nvidia.com/v1", "secret": "NVIDIA_API_KEY"}}
    assert "providers" not in of(USER, models={"default": "groq/llama"}).settings
    assert not {name for name, _, _ in PROVIDERS} & set(KNOWN)


@pytest.mark.parametrize("model", ["openai", "/x", "a/", "", 3, "a b/c"])
def test_what_names_no_model_is_left(model: object) -> None:
    assert of(USER, models={"default": model}).settings == JsonObject()


def test_servers_are_off_where_gptme_had_them_off() -> None:
    server = {"name": "a", "command": "x", "enabled": True}
    for mcp in ({"servers": [server]}, {"enabled": False, "servers": [server]}):
        found = of(USER, mcp=mcp)
        assert thaw(found.settings) == {"mcp": {"a": {"enabled": False, "command": "x"}}}
    assert thaw(of(USER, mcp={"enabled": True, "servers": [server]}).settings) == {"mcp": {"a": {"enabled": True, "command": "x"}}}


@pytest.mark.parametrize(
    ("names", "kept"),
    [("+computer,+shell", ["+shell"]), ("shell,shell,py", ["shell", "python"]), ("shell,+read", None), (",", None), (3, None)],
)
def test_lists_of_tools(names: object, kept: list[str] | None) -> None:
    found = of(USER, env={"TOOL_ALLOWLIST": names})
    assert thaw(found.settings) == ({} if kept is None else {"tools": kept})


@pytest.mark.parametrize("text", ["a = ", "= 1", "a = 1\na = 2", "a" * 10, "x = " + "[" * 5000])
def test_what_is_no_toml_is_a_problem(text: str) -> None:
    read = read_toml_untrusted(text, "config.toml")
    assert isinstance(read, Failure)
    assert "config.toml" in read.failure().message


def test_times_are_their_text() -> None:
    read = read_toml_untrusted("a = 2026-11-21\nb = [2026-11-21T12:00:00]\nc = 12:00:00\nd = inf", "x")
    assert isinstance(read, Failure)  # a number that is none
    assert read_toml_untrusted("a = 2026-11-21\nb = [12:00:00]", "x").unwrap() == JsonObject.of(a="2026-11-21", b=("12:00:00",))


NAMES = st.sampled_from(
    sorted({word for place in (USER, PROJECT, CHAT) for rule in rules_of(place) for word in rule.pattern.split(".") if "*" not in word})
)
SCALARS = (
    st.sampled_from(
        ("", "x", "a/b", "groq/llama", "sk-0123456789", "https://x.example/v1", "3", "0.5", "save,ipython", "+shell", "xml", "tool")
    )
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
VALUES = st.recursive(SCALARS | st.lists(SCALARS, max_size=3), lambda inner: st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4) | st.lists(st.dictionaries(NAMES | st.just("name"), inner, max_size=4), max_size=3), max_leaves=12)  # fmt: skip


def placed(table: dict[str, object], keys: list[str], value: object) -> None:
    """Puts ``value`` where a rule's pattern says; a ``*`` behind a list is an entry's name."""
    head, *rest = keys
    if not rest:
        table[head] = value
    elif head in ("servers", "scripts") or (head == "providers" and rest[1:]):
        entries = table.setdefault(head, [])
        assert isinstance(entries, list)
        entry: dict[str, object] = {"name": rest[0]}
        entries.append(entry)
        placed(entry, rest[1:], value)
    else:
        inner = table.setdefault(head, {})
        if isinstance(inner, dict):
            placed(inner, rest, value)


@st.composite
def configs(draw: st.DrawFn, place: Place) -> JsonObject:
    """Files that say, of some keys that there are rules for, anything at all."""
    table: dict[str, object] = {}
    for rule in draw(st.lists(st.sampled_from(rules_of(place)), max_size=12)):
        keys = [draw(STARS) if "*" in word else word for word in rule.pattern.split(".")]
        placed(table, keys, draw(GOOD | VALUES))
    value = freeze(table)
    assert isinstance(value, JsonObject)
    return value


STARS = st.sampled_from(("a", "b", "API_KEY", "X-Y", "a b", "", "PATH", "é", "n.m")) | st.text(max_size=5)
GOOD = st.sampled_from(
    (
        "x",
        "a/b",
        "groq/l",
        "https://x.example/v1/",
        "3",
        "shell,py",
        "markdown",
        True,
        2,
        0.5,
        ["a"],
        ["", "b"],
        ["~/x", "+read"],
        "a\nb",
        "\0",
    )
)


@given(st.sampled_from((USER, PROJECT, CHAT)).flatmap(lambda place: st.tuples(st.just(place), configs(place))))
@examples(60)
def test_turnfold_reads_whatever_is_made_of_a_file(drawn: tuple[Place, JsonObject]) -> None:
    place, config = drawn
    found = settings_of_untrusted(config, place)
    assert_nothing_lost(config, found)
    read = read_settings_untrusted(found.settings, "turnfold.toml", "chat")
    assert isinstance(read, Success), read.failure()


@given(st.dictionaries(NAMES | st.text(max_size=4), VALUES, max_size=6), st.sampled_from((USER, PROJECT, CHAT)))
@examples(60)
def test_nothing_is_lost_in_silence_whatever_the_file_says(tables: dict[str, object], place: Place) -> None:
    config = freeze(tables)
    assert isinstance(config, JsonObject)
    found = settings_of_untrusted(config, place)
    assert_nothing_lost(config, found)
    read = read_settings_untrusted(found.settings, "turnfold.toml", "chat")
    assert isinstance(read, Success), read.failure()


@given(st.text(max_size=60))
def test_any_text_is_read_or_a_problem(text: str) -> None:
    read = read_toml_untrusted(text, "x")
    try:
        plain = tomllib.loads(text)
    except ValueError:
        assert isinstance(read, Failure)
    else:
        assert isinstance(read, Failure) or sorted(read.unwrap()) == sorted(plain)


def test_the_data_is_small() -> None:
    assert sum(path.stat().st_size for path in Path(DATA).rglob("*") if path.is_file()) < 40_000

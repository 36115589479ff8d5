"""Recorded cases of gptme's config, as data: turnfold's reader and layers mean the same, but for what ``config_differences.json`` lists."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import tomli_w
from returns.result import Failure

from tests.core.codec.gptme_words import FORMATS, VARIABLES, Words, in_turnfolds_words
from turnfold.cli.arguments import Talk, parse_arguments
from turnfold.cli.opening import unknown_tool
from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.config.layer import Layer, LayerName
from turnfold.core.config.layers import ChatConfig, Config, Overrides, ProjectConfig
from turnfold.core.config.missing import MISSING
from turnfold.core.problem import Problem
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.shell.folders import Folders
from turnfold.shell.settings import Settings, load_settings
from turnfold.shell.trust import trust

HERE = Path(__file__).parent
CORPORA = HERE.parents[2].parent / "shared" / "corpora"
DIFFERENCES: dict[str, str] = json.loads((HERE / "config_differences.json").read_text(encoding="utf-8"))
FAILS: Words = {"fails": True}
PLACES = (
    ("user/config.toml", "config/config.toml"),
    ("user/config.local.toml", "config/config.local.toml"),
    ("project/gptme.toml", "project/turnfold.toml"),
    ("project/gptme.local.toml", "project/turnfold.local.toml"),
    ("project/.github/gptme.toml", "project/.turnfold/config.toml"),
)


def cases(topic: str) -> list[Words]:
    """The recorded cases of this topic; none where the corpora are not."""
    path = CORPORA / f"{topic}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def case_id(case: Words) -> str:
    return str(case["id"])


def table(value: object) -> Mapping[str, object]:
    """A table; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def toml_of(text: str) -> str:
    """A file of gptme's as one of turnfold's; as it is where it is no TOML."""
    try:
        return tomli_w.dumps(in_turnfolds_words(tomllib.loads(text)))
    except tomllib.TOMLDecodeError:
        return text


# ── What a case of the corpus says, and what turnfold says, in the same words. ────────────────────────────────────────


def servers_of(mcp: object) -> list[Words]:
    """The servers of gptme's result, without what is empty."""
    on = table(mcp).get("enabled") is True
    found = table(mcp).get("servers") or []
    assert isinstance(found, list)
    return [_server({"enabled": True, **each}, on=on) for each in found]


def _server(said: Mapping[str, object], *, on: bool) -> Words:
    kept = ("name", "command", "args", "env", "url", "headers")
    return {**{name: said[name] for name in kept if said.get(name)}, "enabled": on and said["enabled"] is True}


def own_servers(cfg: Layer) -> list[Words]:
    """Turnfold's servers in gptme's words."""
    return [
        _server(
            {
                "name": each.name,
                "enabled": each.enabled,
                "command": each.command,
                "args": list(each.arguments),
                "env": dict(each.environment.members),
                "url": each.url,
                "headers": dict(each.headers.members),
            },
            on=True,
        )
        for each in cfg.mcp
    ]


def expected(case: Words) -> Words:
    """What one case of ``config`` gives: a user's, a project's or a conversation's settings."""
    if "error" in case:
        return FAILS
    out = table(case["out"])
    out = table(out["project"]) if "project" in out and "user" in out else out  # a case of from_workspace: the project is what was read
    user, prompt = table(out.get("user")), table(out.get("prompt"))
    texts = (out.get("base_prompt"), out.get("prompt"))
    return {
        "model": out.get("model"),
        "tools": out.get("tools"),
        "tool_format": out.get("tool_format"),
        "max_tokens": out.get("max_tokens"),
        "temperature": out.get("temperature"),
        "user": [user.get("name", "User"), user.get("about"), user.get("response_preference")],
        "env": dict(table(out.get("env"))),
        "instructions": "\n\n".join(text for text in texts if isinstance(text, str)),
        "files": out.get("files") or prompt.get("files") or [],
        "commands": [out["context_cmd"]] if out.get("context_cmd") else [],
        "servers": servers_of(out.get("mcp")),
    }


def own_result(cfg: Layer) -> Words:
    """The same of turnfold's settings."""
    formats = {own: theirs for theirs, own in FORMATS}
    return {
        "model": cfg.model or None,
        "tools": None if cfg.tools is None else list(cfg.tools),
        "tool_format": None if cfg.tool_format is None else formats[cfg.tool_format.value],
        "max_tokens": cfg.max_tokens,
        "temperature": cfg.temperature,
        "user": [cfg.user.name or "User", cfg.user.about or None, cfg.user.style or None],
        "env": {each.name: each.value for each in cfg.environment},
        "instructions": cfg.instructions,
        "files": list(cfg.prompt.files),
        "commands": list(cfg.prompt.commands),
        "servers": own_servers(cfg),
    }


def read_case(case: Words) -> Words:
    """What turnfold makes of one case of ``config``, whose argument is a table or files."""
    given = table(case["in"])["args"]
    assert isinstance(given, list)
    files = table(given[0].get("files"))
    if not files:
        texts: tuple[str, ...] = (tomli_w.dumps(in_turnfolds_words(given[0])),)
    elif "__dir__" in given[0]:
        texts = (toml_of(str(files["gptme.toml"])),)
    else:
        main = str(given[0]["__file__"])
        texts = tuple(toml_of(str(files[name])) for name in (main.replace(".toml", ".local.toml"), main) if name in files)
    layers: tuple[Overrides, ...] = ()
    layer: LayerName = "user"
    for text in texts:
        read = read_file_untrusted(text, "config.toml", layer)
        if isinstance(read, Failure):
            return FAILS
        layers = (*layers, read.unwrap().layer)
    return own_result(Config(files=layers))


def differ(case: Words, want: Words, have: Words) -> None:
    """Fails where the two differ and the difference is not listed, and where it is listed and they agree."""
    reason = DIFFERENCES.get(case_id(case))
    if reason is None:
        assert have == want
    else:
        assert have != want, f"{case_id(case)} is listed as different ({reason}), and is not"


@pytest.mark.parametrize("case", cases("config"), ids=case_id)
def test_one_file_means_the_same(case: Words) -> None:
    differ(case, expected(case), read_case(case))


# ── config_layers: files of all layers, variables and the command line, resolved. ─────────────────────────────────────


def expected_layers(case: Words) -> Words:
    if "error" in case:
        return FAILS
    out = table(case["out"])
    project = table(out.get("project"))
    return {
        "model": out["model"],
        "tools": out["tools"],
        "tool_format": out["tool_format"],
        "env": dict(table(out["env"])),
        "servers": servers_of(out["mcp"]),
        "instructions": project.get("prompt") or "",
        "files": project.get("files") or [],
        "commands": [project["context_cmd"]] if project.get("context_cmd") else [],
    }


def loaded(case: Words, tmp_path: Path) -> Settings | None:
    """The layers that turnfold reads from the case's files and variables; None where it refuses them."""
    given = table(case["in"])
    files = table(given["files"])
    for theirs, own in PLACES:
        if theirs in files:
            (tmp_path / own).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / own).write_text(toml_of(str(files[theirs])), encoding="utf-8")
    folders = Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")
    assert trust(folders, tmp_path / "project") is None
    names = {theirs: f"TURNFOLD_{own.upper()}" for theirs, own in VARIABLES}
    variables = {names.get(name, name): str(value) for name, value in table(given["env"]).items()}
    read = load_settings(folders, tmp_path / "project", variables)
    return read if isinstance(read, Settings) else None


def chat(case: Words, project: ProjectConfig) -> ChatConfig | None:
    """The conversation: its own file, and the command line over it; None where turnfold refuses one of them."""
    given = table(case["in"])
    text = table(given["files"]).get("log/config.toml")
    own = read_file_untrusted("" if text is None else toml_of(str(text)), "chat.toml", "chat")
    cli = table(given["cli"])
    argv = [
        *(("--model", str(cli["model"])) if "model" in cli else ()),
        *((f"--tools={cli['tool_allowlist']}",) if "tool_allowlist" in cli else ()),
    ]
    plan = parse_arguments([*argv, "hi"])
    if isinstance(own, Failure) or not isinstance(plan, Talk):
        return None
    said = Overrides(model=plan.model or MISSING, tools=MISSING if plan.tools is None else plan.tools)
    cfg = ChatConfig(project, overrides=(said, own.unwrap().layer))
    return None if isinstance(unknown_tool(cfg.tools, BUILTIN_TOOLS), Problem) else cfg


def read_layers(case: Words, tmp_path: Path) -> Words:
    settings = loaded(case, tmp_path)
    cfg = None if settings is None else chat(case, settings.project)
    if settings is None or cfg is None:
        return FAILS
    given = table(case["in"])
    asked = given["ask"]
    assert isinstance(asked, list)
    result = own_result(cfg)
    env = {**table(given["env"]), **table(result["env"])}  # a command gets the process's variables, and over them what config says
    return {
        "model": result["model"],
        "tools": "<default>" if cfg.tools is None else result["tools"],
        "tool_format": result["tool_format"] or "markdown",
        "env": {name: (settings.project.model if name == "MODEL" else env.get(name)) or None for name in asked},
        "servers": result["servers"],
        "instructions": result["instructions"],
        "files": result["files"],
        "commands": result["commands"],
    }


@pytest.mark.parametrize("case", cases("config_layers"), ids=case_id)
def test_layers_mean_the_same(case: Words, tmp_path: Path) -> None:
    differ(case, expected_layers(case), read_layers(case, tmp_path))


def test_every_listed_difference_is_a_case() -> None:
    known = {case_id(case) for topic in ("config", "config_layers") for case in cases(topic)}
    if not known:
        pytest.skip(f"the corpora of recorded cases are not at {CORPORA}")
    assert set(DIFFERENCES) <= known

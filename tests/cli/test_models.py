"""``turnfold models``: which model would be used and why, and the models that are known."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import evolve

from tests.cli.support import SECRET, Bench, says
from turnfold.cli.arguments import ModelList, Told, parse_arguments
from turnfold.cli.exits import Exit
from turnfold.cli.models import known_models, model_lines, overview
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.said import said
from turnfold.core.config.values import ModelProfile
from turnfold.core.problem import caller_problem
from turnfold.shell.catalogue import with_catalogue
from turnfold.shell.discovery import Chosen, Served, Source
from turnfold.shell.survey import Survey
from turnfold.testing.server import ScriptedServer

CFG = with_catalogue(ChatConfig(ProjectConfig(Config(models=(said(ModelProfile, pattern="ollama/qwen3", window_tokens=40_000),)))))
OLLAMA = next(provider for provider in CFG.providers if provider.name == "ollama")
FOUND = Survey(
    chosen=Chosen(model="anthropic/claude-x", source=Source.KEY, reason="ANTHROPIC_API_KEY is set"),
    keys=("ANTHROPIC_API_KEY",),
    unset=("OPENAI_API_KEY",),
    served=(Served(OLLAMA, ("qwen3", "nobody\x1b[31mknows")),),
    engine=False,
    weights=None,
)


def shown(pattern: str = "", *, everything: bool = False) -> str:
    return overview(CFG, FOUND, pattern, everything=everything)


def test_the_choice_stands_first_then_what_was_found_then_the_models() -> None:
    lines = shown().splitlines()
    assert lines[0].split(maxsplit=1) == ["model", "anthropic/claude-x (ANTHROPIC_API_KEY is set)"]
    assert "ollama at http://127.0.0.1:11434/v1: qwen3, nobody" in shown()
    assert "\x1b" not in shown()
    sonnet = next(line for line in lines if line.startswith("anthropic/claude-sonnet-5-5"))
    assert sonnet.split() == [
        "anthropic/claude-sonnet-5-5",
        "1M",
        "128k",
        "2",
        "0.1",
        "10",
        "tools",
        "reasons",
        "images",
        "claude",
        "sonnet",
    ]
    qwen = next(line for line in lines if line.startswith("ollama/qwen3"))
    assert qwen.split() == ["ollama/qwen3", "40k", "-", "0", "0", "0", "-"]


def test_models_of_providers_that_cannot_be_asked_are_shown_when_all_are_wanted() -> None:
    assert "openai/" not in shown().partition("\n\n")[2]
    assert "more of providers that can't be asked now: turnfold models --all" in shown()
    assert "openai/gpt-5.4-mini" in shown(everything=True)
    assert "--all" not in shown(everything=True)


def test_a_pattern_is_looked_for_in_names_and_aliases() -> None:
    assert [model.name for model in known_models(CFG, FOUND, "Sonnet") if model.usable] == [
        "anthropic/claude-sonnet-5-5",
        "anthropic/claude-sonnet-5",
        "anthropic/claude-sonnet-4-6",
    ]
    assert {model.name for model in known_models(CFG, FOUND, "gro*build")} == {"xai/grok-build-0.1"}
    assert "No model that is known has nosuch in its name." in shown("nosuch")


def test_as_json_lines() -> None:
    first, *models = [json.loads(line) for line in model_lines(CFG, FOUND, "", everything=False)]
    assert first["chosen"] == {"model": "anthropic/claude-x", "reason": "ANTHROPIC_API_KEY is set"}
    assert first["servers"][0]["provider"] == "ollama"
    assert all(model["usable"] for model in models)
    nothing = evolve(FOUND, chosen=caller_problem("no-model", "There is none."))
    assert json.loads(next(iter(model_lines(CFG, nothing, "", everything=True))))["chosen"] == {"problem": "There is none."}


def test_its_arguments() -> None:
    assert parse_arguments(["models", "gpt", "--all", "--json"]) == ModelList("gpt", json=True, everything=True)
    assert parse_arguments(["models"]) == ModelList()
    told = parse_arguments(["models", "--help"])
    assert isinstance(told, Told)
    assert (told.code, "--all" in told.text) == (Exit.DONE, True)


def test_the_command_names_what_a_run_then_uses_and_the_run_says_what_it_cost(tmp_path: Path) -> None:
    with ScriptedServer((says("Hello."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        priced = '[models."scripted/test"]\naliases = ["mine"]\ninput_usd = 10.0\noutput_usd = 100.0\n'
        bench.write_config(bench.config.read_text(encoding="utf-8") + priced)
        told = bench.run("models", "mine")
        assert (told.code, told.out.splitlines()[0].split(maxsplit=1)) == (0, ["model", "scripted/test (it is named)"])
        assert "scripted/test" in told.out.partition("\n\n")[2]
        assert SECRET not in told.out
        done = bench.run("--model", "mine", "hi")
    assert done.code == 0, done.err
    assert "Using scripted/test (it is named, as mine)." in done.err
    assert "100 tokens in, 7 out · $0.0017 · go on:" in done.err
    events = [json.loads(line)["event"] for line in bench.run("show", done.conversation, "--json").out.splitlines()]
    assert [event["outcome"]["usage"]["cost_usd"] for event in events if event["type"] == "RequestClosed"] == [0.0017]

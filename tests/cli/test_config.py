"""``turnfold config`` in real processes: what is told, what is written, and what is not lost."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from tests.cli.support import Bench
from turnfold.shell.folders import NOWHERE

OWN = """\
model = "work/qwen3"
tools = ["read", "shell"]

[providers.work]
base_url = "http://127.0.0.1:9/v1"
secret = "WORK_KEY"

[environment]
API_TOKEN = "very-secret"
CI = "1"

[limits]
usd = 2
"""
PROJECT = """\
tools = ["-shell"]
roots = ["/srv"]

[[rules]]
verdict = "deny"
kind = "run"
pattern = "rm *"

[[rules]]
verdict = "allow"

[limits]
command_s = 5
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path / "home", tmp_path / "work", {"TURNFOLD_TEMPERATURE": "0.5"})
    bench.workspace.mkdir()
    bench.write_config(OWN)
    (bench.workspace / "turnfold.toml").write_text(PROJECT, encoding="utf-8")
    return bench


def editor(bench: Bench, script: str) -> Bench:
    """The bench with an editor that is a shell script; ``$1`` is the file."""
    path = bench.home.parent / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return Bench(bench.home, bench.workspace, {**bench.environ, "EDITOR": str(path), "TMPDIR": str(bench.home.parent)})


def test_what_is_set_is_shown_as_toml_with_its_places(bench: Bench) -> None:
    done = bench.run("config", "show")
    assert done.code == 0, done.err
    assert tomllib.loads(done.out) == {
        "temperature": 0.5,
        "tools": ["read"],
        "model": "work/qwen3",
        "providers": {"work": {"base_url": "http://127.0.0.1:9/v1", "secret": "WORK_KEY"}},
        "rules": [{"verdict": "deny", "kind": "run", "pattern": "rm *"}],
        "environment": {"API_TOKEN": "***", "CI": "1"},
        "limits": {"command_s": 5.0, "usd": 2.0},
    }
    places = {line.partition(" = ")[0]: line.rpartition("# ")[2] for line in done.out.splitlines() if " = " in line}
    assert places["model"] == f"{bench.config}:1"
    assert places["temperature"] == "TURNFOLD_TEMPERATURE"
    assert places["tools"] == f"{bench.workspace / 'turnfold.toml'}:1"
    assert places["usd"] == f"{bench.config}:13"
    assert "very-secret" not in done.out


def test_all_settings_are_shown_with_their_defaults(bench: Bench) -> None:
    done = bench.run("config", "show", "--all")
    shown = tomllib.loads(done.out)
    assert shown["compaction"] == {"auto": True, "at": 0.8, "keep_turns": 2, "keep_rounds": 4, "keep_first": True, "model": ""}
    assert shown["limits"]["generations"] == 40
    assert "# turns is not set" in done.out


def test_machines_get_json(bench: Bench) -> None:
    done = bench.run("config", "show", "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert {line["key"] for line in lines} >= {"model", "tools", "providers.work.secret", "environment.CI", "rules"}
    explained = json.loads(bench.run("config", "explain", "tools", "--json").out)
    assert explained == {
        "key": "tools",
        "value": ["read"],
        "layer": "project",
        "place": f"{bench.workspace / 'turnfold.toml'}:1",
        "overrode": [{"value": ["read", "shell"], "layer": "user", "place": f"{bench.config}:2"}],
    }
    assert "very-secret" not in done.out


def test_a_check_names_tools_that_there_are_not_and_an_agents_model_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home", tmp_path / "work")
    bench.workspace.mkdir()
    bench.write_config('tools = ["reed"]\nagent = "a"\n[agents.a]\nmodel = "nope/x"\ntools = ["+shel"]\n[agents.b]\ntools = ["xyzzy"]\n')
    done = bench.run("config", "check")
    assert (done.code, done.out.count("nope/x")) == (2, 1)
    assert f"{bench.config}:5: There is no tool 'shel'; did you mean shell? @ $.agents.a.tools" in done.out
    assert "There is no tool 'xyzzy'; there are read, save" in done.out
    bench.write_config('tools = ["+reed"]\n')
    assert "There is no tool 'reed'; did you mean read? @ $.tools" in bench.run("config", "check").out


def test_a_check_names_tools_that_a_turn_shall_begin_or_end_with_and_there_are_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home", tmp_path / "work")
    bench.workspace.mkdir()
    fine = 'tool_choice = "required"\nstop_on = ["*", "transfer_to_b", "helper"]\nagent = "a"\n[agents.a]\nhandoffs = ["b"]\n[agents.b]\n'
    bench.write_config(f'{fine}tool_choice = "helper"\nhelpers = ["helper"]\nstop_on = ["read"]\n[agents.helper]\n[mcp.s]\ncommand = "x"\n')
    assert bench.run("config", "check").out == "1 file read, no fault.\n"
    wrong = 'tool_choice = "reed"\nstop_on = ["transfer_to_c", "s__x"]\n[mcp.s]\ncommand = "x"\n[agents.a]\n'
    bench.write_config(f'{wrong}tool_choice = "requird"\nstop_on = ["shel"]\n')
    done = bench.run("config", "check")
    assert (done.code, done.out.count("✗")) == (2, 4)
    assert f"{bench.config}:1: There is no tool 'reed'; did you mean read" in done.out
    assert f"{bench.config}:2: There is no tool 'transfer_to_c'" in done.out
    assert f"{bench.config}:6: There is no tool 'requird'; did you mean required? @ $.agents.a.tool_choice" in done.out
    assert f"{bench.config}:7: There is no tool 'shel'; did you mean shell? @ $.agents.a.stop_on" in done.out


def test_a_check_names_what_in_an_output_checks_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home", tmp_path / "work")
    bench.workspace.mkdir()
    bench.write_config('output = { type = "objekt" }\n[agents.a.output]\n"$ref" = "#/nowhere"\n')
    done = bench.run("config", "check")
    assert (done.code, done.out.count("✗")) == (2, 2), done.out
    assert "output.type takes one of object, array, string, integer, number, boolean, null, not 'objekt'; did you mean object?" in done.out
    assert f'{bench.config}:2: agents.a.output.$ref leads to no schema in there: "#/nowhere". @ $.agents.a.output.$ref' in done.out


def test_a_value_is_explained_in_a_few_lines(bench: Bench) -> None:
    done = bench.run("config", "explain", "tools")
    assert done.out.splitlines() == [
        'tools = ["read"]',
        f"  from {bench.workspace / 'turnfold.toml'}:1 (project)",
        f'  over ["read", "shell"] from {bench.config}:2 (user)',
    ]
    assert bench.run("config", "explain", "skills").out.startswith(
        'skills = { folders = [".turnfold/skills", ".claude/skills"], lessons = '
    )
    assert bench.run("config", "explain", "limits.generations").out == "limits.generations = 40\n  from turnfold's own defaults\n"
    assert bench.run("config", "explain", "environment.API_TOKEN").out.startswith('environment.API_TOKEN = "***"\n')
    wrong = bench.run("config", "explain", "limits.usb")
    assert (wrong.code, wrong.err) == (2, 'turnfold: There is no "usb" in limits; did you mean usd?\n')


def test_paths_are_listed_by_their_weight(bench: Bench) -> None:
    (bench.home / "base.toml").write_text("max_tokens = 5\n", encoding="utf-8")
    bench.write_config(f'extends = "{bench.home}/base.toml"\n{OWN}')
    local = bench.config.with_name("config.local.toml")
    assert bench.run("config", "paths").out.splitlines() == [
        "variable  TURNFOLD_TEMPERATURE",
        f"project   {bench.workspace / 'turnfold.local.toml'}  (not there)",
        f"project   {bench.workspace / 'turnfold.toml'}",
        f"yours     {local}  (not there)",
        f"yours     {bench.config}",
        f"  extends {bench.home / 'base.toml'}",
        f"data      {bench.home / 'tf' / 'data'}",
        f"cache     {bench.home / 'tf' / 'cache'}",
    ]


def test_check_tells_what_was_left_out_what_waits_and_who_is_unknown(bench: Bench) -> None:
    fine = bench.run("config", "check")
    assert fine.code == 0, fine.out
    assert "turnfold.toml:2: roots is left out" in fine.out
    assert fine.out.endswith("2 files read, no fault.\n")
    bench.write_config(OWN.replace("work/qwen3", "wrok/qwen3").replace("tools", 'agent = "nobody"\ntools') + "[server]\nport = 1\n")
    done = bench.run("config", "check")
    assert done.code == 2
    assert f"✗ {bench.config}:1: There is no provider" in done.out
    assert f"✗ {bench.config}:2: There is no agent 'nobody'" in done.out
    assert "server.port is read and kept, and nothing uses it yet" in done.out


def test_check_tells_hooks_that_name_no_event_or_never_run(bench: Bench) -> None:
    hooks = '[hooks.a]\non = ["TurnEnd", "*"]\ncommand = "x"\n[hooks.b]\non = ["nonsense"]\n[hooks.c]\ncommand = "x"\n'
    bench.write_config(OWN + hooks)
    done = bench.run("config", "check")
    assert done.code == 2
    assert "There is no event 'TurnEnd'; did you mean TurnEnded?" in done.out
    assert "There is no event 'nonsense'; there are Started, MessageAdded," in done.out
    assert "The hook b is never run: command is missing. @ $.hooks.b.command" in done.out
    assert "The hook c is never run: on is missing. @ $.hooks.c.on" in done.out


def test_check_tells_every_fault_of_every_file(bench: Bench) -> None:
    bench.write_config(f"modle = 1\ntemperature = 9\n{OWN}")
    (bench.workspace / "turnfold.toml").write_text("[limits]\ncommand_s = true\n", encoding="utf-8")
    done = bench.run("config", "check")
    assert done.code == 2
    assert {line.partition(": ")[0] for line in done.out.splitlines()} == {
        f"✗ {bench.config}:1",
        f"✗ {bench.config}:2",
        f"✗ {bench.workspace / 'turnfold.toml'}:2",
    }


def test_what_is_edited_is_written_as_a_whole_with_its_mode_and_through_a_link(bench: Bench) -> None:
    real = bench.home / "dotfiles.toml"
    bench.config.rename(real)
    bench.config.symlink_to(real)
    real.chmod(0o640)
    done = editor(bench, "sed -i 's/usd = 2/usd = 3/' \"$1\"").run("config", "edit")
    assert (done.code, done.out) == (0, f"{bench.config} is written.\n"), done.err
    assert bench.config.is_symlink()
    assert real.read_text(encoding="utf-8") == OWN.replace("usd = 2", "usd = 3")
    assert real.stat().st_mode & 0o777 == 0o640
    assert not list(bench.home.parent.glob("turnfold-config-*"))


def test_what_is_not_changed_is_not_written(bench: Bench) -> None:
    before = bench.config.stat()
    done = editor(bench, "true").run("config", "edit")
    assert done.out == f"Nothing was changed in {bench.config}.\n"
    after = bench.config.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_with_a_fault_is_not_written_and_the_text_is_kept(bench: Bench) -> None:
    done = editor(bench, "echo 'modle = 1' > \"$1\"").run("config", "edit")
    assert done.code == 2
    assert f"✗ {bench.config}:1: there is no setting 'modle' here; did you mean model" in done.err
    copy = Path(done.err.rpartition("is kept in ")[2].strip().removesuffix("."))
    assert copy.read_text(encoding="utf-8") == "modle = 1\n"
    assert bench.config.read_text(encoding="utf-8") == OWN


def test_on_a_terminal_a_fault_can_be_mended(bench: Bench) -> None:
    script = 'if grep -q modle "$1"; then echo "model = \\"a/b\\"" > "$1"; else echo "modle = 1" > "$1"; fi'
    terminal = editor(bench, script).on_terminal("config", "edit")
    terminal.until("Edit it again? [Y/n] ")
    terminal.type("y\n")
    terminal.until("is written.")
    assert terminal.ended() == 0
    assert bench.config.read_text(encoding="utf-8") == 'model = "a/b"\n'


def test_neither_of_two_changes_at_once_is_lost(bench: Bench) -> None:
    """Bad input: two programs edit the same file."""
    done = editor(bench, f"sed -i 's/usd = 2/usd = 3/' \"$1\"; echo '# by another' >> {bench.config}").run("config", "edit")
    assert done.code == 1
    assert bench.config.read_text(encoding="utf-8") == f"{OWN}# by another\n"
    (beside,) = bench.config.parent.glob("config.toml.edited-*")
    assert beside.read_text(encoding="utf-8") == OWN.replace("usd = 2", "usd = 3")
    assert str(bench.config) in done.err
    assert str(beside) in done.err


def test_a_file_that_is_not_there_begins_with_a_template(bench: Bench) -> None:
    done = editor(bench, 'cp "$1" seen; echo \'max_tokens = 5\' >> "$1"').run("config", "edit", "--project", "--local")
    assert done.code == 0, done.err
    local = bench.workspace / "turnfold.local.toml"
    assert tomllib.loads(local.read_text(encoding="utf-8")) == {"max_tokens": 5}
    assert tomllib.loads((bench.workspace / "seen").read_text(encoding="utf-8")) == {}
    assert local.stat().st_mode & 0o777 == 0o600
    assert bench.run("config", "explain", "max_tokens").out.splitlines()[1].startswith(f"  from {local}:")


def test_a_failed_or_missing_editor_changes_nothing(bench: Bench) -> None:
    assert "ended with 1" in editor(bench, "exit 1").run("config", "edit").err
    none = bench.run("config", "edit")
    assert (none.code, none.out) == (2, "")
    assert "There is no editor: set EDITOR" in none.err
    gone = Bench(bench.home, bench.workspace, {"EDITOR": "/nowhere/editor"}).run("config", "edit")
    assert "The editor /nowhere/editor can't be used" in gone.err
    assert bench.config.read_text(encoding="utf-8") == OWN


def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(bench: Bench) -> None:
    done = editor(bench, f"sed -i 's/usd = 2/usd = 3/' \"$1\"; rm -r {bench.home}/tf; echo > {bench.home}/tf").run("config", "edit")
    assert done.code == 1
    (sentence,) = done.err.splitlines()
    assert "can't be written" in sentence
    copy = Path(sentence.rpartition("is kept in ")[2].removesuffix("."))
    assert copy.read_text(encoding="utf-8") == OWN.replace("usd = 2", "usd = 3")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_folder_is_told_in_one_sentence(bench: Bench) -> None:
    bench.config.parent.chmod(0o500)
    done = editor(bench, "sed -i 's/usd = 2/usd = 3/' \"$1\"").run("config", "edit")
    bench.config.parent.chmod(0o700)
    assert done.code == 1
    assert "can't be written: Permission denied" in done.err


def test_a_folder_in_place_of_the_file_is_told(bench: Bench) -> None:
    bench.config.unlink()
    bench.config.mkdir()
    done = editor(bench, "true").run("config", "edit")
    assert (done.code, done.err) == (2, f"turnfold: {bench.config} is no ordinary file: rename it, and edit again.\n")


def test_trust_shows_what_it_grants_and_asks(bench: Bench) -> None:
    folder = str(bench.workspace)
    alone = bench.run("config", "trust")
    assert alone.code == 3
    assert 'roots = ["/srv"]' in alone.out
    assert 'verdict = "allow"' in alone.out
    assert 'verdict = "deny"' not in alone.out
    assert bench.run("config", "trust", "--list").out == "No folder is trusted.\n"
    terminal = bench.on_terminal("config", "trust")
    terminal.until("Trust it? [y/N] ")
    terminal.type("y\n")
    terminal.until("is trusted from now on.")
    assert terminal.ended() == 0
    assert bench.run("config", "trust", "--list").out == f"{folder}\n"
    assert bench.run("config", "explain", "roots").out.startswith('roots = ["/srv"]\n')
    assert bench.run("config", "trust").out == f"{folder} is trusted already.\n"
    assert bench.run("config", "trust", "--remove").out == f"{folder} is trusted no more.\n"
    assert bench.run("config", "trust", "--remove").code == 2
    assert bench.run("config", "trust", "--yes").code == 0


def test_nothing_that_a_project_says_can_hide_from_who_is_asked_to_trust_it(bench: Bench) -> None:
    toml = '[hooks."a"]\ncommand = "ls\x9b2K\u202e\U000e0041"\n[prompt]\ncommands = ["x\u200b"]\n'
    (bench.workspace / "turnfold.toml").write_text(toml, encoding="utf-8")
    told = bench.run("config", "trust").out
    assert r'"ls\u009b2K\u202e\U000e0041"' in told
    assert r'["x\u200b"]' in told
    (bench.workspace / "turnfold.toml").write_text('"a\u202e" = 1\n[providers."\x9b2K"]\n', encoding="utf-8")
    for done in (bench.run("config", "check"), bench.run("config", "show"), bench.run("config", "trust")):
        assert not {"\u202e", "\x9b"} & set(done.out + done.err)


def test_trust_without_a_project_is_told(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = bench.run("config", "trust", str(tmp_path / "empty"))
    assert done.code == 2
    assert "there is nothing to trust" in done.err


def test_the_schema_is_json(bench: Bench) -> None:
    schema = json.loads(bench.run("config", "schema").out)
    assert {"model", "limits", "providers", "extends", "defaults"} <= set(schema["properties"])


def test_nothing_is_written_by_telling(bench: Bench) -> None:
    """G12: reading never writes."""
    before = {path: path.stat().st_mtime_ns for path in bench.home.rglob("*")}
    for action in ("show", "paths", "check"):
        bench.run("config", action)
    assert {path: path.stat().st_mtime_ns for path in bench.home.rglob("*")} == before


def test_without_a_home_there_is_nothing_to_edit(bench: Bench) -> None:
    nowhere = Bench(bench.home, bench.workspace, {"TURNFOLD_HOME": str(NOWHERE), "EDITOR": "true"})
    done = nowhere.run("config", "edit")
    assert (done.code, done.out) == (2, "")
    assert "there is no home folder to keep settings in" in done.err
    assert nowhere.run("config", "explain", "tools").code == 0
    assert nowhere.run("hi").code == 1
    assert not NOWHERE.exists()


@pytest.mark.parametrize("arguments", [(), ("--help",), ("show", "--help"), ("edit", "-h"), ("trust", "-h"), ("explain", "-h")])
def test_help(bench: Bench, arguments: tuple[str, ...]) -> None:
    done = bench.run("config", *arguments)
    assert done.code == 0
    assert done.out.startswith("usage: turnfold config")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("shwo",), "there is no action 'shwo'; did you mean show?"),
        (("frobnicate",), "there is no action 'frobnicate'; choose one of show"),
        (("explain",), "which key?"),
        (("show", "--alll"), "there is no option --alll; did you mean --all?"),
        (("schema", "x"), "there is nothing to do with x"),
        (("show", "-w", "/nowhere/at/all"), "The workspace /nowhere/at/all can't be used"),
    ],
)
def test_wrong_arguments(bench: Bench, arguments: tuple[str, ...], sentence: str) -> None:
    done = bench.run("config", *arguments)
    assert done.code == 2
    assert sentence in done.err

"""The briefing, end to end: what lies around reaches the model's request, once, and what can't be told is said on standard error."""

from __future__ import annotations

import json
import os
from io import StringIO
from pathlib import Path

from attrs import evolve

from tests.cli.support import Bench, calls, says
from turnfold import ChatConfig, Config, ProjectConfig
from turnfold.cli.arguments import Talk
from turnfold.cli.briefed import briefed
from turnfold.cli.screen import Streams
from turnfold.core.config.tables import Prompt
from turnfold.shell.files import LocalFiles
from turnfold.shell.folders import Folders
from turnfold.shell.processes import LocalProcesses
from turnfold.testing.fake_world import fake_world
from turnfold.testing.server import ScriptedServer, SeenRequest

LESSON = "---\nmatch:\n  keywords: [rebase]\n---\n# Rebase\n\nFetch before you rebase.\n"
SKILL = "---\nname: release\ndescription: How to release.\n---\nRun make release.\n"


def told(request: SeenRequest) -> list[str]:
    """The texts of a request's messages."""
    return [str(message["content"]) for message in json.loads(request.body)["messages"]]


def test_a_guide_a_skill_and_a_fitting_lesson_reach_the_model_once(tmp_path: Path) -> None:
    with ScriptedServer((says("One."), says("Two."))) as server:
        more = 'user.name = "Ada"\nprompt.commands = ["echo from a command"]'
        bench = Bench.at(tmp_path, server.base_url, more)
        skill = bench.config.parent / "skills" / "release" / "SKILL.md"
        for path, text in ((bench.workspace / "AGENTS.md", "Use tabs."), (bench.workspace / "lessons" / "git.md", LESSON), (skill, SKILL)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (bench.workspace / "CLAUDE.md").write_bytes(b"\xff")
        first = bench.run("rebase it")
        assert first.code == 0, first.err
        (bench.workspace / "AGENTS.md").write_text("Use spaces.", encoding="utf-8")
        second = bench.run("--resume", first.conversation, "rebase it again")
        assert second.code == 0, second.err
        system, *said = told(server.requests[0])
        last = told(server.requests[-1])
    assert "AGENTS.md:\n````\nUse tabs.\n````" in system
    assert f"- release: How to release. ({skill})" in system
    assert "Name: Ada" in system
    assert "$ echo from a command:\n````\nfrom a command\n````" in system
    assert said[0].endswith("\n\nrebase it")
    assert "Rebase (lessons/git.md):\n````\n# Rebase\n\nFetch before you rebase.\n````" in said[0]
    assert last[:2] == [system, said[0]]
    assert "rebase it again" in last
    assert "The model is not told CLAUDE.md: it is no file of UTF-8 text" in first.err
    assert "not told" not in second.err


def test_a_skill_is_read_without_asking(tmp_path: Path) -> None:
    home = tmp_path / "home"
    skill = home / "tf" / "config" / "skills" / "release" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text(SKILL, encoding="utf-8")
    with ScriptedServer((calls("read", path=str(skill)), says("Done."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        done = bench.run("release it")
        assert done.code == 0, done.err
        assert "Run make release." in told(server.requests[1])[-1]


def test_a_projects_commands_run_where_it_is_trusted(tmp_path: Path) -> None:
    with ScriptedServer((says("One."), says("Two."))) as server:
        bench = Bench.at(tmp_path, server.base_url)
        (bench.workspace / "turnfold.toml").write_text('[prompt]\ncommands = ["touch ran"]\nfiles = ["linked.md"]\n')
        (tmp_path / "secret.md").write_text("a secret")
        (bench.workspace / "linked.md").symlink_to("../secret.md")
        first = bench.run("hi")
        assert first.code == 0, first.err
        assert not (bench.workspace / "ran").exists()
        assert "commands is left out" in first.err
        assert "linked.md: it lies outside of the workspace" in first.err
        trusting = bench.run("config", "trust", "--yes")
        assert trusting.code == 0, trusting.err
        second = bench.run("hi")
        assert second.code == 0, second.err
        systems = [told(request)[0] for request in server.requests]
    assert (bench.workspace / "ran").exists()
    assert ["a secret" in system for system in systems] == [False, True]


def test_a_project_that_asks_for_much_fills_no_screen(tmp_path: Path) -> None:
    with ScriptedServer((says("One."),)) as server:
        bench = Bench.at(tmp_path, server.base_url)
        (bench.workspace / "turnfold.toml").write_text("".join("[[rules]]\nverdict = 'allow'\n" for _ in range(30)))
        done = bench.run("hi")
    assert done.code == 0, done.err
    assert done.err.count("is left out") == 3
    assert "27 more of the project's settings are left out. To see them all, say: turnfold config check\n" in done.err


def test_a_dry_run_runs_no_command_for_it(tmp_path: Path) -> None:
    folders = Folders(config=tmp_path / "config", data=tmp_path, cache=tmp_path)
    cfg = ChatConfig(ProjectConfig(Config(prompt=Prompt(commands=("touch ran",)))), workspace=str(tmp_path))
    world = evolve(fake_world(), files=LocalFiles(), processes=LocalProcesses((("PATH", os.environ["PATH"]),)))
    for dry_run in (True, False):
        streams = Streams(out=StringIO(), err=StringIO())
        ready = briefed(Talk(dry_run=dry_run), streams, folders, {}, world, cfg)
        assert (tmp_path / "ran").exists() is not dry_run
        assert [text.name for text in ready.briefing.texts] == [] if dry_run else ["$ touch ran"]
        assert ("Not done: this is a dry run" in str(streams.err.getvalue())) is dry_run  # type: ignore[attr-defined] # StringIO

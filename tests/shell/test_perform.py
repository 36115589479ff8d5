"""``perform``: one request, acted out by its port, and never raising."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from typing_extensions import override

from turnfold import ChatConfig, Config, Perform, ProjectConfig, Rule, Verdict
from turnfold.core.agent.ids import RequestId
from turnfold.core.config.briefing import Briefing, Skill
from turnfold.core.problem import Problem
from turnfold.core.world.answers import FileRead
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, Request, RunProcess, RunPython, WriteFile
from turnfold.shell.bounds import FREE, Bounds
from turnfold.shell.files import LocalFiles
from turnfold.shell.perform import perform
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import SCRIPTED, FakeModels, fake_world
from turnfold.testing.fakes import FakeFiles, FakeProcesses, FakePythons

CFG = ChatConfig(ProjectConfig(Config()), workspace="/w", conversation="c")

REQUESTS: tuple[Request, ...] = (
    CallModel(provider=SCRIPTED, model="m", upto=0),
    ReadFile(path="/w/a.txt", limit_bytes=9),
    WriteFile(path="/w/b.txt", text="new", expected_digest=""),
    ListFiles(path="/w", limit=9),
    RunProcess(script="ls", cwd="/w", environment=(), timeout_s=1.0, output_bytes=9),
    RunPython(code="1", cwd="/w", environment=(), timeout_s=1.0, output_bytes=9),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: type(each).__name__)
def test_what_was_cancelled_before_it_began_is_not_done(request_: Request) -> None:
    world = fake_world((b"never",), {"/w/a.txt": "hi"})
    scope = Scope()
    scope.cancel()
    outcome = perform(Perform(RequestId(1, 1, 0, 0), request_), (), CFG, world, scope)
    assert isinstance(outcome, Problem)
    assert outcome.code == "cancelled"
    assert "nothing of it happened" in outcome.message
    assert isinstance(world.files, FakeFiles)
    assert isinstance(world.models, FakeModels)
    assert isinstance(world.processes, FakeProcesses)
    assert isinstance(world.pythons, FakePythons)
    assert (dict(world.files.contents), world.models.bodies) == ({"/w/a.txt": b"hi"}, ())
    assert (world.processes.ran, world.pythons.ran) == ((), ())


def test_an_error_without_words_is_told_all_the_same() -> None:
    class Raising(FakeFiles):  # type: ignore[misc] # final for users: a port with a bug, for this test
        @override
        def read(self, request: ReadFile, bounds: Bounds = FREE) -> Problem:
            raise ValueError("a lone \ud800")

    world = evolve(fake_world(), files=Raising())
    outcome = perform(Perform(RequestId(1, 1, 0, 0), REQUESTS[1]), (), CFG, world, Scope())
    assert isinstance(outcome, Problem)
    assert outcome.code == "port-failed"
    outcome.message.encode()


def read_at(path: Path, cfg: ChatConfig) -> str:
    """The text at ``path``, or the code of the Problem that it is."""
    world = evolve(fake_world(), files=LocalFiles())
    outcome = perform(Perform(RequestId(1, 1, 0, 0), ReadFile(path=str(path), limit_bytes=99)), (), cfg, world, Scope())
    return outcome.text if isinstance(outcome, FileRead) else outcome.code if isinstance(outcome, Problem) else ""


def test_a_link_leads_out_of_no_root_and_of_no_skill(tmp_path: Path) -> None:
    for name in ("work", "data", "linked/s"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "SKILL.md").write_text(name)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "skills").symlink_to(tmp_path / "linked")
    skill = Skill(name="s", description="d", path=str(tmp_path / "skills" / "s" / "SKILL.md"))
    cfg = evolve(CFG, workspace=str(tmp_path / "work"), roots=(str(tmp_path / "data"),), briefing=Briefing(skills=(skill,)))
    for folder in (tmp_path / "data", tmp_path / "linked" / "s"):
        (folder / "out").symlink_to(tmp_path / "secret")
        (folder / "in").symlink_to(folder / "SKILL.md")
    assert read_at(tmp_path / "data" / "in", cfg) == "data"
    assert read_at(tmp_path / "data" / "out", cfg) == "leads-outside"
    assert read_at(tmp_path / "skills" / "s" / "in", cfg) == "linked/s"
    assert read_at(tmp_path / "skills" / "s" / "out", cfg) == "leads-outside"
    assert read_at(tmp_path / "secret", cfg) == "secret"  # it was asked for, under its own name
    denying = evolve(cfg, rules=(Rule(Verdict.DENY, "read", "*SKILL.md"),))
    assert read_at(tmp_path / "data" / "in", denying) == "denied"
    nested = evolve(cfg, roots=(str(tmp_path / "data"), str(tmp_path)))
    assert read_at(tmp_path / "data" / "out", nested) == "secret"
    assert read_at(tmp_path / "data" / "in", evolve(denying, roots=nested.roots)) == "denied"

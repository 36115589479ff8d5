"""``perform``: one request, acted out by its port, and never raising."""

from __future__ import annotations

import pytest
from attrs import evolve
from typing_extensions import override

from turnfold import ChatConfig, Config, Perform, ProjectConfig
from turnfold.core.agent.ids import RequestId
from turnfold.core.problem import Problem
from turnfold.core.world.requests import CallModel, ListFiles, ReadFile, Request, RunProcess, RunPython, WriteFile
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
    outcome = perform(Perform(RequestId(1, 1, 0, 0), request_), CFG, world, scope)
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
        def read(self, request: ReadFile) -> Problem:
            raise ValueError("a lone \ud800")

    world = evolve(fake_world(), files=Raising())
    outcome = perform(Perform(RequestId(1, 1, 0, 0), REQUESTS[1]), CFG, world, Scope())
    assert isinstance(outcome, Problem)
    assert outcome.code == "port-failed"
    outcome.message.encode()

"""The sandbox's settings as a confinement, and in every request that runs something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.tables import HIDDEN, Sandbox, SandboxProfile
from turnfold.core.json import JsonObject
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.core.tools.preview import preview
from turnfold.core.tools.spec import Call, Need, find_tool
from turnfold.core.world.confinement import Confinement, confinement_of, confinement_told
from turnfold.core.world.requests import RunProcess, RunPython, StartJob


def chat(sandbox: Sandbox, *roots: str) -> ChatConfig:
    return ChatConfig(ProjectConfig(Config(sandbox=sandbox, roots=roots)), workspace="/w")


def test_off_is_no_confinement_and_the_default() -> None:
    assert confinement_of(ChatConfig(ProjectConfig(Config()), workspace="/w")) is None
    assert confinement_of(chat(Sandbox(network=False, memory_bytes=1, processes=1))) is None


def test_a_workspace_and_its_roots_can_be_written() -> None:
    said = confinement_of(chat(Sandbox(profile=SandboxProfile.WORKSPACE, writable=("../x", "~/y", "~")), "/data"))
    assert said == Confinement(writable=("/w", "/data", "/x", "~/y", "~"), hidden=HIDDEN, network=True)


def test_read_only_is_but_for_what_is_named() -> None:
    sandbox = Sandbox(
        profile=SandboxProfile.READ_ONLY, hidden=("a",), network=True, hosts=("h",), memory_bytes=5, processes=6, unconfined=True
    )
    assert confinement_of(chat(sandbox, "/data")) == Confinement(
        hidden=("/w/a",), network=True, hosts=("h",), memory_bytes=5, processes=6, required=False
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("shell", JsonObject.of(command="x")),
        ("shell", JsonObject.of(command="x", background=True)),
        ("python", JsonObject.of(code="x")),
        ("jobs", JsonObject.of(do="start x")),
    ],
)
def test_every_tool_that_runs_something_asks_for_it_confined_and_the_person_sees_it(name: str, arguments: JsonObject) -> None:
    tool = find_tool(BUILTIN_TOOLS, name)
    assert tool is not None
    cfg = chat(Sandbox(profile=SandboxProfile.WORKSPACE, network=False))
    due = tool.advance(Call(arguments), cfg)
    assert isinstance(due, Need)
    (request,) = due.requests
    assert isinstance(request, RunProcess | RunPython | StartJob)
    assert request.confinement == confinement_of(cfg)
    assert preview(request, (), cfg).splitlines()[1] == "  in a sandbox: writes below /w only, no network"


@given(
    st.builds(Confinement, writable=st.lists(st.text(), max_size=2).map(tuple), network=st.booleans(), processes=st.none() | st.integers(1))
)
def test_it_is_told_in_one_sentence(confinement: Confinement) -> None:
    told = confinement_told(confinement)
    assert ("no network" in told) or confinement.network
    assert all(path in told for path in confinement.writable)

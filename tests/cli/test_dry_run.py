"""A dry run performs no request that acts, of whatever kind: it tells what would have been done."""

from __future__ import annotations

from hypothesis import given

from turnfold.cli.dry_run import dry_world
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.ids import RequestId
from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.problem import Problem
from turnfold.core.world.requests import (
    AskHuman,
    CallModel,
    ListFiles,
    ReadFile,
    ReadImage,
    Request,
    SearchChats,
    SearchFiles,
    StartChild,
    Wait,
)
from turnfold.shell.people import Nobody
from turnfold.shell.perform import perform
from turnfold.shell.scope import Scope
from turnfold.testing.fake_world import fake_world
from turnfold.testing.strategies import requests

LOOKS = (CallModel, ReadFile, ReadImage, ListFiles, SearchFiles, SearchChats)
BY_ITSELF = (AskHuman, StartChild, Wait)  # a question is never performed, a child's requests are in the same dry world, a wait does nothing


@given(requests())
def test_nothing_that_acts_is_done(request_: Request) -> None:
    if isinstance(request_, (*LOOKS, *BY_ITSELF)):
        return
    world = dry_world(fake_world(files={"/w/a": "x"}), Nobody())
    cfg = ChatConfig(ProjectConfig(Config()), workspace="/w")
    done = perform(Perform(RequestId(1, 1, 0, 0), request_), (), cfg, world, Scope())
    assert isinstance(done, Problem)
    assert done.code == "dry-run", done

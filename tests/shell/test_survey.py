"""What there is to talk to: keys, local servers, the embedded model; and the same choice as a run makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from turnfold.core.config.layers import ChatConfig, Config, ProjectConfig
from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem
from turnfold.shell.catalogue import with_catalogue
from turnfold.shell.discovery import Chosen, Served
from turnfold.shell.routed_models import Finders
from turnfold.shell.secrets import EnvironmentSecrets
from turnfold.shell.survey import Survey, survey

GATEWAY = Provider(name="gateway", base_url="https://models.example/v1")
CFG = with_catalogue(ChatConfig(ProjectConfig(Config(providers=(GATEWAY,)))))
OLLAMA = next(provider for provider in CFG.providers if provider.name == "ollama")


def found(served: tuple[Served, ...] = (), *, engine: bool = True, **environ: str) -> Survey:
    finders = Finders(probe=lambda providers: tuple(each for each in served if each.provider in providers), installed=lambda: engine)
    return survey(CFG, EnvironmentSecrets(environ), Path("/nowhere"), finders)


def test_keys_and_servers_are_all_told_although_one_decides() -> None:
    seen = found((Served(OLLAMA, ("a", "b")),), XAI_API_KEY="k", GROQ_API_KEY="  ")
    assert isinstance(seen.chosen, Chosen)
    assert seen.chosen.model.startswith("xai/")
    assert seen.keys == ("XAI_API_KEY",)
    assert "GROQ_API_KEY" in seen.unset
    assert [each.models for each in seen.served] == [("a", "b")]
    assert seen.weights is None


@pytest.mark.parametrize(
    ("name", "usable"), [("xai", True), ("openai", False), ("ollama", True), ("vllm", False), ("gateway", True), ("embedded", False)]
)
def test_who_can_be_asked(name: str, usable: bool) -> None:
    seen = found((Served(OLLAMA, ("a",)),), engine=False, XAI_API_KEY="k")
    provider = next(provider for provider in CFG.providers if provider.name == name)
    assert seen.usable(provider) is usable


def test_nothing_at_all() -> None:
    assert isinstance(found(engine=False).chosen, Problem)
    assert found().chosen == Chosen(model="embedded", source=found().chosen.source, reason="no key is set and no local server answers")  # type: ignore[union-attr]

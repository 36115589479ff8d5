"""A layer as the text of a config file reads back as the same layer."""

from __future__ import annotations

import tomli_w
from hypothesis import given

from tests.core.codec.settings_files import FILES
from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.codec.shapes import SETTINGS
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import Config
from turnfold.core.config.missing import DEFAULT
from turnfold.core.config.said import Said, said
from turnfold.core.config.values import Limits, ModelProfile, Provider, Rule, SecretRef, ToolFormat, Verdict
from turnfold.core.json import JsonObject
from turnfold.shell.settings_text import settings_toml


def read(toml: str) -> Layer:
    return read_file_untrusted(toml, "c.toml", "user").unwrap().layer


def sorted_names(value: object) -> object:
    """The value with the names of its objects in order."""
    if isinstance(value, JsonObject):
        return sorted((name, sorted_names(each)) for name, each in value.members)
    if isinstance(value, Said):
        return [(member.name, sorted_names(member.value)) for member in value.members]
    return tuple(sorted_names(each) for each in value) if isinstance(value, tuple) else value


def settings_of(layer: Layer) -> dict[str, object]:
    return {key.name: sorted_names(getattr(layer, f"own_{key.name}")) for key in SETTINGS.keys}


@given(FILES)
def test_what_is_written_reads_back(file: dict[str, object]) -> None:
    layer = read(tomli_w.dumps(file))
    assert settings_of(read(settings_toml(layer))) == settings_of(layer)


def test_whole_values_are_written_as_what_differs_from_their_defaults() -> None:
    layer = Config(
        agent=DEFAULT,
        tool_format=ToolFormat.NATIVE,
        parameters=JsonObject.of(a=None, b=(1, None)),
        providers=(Provider(name="x", base_url="http://x", secret=SecretRef("K"), headers=JsonObject.of(A="b")),),
        models=(ModelProfile(pattern="x/*", grammar=True, must_call=True),),
        agents=(AgentSpec(name="a", limits=said(Limits, usd=1.0)),),
        rules=(Rule(Verdict.ASK), Rule(Verdict.DENY, "run", "rm *")),
        limits=Limits(usd=2.0),
    )
    back = read(settings_toml(layer))
    assert back.own_agent == DEFAULT
    assert back.parameters == JsonObject.of(b=(1,))
    assert (back.providers[0], back.rules, back.limits) == (layer.providers[0], layer.rules, layer.limits)
    assert (back.models[0], back.agents) == (ModelProfile(pattern="x/*", grammar=True), layer.agents)
    assert settings_toml(Config()) == ""

"""The table of models that is shipped: read without a fault, and in itself sound."""

from __future__ import annotations

import re

import pytest
from attrs import evolve

from turnfold.core.codec.settings import read_file_untrusted
from turnfold.core.config.layers import ChatConfig, Config, Origin, Overrides, ProjectConfig
from turnfold.core.config.models import find_provider, locate, profile_of
from turnfold.core.config.values import ModelProfile, Provider
from turnfold.core.problem import Problem
from turnfold.shell.catalogue import TABLE, catalogue, table_text, with_catalogue
from turnfold.shell.embedded.profile import EMBEDDED_PROFILE, EMBEDDED_PROVIDER

SHIPPED = Config(files=(catalogue(),))
LOCAL = ("ollama", "lmstudio", "llamacpp", "vllm", "embedded")
USD = ("input_usd", "output_usd", "cached_usd")


def test_the_reader_of_settings_finds_the_same_and_no_fault() -> None:
    read = read_file_untrusted(table_text(), TABLE, "default").unwrap().layer
    models, providers = read.own_models, read.own_providers
    assert isinstance(models, tuple)
    assert isinstance(providers, tuple)
    whole = evolve(read, models=(*models, EMBEDDED_PROFILE), providers=(*providers, EMBEDDED_PROVIDER))
    assert evolve(whole, origin=Origin(layer="default", place=TABLE)) == catalogue()


def test_it_says_its_date_and_sources() -> None:
    head = table_text().partition("[providers")[0]
    assert re.search(r"As of \d{4}-\d{2}-\d{2}\.", head)
    assert "litellm" in head


def test_aliases_are_of_one_model_each_and_no_provider_s_name_with_a_slash() -> None:
    aliases = [alias for profile in SHIPPED.models for alias in profile.aliases]
    assert len(aliases) == len(set(aliases))
    assert not any("/" in alias or "*" in alias for alias in aliases)
    assert not any(profile.aliases and "*" in profile.pattern for profile in SHIPPED.models)


@pytest.mark.parametrize("profile", SHIPPED.models, ids=lambda profile: profile.pattern)
def test_every_model_is_served_by_a_provider_and_its_figures_are_possible(profile: ModelProfile) -> None:
    assert profile.pattern.partition("/")[0] in {provider.name for provider in SHIPPED.providers}
    if "*" in profile.pattern:
        return
    whole = profile_of(SHIPPED, profile.pattern)
    assert whole.calls_tools is not None
    assert whole.window_tokens is not None
    assert whole.window_tokens >= 8192
    assert whole.output_tokens is None or whole.output_tokens < whole.window_tokens
    read, written, cached = (getattr(whole, name) for name in USD)
    assert (read is None) == (written is None)
    assert all(price is None or 0 <= price <= 1000 for price in (read, written, cached))
    assert cached is None or cached <= read <= written
    kept = whole.cache_write_usd
    assert kept is None or read < kept <= 2 * read


@pytest.mark.parametrize("provider", SHIPPED.providers, ids=lambda provider: provider.name)
def test_a_provider_has_an_address_and_a_key_with_a_model_that_is_known(provider: Provider) -> None:
    if provider.name in LOCAL:
        assert (provider.secret, provider.default_model) == (None, "")
        return
    assert provider.base_url.startswith("https://")
    assert provider.secret is not None
    name = f"{provider.name}/{provider.default_model}"
    assert profile_of(SHIPPED, name).input_usd is not None
    assert not isinstance(locate(SHIPPED, name), Problem)


@pytest.mark.parametrize("name", LOCAL)
def test_what_runs_here_costs_nothing(name: str) -> None:
    profile = profile_of(SHIPPED, f"{name}/any-model")
    assert (profile.input_usd, profile.output_usd) == (0, 0)


def test_a_config_made_in_code_gets_the_table_once_and_below_everything() -> None:
    own = Config(model="sonnet", models=(ModelProfile(pattern="anthropic/claude-sonnet-5-5", window_tokens=9),))
    once = with_catalogue(ChatConfig(ProjectConfig(own)))
    assert with_catalogue(once) is once
    assert not isinstance(find_provider(once), Problem)
    assert profile_of(once).window_tokens == 9
    kept = ChatConfig(ProjectConfig(Config(files=(Overrides(origin=Origin(layer="default")),))))
    assert with_catalogue(kept) is kept

"""Which model to use when nobody has named one.

The order: what the config or a flag names (provider/name, or an alias); the first provider, as they are listed, whose key is there;
the first local server that answers; the embedded model; else a Problem. A provider that fails later is never left for another one. Deciding (:func:`choose`) and asking (:func:`probe_local`) are apart, and nothing is asked
when the answer would not count.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.config.layer import Layer
from turnfold.core.config.models import find_provider, full_name
from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem, caller_problem
from turnfold.shell.ports import Secrets

EMBEDDED = "embedded"  # a model's name that is no provider's
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Source(Enum):
    """Where a choice comes from."""

    CONFIG = "config"
    KEY = "key"
    LOCAL = "local"
    EMBEDDED = "embedded"


@final
@frozen(kw_only=True)
class Chosen:
    """A model as ``provider/name`` (:data:`EMBEDDED` alone for the embedded one), and why, in words for a person."""

    model: str
    source: Source
    reason: str


@final
@frozen
class Served:
    """A local server that answers, and the models that it lists, of which the first is used; at least one."""

    provider: Provider
    models: tuple[str, ...]


Probe: TypeAlias = Callable[[tuple[Provider, ...]], tuple[Served, ...]]


def choose(cfg: Layer, keys: tuple[str, ...], served: tuple[Served, ...], *, embedded: bool) -> Chosen | Problem:
    """The model to use: ``keys`` are the names of secrets that have a value, ``served`` the local servers that answer. Pure.

    >>> from turnfold.core.config.layers import Config
    >>> choose(Config(), ("OPENAI_API_KEY",), (), embedded=True).model
    'openai/gpt-5-mini'
    """
    if cfg.model:
        return _named(cfg)
    for provider in keyed(cfg):
        if provider.secret is not None and provider.secret.name in keys:
            model = f"{provider.name}/{provider.default_model}"
            return Chosen(model=model, source=Source.KEY, reason=f"{provider.secret.name} is set")
    for each in served:
        reason = f"{each.provider.name} runs at {each.provider.base_url}"
        return Chosen(model=f"{each.provider.name}/{each.models[0]}", source=Source.LOCAL, reason=reason)
    if embedded:
        return Chosen(model=EMBEDDED, source=Source.EMBEDDED, reason="no key is set and no local server answers")
    return caller_problem("no-model", "There is no model to talk to: install the embedded one with  pip install 'turnfold[local]'")


def keyed(cfg: Layer) -> tuple[Provider, ...]:
    """The providers that a key alone chooses, in the order of choice."""
    return tuple(provider for provider in cfg.providers if provider.secret is not None and provider.default_model)


def _named(cfg: Layer) -> Chosen | Problem:
    found = None if cfg.model.partition("/")[0] == EMBEDDED else find_provider(cfg)
    if isinstance(found, Problem):
        return found
    name = full_name(cfg, cfg.model)
    return Chosen(model=name, source=Source.CONFIG, reason="it is named" if name == cfg.model else f"it is named, as {cfg.model}")


def local_providers(cfg: Layer) -> tuple[Provider, ...]:
    """The providers on this machine that need no key, in the order of choice.

    >>> from turnfold.core.config.layers import Config
    >>> [provider.name for provider in local_providers(Config())]
    ['ollama', 'lmstudio', 'llamacpp', 'vllm']
    """
    return tuple(provider for provider in cfg.providers if provider.secret is None and is_local(provider.base_url))


def is_local(base_url: str) -> bool:
    """Whether ``base_url`` is on the loopback network.

    >>> is_local("http://127.0.0.1:8080/v1"), is_local("http://127.0.0.1.evil.example/v1")
    (True, False)
    """
    place = base_url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return any(place == host or (place.startswith(host + ":") and place[len(host) + 1 :].isdecimal()) for host in LOOPBACK)


def find_model(cfg: Layer, secrets: Secrets, probe: Probe, *, embedded: bool = False) -> Chosen | Problem:
    """The model to use, after asking what the decision needs: ``probe`` is not called where a name or a key decides."""
    keys = known_keys(keyed(cfg), secrets)
    served = () if cfg.model or keys else probe(local_providers(cfg))
    return choose(cfg, keys, served, embedded=embedded)


def known_keys(providers: tuple[Provider, ...], secrets: Secrets) -> tuple[str, ...]:
    """The names of those keys of ``providers`` that have a value."""
    names = dict.fromkeys(provider.secret.name for provider in providers if provider.secret is not None)
    return tuple(name for name in names if (secrets.value(name) or "").strip())

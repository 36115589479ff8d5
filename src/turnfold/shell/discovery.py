"""Which model to use when nobody has named one.

The order: what the config or a flag names; the first key in the environment; the first local server that answers; the
embedded model; else a Problem. Deciding (:func:`choose`) and asking (:func:`probe_local`) are apart, and nothing is asked
when the answer would not count.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.config.layer import Layer
from turnfold.core.config.models import find_provider
from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem, caller_problem
from turnfold.shell.ports import Secrets

EMBEDDED = "embedded"  # a model's name that is no provider's
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

DEFAULT_MODELS: tuple[tuple[str, str], ...] = (
    ("openai", "gpt-5-mini"),
    ("openrouter", "openai/gpt-5-mini"),
)  # provider, and what is used of it when its key is all that is known; in the order of choice


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
    """A local server that answers, and the first model that it lists."""

    provider: Provider
    model: str


Probe: TypeAlias = Callable[[tuple[Provider, ...]], tuple[Served, ...]]


def choose(cfg: Layer, keys: tuple[str, ...], served: tuple[Served, ...], *, embedded: bool) -> Chosen | Problem:
    """The model to use: ``keys`` are the names of secrets that have a value, ``served`` the local servers that answer. Pure.

    >>> from turnfold.core.config.layers import Config
    >>> choose(Config(), ("OPENAI_API_KEY",), (), embedded=True).model
    'openai/gpt-5-mini'
    """
    if cfg.model:
        return _named(cfg)
    for provider, model in keyed(cfg):
        if provider.secret is not None and provider.secret.name in keys:
            return Chosen(model=f"{provider.name}/{model}", source=Source.KEY, reason=f"{provider.secret.name} is set")
    for each in served:
        reason = f"{each.provider.name} runs at {each.provider.base_url}"
        return Chosen(model=f"{each.provider.name}/{each.model}", source=Source.LOCAL, reason=reason)
    if embedded:
        return Chosen(model=EMBEDDED, source=Source.EMBEDDED, reason="no key is set and no local server answers")
    return caller_problem("no-model", "There is no model to talk to: install the embedded one with  pip install 'turnfold[local]'")


def keyed(cfg: Layer) -> tuple[tuple[Provider, str], ...]:
    """The providers that a key alone chooses, each with the model that is used then; in the order of choice."""
    return tuple((provider, model) for name, model in DEFAULT_MODELS for provider in cfg.providers if provider.name == name)


def _named(cfg: Layer) -> Chosen | Problem:
    found = None if cfg.model.partition("/")[0] == EMBEDDED else find_provider(cfg)
    return found if isinstance(found, Problem) else Chosen(model=cfg.model, source=Source.CONFIG, reason="it is named")


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
    keys = tuple(
        provider.secret.name for provider, _ in keyed(cfg) if provider.secret and (secrets.value(provider.secret.name) or "").strip()
    )
    served = () if cfg.model or keys else probe(local_providers(cfg))
    return choose(cfg, keys, served, embedded=embedded)

"""What there is to talk to on this machine, and which of it a run would use: for ``turnfold models`` and ``turnfold doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import final

from attrs import frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Provider
from turnfold.core.problem import Problem
from turnfold.shell.discovery import EMBEDDED, Chosen, Served, find_model, is_local, known_keys, local_providers
from turnfold.shell.embedded.weights import QWEN_CODER_05B, cached
from turnfold.shell.ports import Secrets
from turnfold.shell.routed_models import FINDERS, Finders


@final
@frozen(kw_only=True)
class Survey:
    """What was found: names of keys with and without a value, local servers that answer, the embedded model's engine and weights."""

    chosen: Chosen | Problem
    keys: tuple[str, ...]
    unset: tuple[str, ...]
    served: tuple[Served, ...]
    engine: bool
    weights: Path | None

    def usable(self, provider: Provider) -> bool:
        """Whether ``provider`` can be asked: its key is there, or it answers; for one elsewhere that needs no key nobody knows."""
        if provider.secret is not None:
            return provider.secret.name in self.keys
        if provider.name == EMBEDDED:
            return self.engine
        return not is_local(provider.base_url) or any(each.provider.name == provider.name for each in self.served)


def survey(cfg: ChatConfig, secrets: Secrets, weights: Path, finders: Finders = FINDERS) -> Survey:
    """Look around for ``cfg``, which has the table of models; the choice is the one that a run makes."""
    served = finders.probe(local_providers(cfg))
    engine = finders.installed()
    names = tuple(dict.fromkeys(provider.secret.name for provider in cfg.providers if provider.secret is not None))
    keys = known_keys(cfg.providers, secrets)
    return Survey(
        chosen=find_model(cfg, secrets, lambda _: served, embedded=engine),
        keys=keys,
        unset=tuple(name for name in names if name not in keys),
        served=served,
        engine=engine,
        weights=cached(QWEN_CODER_05B, weights),
    )

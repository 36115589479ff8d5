"""Which names stand for secrets: those that settings refer to, and those of variables that are called so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate

from turnfold.core.config.layer import Layer
from turnfold.core.json import JsonObject, JsonValue


def secret_names(cfg: Layer, variables: Iterable[str]) -> tuple[str, ...]:
    """The names of all secrets that ``cfg`` knows of, each once: of its own references, and of those of the environment's ``variables``
    that ``sandbox.secrets`` has a glob for.

    >>> from turnfold.core.config.layers import Config
    >>> secret_names(Config(), ("PATH", "GITHUB_TOKEN"))
    ('OPENAI_API_KEY', 'OPENROUTER_API_KEY', 'GITHUB_TOKEN')
    """
    known = tuple(variables)
    globs = "|".join(translate(glob.upper()) for glob in cfg.sandbox.secrets) if known else ""
    called = (name for name in known if globs and re.match(globs, name.upper()))
    return tuple(dict.fromkeys((*_referred(cfg), *called)))


def _referred(cfg: Layer) -> Iterator[str]:
    for provider in cfg.providers:
        if provider.secret is not None:
            yield provider.secret.name
        yield from _in_pairs(provider.headers)
    for server in cfg.mcp:
        yield from _in_pairs(server.environment)
        yield from _in_pairs(server.headers)
    for exporter in cfg.exporters:
        yield from _in_pairs(exporter.headers)
    if cfg.server.secret is not None:
        yield cfg.server.secret.name


def _in_pairs(pairs: JsonObject) -> Iterator[str]:
    """The names in ``{secret = "NAME"}``."""
    for said in pairs.values():
        name: JsonValue = said.get("secret") if isinstance(said, JsonObject) else None
        if isinstance(name, str):
            yield name

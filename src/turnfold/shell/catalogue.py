"""The table of providers and models that turnfold ships, as the lowest layer of a config.

It is read at the start of every run, so the general reader of settings, which finds each key's line and every fault, is left to a
test: it reads the same file, and must find the same settings and no fault.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

from attrs import evolve

from turnfold.core.config.layers import ChatConfig, Origin, Overrides
from turnfold.core.config.models import has_catalogue
from turnfold.core.config.said import MemberValue, Said, saying
from turnfold.core.config.values import ModelProfile, Provider, SecretRef, Wire
from turnfold.shell.embedded.profile import EMBEDDED_PROFILE, EMBEDDED_PROVIDER

T = TypeVar("T")

TABLE = "models.toml"

Tables: TypeAlias = "Mapping[str, Mapping[str, MemberValue | list[str]]]"


def table_text() -> str:
    """The text of the table; ``importlib.resources`` would cost a run ten milliseconds."""
    return Path(__file__).with_name(TABLE).read_text(encoding="utf-8")


def catalogue() -> Overrides:
    """What the table says, and the embedded model; read anew with each call, so whoever needs it often keeps it."""
    read = tomllib.loads(table_text())
    providers: tuple[Said[Provider], ...] = _entries(read["providers"], "name")
    models: tuple[Said[ModelProfile], ...] = _entries(read["models"], "pattern")
    origin = Origin(layer="default", place=TABLE)
    return Overrides(providers=(*providers, EMBEDDED_PROVIDER), models=(*models, EMBEDDED_PROFILE), origin=origin)


def _entries(tables: Tables, key: str) -> tuple[Said[T], ...]:
    return tuple(
        saying([(key, name), *((field, _value(field, value)) for field, value in table.items())]) for name, table in tables.items()
    )


def _value(field: str, value: MemberValue | list[str]) -> MemberValue:
    if field == "secret" and isinstance(value, str):
        return SecretRef(value)
    if field == "wire":
        return Wire(value)
    return tuple(value) if isinstance(value, list) else value


def with_catalogue(cfg: ChatConfig, read: Callable[[], Overrides] = catalogue) -> ChatConfig:
    """``cfg`` with the table under its person's layer; where it is there already, it is not read."""
    if has_catalogue(cfg):
        return cfg
    base = cfg.project.base
    return evolve(cfg, project=evolve(cfg.project, base=evolve(base, files=(*base.files, read()))))

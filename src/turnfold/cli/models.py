"""``turnfold models``: which model a run would use and why, what else was found, and the models that are known."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import final

from attrs import frozen

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import profile_of
from turnfold.core.config.values import ModelProfile
from turnfold.core.problem import Problem
from turnfold.core.tools.preview import visible
from turnfold.shell.embedded.beginning import ENGINE
from turnfold.shell.routed_models import INSTALL
from turnfold.shell.survey import Survey

NAMES = 8  # of a server's models that are told in the overview
HEADS = ("model", "window", "output", "$ in", "cached", "out", "can", "aliases")


@final
@frozen
class Known:
    """A model by its full name, and what is known of it; ``usable``: its provider can be asked."""

    name: str
    profile: ModelProfile
    usable: bool


def known_models(cfg: ChatConfig, found: Survey, pattern: str) -> tuple[Known, ...]:
    """The models that the settings and the local servers speak of, by provider, whose name or alias holds ``pattern`` (``*``: any text)."""
    usable = {provider.name: found.usable(provider) for provider in cfg.providers}
    listed = (f"{each.provider.name}/{model}" for each in found.served for model in each.models)
    said = (profile.pattern for profile in cfg.models if "*" not in profile.pattern)
    models = (Known(name, profile_of(cfg, name), usable.get(name.partition("/")[0], False)) for name in dict.fromkeys((*listed, *said)))
    wanted = f"*{pattern.lower()}*"
    fitting = tuple(model for model in models if any(fnmatchcase(name.lower(), wanted) for name in (model.name, *model.profile.aliases)))
    order = tuple(usable)
    places = {name: place for place, name in enumerate(order)}
    return tuple(sorted(fitting, key=lambda model: places.get(model.name.partition("/")[0], len(order))))


def found_lines(found: Survey) -> tuple[tuple[str, str], ...]:
    """What was found, each as its name and a text."""
    engine = f"{ENGINE} is installed" if found.engine else f"not installed ({INSTALL})"
    return (
        ("model", found.chosen.message if isinstance(found.chosen, Problem) else f"{found.chosen.model} ({found.chosen.reason})"),
        *(("key", f"{name} is set") for name in found.keys),
        *((("keys not set", ", ".join(found.unset)),) if found.unset else ()),
        *(("local server", f"{each.provider.name} at {each.provider.base_url}: {_some(each.models)}") for each in found.served),
        *(() if found.served else (("local server", "none answers"),)),
        ("embedded engine", engine),
        ("embedded weights", f"in {found.weights}" if found.weights else "not there (fetched when first used)"),
    )


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


def overview(cfg: ChatConfig, found: Survey, pattern: str, *, everything: bool) -> str:
    """All of it, to read."""
    lines = found_lines(found)
    width = max(len(name) for name, _ in lines)
    told = "".join(f"{name:{width}}  {visible(text)}\n" for name, text in lines)
    models = known_models(cfg, found, pattern)
    shown = tuple(model for model in models if everything or model.usable)
    hidden = len(models) - len(shown)
    more = f"{hidden} more of providers that can't be asked now: turnfold models --all\n" if hidden else ""
    none = f"No model that is known has {visible(pattern)} in its name.\n" if pattern and not models else ""
    return f"{told}\n{_table(shown)}{more}{none}".rstrip("\n") + "\n"


def _table(models: tuple[Known, ...]) -> str:
    if not models:
        return ""
    rows = (HEADS, *(_row(model) for model in models))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "".join(_line(row, widths) for row in rows) + "Prices in US dollars for a million tokens; - where it is not known.\n"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    right = (False, True, True, True, True, True, False, False)
    cells = (cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in zip(row, widths, right, strict=True))
    return "  ".join(cells).rstrip() + "\n"


def _row(model: Known) -> tuple[str, ...]:
    profile = model.profile
    prices = tuple("-" if usd is None else f"{usd:g}" for usd in (profile.input_usd, profile.cached_usd, profile.output_usd))
    tokens = (count_text(profile.window_tokens), count_text(profile.output_tokens))
    return (visible(model.name), *tokens, *prices, " ".join(_abilities(profile)) or "-", " ".join(profile.aliases))


def _abilities(profile: ModelProfile) -> tuple[str, ...]:
    able = (("tools", profile.calls_tools), ("reasons", profile.reasons), ("images", profile.sees_images))
    return tuple(name for name, can in able if can)


def count_text(tokens: int | None) -> str:
    """A number of tokens in a few characters.

    >>> count_text(922_000), count_text(1_048_576), count_text(400), count_text(None)
    ('922k', '1.05M', '400', '-')
    """
    if tokens is None:
        return "-"
    if tokens >= 1_000_000:
        return f"{tokens / 1e6:.3g}M"
    return f"{tokens / 1000:.3g}k" if tokens >= 1000 else str(tokens)


def model_lines(cfg: ChatConfig, found: Survey, pattern: str, *, everything: bool) -> Iterable[str]:
    """All of it as JSON Lines: what was found, then one model a line."""
    chosen = found.chosen
    choice = {"problem": chosen.message} if isinstance(chosen, Problem) else {"model": chosen.model, "reason": chosen.reason}
    servers = [{"provider": each.provider.name, "base_url": each.provider.base_url, "models": list(each.models)} for each in found.served]
    embedded = {"engine": found.engine, "weights": None if found.weights is None else str(found.weights)}
    yield _json({"chosen": choice, "keys": list(found.keys), "keys_not_set": list(found.unset), "servers": servers, "embedded": embedded})
    for model in known_models(cfg, found, pattern):
        if everything or model.usable:
            yield _json(_told(model))


def _told(model: Known) -> dict[str, object]:
    profile = model.profile
    names = (
        "window_tokens",
        "output_tokens",
        "input_usd",
        "cached_usd",
        "cache_write_usd",
        "output_usd",
        "calls_tools",
        "reasons",
        "sees_images",
    )
    facts = {name: getattr(profile, name) for name in names}
    return {"model": model.name, "usable": model.usable, "aliases": list(profile.aliases), **facts}


def _json(value: dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"

"""The lines of ``turnfold config show``: which keys are shown, each with its value and where it comes from. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from turnfold.cli.config_text import Row, as_json, masked, source_text
from turnfold.core.codec.shapes import SETTINGS, Named, Table
from turnfold.core.config.explain import Explained, dotted, explain, said_keys, split_key
from turnfold.core.config.layer import Layer
from turnfold.core.config.layers import Overrides
from turnfold.core.config.missing import Missing
from turnfold.core.config.named import name_of


def rows(cfg: Layer, keys: tuple[str, ...], *, defaults: bool = False) -> Iterator[Row]:
    """The lines of these keys; those of defaults only where asked for."""
    for key in keys:
        found = explain(cfg, key)
        if not isinstance(found, Explained) or (found.layer == "default" and not defaults):
            continue
        parts = split_key(key)
        if key == "rules":
            yield from _rule_rows(cfg)
        else:
            value = masked(parts, as_json(found.value))
            whole = len(parts) > 1 and SETTINGS.key(parts[0]) is not None and _is_entry(parts)
            table = f"[{dotted(parts if whole else parts[:-1])}]" if len(parts) > 1 else ""
            yield Row(table, "" if whole else parts[-1], value, source_text(found.layer, found.place))


def _is_entry(parts: tuple[str, ...]) -> bool:
    """Whether the key is a named table in which nothing is said."""
    key = SETTINGS.key(parts[0])
    return key is not None and isinstance(key.shape, Named) and len(parts) == 2


def _rule_rows(cfg: Layer) -> Iterator[Row]:
    """A table for each rule, from the highest layer's on."""
    count = 0
    for layer in cfg.layers:
        for index, rule in enumerate(() if isinstance(layer.own_rules, Missing) else layer.own_rules):
            count += 1
            lines = layer.origin.lines if isinstance(layer, Overrides) else ()
            number = next((line.number for line in lines if line.path == f"$.rules[{index}]"), 0)
            place = layer.origin.place if isinstance(layer, Overrides) else ""
            source = f"{place}:{number}" if number else place
            for name, value in (("verdict", rule.verdict), ("kind", rule.kind), ("pattern", rule.pattern)):
                yield Row(f"[[rules]]#{count}", name, as_json(value), source)


def every_key(cfg: Layer) -> Iterator[str]:
    """Every setting that there is, with the entries that layers name."""
    said = said_keys(cfg)
    for key in SETTINGS.keys:
        mine = tuple(each for each in said if split_key(each)[0] == key.name)
        if isinstance(key.shape, Table):
            yield from (dotted((key.name, inner.name)) for inner in key.shape.keys)
        elif isinstance(key.shape, Named):
            yield from mine
            named = {split_key(each)[1] for each in mine}
            names = (name_of(each, key.shape.by) for each in getattr(cfg, key.name))
            yield from (dotted((key.name, name, inner.name)) for name in names if name not in named for inner in key.shape.table.keys)
        else:
            yield from mine or (() if getattr(cfg, key.name) == () else (key.name,))

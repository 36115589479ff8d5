"""What a project's file may not decide until the person trusts its folder.

A project's file comes with the project, from whoever wrote it. So it may ask for less than the person allows, never for more: what
its note calls granted (variables for commands, which can have other code run, are among that), rules that allow, paths that lead out of the
workspace. All of that is left out and told, and the rest of the file counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never

from turnfold.core.codec.shapes import (
    DEFAULTS,
    SETTINGS,
    Anything,
    Choice,
    Key,
    Named,
    Number,
    Pairs,
    Rules,
    Secret,
    Table,
    Text,
    Texts,
    Truth,
    Variables,
    key_at,
)
from turnfold.core.codec.toml_values import Fault, Faults, Node
from turnfold.core.config.notes import Form
from turnfold.core.config.values import Verdict
from turnfold.core.json import JsonObject

ALLOW = Verdict.ALLOW.value
TRUST = "it counts only in a folder that you trust. Look at it, then say: turnfold config trust"

_LOCAL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/.*)?", re.ASCII | re.DOTALL)
_OUTSIDE = re.compile(r"[/~\\]|[A-Za-z]:|(.*[/\\])?\.\.([/\\]|$)", re.DOTALL)


def withheld_of(root: Node, known: tuple[str, ...]) -> Faults:
    """What a project's file, read as ``root``, says and may not decide; ``known`` are the providers of the layers below it."""
    settings = tuple((node, SETTINGS.key(name)) for name, node in root.members)
    of_settings = tuple(fault for node, key in settings if key is not None for fault in _of_setting(node, key, known))
    items = (item for name, node in root.members if name == DEFAULTS for item in node.items)
    return (*of_settings, *_all_of(item for item in items if _puts_back_granted(item)))


def _left_out(node: Node) -> Fault:
    return node.fault(f"{node.name} is left out: {TRUST}")


def _all_of(nodes: Iterable[Node]) -> Faults:
    return tuple(_left_out(node) for node in nodes)


def _of_setting(node: Node, key: Key, known: tuple[str, ...]) -> Faults:
    if key.note.granted:
        return (_left_out(node),)
    match key.shape:
        case Table():
            return _of_table(node, key.shape)
        case Named(table=table):
            return _of_named(node, table, known if key.name == "providers" else None)
        case Rules():
            return _all_of(item for item in node.items if isinstance(item.value, JsonObject) and item.value.get("verdict") == ALLOW)
        case Texts(form=Form.PATH):
            outside = tuple(each for each in node.items if isinstance(each.value, str) and _OUTSIDE.match(each.value))
            return (_left_out(node),) if outside and len(outside) == len(node.items) else _all_of(outside)
        case Text() | Texts() | Number() | Truth() | Choice() | Secret() | Anything() | Pairs() | Variables():
            return ()
        case _:
            assert_never(key.shape)


def _of_table(node: Node, table: Table, fine: tuple[str, ...] = ()) -> Faults:
    """What a table may not decide, the ``fine`` settings apart; if that is all of it, the table as a whole."""
    settings = tuple((each, table.key(name)) for name, each in node.members if name not in fine)
    found = tuple(fault for each, key in settings if key is not None for fault in _of_setting(each, key, ()))
    whole = bool(found) and tuple(fault.path for fault in found) == tuple(each.path for _, each in node.members)
    return (_left_out(node),) if whole else found


def _of_named(node: Node, table: Table, providers: tuple[str, ...] | None) -> Faults:
    """What entries may not decide. A provider that no layer below has may be one on this machine."""
    return tuple(fault for name, each in node.members for fault in _of_table(each, table, _fine(name, each, providers)))


def _fine(name: str, node: Node, providers: tuple[str, ...] | None) -> tuple[str, ...]:
    address = node.value.get("base_url") if isinstance(node.value, JsonObject) else None
    local = isinstance(address, str) and _LOCAL.fullmatch(address) is not None
    return ("base_url",) if providers is not None and name not in providers and local else ()


def _puts_back_granted(item: Node) -> bool:
    """Whether an item of ``defaults`` names what a project may not decide; its table, too."""
    path = tuple(item.value.split(".")) if isinstance(item.value, str) else ("",)
    keys = (key_at(path[:1]), key_at(path))
    return any(key is not None and key.note.granted for key in keys)

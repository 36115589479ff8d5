"""What a project's file may not decide until the person trusts its folder.

A project's file comes with the project, from whoever wrote it. So it may ask for less than the person allows, never for more: what
its note calls granted, rules that allow, variables that have other code run or other servers asked, paths that lead out of the
workspace. All of that is left out and told, and the rest of the file counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never, final

from attrs import frozen

from turnfold.core.codec.shapes import (
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
)
from turnfold.core.codec.toml_lines import Path
from turnfold.core.codec.toml_values import Node, Problems
from turnfold.core.config.notes import Form
from turnfold.core.config.values import Verdict
from turnfold.core.json import JsonObject

DEFAULTS = "defaults"
TRUST = "it counts only in a folder that you trust. Look at it, then say: turnfold config trust"

_LOADS_CODE = re.compile(
    r"PATH|IFS|ENV|BASH_ENV|BASH_FUNC.*|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|HOME|CDPATH|LD_.*|DYLD_.*|PYTHON.*|NODE_.*|PERL.*|RUBY.*|GEM_.*"
    r"|JAVA_.*|_JAVA.*|JDK_.*|GIT_.*|SSH_.*|.*PROXY|.*EDITOR|.*PAGER|BROWSER|.*PRELOAD.*|.*_?OPTIONS|.*OPTS|LESS.*|.*FLAGS|CC|CXX|AR|LD|SHELL"
    r"|.*PATH|.*HOME|.*DIR|.*WRAPPER|.*HOOKS?|CARGO_.*|RUST.*|NPM_.*|YARN_.*|PIP_.*|UV_.*|POETRY_.*|CONDA_.*|VIRTUAL_ENV|DOTNET_.*|XDG_.*"
    r"|.*(_URL|_HOST|_ENDPOINT|_REGISTRY)|.*CERT.*|.*CA_BUNDLE|.*RC",
    re.IGNORECASE,
)
_LOCAL = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/.*)?", re.ASCII | re.DOTALL)
_OUTSIDE = re.compile(r"[/~\\]|[A-Za-z]:|(.*[/\\])?\.\.([/\\]|$)", re.DOTALL)


@final
@frozen
class Withheld:
    """What is left out of a file: the paths, and a sentence for each."""

    paths: tuple[Path, ...] = ()
    problems: Problems = ()

    def __add__(self, other: Withheld) -> Withheld:
        """Both."""
        return Withheld((*self.paths, *other.paths), (*self.problems, *other.problems))


def withheld_of(root: Node, known: tuple[str, ...]) -> Withheld:
    """What a project's file, read as ``root``, says and may not decide; ``known`` are the providers of the layers below it."""
    found = Withheld()
    for name, node in root.members:
        key = SETTINGS.key(name)
        if key is not None:
            found += _of_setting(node, key, known)
        elif name == DEFAULTS:
            found += _all_of(item for item in node.items if _puts_back_granted(item))
    return found


def _left_out(node: Node) -> Withheld:
    return Withheld((node.path,), (node.fault(f"{node.name} is left out: {TRUST}", "not-trusted"),))


def _all_of(nodes: Iterable[Node]) -> Withheld:
    return sum((_left_out(node) for node in nodes), Withheld())


def _of_setting(node: Node, key: Key, known: tuple[str, ...]) -> Withheld:
    if key.note.granted:
        return _left_out(node)
    match key.shape:
        case Table():
            return _of_table(node, key.shape)
        case Named(table=table):
            return _of_named(node, table, known if key.name == "providers" else None)
        case Rules():
            allowing = (
                item for item in node.items if isinstance(item.value, JsonObject) and item.value.get("verdict") == Verdict.ALLOW.value
            )
            return _all_of(allowing)
        case Variables():
            return _all_of(each for name, each in node.members if _LOADS_CODE.fullmatch(name))
        case Texts(form=Form.PATH):
            outside = tuple(each for each in node.items if isinstance(each.value, str) and _OUTSIDE.match(each.value))
            return _left_out(node) if outside and len(outside) == len(node.items) else _all_of(outside)
        case Text() | Texts() | Number() | Truth() | Choice() | Secret() | Anything() | Pairs():
            return Withheld()
        case _:
            assert_never(key.shape)


def _of_table(node: Node, table: Table, fine: tuple[str, ...] = ()) -> Withheld:
    """What a table may not decide, the ``fine`` settings apart; if that is all of it, the table as a whole."""
    settings = tuple((each, table.key(name)) for name, each in node.members if name not in fine)
    found = sum((_of_setting(each, key, ()) for each, key in settings if key is not None), Withheld())
    whole = bool(found.paths) and found.paths == tuple(each.path for _, each in node.members)
    return _left_out(node) if whole else found


def _of_named(node: Node, table: Table, providers: tuple[str, ...] | None) -> Withheld:
    """What entries may not decide. A provider that no layer below has may be one on this machine."""
    found = Withheld()
    for name, each in node.members:
        address = each.value.get("base_url") if isinstance(each.value, JsonObject) else None
        local = isinstance(address, str) and _LOCAL.fullmatch(address) is not None
        found += _of_table(each, table, ("base_url",) if providers is not None and name not in providers and local else ())
    return found


def _puts_back_granted(item: Node) -> bool:
    head, _, rest = item.value.partition(".") if isinstance(item.value, str) else ("", "", "")
    key = SETTINGS.key(head)
    if key is None:
        return False
    inner = key.shape.key(rest) if isinstance(key.shape, Table) else None
    return key.note.granted or (inner is not None and inner.note.granted)

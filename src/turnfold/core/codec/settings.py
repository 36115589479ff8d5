"""Settings from TOML text, from JSON and from variables, as sparse layers. Pure: the shell reads the files.

What may be said is in ``shapes``, made from the classes that settings are; docs/config.md says it for people. Besides settings a file
has two keys: ``extends``, other files that lie under it, and ``defaults``, settings that it puts back to their defaults, whatever the
layers below say.
"""

from __future__ import annotations

import re
import tomllib
from typing import final

from attrs import evolve, frozen
from returns.result import Failure, Result, Success

from turnfold.core.codec.forms import text, texts
from turnfold.core.codec.grants import withheld_of
from turnfold.core.codec.reading import members_of
from turnfold.core.codec.shapes import DEFAULTS, EXTENDS, SETTINGS, key_at, names_to_put_back
from turnfold.core.codec.toml_lines import Path, lines_of
from turnfold.core.codec.toml_values import Fault, Node, Problems, Read, Source, faults, gathered, settled, told
from turnfold.core.config.layer import LayerName
from turnfold.core.config.layers import Line, Origin, Overrides
from turnfold.core.config.missing import DEFAULT
from turnfold.core.config.notes import Form
from turnfold.core.config.said import Said, saying
from turnfold.core.config.values import DEFAULT_PROVIDERS
from turnfold.core.json import JsonObject, scalar_text
from turnfold.core.problem import caller_problem, path_text

BUILT_IN: tuple[str, ...] = tuple(provider.name for provider in DEFAULT_PROVIDERS)

_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_TWICE = re.compile(r"Cannot (overwrite|declare|mutate|redefine)|Duplicate")
_SETS = re.compile(r"""\s*(\[[^\]]*\]+|[\w."' -]*[\w"'](?=\s*=))""")
_INNER = re.compile(r"inline table key '(.*)'$")


@final
@frozen
class FileSettings:
    """What one file says: its settings, the files that it extends as it names them, and what was left out of it (see ``grants``)."""

    layer: Overrides
    extends: tuple[str, ...] = ()
    withheld: Problems = ()


def read_file_untrusted(
    toml: str, place: str, layer: LayerName, *, trusted: bool = True, known: tuple[str, ...] = BUILT_IN
) -> Result[FileSettings, Problems]:
    """The settings in ``toml``, the text of the file ``place`` of that layer; all faults at once, each with its line.

    Of a file that is not ``trusted``, what a project may not decide is left out; ``known`` are the providers of the layers below.

    >>> read_file_untrusted('model = "ollama/qwen3"', "config.toml", "user").unwrap().layer.model
    'ollama/qwen3'
    >>> print(*read_file_untrusted("modle = 1", "config.toml", "user").failure())
    config.toml:1: there is no setting 'modle' here; did you mean model or models? @ $.modle
    """
    return _root_untrusted(scalar_text(toml), place).bind(lambda root: _file(root, layer, None if trusted else known))


def read_settings_untrusted(value: JsonObject, place: str, layer: LayerName) -> Result[Overrides, Problems]:
    """The settings in a JSON object, such as a request of a client; all faults at once.

    >>> read_settings_untrusted(JsonObject.of(limits=JsonObject.of(usd=2)), "request", "chat").unwrap().limits.usd
    2.0
    """
    source = Source(place, nulls=True)
    return _overrides(Node(value, (), source), layer).alt(lambda faults: told(faults, source))


def extended_untrusted(toml: str) -> tuple[str, ...]:
    """The files that a text extends, whatever else is wrong with it: so that their faults can be told, too.

    >>> extended_untrusted('extends = "base.toml"\\nmodle = 1'), extended_untrusted("extends =")
    (('base.toml',), ())
    """
    root = _root_untrusted(scalar_text(toml), "")
    return () if isinstance(root, Failure) else _extends(root.unwrap()).value_or(())


def _file(root: Node, layer: LayerName, known: tuple[str, ...] | None) -> Result[FileSettings, Problems]:
    withheld = () if known is None else withheld_of(root, known)
    kept = evolve(root, source=evolve(root.source, withheld=frozenset(fault.path for fault in withheld)))
    extends = _extends(kept)
    read = _overrides(kept, layer, (EXTENDS,))
    wrong = faults(extends, read)
    if wrong:
        return Failure(told(wrong, root.source))
    return Success(FileSettings(read.unwrap(), extends.unwrap(), told(withheld, root.source, "not-trusted")))


def _overrides(root: Node, layer: LayerName, more: tuple[str, ...] = ()) -> Read[Overrides]:
    """The settings of a file as a layer."""
    read = members_of(root, SETTINGS, (*more, DEFAULTS))
    put_back = _defaults(root)
    wrong = faults(read, put_back)
    if wrong:
        return Failure(wrong)
    said = dict(read.unwrap())
    for path in put_back.unwrap():
        _put_back(said, *path)
    origin = Origin(layer=layer, place=root.source.place, lines=_lines(root.source))
    return Success(Overrides(**said, origin=origin))  # type: ignore[arg-type]  # the shapes are made from the types of these fields


def _extends(root: Node) -> Read[tuple[str, ...]]:
    node = root.member(EXTENDS)
    if node is None:
        return Success(())
    if isinstance(node.value, str):
        return text(node, Form.SOME).map(lambda name: (name,))
    if not isinstance(node.value, tuple):
        return node.unfit("text in quotes or a list of it")
    return texts(node, Form.SOME)


def _defaults(root: Node) -> Read[tuple[tuple[str, ...], ...]]:
    """The settings that a file puts back: the root's name, and that of the setting in its table, where it is in one."""
    node = root.member(DEFAULTS)
    if node is None:
        return Success(())
    if not isinstance(node.value, tuple):
        return node.unfit("a list of the names of settings")
    return gathered(tuple(_default(item, root) for item in node.items))


def _default(item: Node, root: Node) -> Read[tuple[str, ...]]:
    """One name of ``defaults``: a setting that is a single value, alone or in a table."""
    named = text(item, Form.SOME)
    return named if isinstance(named, Failure) else _path_put_back(item, named.unwrap(), root)


def _path_put_back(item: Node, name: str, root: Node) -> Read[tuple[str, ...]]:
    path = tuple(name.split("."))
    if name not in names_to_put_back():
        if key_at(path) is None:
            other = "; write a name such as model, or limits.usd."
            return Failure((Fault(item.path, f"there is no setting {name[:60]!r} to put back", name, names_to_put_back(), other),))
        return item.refused(f"{name[:60]} can't be put back: only single settings can, such as model or limits.usd.")
    if _mentions(root, *path):
        return item.refused(f"{name} is set in this file, too: keep one of the two.")
    return Success(path)


def _mentions(root: Node, name: str, inner: str = "") -> bool:
    found = root.member(name)
    return found is not None and (not inner or found.member(inner) is not None)


def _put_back(said: dict[str, object], name: str, inner: str = "") -> None:
    if not inner:
        said[name] = DEFAULT
        return
    members = said.get(name)
    others = ((each.name, each.value) for each in members.members) if isinstance(members, Said) else ()
    said[name] = saying((*others, (inner, DEFAULT)))


def _lines(source: Source) -> tuple[Line, ...]:
    """Where everything that a file says stands, as its text has it; what is in an inline table or a list stands where that does."""
    kept = (place for place in source.lines if not source.withheld or not _within(place.path, source.withheld))
    return tuple(Line(path_text(place.path), place.line) for place in kept)


def _within(path: Path, withheld: frozenset[Path]) -> bool:
    return any(path[:depth] in withheld for depth in range(1, len(path) + 1))


def _root_untrusted(toml: str, place: str) -> Result[Node, Problems]:
    try:
        parsed = settled(tomllib.loads(toml))
    except RecursionError:
        return Failure((caller_problem("bad-settings", f"{place}: it is nested too deeply to be a config file."),))
    except ValueError as error:  # TOMLDecodeError, or an integer of more digits than Python converts
        return Failure((caller_problem("bad-settings", _no_toml(toml, place, str(error))),))
    return Success(Node(parsed, (), Source(place, lines_of(toml))))


def _no_toml(toml: str, place: str, error: str) -> str:
    """What is wrong with a text that is no TOML, as ``tomllib`` has it, in our words."""
    where = _AT_LINE.search(error)
    line = int(where[1]) if where else toml.count("\n") + 1
    what = _AT_LINE.sub("", error).removesuffix(" (at end of document)").rstrip(".")
    if _TWICE.match(what):
        named = _INNER.search(what) or _SETS.match(toml.split("\n")[line - 1])
        name = "what stands here" if named is None else named[1][:60]
        return f"{place}:{line}: {name} is set twice in this file: keep one of the two."
    column = f", column {where[2]}" if where else ""
    return f"{place}:{line}: this is not TOML{column}: {what[:200]}. Text stands in quotes, and every line is NAME = VALUE or [TABLE]."

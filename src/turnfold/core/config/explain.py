"""Where a setting's value comes from: ``explain(cfg, key)``.

A key is a setting's name, then names inside of it: ``model``, ``limits.command_s``, ``providers.work.base_url``,
``models."openai/gpt-5-mini".window_tokens``. Every layer is asked what it says of the key, the highest first:

* it says a value, or puts the key back to its default: it is named, and what layers below it say is overridden;
* it says a value that holds the key no more (a whole table, or a whole entry of a table of free names): so it is, too;
* it says nothing: the next one is asked; where none says anything, the value is the default's.

The value is what ``cfg`` reads. Where layers are merged (tables, entries with names, rules, tools with ``+`` and ``-``), the
highest one that says something is named, and what the others add stands among what it lies over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import TypeAlias, cast, final

import attrs
from attrs import frozen

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layer import Layer, LayerName, Merge, key_of, merge_of, settings
from turnfold.core.config.layers import Origin, origin_of
from turnfold.core.config.missing import DEFAULT, MISSING, Missing
from turnfold.core.config.named import laid_named, name_of
from turnfold.core.config.said import Said
from turnfold.core.config.tables import Compaction, Exporter, Guardrail, Hook, McpServer, Prompt, Sandbox, Server, Skills, User, Web
from turnfold.core.config.values import Limits, ModelProfile, Provider, Rule, SecretRef, Variable, WorkedExample
from turnfold.core.json import JsonObject, JsonValue, loads_untrusted, quoted
from turnfold.core.problem import Problem, caller_problem, did_you_mean, path_text

Setting: TypeAlias = "attrs.Attribute[object]"
Table: TypeAlias = (
    AgentSpec
    | Compaction
    | Exporter
    | Guardrail
    | Hook
    | Limits
    | McpServer
    | ModelProfile
    | Prompt
    | Provider
    | Rule
    | Sandbox
    | Web
    | SecretRef
    | Server
    | Skills
    | User
    | Variable
    | WorkedExample
)
SaidTable: TypeAlias = (
    Said[AgentSpec]
    | Said[Compaction]
    | Said[Exporter]
    | Said[Guardrail]
    | Said[Hook]
    | Said[Limits]
    | Said[McpServer]
    | Said[ModelProfile]
    | Said[Prompt]
    | Said[Provider]
    | Said[Sandbox]
    | Said[Web]
    | Said[Server]
    | Said[Skills]
    | Said[User]
)
SettingValue: TypeAlias = (
    "None | bool | int | float | str | JsonObject | tuple[JsonValue, ...] | Enum | Table | SaidTable | tuple[Table | SaidTable, ...]"
)

MAX_SHOWN = 60

_SECRET = re.compile(r"key|token|secret|passw|credential|cookie|authorization", re.IGNORECASE)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PART = re.compile(r'"(?P<basic>(?:[^"\\]|\\.)*)"|\'(?P<literal>[^\']*)\'|(?P<bare>[^."\'\s][^."\']*)', re.DOTALL)


@final
@frozen(kw_only=True)
class Overridden:
    """What a lower layer says of the key: the value, the default where it puts the key back; and where it says so."""

    value: SettingValue
    layer: LayerName
    place: str


@final
@frozen(kw_only=True)
class Explained:
    """A setting's value, and where it comes from.

    ``place``: ``file:line``, the name of a variable, ``agent NAME``, or empty for code. ``overrode``: the highest first.
    """

    key: str
    value: SettingValue
    layer: LayerName
    place: str
    overrode: tuple[Overridden, ...]


@final
@frozen(kw_only=True)
class _Source:
    """What one layer says of a key, or that it is put back; ``holds`` is false where all it says is that there is no such thing."""

    said: SettingValue = None
    put_back: bool = False
    holds: bool = True
    origin: Origin


def explain(cfg: Layer, key: str) -> Explained | Problem:
    """The value of ``key`` under ``cfg`` and where it comes from; a Problem for a key that is no setting. Never raises.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> explain(ProjectConfig(Config(model="a/b"), model="c/d"), "model")
    Explained(key='model', value='c/d', layer='project', place='', overrode=(Overridden(value='a/b', layer='user', place=''),))
    >>> explain(Config(), "modle").message
    'There is no setting "modle"; did you mean model or models?'
    """
    parts = _parts(cfg, key)
    setting = next((each for each in settings() if parts and each.alias == parts[0]), None)
    if setting is None:
        known = tuple(each.alias or "" for each in settings())
        return _unknown(f"There is no setting {_shown(key)}", parts[0] if parts else key, known)
    names = parts[1:]
    read = _read(setting, cast(SettingValue, getattr(cfg, parts[0])), names)
    sources = tuple(_sources(cfg, setting, names))
    if isinstance(read, Problem) and not any(source.holds for source in sources):
        return read
    top = sources[0].origin if sources else Origin(layer="default")
    return Explained(
        key=dotted(parts),
        value=None if isinstance(read, Problem) else read,
        layer=top.layer,
        place=_place(top, parts),
        overrode=tuple(_overridden(setting, source, parts) for source in sources[1:]),
    )


def said_keys(cfg: Layer, *, shipped: bool = True) -> tuple[str, ...]:
    """The keys that any layer says something of, each as deep as layers are merged, in the order of the document.

    ``shipped``: also those that only the tables say that turnfold brings along.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> said_keys(ProjectConfig(Config(model="a/b"), environment=(Variable("CI", "1"),)))
    ('model', 'environment.CI')
    """
    layers = tuple(layer for layer in cfg.layers if shipped or origin_of(layer).layer != "default")
    return tuple(dict.fromkeys(dotted(parts) for setting in settings() for layer in layers for parts in _said_parts(setting, layer)))


def hidden(parts: tuple[str, ...]) -> bool:
    """Whether a text at the key of these names is shown to nobody: a variable or a header that is called as a secret is.

    >>> hidden(("environment", "API_TOKEN")), hidden(("environment", "CI")), hidden(("providers", "x", "secret"))
    (True, False, False)
    """
    return len(parts) > 1 and parts[-2] in ("environment", "headers") and _SECRET.search(parts[-1]) is not None


def dotted(parts: tuple[str, ...]) -> str:
    """The key of these names, as :func:`explain` takes it and TOML writes it.

    >>> dotted(("models", "openai/gpt-5-mini", "aliases"))
    'models."openai/gpt-5-mini".aliases'
    """
    return ".".join(part if _BARE.fullmatch(part) else quoted(part) for part in parts)


def split_key(text: str) -> tuple[str, ...]:
    """The names that ``dotted`` wrote, in quotes or not; none for text that is no key.

    >>> split_key('models."a/b.c".window_tokens'), split_key("a..b")
    (('models', 'a/b.c', 'window_tokens'), ())
    """
    parts: tuple[str, ...] = ()
    at = 0
    while True:
        found = _PART.match(text, at)
        name = None if found is None else _name(found)
        if found is None or name is None:
            return ()
        parts = (*parts, name)
        if found.end() == len(text):
            return parts
        if text[found.end()] != ".":
            return ()
        at = found.end() + 1


def _parts(cfg: Layer, key: str) -> tuple[str, ...]:
    """The names that ``key`` consists of; none where it is not written so. A name with dots needs no quotes where there is one."""
    head, _, rest = key.strip().partition(".")
    setting = next((each for each in settings() if each.alias == head and merge_of(each) is Merge.NAMED), None)
    if setting is not None:
        names = _names_in(getattr(cfg, head), key_of(head))
        fitting = (name for name in names if rest == name or rest.startswith(f"{name}."))
        name = max(fitting, key=len, default="")
        if name:
            below = split_key(rest[len(name) + 1 :]) if rest != name else ()
            return (head, name, *below) if below or rest == name else ()
    return split_key(key.strip())


def _name(part: re.Match[str]) -> str | None:
    if part["basic"] is None:
        return (part["literal"] or "") if part["bare"] is None else part["bare"].strip()
    value = loads_untrusted(part[0]).value_or(None)
    return value if isinstance(value, str) else None


def _shown(key: str) -> str:
    return quoted(key if len(key) <= MAX_SHOWN else f"{key[:MAX_SHOWN]}…")


def _read(setting: Setting, value: SettingValue, names: tuple[str, ...]) -> SettingValue | Problem:
    """What stands at ``names`` inside of the effective ``value``."""
    path: tuple[str, ...] = (setting.alias or "",)
    key = _entry_key(setting)
    for name in names:
        inside = _inside(value, name, key)
        if isinstance(inside, Missing):
            known = _names_in(value, key)
            what = f"There is no {_shown(name)} in {dotted(path)}" if known or key else f"There is nothing inside of {dotted(path)}"
            return _unknown(what, name, known)
        path, key, value = (*path, name), "", inside
    return value


def _unknown(sentence: str, name: str, known: tuple[str, ...]) -> Problem:
    return caller_problem("unknown-setting", f"{sentence}{did_you_mean(name, known) or '.'}")


def _entry_key(setting: Setting) -> str:
    """The field that names a named setting's entries; empty for a setting that has none."""
    return key_of(setting.alias or "") if merge_of(setting) is Merge.NAMED else ""


def _inside(value: SettingValue | Missing, name: str, key: str) -> SettingValue | Missing:
    """What ``value`` holds under ``name``: a field, a member, or the entry whose ``key`` it is."""
    if isinstance(value, tuple) and key:
        found = laid_named(tuple(each for each in value if name_of(each, key) == name), (), key)
        entry: SettingValue | Missing = found[0] if found else MISSING
        return entry.value if isinstance(entry, Variable) else entry
    if isinstance(value, Said | JsonObject):
        return cast("SettingValue | Missing", value.get(name, MISSING) if isinstance(value, JsonObject) else value.get(name))
    return cast("SettingValue | Missing", getattr(value, name)) if name in _names_in(value, key) else MISSING


def _names_in(value: SettingValue | Missing, key: str) -> tuple[str, ...]:
    """The names that lead on from ``value``."""
    if isinstance(value, tuple):
        return tuple(name_of(each, key) for each in value) if key else ()
    if isinstance(value, JsonObject):
        return tuple(value)
    if isinstance(value, Said):
        return tuple(member.name for member in value.members)
    inner = attrs.has(type(value)) and not isinstance(value, SecretRef | Missing)
    return tuple(each.name for each in attrs.fields(type(cast(attrs.AttrsInstance, value)))) if inner else ()


def _sources(cfg: Layer, setting: Setting, names: tuple[str, ...]) -> Iterator[_Source]:
    for layer in cfg.layers:
        found = _source(layer, setting, names)
        if found is not None:
            yield found


def _source(layer: Layer, setting: Setting, names: tuple[str, ...]) -> _Source | None:
    """What ``layer`` says of the key; None where it says nothing, so that the layer below is asked."""
    said: SettingValue | Missing = getattr(layer, setting.name)
    merge, key = merge_of(setting), _entry_key(setting)
    ends = merge is Merge.WHOLE and isinstance(said, JsonObject)
    for name in names:
        if said == DEFAULT:
            return _Source(put_back=True, holds=False, origin=origin_of(layer))
        merged = isinstance(said, Said | JsonObject | Missing) or bool(key)
        ends = ends or not merged
        inside = _inside(said, name, key)
        if inside == MISSING:
            return _Source(put_back=True, holds=False, origin=origin_of(layer)) if ends else None
        ends = ends or isinstance(said, JsonObject)
        said, key = inside, ""
    empty = said in (MISSING, Said(), JsonObject()) or (said == () and not names and merge in (Merge.NAMED, Merge.JOINED))
    if (empty and not ends) or (said == DEFAULT and merge is Merge.JOINED):
        return None
    if isinstance(said, Missing):
        return _Source(put_back=True, origin=origin_of(layer))
    return _Source(said=said, origin=origin_of(layer))


def _overridden(setting: Setting, source: _Source, parts: tuple[str, ...]) -> Overridden:
    said = source.said
    if source.put_back:
        default = _read(setting, cast(SettingValue, getattr(Layer(), parts[0])), parts[1:])
        said = None if isinstance(default, Problem) else default
    return Overridden(value=said, layer=source.origin.layer, place=_place(source.origin, parts))


def _place(origin: Origin, parts: tuple[str, ...]) -> str:
    """The place with the line of the key, else of something inside of it, else of what it is part of."""
    for depth in range(len(parts), 0, -1):
        path = path_text(parts[:depth])
        exact = next((line.number for line in origin.lines if line.path == path), 0)
        number = exact or next((line.number for line in origin.lines if line.path.startswith((f"{path}.", f"{path}["))), 0)
        if number:
            return f"{origin.place}:{number}"
    return origin.place


def _said_parts(setting: Setting, layer: Layer) -> Iterator[tuple[str, ...]]:
    said, head = getattr(layer, setting.name), setting.alias or ""
    key = _entry_key(setting)
    if key and isinstance(said, tuple):
        for each in said:
            yield from _members(each, (head, name_of(each, key)), key)
    elif _source(layer, setting, ()) is not None:
        yield from ((head,),) if merge_of(setting) is Merge.WHOLE else _members(said, (head,), "")


def _members(said: SettingValue, path: tuple[str, ...], key: str) -> Iterator[tuple[str, ...]]:
    """The keys of what is merged member by member, else of ``said`` itself."""
    inner: tuple[tuple[str, SettingValue], ...] = ()
    if isinstance(said, Said):
        inner = tuple((each.name, cast(SettingValue, each.value)) for each in said.members if each.name != key)
    elif isinstance(said, JsonObject):
        inner = said.members
    if not inner:
        yield path
    for name, value in inner:
        if isinstance(said, Said):
            yield from _members(value, (*path, name), "")
        else:
            yield (*path, name)

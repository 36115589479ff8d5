"""``/config``: what the layers say, where one setting's value comes from, and a change of those that need no file.

A change is read by the type and the bounds that stand beside the setting's definition. What has a command of its own (model,
agent, rules), and what a running conversation could not follow (the workspace, providers, servers …), is not changed here.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TypeAlias, cast, final

import attrs
from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.core.agent.commands.command import Command, columns, refuse, tell, wrong
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.reconfigure import reconfigured
from turnfold.core.config.explain import Explained, explain, said_keys
from turnfold.core.config.layer import settings
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.config.missing import DEFAULT, Missing
from turnfold.core.config.models import locate
from turnfold.core.config.notes import Form, Note, note_of
from turnfold.core.config.said import MemberValue, Said, saying
from turnfold.core.config.selection import signed
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import Limits, SecretRef, ToolFormat
from turnfold.core.json import JsonObject, JsonValue, dumps, loads_untrusted, quoted
from turnfold.core.problem import Problem, caller_problem, did_you_mean
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.tools.textlines import clipped

Kind: TypeAlias = type[bool] | type[int] | type[float] | type[str] | type[tuple[str, ...]] | type[ToolFormat]

PLAIN: tuple[tuple[str, Kind], ...] = (
    ("tool_format", ToolFormat),
    ("temperature", float),
    ("max_tokens", int),
    ("instructions", str),
    ("tools", tuple),
)
CHANGEABLE = (
    f"Here can be changed: {', '.join(name for name, _ in PLAIN)}, and what stands in limits and compaction, such as limits.usd; "
    "VALUE is a value or default. For others there are /model, /agent, /allow and the config files."
)
DEFAULT_WORD = "default"
VALUE_CHARS = 200
MOST = 1e15  # of a number; more is a slip of the hand


@final
@frozen(kw_only=True)
class Changeable:
    """A setting that ``/config KEY = VALUE`` changes: the kind and the bounds of its value, and the change that it makes."""

    key: str
    kind: Kind
    note: Note | None
    change: Callable[[MemberValue], Overrides]


def _config(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    key, equals, text = rest.partition("=")
    if equals:
        return _change(draft, key.strip(), text.strip(), cfg)
    if not rest:
        rows = tuple(_row(explain(cfg, key)) for key in said_keys(cfg))
        return tell(draft, columns(rows) or "No layer says anything: all settings are as they come.")
    found = explain(cfg, rest)
    return refuse(draft, found) if isinstance(found, Problem) else tell(draft, _explained(found))


def _row(found: Explained | Problem) -> tuple[str, str]:
    if isinstance(found, Problem):
        return "", str(found)
    return f"{found.key} = {_clipped(found.value)}", _from(found.layer, found.place)


def _explained(found: Explained) -> str:
    over = tuple(f"over {_clipped(each.value)}, {_from(each.layer, each.place)}" for each in found.overrode)
    return "\n".join((f"{found.key} = {shown_value(found.value)}", _from(found.layer, found.place), *over))


def _from(layer: str, place: str) -> str:
    return f"from {layer}{f' ({place})' if place else ''}"


def _clipped(value: object) -> str:
    return clipped(shown_value(value), VALUE_CHARS)


def shown_value(value: object) -> str:
    """A setting's value, as a person reads it.

    >>> shown_value(("read", "shell")), shown_value(Limits(usd=2.0)).partition(", ")[0], shown_value(None)
    ('["read", "shell"]', '{generations = 40', 'none')
    """
    match value:
        case None:
            return "none"
        case Enum():
            return quoted(str(value.value))
        case SecretRef(name):
            return f"the secret {name}"
        case tuple():
            return f"[{', '.join(map(shown_value, value))}]"
        case JsonObject():
            return dumps(value)
        case Said():
            return f"{{{', '.join(f'{member.name} = {shown_value(member.value)}' for member in value.members)}}}"
        case Missing():
            return "the default"
        case str() | bool() | int() | float():
            return dumps(value)
        case _:
            names = tuple(each.name for each in attrs.fields(type(cast(attrs.AttrsInstance, value))))
            return f"{{{', '.join(f'{name} = {shown_value(getattr(value, name))}' for name in names)}}}"


def _change(draft: Draft, key: str, text: str, cfg: ChatConfig) -> Draft:
    known = changeable()
    setting = next((each for each in known if each.key == key), None)
    if setting is None:
        near = did_you_mean(key, (each.key for each in known))
        return wrong(draft, f"{key[:60]!r} can't be changed here{near}. {CHANGEABLE}")
    read = _read_untrusted(setting, text, cfg)
    if isinstance(read, Failure):
        return refuse(draft, read.failure())
    changed = reconfigured(draft, setting.change(read.unwrap()), cfg)
    return tell(changed, f"{key} is now {'as by default' if text == DEFAULT_WORD else clipped(text, VALUE_CHARS)}.")


def changeable() -> tuple[Changeable, ...]:
    """The settings that a running conversation can change.

    >>> [each.key for each in changeable()][:6]
    ['tool_format', 'temperature', 'max_tokens', 'instructions', 'tools', 'limits.generations']
    """
    notes = {each.alias: note_of(each) for each in settings()}
    plain = tuple(Changeable(key=name, kind=kind, note=notes[name], change=partial(_plain, name)) for name, kind in PLAIN)
    return (*plain, *_of_table("limits", Limits), *_of_table("compaction", Compaction))


def _of_table(head: str, table: type[Limits | Compaction]) -> tuple[Changeable, ...]:
    hints = typing.get_type_hints(table)
    return tuple(
        Changeable(
            key=f"{head}.{field.name}", kind=_kind(hints[field.name]), note=note_of(field), change=partial(_inside, head, field.name)
        )
        for field in attrs.fields(table)
    )


def _kind(hint: object) -> Kind:
    """The kind of value that a field's hint asks for: ``int`` for ``int | None``."""
    return cast(Kind, (*typing.get_args(hint), hint)[0])


def _plain(name: str, value: MemberValue) -> Overrides:
    return attrs.evolve(Overrides(), **{name: value})  # type: ignore[arg-type]  # its kind stands in PLAIN


def _inside(head: str, name: str, value: MemberValue) -> Overrides:
    return Overrides(limits=saying(((name, value),))) if head == "limits" else Overrides(compaction=saying(((name, value),)))


def _read_untrusted(setting: Changeable, text: str, cfg: ChatConfig) -> Result[MemberValue, Problem]:
    """What ``text`` says, as JSON or in bare words, where it fits the setting; ``default`` puts the setting back."""
    if text == DEFAULT_WORD:
        return Success(DEFAULT)
    value = _of_kind(text, loads_untrusted(text).value_or(text), setting.kind)
    if value is None or not _within(value, setting.note):
        return Failure(caller_problem("bad-argument", f"{setting.key} takes {_wanted(setting)}, or default; not {text[:60]!r}."))
    named = setting.note is not None and setting.note.form is Form.MODEL and isinstance(value, str) and value
    found = locate(cfg, value) if named and isinstance(value, str) else None
    return Failure(found) if isinstance(found, Problem) else Success(value)


def _of_kind(text: str, value: JsonValue, kind: Kind) -> MemberValue:
    """``value``, which is how JSON reads ``text``, as a ``kind``; None where it is none."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST
    if kind is float:
        return float(value) if number and isinstance(value, (int, float)) else None
    if kind in (int, bool):
        return value if isinstance(value, kind) and (number or kind is bool) else None
    if kind is str:
        return value if isinstance(value, str) else text
    if kind is tuple:
        return _names(value if isinstance(value, tuple) else tuple(text.replace(",", " ").split()))
    return next((each for each in ToolFormat if each.value == value), None)


def _names(value: tuple[JsonValue, ...]) -> tuple[str, ...] | None:
    """Names of tools; all or none of them with a sign."""
    names = tuple(name for name in value if isinstance(name, str) and name.strip("+-"))
    return names if len(names) == len(value) and (signed(names) or not any(name[0] in "+-" for name in names)) else None


def _within(value: MemberValue, note: Note | None) -> bool:
    if note is None or not isinstance(value, (int, float)):
        return True
    least, most, over = note.least, note.most, note.over
    return (least is None or value >= least) and (most is None or value <= most) and (over is None or value > over)


def _wanted(setting: Changeable) -> str:
    nouns = (
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a number"),
        (str, "a text"),
        (tuple, "names of tools, all or none of them with + or -"),
    )
    noun = next((noun for kind, noun in nouns if kind is setting.kind), " or ".join(each.value for each in ToolFormat))
    note = setting.note or Note(about="")
    bounds = (("of at least", note.least), ("over", note.over), ("of at most", note.most))
    return noun + "".join(f" {word} {bound:,g}" for word, bound in bounds if bound is not None)


CONFIG = Command(
    name="config",
    arguments="[KEY [= VALUE]]",
    help="List what the settings' layers say, explain where KEY's value comes from, or change it from now on.\n" + CHANGEABLE,
    run=_config,
)

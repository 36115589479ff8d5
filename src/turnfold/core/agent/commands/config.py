"""``/config``: what the layers say, where one setting's value comes from, and a change of those that need no file.

A change is read by the type and the bounds that stand beside the setting's definition. What has a command of its own (model,
agent, rules), and what a running conversation could not follow (the workspace, providers, servers …), is not changed here.
"""

from __future__ import annotations

import math
import typing
from enum import Enum
from typing import assert_never, cast, final

import attrs
from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.core.agent.commands.command import Command, columns, or_near, refuse, tell, wrong
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.reconfigure import reconfigured
from turnfold.core.config.explain import Explained, explain, hidden, said_keys, split_key
from turnfold.core.config.layer import settings
from turnfold.core.config.layers import ChatConfig, Overrides, said_from
from turnfold.core.config.missing import DEFAULT, Missing
from turnfold.core.config.models import locate
from turnfold.core.config.notes import Form, Note, note_of
from turnfold.core.config.said import MemberValue, Said, saying
from turnfold.core.config.selection import signed
from turnfold.core.config.tables import Compaction
from turnfold.core.config.values import Limits, SecretRef, ToolFormat, Variable
from turnfold.core.json import JsonObject, JsonValue, dumps, loads_untrusted, quoted
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.tools.textlines import clipped


class Kind(Enum):
    """What a setting's value is, in a person's words."""

    FLAG = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    TEXT = "a text"
    TOOLS = "names of tools, all or none of them with + or -"
    FORMAT = " or ".join(each.value for each in ToolFormat)


PLAIN = (
    ("tool_format", Kind.FORMAT),
    ("temperature", Kind.NUMBER),
    ("max_tokens", Kind.WHOLE),
    ("instructions", Kind.TEXT),
    ("tools", Kind.TOOLS),
)
WHAT_CAN_BE_CHANGED = (
    f"Here can be changed: {', '.join(name for name, _ in PLAIN)}, and what stands in limits and compaction, such as limits.usd; "
    "VALUE is a value or default. For others there are /model, /agent, /allow, /permission and the config files."
)
DEFAULT_WORD = "default"
MASK = "***"
VALUE_CHARS = 200
MOST = 1e15  # of a number; more is a slip of the hand


@final
@frozen(kw_only=True)
class Changeable:
    """A setting that ``/config KEY = VALUE`` changes: the kind and the bounds of its value."""

    key: str
    kind: Kind
    note: Note | None


def _config(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    key, equals, text = rest.partition("=")
    if equals:
        return _change(draft, key.strip(), text.strip(), cfg)
    if not rest:
        told = (explain(cfg, key) for key in said_keys(cfg))
        rows = tuple(_row(found) for found in told if isinstance(found, Explained) and found.layer != "default")
        return tell(draft, columns(rows) or "No layer says anything: all settings are as they come.")
    found = explain(cfg, rest)
    return refuse(draft, found) if isinstance(found, Problem) else tell(draft, _explained(found))


def _row(found: Explained) -> tuple[str, str]:
    return f"{found.key} = {_clipped(found.value, split_key(found.key))}", said_from(found.layer, found.place)


def _explained(found: Explained) -> str:
    parts = split_key(found.key)
    over = tuple(f"over {_clipped(each.value, parts)}, {said_from(each.layer, each.place)}" for each in found.overrode)
    return "\n".join((f"{found.key} = {shown_value(found.value, parts)}", said_from(found.layer, found.place), *over))


def _clipped(value: object, parts: tuple[str, ...]) -> str:
    return clipped(shown_value(value, parts), VALUE_CHARS)


def shown_value(value: object, parts: tuple[str, ...] = ()) -> str:
    """A setting's value, as a person reads it; ``parts`` are the names of its key, so that a secret is not shown.

    >>> shown_value(("read", "shell")), shown_value(Limits(usd=2.0)).partition(", ")[0], shown_value(None)
    ('["read", "shell"]', '{generations = 40', 'none')
    >>> shown_value("abc", ("environment", "API_TOKEN"))
    '***'
    """
    match value:
        case None:
            return "none"
        case Enum():
            return quoted(str(value.value))
        case SecretRef(name):
            return f"the secret {name}"
        case tuple():
            return f"[{', '.join(shown_value(each, parts) for each in value)}]"
        case JsonObject():
            return dumps(JsonObject(tuple((name, MASK if hidden((*parts, name)) else item) for name, item in value.members)))
        case Said():
            return _shown_members(tuple((member.name, member.value) for member in value.members), parts)
        case Variable(name, text):
            return _shown_members(((name, text),), parts)
        case Missing():
            return "the default"
        case float() if not math.isfinite(value):
            return str(value)  # made in code; no file and no JSON can say it
        case str() | bool() | int() | float():
            return MASK if hidden(parts) else dumps(value)
        case _:
            table = cast(attrs.AttrsInstance, value)
            return _shown_members(tuple((each.name, getattr(table, each.name)) for each in attrs.fields(type(table))), parts)


def _shown_members(members: tuple[tuple[str, object], ...], parts: tuple[str, ...]) -> str:
    return f"{{{', '.join(f'{name} = {shown_value(value, (*parts, name))}' for name, value in members)}}}"


def _change(draft: Draft, key: str, text: str, cfg: ChatConfig) -> Draft:
    known = CHANGEABLE
    setting = next((each for each in known if each.key == key), None)
    if setting is None:
        return wrong(
            draft, f"The setting {key[:60]!r} can't be changed here{or_near(key, (each.key for each in known))} {WHAT_CAN_BE_CHANGED}"
        )
    read = _read_untrusted(setting, text, cfg)
    if isinstance(read, Failure):
        return refuse(draft, read.failure())
    changed = reconfigured(draft, _saying(key, read.unwrap()), cfg)
    return tell(changed, f"{key} is now {'as by default' if text == DEFAULT_WORD else clipped(text, VALUE_CHARS)}.")


def _changeable() -> tuple[Changeable, ...]:
    notes = {each.alias: note_of(each) for each in settings()}
    plain = tuple(Changeable(key=name, kind=kind, note=notes[name]) for name, kind in PLAIN)
    return (*plain, *_of_table("limits", Limits), *_of_table("compaction", Compaction))


def _of_table(head: str, table: type[Limits | Compaction]) -> tuple[Changeable, ...]:
    hints = typing.get_type_hints(table)
    kinds = ((field, _kind(hints[field.name])) for field in attrs.fields(table))
    return tuple(Changeable(key=f"{head}.{field.name}", kind=kind, note=note_of(field)) for field, kind in kinds if kind is not None)


def _kind(hint: object) -> Kind | None:
    """The kind of value that a field's hint asks for: a whole number for ``int | None``; None for what one line can't say."""
    first = (*typing.get_args(hint), hint)[0]
    kinds = ((bool, Kind.FLAG), (int, Kind.WHOLE), (float, Kind.NUMBER), (str, Kind.TEXT))
    return next((kind for form, kind in kinds if form is first), None)


CHANGEABLE: tuple[Changeable, ...] = _changeable()  # made once: what reads the classes compiles their hints


def _saying(key: str, value: MemberValue) -> Overrides:
    """The change that says ``value`` of ``key``."""
    head, _, name = key.partition(".")
    if head == "limits":
        return Overrides(limits=saying(((name, value),)))
    if head == "compaction":
        return Overrides(compaction=saying(((name, value),)))
    return attrs.evolve(Overrides(), **{head: value})  # type: ignore[arg-type]  # its kind stands in PLAIN


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
    match kind:
        case Kind.FLAG:
            return value if isinstance(value, bool) else None
        case Kind.WHOLE | Kind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MOST:
                return None
            return float(value) if kind is Kind.NUMBER else value if isinstance(value, int) else None
        case Kind.TEXT:
            return value if isinstance(value, str) else text
        case Kind.TOOLS:
            return _names(value if isinstance(value, tuple) else tuple(text.replace(",", " ").split()))
        case Kind.FORMAT:
            return next((each for each in ToolFormat if each.value == value), None)
        case _:
            assert_never(kind)


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
    note = setting.note or Note(about="")
    bounds = (("at least", note.least), ("over", note.over), ("at most", note.most))
    return setting.kind.value + "".join(f", {word} {bound:,g}" for word, bound in bounds if bound is not None)


CONFIG = Command(
    name="config",
    arguments="[KEY [= VALUE]]",
    help="List what the settings' layers say, explain where KEY's value comes from, or change it from now on.\n" + WHAT_CAN_BE_CHANGED,
    run=_config,
)

"""What a config file may hold, as a table made once from the classes that the settings are: their types and their notes.

The reader, the rules for projects, the variables, the JSON Schema and the writer of files all walk this one table, so a setting is
added by a field with a note, and by nothing else.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, cast, final, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from turnfold.core.config.layer import Layer, key_of
from turnfold.core.config.missing import Missing
from turnfold.core.config.notes import Form, Note, note_of
from turnfold.core.config.said import Said
from turnfold.core.config.values import RESERVED_PARAMETERS, Rule, SecretRef, Variable
from turnfold.core.json import JsonObject, JsonValue

DEFAULTS = "defaults"  # the two keys of a file besides its settings
EXTENDS = "extends"


@final
@frozen
class Text:
    """A text of this form."""

    form: Form


@final
@frozen(kw_only=True)
class Number:
    """A number within these bounds (``over``: itself not); ``whole``: without a fraction."""

    whole: bool
    least: float | None
    most: float | None
    over: float | None


@final
@frozen
class Truth:
    """``true`` or ``false``."""


@final
@frozen
class Choice:
    """The value of one of these."""

    members: tuple[Enum, ...]


@final
@frozen
class Secret:
    """The name of a variable that holds a secret."""


@final
@frozen
class Texts:
    """A list of texts of this form."""

    form: Form


@final
@frozen
class Anything:
    """A table of free names, those apart that are ``reserved``, with any values."""

    reserved: tuple[str, ...] = ()


@final
@frozen
class Pairs:
    """A table of free names, with texts, or ``{secret = "NAME"}``."""


@final
@frozen(kw_only=True)
class Key:
    """One setting of a table; ``due``: it has to be there; ``default``: as JSON, None where there is none to show."""

    name: str
    shape: Shape
    note: Note
    due: bool
    default: JsonValue


@final
@frozen
class Table:
    """A table of known names."""

    keys: tuple[Key, ...]

    def key(self, name: str) -> Key | None:
        """The setting of that name; None where there is none."""
        return next((key for key in self.keys if key.name == name), None)


@final
@frozen
class Named:
    """Tables by free names; ``by`` is the field that holds the name."""

    table: Table
    by: str


@final
@frozen
class Rules:
    """A list of rules."""

    table: Table


@final
@frozen
class Variables:
    """Environment variables by name: texts, or ``false`` for one that is removed."""


Shape: TypeAlias = Text | Number | Truth | Choice | Secret | Texts | Anything | Pairs | Table | Named | Rules | Variables


def _shape(hint: object, said: Note, name: str) -> Shape:
    """The shape of values of the type ``hint``."""
    (kind, *_) = _kinds(hint)
    if get_origin(kind) is tuple:
        return _list(get_args(kind)[0], said, name)
    if get_origin(kind) is Said:
        (kind,) = get_args(kind)
    if kind is str:
        return Text(said.form)
    if kind is bool:
        return Truth()
    if kind in (int, float):
        return Number(whole=kind is int, least=said.least, most=said.most, over=said.over)
    if kind is SecretRef:
        return Secret()
    if kind is JsonObject:
        return Pairs() if said.form is Form.PAIRS else Anything(RESERVED_PARAMETERS if said.form is Form.PARAMETERS else ())
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Choice(tuple(kind))
    return Table(_keys(cast("type[attrs.AttrsInstance]", kind)))


def _list(item: object, said: Note, name: str) -> Shape:
    (kind, *_) = _kinds(item)
    if kind is str:
        return Texts(said.form)
    if kind is Variable:
        return Variables()
    table = Table(_keys(cast("type[attrs.AttrsInstance]", kind)))
    return Rules(table) if kind is Rule else Named(table, key_of(name))


def _kinds(hint: object) -> tuple[object, ...]:
    """The types of a union that a file can say a value of."""
    kinds = get_args(hint) if get_origin(hint) not in (None, tuple, Said) else (hint,)
    return tuple(kind for kind in kinds if kind not in (type(None), Missing))


def _keys(kind: type[attrs.AttrsInstance]) -> tuple[Key, ...]:
    """The settings of a class: its fields that have a note."""
    hints = get_type_hints(kind)
    fields = cast("tuple[attrs.Attribute[object], ...]", attrs.fields(kind))
    return tuple(_key(field, hints[field.name], said) for field in fields if (said := note_of(field)) is not None)


def _key(field: attrs.Attribute[object], hint: object, said: Note) -> Key:
    name = field.alias or field.name
    shape = _shape(hint, said, name)
    return Key(name=name, shape=shape, note=said, due=field.default is attrs.NOTHING, default=_default(field.default))


def _default(value: object) -> JsonValue:
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, (str, int, float, tuple)) else None


SETTINGS: Table = Table(_keys(Layer))


def single(key: Key) -> bool:
    """Whether the setting is one value or a list of texts: a variable can hold it.

    >>> single(SETTINGS.keys[0])
    True
    """
    return not isinstance(key.shape, Table | Named | Rules | Variables | Anything | Pairs)


def singles() -> tuple[tuple[str, ...], ...]:
    """The names of all single settings, those of a table with the table's first.

    >>> ("model",) in singles(), ("limits", "usd") in singles()
    (True, True)
    """
    alone = tuple((key.name,) for key in SETTINGS.keys if single(key))
    tables = tuple((key.name, key.shape) for key in SETTINGS.keys if isinstance(key.shape, Table))
    return (*alone, *((name, key.name) for name, table in tables for key in table.keys if single(key)))


def key_at(path: tuple[str, ...]) -> Key | None:
    """The setting of that name in that table; None where there is none."""
    key = SETTINGS.key(path[0])
    for name in path[1:]:
        key = key.shape.key(name) if key is not None and isinstance(key.shape, Table) else None
    return key


def names_to_put_back() -> tuple[str, ...]:
    """What ``defaults`` can name: every single setting but a list of tools, which is not one value.

    >>> "limits.usd" in names_to_put_back(), "tools" in names_to_put_back()
    (True, False)
    """
    return tuple(".".join(path) for path in singles() if path != ("tools",))

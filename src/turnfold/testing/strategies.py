"""Hypothesis strategies for every value of core: ``values(form)`` follows the type hints, the others name the usual ones.

The values are well typed and nothing more: an event of such a journal may speak of a turn that never was. Text holds no
lone surrogates and numbers are finite, as everything that was decoded from outside is.
"""

from __future__ import annotations

import typing
from enum import Enum
from types import NoneType, UnionType
from typing import Any, cast

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from turnfold.core.agent.effects import Effect
from turnfold.core.agent.events import Event
from turnfold.core.agent.ids import GUARD, MODEL, RequestId
from turnfold.core.agent.inputs import Input
from turnfold.core.agent.live import Live
from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.missing import DEFAULT, MISSING, Missing
from turnfold.core.config.said import Said, saying
from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import Message, ToolCall
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.stream.position import Position
from turnfold.core.world.answers import Answer
from turnfold.core.world.requests import Request

FEW = 3  # items of a tuple: what is true of three is rarely false of four

TELLING = (
    "", "/w", "/w/a.txt", "../a", "read", "save", "shell", "python", "scripted/model", "ls", "a.txt", "{}", "*", "/undo", "\n", "```shell\nls\n```\n", "é😀",
)  # fmt: skip


def texts() -> SearchStrategy[str]:
    """Short texts, some of which mean something to core."""
    free = st.text(st.characters(codec="utf-8"), max_size=12)
    return st.sampled_from(TELLING) | free


def json_values() -> SearchStrategy[JsonValue]:
    """JSON as immutable values, a few levels deep."""
    leaves = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | _floats() | texts()
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=FEW).map(tuple) | _objects(inner), max_leaves=6)


def json_objects() -> SearchStrategy[JsonObject]:
    """JSON objects, such as a call's arguments or a tool's memory."""
    return _objects(json_values())


def request_ids() -> SearchStrategy[RequestId]:
    """Ids, mostly of places that a conversation soon reaches."""
    small, large = st.integers(0, 2), st.integers(0, 10**9 - 1)
    slot = st.sampled_from((MODEL, GUARD)) | small | large
    return st.builds(RequestId, small | large, small | large, slot, small | large)


def positions() -> SearchStrategy[Position]:
    """Places in a stream."""
    numbers = st.integers(0, 9) | st.integers(0, 10**12 - 1)
    return st.builds(Position, *(numbers for _ in range(6)))


def events() -> SearchStrategy[Event]:
    """Any event."""
    return cast(SearchStrategy[Event], values(Event))


def inputs() -> SearchStrategy[Input]:
    """Any input."""
    return cast(SearchStrategy[Input], values(Input))


def effects() -> SearchStrategy[Effect]:
    """Any effect."""
    return cast(SearchStrategy[Effect], values(Effect))


def configs() -> SearchStrategy[ChatConfig]:
    """Any config of a conversation, with its layers."""
    return cast(SearchStrategy[ChatConfig], values(ChatConfig))


def messages() -> SearchStrategy[Message]:
    """Any message."""
    return cast(SearchStrategy[Message], values(Message))


def requests() -> SearchStrategy[Request]:
    """Any request."""
    return cast(SearchStrategy[Request], values(Request))


def answers() -> SearchStrategy[Answer]:
    """Any answer."""
    return cast(SearchStrategy[Answer], values(Answer))


def tool_calls() -> SearchStrategy[ToolCall]:
    """Any well-formed call."""
    return cast(SearchStrategy[ToolCall], values(ToolCall))


def pasts() -> SearchStrategy[Past]:
    """Any past, also such as no journal folds to."""
    return cast(SearchStrategy[Past], values(Past))


def _floats() -> SearchStrategy[float]:
    return st.floats(allow_nan=False, allow_infinity=False)


def _objects(inner: SearchStrategy[JsonValue]) -> SearchStrategy[JsonObject]:
    return st.dictionaries(texts(), inner, max_size=FEW).map(lambda members: JsonObject(tuple(members.items())))


def values(form: object) -> SearchStrategy[Any]:
    """Values of ``form``: a class or union of core, or a tuple, log or optional of such.

    >>> from turnfold.core.world.requests import ListFiles
    >>> values(ListFiles).validate()
    """
    return _values(form, {})


Made: typing.TypeAlias = dict[object, SearchStrategy[Any]]  # by form: a config speaks of a few forms, hundreds of times


def _values(form: object, made: Made) -> SearchStrategy[Any]:
    if form not in made:
        made[form] = _made(form, made)
    return made[form]


def _made(form: object, made: Made) -> SearchStrategy[Any]:
    origin, arguments = typing.get_origin(form), typing.get_args(form)
    if origin in (typing.Union, UnionType):
        return st.one_of(*(_values(member, made) for member in arguments))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return _tuples(arguments, made)
    if origin is Said:
        return _said(cast(type[Any], arguments[0]), made)
    if origin is Log:
        return st.lists(_values(arguments[0], made), max_size=FEW).map(lambda items: Log.of(*items))
    leaf = _leaf(form)
    return _instances(cast(type[Any], form), made) if leaf is None else leaf


def _tuples(items: tuple[object, ...], made: Made) -> SearchStrategy[Any]:
    if len(items) == 2 and items[1] is Ellipsis:
        return _few(_values(items[0], made))
    return st.tuples(*(_values(item, made) for item in items))


def _few(items: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.lists(items, max_size=FEW).map(tuple)


def _leaf(form: object) -> SearchStrategy[Any] | None:
    """The strategy of a form that isn't made of others; None for one that is."""
    if isinstance(form, type) and issubclass(form, Enum):
        return st.sampled_from(form)
    plain: tuple[tuple[object, SearchStrategy[Any]], ...] = (
        (str, texts()),
        (bytes, st.binary(max_size=12)),
        (bool, st.booleans()),
        (int, st.integers(0, 9) | st.integers(-(2**53), 2**53)),
        (float, _floats()),
        (NoneType, st.none()),
        (JsonObject, json_objects()),
        (RequestId, request_ids()),
        (Position, positions()),
        (Missing, st.sampled_from((MISSING, DEFAULT))),
        (Live, st.just(Live())),
    )
    return next((strategy for kind, strategy in plain if kind is form), None)


def _instances(kind: type[Any], made: Made) -> SearchStrategy[Any]:
    """Instances of an attrs class, each field after its hint; a layer mentions a few settings only."""
    hints = typing.get_type_hints(kind)
    fields = tuple(field for field in attrs.fields(kind) if field.init)
    settings = tuple(field for field in fields if field.name.startswith("own_"))
    below = tuple(field.alias for field in fields if typing.get_args(hints[field.name]) == (kind, ...))
    named = {field.alias: _values(hints[field.name], made) for field in fields if field not in settings and field.alias not in below}
    if below:  # a tree
        leaves = st.builds(kind, **named)
        return st.recursive(leaves, lambda inner: st.builds(kind, **named, **{name: _few(inner) for name in below}), max_leaves=4)
    if not settings:
        return st.builds(kind, **named)
    mentioned = {field.alias: _values(hints[field.name], made) for field in settings}
    chosen = st.lists(st.sampled_from(tuple(mentioned)), max_size=FEW, unique=True)
    return chosen.flatmap(lambda some: st.builds(kind, **named, **{name: mentioned[name] for name in some}))


def _said(kind: type[Any], made: Made) -> SearchStrategy[Any]:
    """Some fields of a table."""
    hints = typing.get_type_hints(kind)
    fields = {field.name: _values(hints[field.name], made) for field in attrs.fields(kind)}
    chosen = st.lists(st.sampled_from(tuple(fields)), max_size=FEW, unique=True)
    said = chosen.flatmap(lambda some: st.fixed_dictionaries({name: fields[name] for name in some}))
    return said.map(lambda members: saying(members.items()))

"""gptme's three kinds of config files as turnfold's: what means something here is carried over, everything else is told with its reason.

A key never comes along: where gptme's file holds one, the settings name the variable that has to hold it from now on.
"""

from __future__ import annotations

import tomllib
from datetime import date, time
from typing import final

from attrs import evolve, frozen
from returns.result import Failure, Result, Success

from turnfold.adapters.gptme.leaves import Keys, Put, judged, leaves, tree_of
from turnfold.adapters.gptme.left import Left
from turnfold.adapters.gptme.rules import JOINED, Kind, Place, rules_of
from turnfold.core.json import JsonObject, JsonValue, freeze
from turnfold.core.problem import Problem, caller_problem


@final
@frozen(kw_only=True)
class Converted:
    """``settings`` in the shape of turnfold's file. ``carried``: the paths of gptme's file that are in them; ``left``: what is not."""

    settings: JsonObject
    carried: tuple[str, ...]
    left: tuple[Left, ...]


@final
@frozen
class _Settled:
    """The values that hold, one a place, and those that gave way."""

    puts: tuple[Put, ...]
    left: tuple[Left, ...]


def read_toml_untrusted(text: str, place: str) -> Result[JsonObject, Problem]:
    """The tables of a TOML file of gptme's; dates are read as their text.

    >>> read_toml_untrusted("[user]\\nname = 'Ann'", "config.toml").unwrap()
    JsonObject.of(user=JsonObject.of(name='Ann'))
    """
    try:
        value = freeze(_dateless(tomllib.loads(text)))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        return Failure(caller_problem("bad-settings", f"{place} can't be read as TOML: {str(error) or 'it is nested too deep'}."))
    return Success(value if isinstance(value, JsonObject) else JsonObject())


def _dateless(value: object) -> object:
    if isinstance(value, dict):
        return {name: _dateless(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_dateless(item) for item in value]
    return value.isoformat() if isinstance(value, (date, time)) else value


def settings_of_untrusted(config: JsonObject, place: Place) -> Converted:
    """What turnfold's file has to say so that it means what gptme's ``config`` does; each of its values is carried over or told as left.

    >>> read = settings_of_untrusted(JsonObject.of(user=JsonObject.of(name="Ann", avatar="a.png")), Place(kind=Kind.USER))
    >>> read.settings, str(read.left[0])
    (JsonObject.of(user=JsonObject.of(name='Ann')), 'user.avatar: turnfold shows no pictures of who speaks')
    """
    rules = rules_of(place)
    by_order = sorted((judged(leaf, rules) for leaf in leaves(config)), key=lambda each: each.order)
    found = tuple(each for one in by_order for each in one.found)
    puts = tuple(each for each in found if isinstance(each, Put))
    settled = _settled((*_servers_off(config, puts), *puts))
    settings = tree_of(settled.puts)
    left = (*(each for each in found if isinstance(each, Left)), *settled.left, *_no_provider(settings, place))
    carried = frozenset(put.path for put in settled.puts)
    return Converted(settings=settings, carried=tuple(leaf.path for leaf in leaves(config) if leaf.path in carried), left=left)


def _settled(puts: tuple[Put, ...]) -> _Settled:
    """One value a place: the first that is no fallback; texts and lists joined."""
    by_place: dict[Keys, Put] = {}
    nameless: list[Put] = []
    left: list[Left] = []
    lost: set[str] = set()
    for put in sorted(puts, key=lambda each: each.fallback):
        first = by_place.get(put.to)
        if put.fallback and put.path in lost:
            continue
        if not put.to:
            nameless.append(put)
        elif first is None:
            by_place[put.to] = put
        elif put.to in JOINED:
            by_place[put.to] = evolve(first, value=_joined(first.value, put.value))
            nameless.append(evolve(put, to=()))
        elif not put.fallback:
            left.append(Left(put.path, f"{first.path} says it, too, and wins"))
            lost.add(put.path)
    return _Settled((*by_place.values(), *nameless), tuple(left))


def _joined(first: JsonValue, more: JsonValue) -> JsonValue:
    if isinstance(first, tuple) and isinstance(more, tuple):
        return tuple(dict.fromkeys((*first, *more)))
    return f"{first}\n\n{more}"


def _servers_off(config: JsonObject, puts: tuple[Put, ...]) -> tuple[Put, ...]:
    """Servers of tools are off in gptme unless ``mcp.enabled`` is said; here each says it of itself."""
    mcp = config.get("mcp")
    if not isinstance(mcp, JsonObject) or mcp.get("enabled") is True:
        return ()
    started = tuple(dict.fromkeys(put.to[1] for put in puts if put.to[:1] == ("mcp",) and put.to[2:] in (("command",), ("url",))))
    return tuple(Put("mcp.enabled", ("mcp", server, "enabled"), value=False) for server in started)


def _no_provider(settings: JsonObject, place: Place) -> tuple[Left, ...]:
    """A word where the model's provider is not known here."""
    model, providers = settings.get("model"), settings.get("providers")
    provider = str(model).partition("/")[0]
    known = (*place.known, *(providers if isinstance(providers, JsonObject) else ()))
    if model is None or provider in known:
        return ()
    where = "your config.toml" if place.kind is Kind.PROJECT else "it"
    return (Left("model", f"{model} is kept, but {where} has to say where it is served: [providers.{provider}] with base_url and secret"),)

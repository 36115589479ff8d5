"""What a layer says of a table: some fields of a value, and how one layer's lies over another's.

The rule of laying, in full. ``over`` is the higher layer's, ``under`` the lower one's:

* not mentioned: ``under`` holds;
* put back to the default: ``over`` holds, and nothing below is asked;
* a table: field by field, by these same rules; a whole value says all of its fields, so nothing below it is asked;
* a table of free names (a ``JsonObject``): name by name, one level deep, since only so the order of laying does not matter;
* anything else, a list too: ``over`` holds, whole.

``laid`` is associative and idempotent, and ``MISSING`` is its identity, as long as what can be a table is said as a table or not
at all: a table is not put back, its fields are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Generic, ParamSpec, TypeAlias, TypeVar, cast, final

import attrs
from attrs import Factory, field, frozen

from turnfold.core.config.missing import MISSING, Missing
from turnfold.core.config.values import Limits, SecretRef, WorkedExample
from turnfold.core.json import JsonObject

P = ParamSpec("P")
T = TypeVar("T")

MemberValue: TypeAlias = (
    "str | int | float | None | Enum | JsonObject | SecretRef | Missing | tuple[str, ...] | tuple[WorkedExample, ...] | Said[Limits]"
)


@final
@frozen
class Member:
    """One field that is said: its name and value; ``DEFAULT`` puts it back."""

    name: str
    value: MemberValue


def _named(said: Said[T]) -> str:
    name = said.get("name")
    name = said.get("pattern") if isinstance(name, Missing) else name
    return name if isinstance(name, str) else ""


@final
@frozen
class Said(Generic[T]):
    """Some fields of a ``T``, sorted by name; the others are left to the layers below. Made by :func:`said`.

    ``name``: what an entry of a named table is called (its ``pattern``, where it has no name), found once, since it is looked for
    with every reading of the table.
    """

    members: tuple[Member, ...] = ()
    name: str = field(init=False, eq=False, repr=False, default=Factory(_named, takes_self=True))

    def get(self, name: str) -> MemberValue:
        """What is said of ``name``; ``MISSING`` where it is not mentioned."""
        for member in self.members:
            if member.name == name:
                return member.value
        return MISSING


NESTED = (Said, JsonObject)  # what is laid field by field, or name by name; final, so that their type tells them


def said(kind: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Said[T]:
    """Some fields of a ``kind``, by keyword, as its constructor takes them.

    >>> from turnfold.core.config.values import Limits
    >>> said(Limits, command_s=5.0).members
    (Member(name='command_s', value=5.0),)
    """
    if args:
        raise TypeError("said takes the fields by keyword: a field without a name is not said")
    kind(*args, **kwargs)  # an unknown name is a TypeError here, not a surprise later
    return saying(cast(Iterable[tuple[str, MemberValue]], kwargs.items()))


def saying(members: Iterable[tuple[str, MemberValue]]) -> Said[T]:
    """The members as a ``Said``, in its order."""
    return Said(tuple(Member(name, value) for name, value in sorted(members, key=lambda member: member[0])))


def laid(over: object, under: object) -> object:
    """One setting's value where ``over`` lies on ``under``; the rule stands above."""
    if isinstance(over, Missing):
        return over if over.mentioned else under
    if isinstance(under, Missing):
        return over
    if isinstance(over, JsonObject) and isinstance(under, JsonObject):
        return _laid_objects(over, under)
    if isinstance(over, Said) and isinstance(under, Said):
        return _laid_said(over, under)
    if isinstance(over, Said) and attrs.has(type(under)):
        return _filled({member.name: member.value for member in over.members}, under)
    return over


def _laid_said(over: Said[T], under: Said[T]) -> Said[T]:
    both = {member.name: member for member in under.members}
    for member in over.members:
        below = both.get(member.name)
        both[member.name] = member if below is None else Member(member.name, cast(MemberValue, laid(member.value, below.value)))
    return Said(tuple(both[name] for name in sorted(both)))


def _laid_objects(over: JsonObject, under: JsonObject) -> JsonObject:
    """The names of both, those of ``over`` first."""
    names = dict.fromkeys((*over, *under))
    return JsonObject(tuple((name, over[name] if name in over else under[name]) for name in names))


def filled(default: T, said: Iterable[T | Said[T] | Missing]) -> T:
    """The whole value of a table, from what the layers say of it, highest first; ``default`` lies below all of them."""
    above: dict[str, object] = {}
    under = default
    for each in said:
        if isinstance(each, Said):
            for member in each.members:
                over = above.setdefault(member.name, member.value)
                if type(over) in NESTED:
                    above[member.name] = laid(over, member.value)
        elif not isinstance(each, Missing):
            under = each
            break
        elif each.mentioned:
            break
    return _filled(above, under) if above else under


def _filled(above: Mapping[str, object], under: T) -> T:
    """``under`` with what is said ``above`` it; a field that is put back has its default."""
    whole = cast(attrs.AttrsInstance, under)
    changes: dict[str, object] = {}
    for name, said in above.items():
        if isinstance(said, Missing):
            changes[name] = _default_of(whole, name)
        else:
            changes[name] = laid(said, getattr(whole, name)) if type(said) in NESTED else said
    return cast(T, attrs.evolve(whole, **changes))  # type: ignore[misc]  # AttrsInstance is the protocol of every attrs class


def _default_of(value: attrs.AttrsInstance, name: str) -> object:
    blank = type(value)(**{each.name: "" for each in attrs.fields(type(value)) if each.default is attrs.NOTHING})
    return getattr(blank, name)

"""A function's signature as a value: the schema of its arguments, and the arguments of a call read by it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from inspect import Parameter
from typing import Any, final

from attrs import field, frozen
from cattrs import Converter
from returns.result import Failure, Result, Success

from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, JsonSchema, thaw
from turnfold.core.problem import Problem, model_problem, path_text
from turnfold.core.tools.schema import check_untrusted
from turnfold.shell.functions.annotations import MISSING, Writer, described
from turnfold.shell.functions.decoding import Misfit, misfits, new_converter
from turnfold.shell.functions.docs import Doc
from turnfold.shell.functions.encoding import UnfitError
from turnfold.shell.scope import Scope

NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@final
@frozen
class Caller:
    """Who calls: a function whose first parameter is a ``Caller`` is told of the conversation; a model is not told of the parameter."""

    cfg: ChatConfig
    scope: Scope = field(repr=False, eq=False)

    @property
    def workspace(self) -> str:
        """The folder that the conversation's paths start from."""
        return self.cfg.workspace

    @property
    def cancelled(self) -> bool:
        """Whether the call shall stop: nothing but the function itself can stop one that is not async."""
        return self.scope.cancelled

    def progress(self, text: str) -> None:
        """Show ``text`` to whoever watches the call; the model is not told, and nothing is kept. From any thread."""
        self.scope.emit(text.encode("utf-8", "replace"))


@final
@frozen(kw_only=True)
class Taken:
    """One parameter that a model gives: ``kind`` is ``inspect``'s, ``default`` is ``MISSING`` where it must be given."""

    name: str
    type: object
    kind: inspect._ParameterKind
    default: object = MISSING

    @property
    def required(self) -> bool:
        """Whether a call must have it."""
        return self.default is MISSING and self.kind not in {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}


@final
@frozen
class Bound:
    """What a function is called with."""

    positional: tuple[Any, ...] = ()
    named: tuple[tuple[str, Any], ...] = ()


@final
@frozen(kw_only=True, eq=False)
class Signature:
    """What a function takes, and how it is read; ``caller``: the name of its first parameter where that is a ``Caller``, else empty."""

    taken: tuple[Taken, ...]
    caller: str
    schema: JsonSchema
    converter: Converter = field(repr=False)

    def read(self, arguments: JsonObject, caller: Caller) -> Result[Bound, Problem]:
        """What the function is called with for ``arguments``; else one Problem with everything that does not fit, and where."""
        checked = check_untrusted(arguments, self.schema)
        return checked if isinstance(checked, Failure) else self.decoded(arguments, caller)

    def decoded(self, arguments: JsonObject, caller: Caller) -> Result[Bound, Problem]:
        """As ``read``, by the types alone."""
        made: dict[str, Any] = {}
        wrong: list[Misfit] = [Misfit((name,), "is unknown") for name in arguments if all(each.name != name for each in self.taken)]
        for each in self.taken:
            if each.name in arguments:
                try:
                    made[each.name] = self.converter.structure(thaw(arguments[each.name]), _whole(each))
                except Exception as error:  # noqa: BLE001 - a class of the tool's own may raise anything in its making
                    wrong += misfits(error, (each.name,))
            elif each.required:
                wrong.append(Misfit((each.name,), "is missing"))
        wrong += self._clashes(made)
        return Failure(_refusal(wrong)) if wrong else Success(self._bound(made, caller))

    def _clashes(self, made: dict[str, Any]) -> Iterator[Misfit]:
        """Names among the further keywords that are parameters of their own."""
        for each in self.taken:
            if each.kind is Parameter.VAR_KEYWORD:
                taken = _spoken(self.taken, self.caller)
                yield from (Misfit((each.name, name), "is a parameter of its own") for name in made.get(each.name, {}) if name in taken)

    def _bound(self, made: dict[str, Any], caller: Caller) -> Bound:
        positional: list[Any] = [caller] if self.caller else []
        named: list[tuple[str, Any]] = []
        for each in self.taken:
            if each.kind in NAMED:
                positional.append(made.get(each.name, each.default))
            elif each.kind is Parameter.VAR_POSITIONAL:
                positional.extend(made.get(each.name, ()))
            elif each.kind is Parameter.VAR_KEYWORD:
                named.extend(made.get(each.name, {}).items())
            elif each.name in made:
                named.append((each.name, made[each.name]))
        return Bound(tuple(positional), tuple(named))


def _whole(taken: Taken) -> Any:
    """The type of all that a parameter takes: ``*numbers: float`` takes a list."""
    if taken.kind is Parameter.VAR_POSITIONAL:
        return list[taken.type]  # type: ignore[name-defined]  # a type that is known when the program runs
    if taken.kind is Parameter.VAR_KEYWORD:
        return dict[str, taken.type]  # type: ignore[name-defined]
    return taken.type


def _refusal(wrong: list[Misfit]) -> Problem:
    said = "\n".join(f"- {path_text(each.path)} {each.message}" for each in wrong[:20])
    return model_problem("bad-arguments", f"The arguments don't fit:\n{said}")


def read_signature(function: Callable[..., object], doc: Doc) -> Signature:
    """What ``function`` takes; raises ``UnfitError`` where a model could not be told of it.

    >>> def roll(sides: int = 6) -> int: ...
    >>> read_signature(roll, Doc()).schema["properties"]
    JsonObject.of(sides=JsonObject.of(type='integer', default=6))
    """
    hints = _hints(function)
    found = tuple(inspect.signature(function).parameters.values())
    for each in found:
        if each.name not in hints:
            raise UnfitError(f"the parameter {each.name} has no type: write {each.name}: str, or what it is")
    caller = found[0].name if found and hints[found[0].name] is Caller else ""
    taken = tuple(
        Taken(name=each.name, type=hints[each.name], kind=each.kind, default=each.default) for each in (found[1:] if caller else found)
    )
    if any(each.type is Caller for each in taken):
        raise UnfitError("a Caller can only be the first parameter")
    return Signature(taken=taken, caller=caller, schema=_schema(taken, caller, doc), converter=new_converter())


def _hints(function: Callable[..., object]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise UnfitError(f"a type can't be found ({error}): define it in the module, above") from error


def _schema(taken: tuple[Taken, ...], caller: str, doc: Doc) -> JsonSchema:
    writer = Writer()
    members = []
    for each in taken:
        try:
            schema = _closed_names(each, writer.schema(_whole(each)), taken, caller)
        except UnfitError as error:
            raise UnfitError(f"the parameter {each.name}: {error}") from error
        members.append((each.name, described(schema, doc.of(each.name), each.default)))
    required = tuple(each.name for each in taken if each.required)
    properties = JsonObject(tuple(members))
    return writer.with_definitions(JsonObject.of(type="object", properties=properties, required=required, additionalProperties=False))


def _closed_names(taken: Taken, schema: JsonSchema, others: tuple[Taken, ...], caller: str) -> JsonSchema:
    """The schema of further keywords, which can't have the names of the other parameters."""
    names = _spoken(others, caller) if taken.kind is Parameter.VAR_KEYWORD else ()
    return schema.with_member("properties", JsonObject(tuple((name, False) for name in names))) if names else schema


def _spoken(taken: tuple[Taken, ...], caller: str) -> tuple[str, ...]:
    """The names by which parameters can be given as keywords."""
    names = tuple(each.name for each in taken if each.kind in {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY})
    return (caller, *names) if caller else names

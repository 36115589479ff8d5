"""A run's last reply as a Python value: the schema that a class makes, which the config holds, and the reply decoded by it.

>>> from attrs import frozen
>>> @frozen
... class City:
...     name: str
...     people: int | None = None
>>> wanted = output_of(City)
>>> wanted.schema["required"], wanted.decoded(JsonObject.of(name="Ulm")).unwrap()
(('name',), City(name='Ulm', people=None))
>>> print(wanted.decoded(JsonObject.of(name=3)).failure().message)
The reply does not fit City:
- $.name must be a string
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, final, overload

from attrs import field, frozen
from cattrs import Converter
from returns.result import Failure, Result, Success

from turnfold.core.agent.events import Reason
from turnfold.core.json import JsonObject, JsonSchema, JsonValue, thaw
from turnfold.core.llm.structured import read_output_untrusted
from turnfold.core.problem import Problem, caller_problem, model_problem, path_text
from turnfold.shell.desk import RunResult
from turnfold.shell.functions.annotations import schema_of, shown_type
from turnfold.shell.functions.decoding import misfits, new_converter
from turnfold.shell.functions.encoding import UnfitError

T = TypeVar("T")
WITHIN = "value"  # the member that holds what is no object: providers want one at the root
MAX_FAULTS = 20


@final
@frozen(kw_only=True, eq=False)
class Output(Generic[T]):
    """What a reply has to be: ``schema`` is for the config (``output``); ``decoded`` makes the value of it."""

    schema: JsonSchema
    kind: object
    _wrapped: bool
    _converter: Converter = field(repr=False)

    def decoded(self, value: JsonValue) -> Result[T, Problem]:
        """``value``, which a model wrote, as what it stands for; one Problem with everything that does not fit, and where."""
        if self._wrapped and not (isinstance(value, JsonObject) and WITHIN in value):
            return Failure(_misfit(self.kind, ("- $ is missing its member value",)))
        held = value[WITHIN] if self._wrapped and isinstance(value, JsonObject) else value
        try:
            kind: Any = self.kind
            made: T = self._converter.structure(thaw(held), kind)
        except Exception as error:  # noqa: BLE001 - a class may raise anything in its making
            path = (WITHIN,) if self._wrapped else ()
            said = tuple(f"- {path_text(each.path)} {each.message}" for each in misfits(error, path))
            return Failure(_misfit(self.kind, said[:MAX_FAULTS]))
        return Success(made)


@overload
def output_of(kind: type[T], /) -> Output[T]: ...


@overload
def output_of(kind: object, /) -> Output[Any]: ...


def output_of(kind: Any, /) -> Output[Any]:
    """What a reply has to be to stand for a ``kind``: an attrs class, a dataclass, a union, a list … of such, as a tool's parameters are.

    What is no object in JSON becomes the member ``value`` of one. Raises ``TypeError`` for a type that a model could not write.

    >>> output_of(list[int]).schema["properties"]
    JsonObject.of(value=JsonObject.of(type='array', items=JsonObject.of(type='integer')))
    """
    try:
        schema = schema_of(kind)
    except UnfitError as error:
        raise UnfitError(f"{shown_type(kind)} can't be an output: {error}.") from error
    wrapped = schema.get("type") != "object"
    return Output(schema=_within(schema) if wrapped else schema, kind=kind, wrapped=wrapped, converter=new_converter())


def _within(schema: JsonSchema) -> JsonSchema:
    """The schema of an object that holds a value of ``schema``; definitions stay at the root, where references find them."""
    plain = JsonObject(tuple(member for member in schema.members if member[0] != "$defs"))
    named = JsonObject(((WITHIN, plain),))
    whole = JsonObject.of(type="object", properties=named, required=(WITHIN,), additionalProperties=False)
    return whole.with_member("$defs", schema["$defs"]) if "$defs" in schema else whole


@overload
def decoded(result: RunResult, kind: type[T] | Output[T], /) -> Result[T, Problem]: ...


@overload
def decoded(result: RunResult, kind: object, /) -> Result[Any, Problem]: ...


def decoded(result: RunResult, kind: Any, /) -> Result[Any, Problem]:
    """What the run's last reply says, as a ``kind`` (or by an ``Output`` that was made before); else why it says nothing of that kind."""
    wanted = kind if isinstance(kind, Output) else output_of(kind)
    if result.problem is not None:
        return Failure(result.problem)
    if result.ended is None:
        return Failure(caller_problem("no-output", "The run is paused: it waits for a person, and has no output yet."))
    if result.ended.reason is not Reason.COMPLETED:
        return Failure(caller_problem("no-output", f"The run has no output: it ended as {result.ended.reason.value}."))
    return read_output_untrusted(result.reply, wanted.schema).bind(wanted.decoded)


def _misfit(kind: object, said: tuple[str, ...]) -> Problem:
    return model_problem("bad-output", "\n".join((f"The reply does not fit {shown_type(kind)}:", *said)))

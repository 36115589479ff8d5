"""The codec of every stored union: ``decode(encode(x)) == x``, and outside text that is wrong is a Problem, never an exception."""

from __future__ import annotations

from typing import Generic, TypeVar, cast, final

from attrs import field, frozen
from cattrs import Converter, transform_error
from cattrs.v import format_exception
from returns.result import Failure, Result, Success

from turnfold.core.agent.asked import Question
from turnfold.core.agent.draft import Step
from turnfold.core.agent.effects import Effect
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import Input
from turnfold.core.agent.state import ChatState, Past
from turnfold.core.codec.converter import new_converter
from turnfold.core.config.briefing import Briefing
from turnfold.core.config.layers import ChatConfig, ProjectConfig
from turnfold.core.conversation.messages import Message
from turnfold.core.json import compact, loads_untrusted, scalar_text, thaw
from turnfold.core.problem import Blame, Problem
from turnfold.core.stream.items import Item
from turnfold.core.world.answers import Answer
from turnfold.core.world.requests import Request

T = TypeVar("T")

AROUND = 32  # levels that a state or a step may have around the deepest arguments or memory

_CONVERTER: Converter = new_converter()  # a table of functions; what it remembers is the code made for a class


@final
@frozen
class Codec(Generic[T]):
    """How values of one type look as text: ``name`` for messages, ``form`` the type or union."""

    name: str
    form: object = field(repr=False)


EVENT: Codec[Event] = Codec("event", Event)
INPUT: Codec[Input] = Codec("input", Input)
EFFECT: Codec[Effect] = Codec("effect", Effect)
REQUEST: Codec[Request] = Codec("request", Request)
ANSWER: Codec[Answer] = Codec("answer", Answer)
MESSAGE: Codec[Message] = Codec("message", Message)
CONFIG: Codec[ChatConfig] = Codec("config", ChatConfig)
PROJECT: Codec[ProjectConfig] = Codec("project", ProjectConfig)
BRIEFING: Codec[Briefing] = Codec("briefing", Briefing)
PAST: Codec[Past] = Codec("past", Past)
STATE: Codec[ChatState] = Codec("state", ChatState)
QUESTION: Codec[Question] = Codec("question", Question)
STEP: Codec[Step] = Codec("step", Step)
ITEM: Codec[Item] = Codec("item", Item)


def encode(codec: Codec[T], value: T) -> str:
    """``value`` as compact JSON text of one line; linear in its size."""
    return scalar_text(compact(_CONVERTER.unstructure(value, unstructure_as=codec.form)))


def decode_untrusted(codec: Codec[T], text: str | bytes) -> Result[T, Problem]:
    """The value that ``text`` holds, or a Problem (code ``bad-CODEC``) that names every place that is wrong."""
    parsed = loads_untrusted(text, AROUND)
    if isinstance(parsed, Failure):
        fault = parsed.failure()
        return Failure(_problem(codec.name, f"it is not JSON: {fault.message}, line {fault.line}, column {fault.column}"))
    try:
        return Success(cast(T, _CONVERTER.structure(thaw(parsed.unwrap()), codec.form)))  # type: ignore[arg-type]  # a union is no type[T] to mypy
    except Exception as error:  # noqa: BLE001 - cattrs raises groups of whatever its hooks raised
        return Failure(_problem(codec.name, "; ".join(transform_error(error, format_exception=_told))))


def _told(error: BaseException, form: type | None) -> str:
    """What one error says: the converter's own hooks speak for themselves."""
    return str(error) if type(error) is ValueError else format_exception(error, form)


def _problem(name: str, what: str) -> Problem:
    return Problem(code=f"bad-{name}", message=f"This is no {name} that turnfold wrote: {what}.", blame=Blame.CALLER)
